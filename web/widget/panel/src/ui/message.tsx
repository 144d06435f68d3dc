import { isPicture } from "../files";
import type { State } from "../state";
import type { Text } from "../text/text";
import type { WidgetFile, WidgetItem } from "../wire";
import { Icon } from "./icons";
import type { Line } from "./lines";
import { channelName, Face, Said, type Props } from "./parts";

/** One to three emoji and nothing else are shown large, without a bubble. */
const onlyEmoji = /^(?:\p{Extended_Pictographic}(?:\uFE0F|[\u{1F3FB}-\u{1F3FF}]|\u200D\p{Extended_Pictographic}\uFE0F?)*\s*){1,3}$/u;

export function authorName(text: Text, item: WidgetItem): string {
  if (item.from === "me") return text.t("you");
  if (item.from === "bot") return `${item.name || text.t("assistant")} (${text.t("automatic")})`;
  return item.name || text.t("team");
}

function Bubble({ words }: { words: string }) {
  if (!words) return null;
  return (
    <div class={onlyEmoji.test(words) ? "big" : "bubble"} dir="auto">
      <Said text={words} />
    </div>
  );
}

function Files({ files, text }: { files: WidgetFile[]; text: Text }) {
  return (
    <>
      {files.map((file) =>
        isPicture(file.mime) && file.url ? (
          <a key={file.id} class="picture" href={file.url} target="_blank" rel="noopener noreferrer" aria-label={text.t("open_file", { name: file.name })}>
            <img src={file.url} alt="" loading="lazy" />
          </a>
        ) : (
          <a key={file.id} class="chip-file" href={file.url || undefined} target="_blank" rel="noopener noreferrer" download={file.name}>
            <span class="chip-icon">
              <Icon name="file" />
            </span>
            <span class="chip-words">
              <bdi class="chip-name">{file.name}</bdi>
              <span class="meta">{text.bytes(file.bytes)}</span>
            </span>
          </a>
        ),
      )}
    </>
  );
}

export function ItemRow({ line, state }: { line: Line & { kind: "item" }; state: State }) {
  const { item } = line;
  const { text } = state;
  if (item.from === "system") return <li class="event">{eventWords(text, item)}</li>;
  const me = item.from === "me";
  const state_ = item.state === "read" ? "read" : "sent";
  const showState = me && line.newestOfMine && item.state !== null;
  return (
    <li class={`row ${me ? "mine" : "theirs"}${line.first ? " first" : ""}`}>
      {!me && <span class="side">{line.last && <Face name={item.name || state.config.business} />}</span>}
      <div class="stack">
        {line.first && <span class={me ? "unseen" : "name"}>{authorName(text, item)}</span>}
        {item.removed ? (
          <div class="bubble gone">{text.t("removed")}</div>
        ) : (
          <>
            <Bubble words={item.text} />
            <Files files={item.files} text={text} />
          </>
        )}
        {(line.last || showState) && (
          <span class="meta line" title={text.full(item.at)}>
            <time dateTime={item.at}>{text.time(item.at)}</time>
            {item.channel !== "webchat" && item.channel && <span>· {text.t("via", { channel: channelName(text, item.channel) })}</span>}
            {showState && (
              <span class={`mark ${state_}`}>
                <Icon name={state_ === "read" ? "checks" : "check"} small />
                {text.t(state_)}
              </span>
            )}
          </span>
        )}
      </div>
    </li>
  );
}

function eventWords(text: Text, item: WidgetItem): string {
  const { code, args } = item.event ?? { code: "", args: {} };
  if (code === "status_changed") return text.t("closed_event");
  if (code === "channel_switched") return text.t("goes_on_by", { channel: channelName(text, String(args["to"] ?? "")) });
  if (code === "assigned") return text.t("joined", { name: String(args["name"]) });
  return item.text;
}

export function OutLine({ line, chat, state }: Props & { line: Line & { kind: "out" } }) {
  const { text, link } = state;
  const { message, state: where, code } = line.row;
  const id = message.client_msg_id;
  const words = where === "failed" ? null : where === "sent" ? text.t("sent") : text.t(link === "up" || link === "connecting" || state.beginning ? "sending" : "waiting");
  const why = code === "too_long" || code === "too_many_files" || code === "unknown_file" || code === "other_identity" ? code : "not_sent";
  return (
    <li class={`row mine ${where}${line.first ? " first" : ""}`}>
      <div class="stack">
        {line.first && <span class="unseen">{text.t("you")}</span>}
        <Bubble words={message.text} />
        <Files files={message.files ?? []} text={text} />
        {where === "failed" ? (
          <div class="failed-line" role="alert">
            <span>{text.t(why)}</span>
            <button type="button" class="link danger" onClick={() => chat.again(id)}>
              {text.t("try_again")}
            </button>
            <button type="button" class="link danger" onClick={() => chat.edit(id)}>
              {text.t("edit")}
            </button>
            <button type="button" class="link danger" onClick={() => chat.discard(id)}>
              {text.t("remove")}
            </button>
          </div>
        ) : (
          line.last && (
            <span class="meta line">
              <time dateTime={message.at}>{text.time(message.at)}</time>
              <span class="mark">
                <Icon name={where === "sent" ? "check" : "clock"} small />
                {words}
              </span>
            </span>
          )
        )}
      </div>
    </li>
  );
}
