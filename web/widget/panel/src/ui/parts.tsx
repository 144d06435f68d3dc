import type { ComponentChildren } from "preact";
import type { Chat } from "../chat";
import { pieces } from "../linkify";
import type { State } from "../state";
import type { Text } from "../text/text";
import type { WidgetConfig } from "../wire";
import { Icon } from "./icons";
import { lazy } from "./lazy";

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
    .filter((part) => /^[\p{L}\p{N}]/u.test(part))
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

/** Who is there, or when somebody will be. */
export function who(text: Text, config: WidgetConfig): string {
  if (!config.online) {
    if (config.open_now) return text.t("all_busy");
    return config.next_open_at ? text.t("away_back", { when: text.when(config.next_open_at) }) : text.t("away");
  }
  const names = config.agents.map((agent) => agent.name.split(/\s+/)[0] ?? agent.name);
  return names.length ? text.n("here", names.length, { names: text.list(names) }) : text.t("we_are_here");
}

/** How long an answer takes; nothing when nobody is there or nothing is known. */
export function wait(text: Text, config: WidgetConfig): string {
  const ms = config.expected_wait_ms;
  if (!config.online || ms === null) return "";
  return ms < 60_000 ? text.t("wait_soon") : text.t("wait", { time: text.minutes(ms) });
}

export function Presence({ state, short }: { state: State; short?: boolean }) {
  const { text, config } = state;
  const ms = config.online ? config.expected_wait_ms : null;
  return (
    <span class="presence">
      <i class={`dot ${config.online ? "on" : "off"}`} aria-hidden="true" />
      <span>
        {who(text, config)}
        {short && ms !== null && ` · ~${text.minutes(ms)}`}
      </span>
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
export const Blocked = lazy(() => import("./blocked").then((file) => file.Blocked));

export function channelName(text: Text, channel: string): string {
  const names: Record<string, string> = { sms: "SMS", whatsapp: "WhatsApp", instagram: "Instagram", messenger: "Messenger", telegram: "Telegram", viber: "Viber" };
  return channel === "email" ? text.t("email") : channel === "webchat" ? text.t("chat") : (names[channel] ?? channel);
}

/** With a hardware keyboard at hand: only then may focus go to a text field by itself, and Enter send. */
export const finePointer = () => !matchMedia("(hover: none) and (pointer: coarse)").matches;
