import { useEffect, useRef } from "react";
import { makeStore } from "./store";

/** Everything that can be done: one list feeds the keys, the palette and the key sheet, so none of them can forget one. */
export interface Command {
  id: string;
  label: string;
  /** "r", "shift+a", "mod+Enter", "g h", "?" */
  keys?: string[];
  group: "conversation" | "list" | "go" | "me";
  run: (event?: KeyboardEvent) => void;
  /** Not in the palette (moves of the cursor and the like). */
  hidden?: boolean;
}

export const commands = makeStore<Command[]>([]);
export const singleKeys = makeStore(true);

/** Offers commands while the component is shown. The newest offer of an id wins. */
export function useCommands(list: Command[]) {
  const now = useRef(list);
  useEffect(() => {
    now.current = list;
  });
  const shape = list.map((c) => `${c.id}\u0000${c.label}\u0000${c.keys?.join() ?? ""}`).join("\u0001");
  useEffect(() => {
    const mine = now.current.map((c, i): Command => ({ ...c, run: (event) => now.current[i]?.run(event) }));
    commands.set((was) => [...was, ...mine]);
    return () => commands.set((was) => was.filter((c) => !mine.includes(c)));
  }, [shape]);
}

const TEXT_INPUT = "input:not([type=checkbox]):not([type=radio]):not([type=button]), textarea, select, [contenteditable=true]";

/** The key of an event in our writing: "mod+Enter", "shift+a", "?". */
export function keyOf(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">): string {
  const mod = event.ctrlKey || event.metaKey;
  let key = event.key;
  if (key === " ") key = "space";
  const letter = /^\p{L}$/u.test(key);
  if (letter) key = key.toLowerCase();
  // For signs such as ? and ! shift is how they are typed, not part of the key.
  const shift = event.shiftKey && (letter || key.length > 1);
  return `${mod ? "mod+" : ""}${shift ? "shift+" : ""}${key}`;
}

let pendingFirst = "";
let pendingTimer: ReturnType<typeof setTimeout> | undefined;

/** Finds the command of a key press; two-key sequences ("g h") wait one second for the second key. */
export function findCommand(list: readonly Command[], key: string, first: string): { command?: Command; wait: boolean } {
  const full = first ? `${first} ${key}` : key;
  for (let i = list.length - 1; i >= 0; i--) {
    if (list[i]?.keys?.includes(full)) return { command: list[i], wait: false };
  }
  return { wait: !first && list.some((c) => c.keys?.some((k) => k.startsWith(`${key} `))) };
}

export function startKeys() {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    if (["Shift", "Control", "Meta", "Alt"].includes(event.key)) return;
    const key = keyOf(event);
    const target = event.target instanceof Element ? event.target : null;
    const single = !key.startsWith("mod+") && key !== "F6";
    if (single) {
      if (!singleKeys.get()) return;
      if (target?.matches(TEXT_INPUT) || target?.closest("[role=menu],[role=dialog],[role=listbox],dialog")) return;
      // Enter and space belong to the button or link that has the focus.
      if ((key === "Enter" || key === "space") && target?.matches("button, a, summary, [role=separator]")) return;
    }
    const { command, wait } = findCommand(commands.get(), key, pendingFirst);
    clearTimeout(pendingTimer);
    pendingFirst = "";
    if (command) {
      event.preventDefault();
      command.run(event);
    } else if (wait && single) {
      pendingFirst = key;
      pendingTimer = setTimeout(() => (pendingFirst = ""), 1_000);
    }
  });
}
