import { makeStore } from "./store";

export interface Toast {
  id: string;
  text: string;
  tone: "plain" | "danger";
  /** Shown behind the text, copyable: "internal req_1a2b". */
  code?: string;
  actions: { label: string; key?: string; run: () => void }[];
  /** When it goes by itself; null stays until closed. Waits while hovered or focused. */
  until: number | null;
  /** Text that changes each second. */
  tick?: (now: number) => string;
}

export const toasts = makeStore<Toast[]>([]);

/** The last thing that can be taken back (key z), for 30 s. */
export const lastUndo = makeStore<{ run: () => void; until: number } | null>(null);

let n = 0;
export function toast(text: string, options: Partial<Omit<Toast, "text">> = {}): string {
  const id = options.id ?? `t${++n}`;
  const made: Toast = { tone: "plain", actions: [], until: Date.now() + 6_000, ...options, id, text };
  toasts.set((was) => [...was.filter((t) => t.id !== id), made].slice(-4));
  return id;
}

export function dropToast(id: string) {
  toasts.set((was) => was.filter((t) => t.id !== id));
}

/** Says what was done and offers to take it back. */
export function toastUndo(text: string, undoLabel: string, undo: () => void, options: Partial<Omit<Toast, "text">> = {}): string {
  const until = Date.now() + 30_000;
  const run = () => {
    dropToast(id);
    lastUndo.set((was) => (was?.run === run ? null : was));
    undo();
  };
  const id = toast(text, { ...options, actions: [{ label: undoLabel, key: "z", run }, ...(options.actions ?? [])] });
  lastUndo.set({ run, until });
  return id;
}
