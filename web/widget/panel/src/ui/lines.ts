/** What stands in the log, line by line: day headings, groups of one author, and which message carries time and state. */
import type { Kept } from "../memory";
import type { OutRow } from "../state";
import type { WidgetItem } from "../wire";

export type Line =
  | { kind: "day"; key: string; at: string }
  | { kind: "item"; key: string; item: WidgetItem; first: boolean; last: boolean; newestOfMine: boolean }
  | { kind: "out"; key: string; row: OutRow; first: boolean; last: boolean };

const GROUP_MS = 5 * 60_000;
const dayOf = (at: string) => new Date(at).toDateString();
const author = (item: WidgetItem) => `${item.from}:${item.name ?? ""}:${item.channel}`;

/** Events whose words we know; the others stay unseen. */
export const shownEvent = (item: WidgetItem) => {
  const { code, args } = item.event ?? { code: "", args: {} };
  if (code === "status_changed") return args["to"] === "resolved" || args["to"] === "closed";
  if (code === "assigned") return typeof args["name"] === "string";
  return code === "channel_switched" || Boolean(item.text);
};

export function lines(log: WidgetItem[], outbox: OutRow[]): Line[] {
  const shown = log.filter((item) => item.from !== "system" || shownEvent(item));
  const mine = [...shown].reverse().find((item) => item.from === "me");
  const out: Line[] = [];
  let day = "";
  shown.forEach((item, at) => {
    if (dayOf(item.at) !== day) out.push({ kind: "day", key: `day-${(day = dayOf(item.at))}`, at: item.at });
    const joins = (a: WidgetItem | undefined, b: WidgetItem | undefined) =>
      a !== undefined && b !== undefined && author(a) === author(b) && dayOf(a.at) === dayOf(b.at) && Date.parse(b.at) - Date.parse(a.at) < GROUP_MS;
    const first = !joins(shown[at - 1], item);
    const last = !joins(item, shown[at + 1]) && !(at === shown.length - 1 && outbox.length > 0 && item.from === "me" && fresh(item, outbox[0]?.message));
    out.push({ kind: "item", key: item.client_msg_id ?? item.id, item, first, last, newestOfMine: item === mine && !outbox.length });
  });
  const before = shown[shown.length - 1];
  outbox.forEach((row, at) => {
    if (dayOf(row.message.at) !== day) out.push({ kind: "day", key: `day-${(day = dayOf(row.message.at))}`, at: row.message.at });
    const first = at === 0 && !(before?.from === "me" && fresh(before, row.message));
    out.push({ kind: "out", key: row.message.client_msg_id, row, first, last: at === outbox.length - 1 || row.state === "failed" });
  });
  return out;
}

const fresh = (item: WidgetItem, message: Kept | undefined) => message !== undefined && Date.parse(message.at) - Date.parse(item.at) < GROUP_MS && dayOf(item.at) === dayOf(message.at);
