import type { ConversationRow } from "@continuo/api-client";
import { expect, test } from "vitest";
import { freeze } from "./frozen";

const row = (id: string, seq = 1) => ({ id, seq }) as ConversationRow;
const ids = (rows: ConversationRow[]) => rows.map((r) => r.id).join("");

test("nothing moves: new rows wait, known ones keep their place with new content", () => {
  const { shown, fresh } = freeze(["a", "b", "c"], [row("n"), row("c", 2), row("a"), row("b")], new Map());
  expect(ids(shown)).toBe("abc");
  expect(shown[2]?.seq).toBe(2);
  expect(fresh).toBe(1);
});

test("a row that left stays until the list is let go, a further page joins at the end", () => {
  const { shown, fresh } = freeze(["a", "b"], [row("b"), row("c"), row("d")], new Map([["a", row("a")]]));
  expect(ids(shown)).toBe("abcd");
  expect(fresh).toBe(0);
});
