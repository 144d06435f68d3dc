import type { ComponentChildren } from "preact";
import type { Chat } from "../chat";
import { pieces } from "../linkify";
import type { State } from "../state";
import type { Text } from "../text/text";
import type { WidgetConfig } from "../wire";
import { Icon } from "./icons";

export interface Props {
  chat: Chat;
  state: State;
}

/** Text of people: shown as it is, addresses in it can be followed. Never markup. */
export function Said({ text }: { text: string }) {
  return (
    <>
      {pieces(text).map((piece, at) =>
        piece.href ? (
          <a key={at} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
            {piece.text}
          </a>
        ) : (
          piece.text
        ),
      )}
    </>
  );
}

const initials = (name: string) =>
  name
    .split(/\s+/)
    .slice(0, 2)
    .map((part) => [...part][0] ?? "")
    .join("")
    .toUpperCase();

export function Face({ name }: { name: string }) {
  return (
    <span class="face" aria-hidden="true">
      {initials(name) || <Icon name="person" small />}
    </span>
  );
}

export function Faces({ config }: { config: WidgetConfig }) {
  const names = config.agents.length ? config.agents.map((agent) => agent.name) : [config.business];
  return (
    <span class="faces">
      {names.slice(0, 3).map((name) => (
        <Face key={name} name={name} />
      ))}
    </span>
  );
}

/** Who is there and how long it takes, or when somebody will be. */
export function presence(text: Text, config: WidgetConfig): string {
  if (!config.online) {
    if (config.open_now) return text.t("all_busy");
    return config.next_open_at ? text.t("away_back", { when: text.when(config.next_open_at) }) : text.t("away");
  }
  const names = config.agents.map((agent) => agent.name.split(/\s+/)[0] ?? agent.name);
  const who = names.length ? text.n("here", names.length, { names: text.list(names) }) : text.t("we_are_here");
  const wait = config.expected_wait_ms;
  if (wait === null) return who;
  return `${who} · ${wait < 60_000 ? text.t("wait_soon") : text.t("wait", { time: text.minutes(wait) })}`;
}

export function Presence({ state }: { state: State }) {
  return (
    <span class="presence">
      <i class={`dot ${state.config.online ? "on" : "off"}`} aria-hidden="true" />
      <span>{presence(state.text, state.config)}</span>
    </span>
  );
}

export function CloseButton({ chat, state }: Props) {
  if (!state.framed) return null;
  const name = state.text.t("close");
  return (
    <button type="button" class="bare close" aria-label={name} title={name} onClick={() => chat.close()}>
      <Icon name="close" />
    </button>
  );
}

/** A line that says what is going on with the connection or the queue. */
export function Strip({ tone, icon, children }: { tone: "warn" | "info"; icon: "cloud" | "clock" | "warn"; children: ComponentChildren }) {
  return (
    <p class={`strip ${tone}`} role="status">
      <Icon name={icon} small />
      <span>{children}</span>
    </p>
  );
}

/** Why nothing can be written here, and the way on. */
export function Blocked({ chat, state }: Props) {
  const { text, block, config } = state;
  if (!block) return null;
  const more =
    block.code === "banned"
      ? text.t("banned_more", { business: config.business })
      : block.code === "rate_limited"
        ? text.t("rate_limited_more", { when: text.soon(Math.max(1000, (block.until ?? 0) - Date.now())) })
        : text.t(`${block.code}_more`);
  const skippable = (block.code === "expired_identity" || block.code === "forged_identity") && !config.identity_required;
  return (
    <section class="blocked" role="status">
      <span class="blocked-icon">
        <Icon name={block.code === "rate_limited" ? "clock" : block.code === "banned" || block.code === "identity_required" ? "lock" : "warn"} />
      </span>
      <h2>{text.t(block.code)}</h2>
      <p>{more}</p>
      {skippable && (
        <button type="button" class="button" onClick={() => chat.withoutSignIn()}>
          {text.t("without_sign_in")}
        </button>
      )}
    </section>
  );
}

export function channelName(text: Text, channel: string): string {
  const names: Record<string, string> = { sms: "SMS", whatsapp: "WhatsApp", instagram: "Instagram", messenger: "Messenger", telegram: "Telegram", viber: "Viber" };
  return channel === "email" ? text.t("email") : channel === "webchat" ? text.t("chat") : (names[channel] ?? channel);
}

/** With a hardware keyboard at hand: only then may focus go to a text field by itself, and Enter send. */
export const finePointer = () => !matchMedia("(hover: none) and (pointer: coarse)").matches;
