import type { Entry, TimelineConversation } from "@continuo/api-client";
import { expect, test } from "vitest";
import { Backend } from "../../../../mock/src";
import { buildRows, splitQuote, type Row } from "./timeline-rows";

const world = new Backend({ contacts: 5, now: () => Date.parse("2026-11-16T16:00:00Z") }).world;
const base = [...world.entries.values()].flat().find((e) => e.kind === "message")!;
let n = 0;
const entry = (part: Partial<Entry>): Entry => ({ ...base, id: `ent_${String(++n).padStart(4, "0")}`, conversation_id: "cnv_a", client_id: null, at: "2026-11-16T10:00:00.000Z", ...part });
const conversation = (id: string, status: TimelineConversation["status"] = "open"): TimelineConversation => ({ id, number: 1, status, subject: null, merged_into: null });
const build = (entries: Entry[], conversations = [conversation("cnv_a")], more: Partial<Parameters<typeof buildRows>[1]> = {}) => buildRows({ entries, conversations }, { current: "cnv_a", firstUnread: null, opened: new Set(), filter: "all", outgoing: [], ...more });
const shape = (rows: Row[]) => rows.map((r) => r.kind).join(" ");

test("messages of one author within three minutes share one header", () => {
  const rows = build([entry({}), entry({ at: "2026-11-16T10:02:00.000Z" }), entry({ at: "2026-11-16T10:06:00.000Z" })]).filter((r) => r.kind === "entry");
  expect(rows.map((r) => r.first)).toEqual([true, false, true]);
  expect(rows.map((r) => r.tail)).toEqual([false, true, true]);
});

test("days are divided and the first unread is marked", () => {
  const a = entry({ at: "2026-11-14T10:00:00.000Z" });
  const b = entry({});
  expect(shape(build([a, b], undefined, { firstUnread: b.id }))).toBe("day entry day unread entry");
});

test("earlier closed conversations fold, opened ones do not, open ones are labelled", () => {
  const old = [entry({ conversation_id: "cnv_old", at: "2026-11-01T10:00:00.000Z" }), entry({ conversation_id: "cnv_old", at: "2026-11-01T11:00:00.000Z" })];
  const other = entry({ conversation_id: "cnv_b", at: "2026-11-15T10:00:00.000Z" });
  const conversations = [conversation("cnv_a"), conversation("cnv_old", "resolved"), conversation("cnv_b")];
  expect(shape(build([...old, other, entry({})], conversations))).toBe("fold label day entry label day entry");
  expect(shape(build([...old, entry({})], conversations, { opened: new Set(["cnv_old"]) }))).toBe("label day entry entry label day entry");
});

test("three events fold to one line, loud ones stand alone", () => {
  const event = (code: string) => entry({ kind: "event", event: { code, args: {}, undo_id: null } });
  expect(shape(build([event("tagged"), event("assigned"), event("priority_changed")]))).toBe("day events");
  expect(shape(build([event("tagged"), event("assigned")]))).toBe("day entry entry");
  expect(shape(build([event("tagged"), event("channel_switched"), event("assigned")]))).toBe("day entry entry entry");
});

test("what waits to be sent stands at the end until its entry has come", () => {
  const out = { key: "k1" } as never;
  expect(shape(build([entry({})], undefined, { outgoing: [out] }))).toBe("day entry out");
  expect(shape(build([entry({ client_id: "k1" })], undefined, { outgoing: [out] }))).toBe("day entry");
});

test("quoted mail is folded, a single quoted line is not", () => {
  expect(splitQuote("Yes.\n\nOn Monday Bo wrote:\n> one\n> two")).toEqual({ body: "Yes.", quote: "On Monday Bo wrote:\n> one\n> two" });
  expect(splitQuote("He said\n> one").quote).toBe("");
});
