import { expect, test } from "vitest";
import { wishOf, type Plan } from "./mail-plan";

test("what is sent names exactly the receivers that were shown", () => {
  const plan: Plan = { inbox_id: "ibx_0000000000001", contact_point_id: null, mode: "reply_all", answers: "ent_0000000000001", to: [{ address: "a@x.example", name: null }], cc: [{ address: "b@x.example", name: "B" }], bcc: [], subject: "Re: x", quotes: [], new: [], had_others: true, from_reply_to: false };
  expect(wishOf(plan)).toEqual({ mode: "reply_all", answers: "ent_0000000000001", to: plan.to, cc: plan.cc, bcc: [], subject: "Re: x" });
  expect(wishOf(null)).toBeUndefined();
});
