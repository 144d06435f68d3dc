import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Announcer } from "./announcer";
import { Composer } from "./composer";
import { Header } from "./header";
import { Icon } from "./icons";
import { lazy } from "./lazy";
import { lines } from "./lines";
import { ItemRow, OutLine } from "./message";
import { Blocked, Face, Said, Strip, type Props } from "./parts";

const EmailLine = lazy(() => import("./email-line").then((file) => file.EmailLine));

const NEAR_PX = 48;
const OLDER_PX = 80;

export function Conversation({ chat, state }: Props) {
  const { text, config, log, outbox, typing } = state;
  const scroller = useRef<HTMLDivElement>(null);
  /** Distance from the end; 0 sticks. Kept while older items come in above. */
  const fromEnd = useRef(0);
  const [atEnd, setAtEnd] = useState(true);
  const [dragging, setDragging] = useState(false);
  const all = useMemo(() => lines(log, outbox), [log, outbox]);

  const settle = () => {
    const box = scroller.current;
    if (box) box.scrollTop = box.scrollHeight - box.clientHeight - fromEnd.current;
  };
  const oldest = log[0]?.id;
  const lastOut = outbox[outbox.length - 1]?.message.client_msg_id;
  useLayoutEffect(() => {
    fromEnd.current = 0; // my own message: I want to see it
    setAtEnd(true);
  }, [lastOut]);
  const before = useRef(oldest);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const grewAbove = before.current !== oldest;
    before.current = oldest;
    // Something new below while reading above: stay where the eye is.
    if (fromEnd.current <= NEAR_PX || grewAbove) settle();
    else fromEnd.current = box.scrollHeight - box.clientHeight - box.scrollTop;
  }, [all, typing, state.email, state.held]);
  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const watch = new ResizeObserver(() => fromEnd.current <= NEAR_PX && settle());
    watch.observe(box);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (state.open && atEnd) chat.seen();
  }, [chat, state.open, atEnd, log, state.unread]);
  useEffect(() => {
    const onVisible = () => fromEnd.current <= NEAR_PX && chat.seen();
    document.addEventListener("visibilitychange", onVisible);
    return () => document.removeEventListener("visibilitychange", onVisible);
  }, [chat]);

  function onScroll() {
    const box = scroller.current;
    if (!box) return;
    fromEnd.current = Math.max(0, box.scrollHeight - box.clientHeight - box.scrollTop);
    setAtEnd(fromEnd.current <= NEAR_PX);
    if (box.scrollTop < OLDER_PX && state.before) void chat.older();
  }
  function toEnd() {
    fromEnd.current = 0;
    settle();
    setAtEnd(true);
  }
  function take(event: DragEvent | ClipboardEvent, data: DataTransfer | null) {
    if (!data?.files.length || !config.attachments.enabled || state.block) return;
    event.preventDefault();
    chat.addFiles(Array.from(data.files));
  }

  const began = log.length > 0 || outbox.length > 0;
  const away = !config.online && (config.away_text || text.t("leave_message"));
  return (
    <div
      class="chat-body"
      onDragOver={(event) => {
        if (!config.attachments.enabled || !event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        setDragging(true);
      }}
      onDragLeave={(event) => event.relatedTarget === null && setDragging(false)}
      onDrop={(event) => {
        setDragging(false);
        take(event, event.dataTransfer);
      }}
      onPaste={(event) => take(event, event.clipboardData)}
    >
      <Header chat={chat} state={state} />
      {!state.network ? (
        <Strip tone="warn" icon="cloud">
          {text.t("offline")}
        </Strip>
      ) : (
        state.link === "waiting" &&
        (state.wasUp || outbox.length > 0) && (
          <Strip tone="warn" icon="cloud">
            {text.t("reconnecting")}
          </Strip>
        )
      )}
      <div class="log-box">
        <div class="scroll log" ref={scroller} onScroll={onScroll} tabIndex={0} role="region" aria-label={text.t("conversation")}>
          <div class="log-inner">
            {state.before && (
              <button type="button" class="button small earlier" disabled={state.loadingOlder} onClick={() => void chat.older()}>
                {text.t(state.loadingOlder ? "loading" : "earlier")}
              </button>
            )}
            {!state.before && (
              <div class="opening">
                <Face name={config.business} />
                <p dir="auto">{config.greeting || text.t("greeting")}</p>
                {away && (
                  <p class="meta" dir="auto">
                    {away}
                  </p>
                )}
              </div>
            )}
            <ol>
              {all.map((line) =>
                line.kind === "day" ? (
                  <li key={line.key} class="day">
                    <span>{text.day(line.at)}</span>
                  </li>
                ) : line.kind === "item" ? (
                  <ItemRow key={line.key} line={line} state={state} />
                ) : (
                  <OutLine key={line.key} line={line} chat={chat} state={state} />
                ),
              )}
            </ol>
            {began && config.ask_email_when_away && (!config.online || state.email) && <EmailLine chat={chat} state={state} />}
            {typing && (
              <div class="row theirs typing" role="status">
                <span class="side">
                  <Face name={typing.name ?? config.business} />
                </span>
                <div class="bubble dots">
                  <span class="unseen">{typing.name ? text.t("typing", { name: typing.name }) : text.t("typing_someone")}</span>
                  <i />
                  <i />
                  <i />
                </div>
                {typing.name && (
                  <span class="meta" aria-hidden="true">
                    {text.t("typing", { name: typing.name })}
                  </span>
                )}
              </div>
            )}
          </div>
        </div>
        {!atEnd && (
          <button type="button" class={`to-end${state.unread ? " news" : ""}`} onClick={toEnd} aria-label={state.unread ? undefined : text.t("to_newest")}>
            {state.unread > 0 && text.n("new_messages", state.unread)}
            <Icon name="down" small />
          </button>
        )}
      </div>
      <Announcer chat={chat} state={state} />
      {state.held && (
        <Strip tone="info" icon="clock">
          {text.t(state.held === "rate_limited" ? "held_rate" : "held_busy")}
        </Strip>
      )}
      {state.block ? <Blocked chat={chat} state={state} /> : <Composer chat={chat} state={state} onSent={toEnd} />}
      {!began && !state.block && config.consent_text && (
        <p class="consent under" dir="auto">
          <Said text={config.consent_text} />
        </p>
      )}
      {dragging && (
        <div class="drop" aria-hidden="true">
          <Icon name="attach" />
          {text.t("drop")}
        </div>
      )}
    </div>
  );
}
