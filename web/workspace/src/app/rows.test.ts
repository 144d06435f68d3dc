import type { ConversationRow, Entry, TimelinePage } from "@continuo/api-client";
import { expect, test } from "vitest";
import { Backend } from "../../../mock/src";
import { belongs, joinTimeline, patchList, patchTimeline, type ListData } from "./rows";

const world = new Backend({ contacts: 40, now: () => Date.parse("2026-11-16T10:00:00Z") }).world;
const rows = [...world.conversations.values()].sort((a, b) => (a.last_activity_at < b.last_activity_at ? 1 : -1));
const me = world.me.agent.id;
const params = { view: "all", q: "", sort: "newest" as const };
const page = (items: ConversationRow[], next: string | null) => ({ items, next_cursor: next, total: { n: rows.length, capped: false }, change_seq: 1, problems: [] });
const list = (): ListData => ({ pages: [page(rows.slice(0, 10), "10"), page(rows.slice(10, 20), "20")], pageParams: [] });
const ids = (data: ListData) => data.pages.flatMap((p) => p.items.map((r) => r.id));

test("a row with newer activity moves to the front and is there once", () => {
  const row = { ...rows[12]!, last_activity_at: "2026-11-16T10:00:01Z" };
  const after = ids(patchList(list(), params, row, me));
  expect(after[0]).toBe(row.id);
  expect(after).toHaveLength(20);
  expect(new Set(after).size).toBe(20);
});

test("a new row grows the total, one beyond the loaded part does not show", () => {
  const fresh = { ...rows[0]!, id: "cnv_new", last_activity_at: "2026-11-16T10:00:02Z" };
  const data = patchList(list(), params, fresh, me);
  expect(ids(data)[0]).toBe("cnv_new");
  expect(data.pages[0]?.total.n).toBe(rows.length + 1);
  expect(ids(patchList(list(), params, { ...fresh, last_activity_at: "2020-01-01T00:00:00Z" }, me))).not.toContain("cnv_new");
});

test("a row that left the view goes, and a search keeps what it has", () => {
  const row = rows.find((r) => r.agent_id === me && r.status === "open")!;
  const mine = { view: "mine", q: "", sort: "newest" as const };
  const data: ListData = { pages: [page([row], null)], pageParams: [] };
  expect(ids(patchList(data, mine, { ...row, status: "resolved" }, me))).toEqual([]);
  expect(ids(patchList(data, { ...mine, q: "ada" }, { ...row, status: "resolved" }, me))).toEqual([row.id]);
  expect(belongs(mine, { ...row, merged_into: "cnv_x" }, me)).toBe(false);
});

const entry = (id: string, at: string, seq: number): Entry => ({ ...(world.entries.get(rows[0]!.contact.id)![0] as Entry), id, at, seq });
const timeline = (entries: Entry[], before: string | null = null, after: string | null = null): TimelinePage => ({ entries, before, after, first_unread_id: null, conversations: [], seq: 0, change_seq: 0 });

test("entries: one per id, the higher seq wins, order by time then id", () => {
  let t = timeline([entry("b", "2026-01-02", 2)]);
  for (const e of [entry("d", "2026-01-03", 3), entry("a", "2026-01-01", 1), entry("c", "2026-01-03", 4), entry("b", "2026-01-02", 5), entry("b", "2026-01-02", 1)]) t = patchTimeline(t, e);
  expect(t.entries.map((e) => `${e.id}${e.seq}`)).toEqual(["a1", "b5", "c4", "d3"]);
});

test("an entry outside the loaded window waits for its page", () => {
  const t = timeline([entry("m", "2026-01-05", 5)], "cursor", "cursor");
  expect(patchTimeline(t, entry("a", "2026-01-01", 1))).toBe(t);
  expect(patchTimeline(t, entry("z", "2026-01-09", 9))).toBe(t);
});

test("an older page joins without doubling", () => {
  const joined = joinTimeline(timeline([entry("c", "2026-01-03", 3)], "x"), timeline([entry("a", "2026-01-01", 1), entry("c", "2026-01-03", 2)], null), "before");
  expect(joined.entries.map((e) => `${e.id}${e.seq}`)).toEqual(["a1", "c3"]);
  expect(joined.before).toBeNull();
});
