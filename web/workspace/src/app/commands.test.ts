import { expect, test } from "vitest";
import { findCommand, keyOf, type Command } from "./commands";

const press = (key: string, mods: Partial<KeyboardEvent> = {}) => keyOf({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...mods });

test("mod is Ctrl and Cmd alike, letters ignore caps, signs ignore shift", () => {
  expect(press("k", { ctrlKey: true })).toBe("mod+k");
  expect(press("K", { metaKey: true })).toBe("mod+k");
  expect(press("A", { shiftKey: true })).toBe("shift+a");
  expect(press("?", { shiftKey: true })).toBe("?");
  expect(press("Enter", { ctrlKey: true, shiftKey: true })).toBe("mod+shift+Enter");
});

test("the newest offer wins and sequences wait for their second key", () => {
  const run = () => undefined;
  const list: Command[] = [{ id: "a", label: "A", keys: ["e"], group: "list", run }, { id: "b", label: "B", keys: ["g h"], group: "go", run }, { id: "c", label: "C", keys: ["e"], group: "conversation", run }];
  expect(findCommand(list, "e", "").command?.id).toBe("c");
  expect(findCommand(list, "g", "")).toEqual({ wait: true });
  expect(findCommand(list, "h", "g").command?.id).toBe("b");
  expect(findCommand(list, "x", "g")).toEqual({ wait: false });
});
