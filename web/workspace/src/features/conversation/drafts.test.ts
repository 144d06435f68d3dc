import type { Draft } from "@continuo/api-client";
import { expect, test } from "vitest";
import { chooseDraft, type LocalDraft } from "./drafts";

const local = (part: Partial<LocalDraft>): LocalDraft => ({ text: "mine", attachments: [], inboxId: null, version: 1, dirty: false, baseSeq: 4, ...part });
const server = (part: Partial<Draft>): Draft => ({ id: "drf_1", conversation_id: "cnv_1", mode: "reply", text: "theirs", attachments: [], inbox_id: null, mail: null, version: 1, updated_at: "2026-11-16T10:00:00Z", ...part });

test("nothing anywhere is an empty box", () => {
  expect(chooseDraft(null, undefined)).toEqual({ mine: expect.objectContaining({ text: "", version: 0 }), other: null });
});
test("the server's draft is restored on any device", () => {
  expect(chooseDraft(null, server({ version: 3 })).mine).toMatchObject({ text: "theirs", version: 3, dirty: false });
  expect(chooseDraft(local({}), server({ version: 3 })).mine.text).toBe("theirs");
});
test("what never reached the server stays", () => {
  expect(chooseDraft(local({ dirty: true }), server({ version: 1 }))).toMatchObject({ mine: { text: "mine", dirty: true, version: 1 }, other: null });
  expect(chooseDraft(local({ dirty: true, version: 0 }), undefined).mine.text).toBe("mine");
});
test("a newer one from elsewhere is shown beside the unsaved one, none is lost", () => {
  const { mine, other } = chooseDraft(local({ dirty: true }), server({ version: 2 }));
  expect(mine).toMatchObject({ text: "mine", version: 2 });
  expect(other?.text).toBe("theirs");
});
test("a draft that was sent elsewhere does not come back from disk", () => {
  expect(chooseDraft(local({ dirty: false }), undefined).mine.text).toBe("");
});
