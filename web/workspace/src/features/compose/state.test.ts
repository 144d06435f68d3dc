import { beforeEach, expect, test } from "vitest";
import { blank, composed, keepWords, readWords } from "./state";

beforeEach(() => localStorage.clear());

test("a mail needs a receiver, a subject and words, in this order", () => {
  expect(composed(blank).trouble).toEqual({ code: "no_receiver" });
  expect(composed({ ...blank, to: "ada@x.example", cc: "bo" }).trouble).toEqual({ code: "bad_address", address: "bo" });
  expect(composed({ ...blank, to: "ada@x.example" }).trouble).toEqual({ code: "no_subject" });
  expect(composed({ ...blank, to: "ada@x.example", subject: "Hello" }).trouble).toEqual({ code: "no_text" });
  expect(composed({ ...blank, inboxId: "ibx_1", to: "Ada <ada@x.example>", bcc: "a@x.example", subject: " Hello ", text: " Hi\n", each: true }).body).toEqual({ inbox_id: "ibx_1", to: [{ address: "ada@x.example", name: "Ada" }], cc: [], bcc: [{ address: "a@x.example", name: null }], each: false, subject: "Hello", text: "Hi" });
  expect(composed({ ...blank, to: "a@x.example, b@x.example", subject: "s", text: "t", each: true }).body?.each).toBe(true);
});

test("words outlive the window and the reload, and are gone once sent", () => {
  keepWords("agt_1", { ...blank, text: "Dear Ada" });
  expect(readWords("agt_1").text).toBe("Dear Ada");
  expect(readWords("agt_2")).toEqual(blank);
  keepWords("agt_1", null);
  expect(readWords("agt_1")).toEqual(blank);
  keepWords("agt_1", { ...blank, inboxId: "ibx_1" });
  expect(localStorage.length).toBe(0);
  localStorage.setItem("continuo.draft.agt_1.compose", "{broken");
  expect(readWords("agt_1")).toEqual(blank);
});
