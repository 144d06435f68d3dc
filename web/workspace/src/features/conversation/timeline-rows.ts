import type { Entry, TimelineConversation, TimelinePage } from "@continuo/api-client";
import type { Outgoing } from "../../app/outbox";
import { dayKey } from "../../app/time";

/** One line of the timeline as it is drawn. */
export type Row =
  | { kind: "day"; key: string; at: string }
  | { kind: "unread"; key: string }
  | { kind: "entry"; key: string; entry: Entry; first: boolean; tail: boolean }
  | { kind: "events"; key: string; entries: Entry[] }
  | { kind: "fold"; key: string; conversation: TimelineConversation; entries: Entry[]; last: string }
  | { kind: "label"; key: string; conversation: TimelineConversation; current: boolean }
  | { kind: "out"; key: string; out: Outgoing };

export type Filter = "all" | "customer" | "calls" | "notes" | "files";

const GROUP_MS = 3 * 60_000;

function passes(e: Entry, filter: Filter): boolean {
  switch (filter) {
    case "all":
      return true;
    case "customer":
      return e.direction === "in";
    case "calls":
      return e.kind === "call";
    case "notes":
      return e.kind === "note";
    case "files":
      return e.attachments.length > 0;
  }
}

function sameGroup(a: Entry, b: Entry): boolean {
  return a.kind === b.kind && (a.kind === "message" || a.kind === "note") && a.conversation_id === b.conversation_id && a.author.kind === b.author.kind && a.author.id === b.author.id && a.channel === b.channel && a.direction === b.direction && Date.parse(b.at) - Date.parse(a.at) < GROUP_MS && dayKey(a.at) === dayKey(b.at);
}

const isDone = (c: TimelineConversation | undefined) => c?.status === "resolved" || c?.status === "closed";
/** Events that stand alone: they tell the reader something about the customer. */
const LOUD = new Set(["channel_switched", "conversation_merged", "conversation_split", "entry_moved"]);

/** Lays the entries of one contact out for the reader of one conversation. */
export function buildRows(page: Pick<TimelinePage, "entries" | "conversations">, options: { current: string; firstUnread: string | null; opened: ReadonlySet<string>; filter: Filter; outgoing: Outgoing[] }): Row[] {
  const { current, firstUnread, opened, filter, outgoing } = options;
  const conversations = new Map(page.conversations.map((c) => [c.id, c]));
  const entries = filter === "all" ? page.entries : page.entries.filter((e) => passes(e, filter));
  const rows: Row[] = [];
  let day = "";
  let place = "";
  let i = 0;
  while (i < entries.length) {
    const e = entries[i] as Entry;
    const conversation = conversations.get(e.conversation_id);
    if (filter === "all" && e.conversation_id !== current && conversation && isDone(conversation) && !opened.has(e.conversation_id)) {
      let j = i;
      while (j < entries.length && entries[j]?.conversation_id === e.conversation_id) j += 1;
      const run = entries.slice(i, j);
      rows.push({ kind: "fold", key: `fold-${run.at(-1)?.id}`, conversation, entries: run, last: run.at(-1)?.at ?? e.at });
      place = e.conversation_id;
      day = "";
      i = j;
      continue;
    }
    if (place !== "" && place !== e.conversation_id && conversation) rows.push({ kind: "label", key: `label-${e.id}`, conversation, current: e.conversation_id === current });
    else if (place === "" && e.conversation_id !== current && conversation) rows.push({ kind: "label", key: `label-${e.id}`, conversation, current: false });
    place = e.conversation_id;
    if (dayKey(e.at) !== day) {
      day = dayKey(e.at);
      rows.push({ kind: "day", key: `day-${e.id}`, at: e.at });
    }
    if (e.id === firstUnread) rows.push({ kind: "unread", key: "unread" });
    if (e.kind === "event" && !LOUD.has(e.event?.code ?? "")) {
      let j = i;
      while (j < entries.length) {
        const n = entries[j] as Entry;
        if (n.kind !== "event" || LOUD.has(n.event?.code ?? "") || n.conversation_id !== e.conversation_id || dayKey(n.at) !== day || (j > i && n.id === firstUnread)) break;
        j += 1;
      }
      const run = entries.slice(i, j);
      if (run.length >= 3 && !opened.has(`events-${e.id}`)) rows.push({ kind: "events", key: `events-${e.id}`, entries: run });
      else for (const r of run) rows.push({ kind: "entry", key: r.id, entry: r, first: true, tail: true });
      i = j;
      continue;
    }
    const before = entries[i - 1];
    const after = entries[i + 1];
    rows.push({ kind: "entry", key: e.client_id ?? e.id, entry: e, first: !before || e.id === firstUnread || !sameGroup(before, e), tail: !after || after.id === firstUnread || !sameGroup(e, after) });
    i += 1;
  }
  const known = new Set(page.entries.map((e) => e.client_id));
  for (const out of outgoing) if (!known.has(out.key)) rows.push({ kind: "out", key: out.key, out });
  return rows;
}

/** Takes quoted lines at the end of a mail text off, so that they can be folded. */
export function splitQuote(text: string): { body: string; quote: string } {
  const lines = text.split("\n");
  let cut = lines.length;
  while (cut > 0 && (/^\s*>/.test(lines[cut - 1] ?? "") || (cut < lines.length && (lines[cut - 1] ?? "").trim() === ""))) cut -= 1;
  const quoted = lines.slice(cut).filter((l) => /^\s*>/.test(l)).length;
  if (quoted < 2) return { body: text, quote: "" };
  if (/:\s*$/.test(lines[cut - 1] ?? "") && cut > 1) cut -= 1;
  return { body: lines.slice(0, cut).join("\n").trimEnd(), quote: lines.slice(cut).join("\n") };
}
