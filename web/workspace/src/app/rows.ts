import type { ConversationPage, ConversationRow, Entry, TimelinePage } from "@continuo/api-client";
import type { ListParams } from "./query";

/** Whether a conversation belongs to a view; null where only the server can say (saved views, search). */
export function belongs(params: ListParams, row: ConversationRow, me: string): boolean | null {
  if (params.q.trim() !== "") return null;
  if (row.merged_into) return false;
  if (params.view === "spam") return row.spam;
  if (row.spam) return false;
  switch (params.view) {
    case "mine":
      return row.agent_id === me && row.status === "open";
    case "unassigned":
      return row.agent_id == null && row.status === "open";
    case "mentions":
      return row.mentioned;
    case "waiting":
      return row.status === "pending" || row.status === "on_hold";
    case "snoozed":
      return row.status === "snoozed";
    case "closed":
      return row.status === "resolved" || row.status === "closed";
    case "all":
      return true;
    default:
      return params.view.startsWith("team:") ? row.team_id === params.view.slice(5) && row.status === "open" : null;
  }
}

export interface ListData {
  pages: ConversationPage[];
  pageParams: unknown[];
}

/** Puts a newer row into the loaded part of a list: replaced, moved, added or taken out. */
export function patchList(data: ListData, params: ListParams, row: ConversationRow, me: string): ListData {
  const here = belongs(params, row, me);
  const was = data.pages.some((p) => p.items.some((r) => r.id === row.id));
  if (!was && here !== true) return data;
  const keep = here ?? was;
  const all = data.pages.flatMap((p) => p.items).filter((r) => r.id !== row.id);
  const complete = data.pages.at(-1)?.next_cursor == null;
  if (keep) {
    const before = (a: ConversationRow, b: ConversationRow) => (params.sort === "oldest" ? a.last_activity_at < b.last_activity_at : a.last_activity_at > b.last_activity_at);
    const at = all.findIndex((r) => before(row, r));
    // Beyond the loaded part: it comes with its page.
    if (at >= 0) all.splice(at, 0, row);
    else if (complete || was) all.push(row);
  }
  const change = (keep ? 1 : 0) - (was ? 1 : 0);
  const pages: ConversationPage[] = [];
  let from = 0;
  data.pages.forEach((p, i) => {
    const size = i === data.pages.length - 1 ? all.length - from : Math.min(p.items.length, all.length - from);
    pages.push({ ...p, items: all.slice(from, from + size), total: { ...p.total, n: Math.max(0, p.total.n + change) } });
    from += size;
  });
  return { ...data, pages };
}

const order = (a: Entry, b: Entry) => (a.at !== b.at ? (a.at < b.at ? -1 : 1) : a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** Puts an entry into the loaded part of a timeline: one per id, the higher `seq` wins, order by time and id. */
export function patchTimeline(page: TimelinePage, entry: Entry): TimelinePage {
  const at = page.entries.findIndex((e) => e.id === entry.id);
  if (at >= 0) {
    const was = page.entries[at];
    // A move or merge gives the entry another conversation, whose numbers cannot be compared with the old one's.
    if (was && was.conversation_id === entry.conversation_id && was.seq > entry.seq) return page;
    const entries = page.entries.slice();
    entries[at] = entry;
    return { ...page, entries };
  }
  const first = page.entries[0];
  if (page.before != null && first && order(entry, first) < 0) return page;
  const last = page.entries.at(-1);
  if (page.after != null && last && order(entry, last) > 0) return page;
  const entries = page.entries.slice();
  let i = entries.length;
  while (i > 0 && order(entries[i - 1] as Entry, entry) > 0) i -= 1;
  entries.splice(i, 0, entry);
  return { ...page, entries };
}

/** Joins an older or newer page to what is shown, without doubling what came live in between. */
export function joinTimeline(have: TimelinePage, got: TimelinePage, side: "before" | "after"): TimelinePage {
  const known = new Map(have.entries.map((e) => [e.id, e]));
  const fresh = got.entries.filter((e) => !known.has(e.id));
  const entries = [...fresh, ...have.entries].sort(order);
  return { ...have, entries, conversations: got.conversations, before: side === "before" ? got.before : have.before, after: side === "after" ? got.after : have.after };
}

/** True when the timeline belongs to the contact of this entry. */
export function isOfTimeline(page: TimelinePage, entry: Entry): boolean {
  return page.conversations.some((c) => c.id === entry.conversation_id) || page.entries.some((e) => e.contact_id === entry.contact_id);
}
