import { expect, test } from "vitest";
import { parseWhen, whenChoices } from "./snooze";

const now = new Date(2026, 10, 18, 15, 20); // a Wednesday
const said = (text: string) => {
  const at = parseWhen(text, now);
  return at && `${at.getMonth() + 1}/${at.getDate()} ${at.getHours()}:${String(at.getMinutes()).padStart(2, "0")}`;
};

test("spans, weekdays, clock times and tomorrow", () => {
  expect(said("2h")).toBe("11/18 17:20");
  expect(said("30 m")).toBe("11/18 15:50");
  expect(said("3d")).toBe("11/21 15:20");
  expect(said("tue 9")).toBe("11/24 9:00");
  expect(said("wed 14:30")).toBe("11/25 14:30");
  expect(said("wednesday 16")).toBe("11/18 16:00");
  expect(said("18:00")).toBe("11/18 18:00");
  expect(said("9")).toBe("11/19 9:00");
  expect(said("tomorrow")).toBe("11/19 9:00");
});

test("nonsense is nothing", () => {
  for (const bad of ["", "0h", "blue", "99", "tue 25", "12:75", "x 9"]) expect(said(bad)).toBeNull();
});

test("choices lie ahead, the evening only while it is worth it", () => {
  expect(whenChoices(now).map((c) => c.key)).toEqual(["hours2", "evening", "tomorrow", "monday", "week"]);
  const late = whenChoices(new Date(2026, 10, 18, 17, 0));
  expect(late.map((c) => c.key)).not.toContain("evening");
  expect(late.every((c) => c.at > now)).toBe(true);
});
