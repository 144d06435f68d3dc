import type { ConversationRow } from "@continuo/api-client";
import { useEffect, useMemo, useRef, useState } from "react";

/**
 * What a list shows while it must not move: the order it had, each row with its newest content, rows of further pages at the end.
 * Returns the rows to show and how many have come or moved up since.
 */
export function freeze(order: readonly string[], rows: readonly ConversationRow[], kept: ReadonlyMap<string, ConversationRow>): { shown: ConversationRow[]; fresh: number } {
  const now = new Map(rows.map((r) => [r.id, r]));
  const known = new Set(order);
  const shown: ConversationRow[] = [];
  for (const id of order) {
    const row = now.get(id) ?? kept.get(id);
    if (row) shown.push(row);
  }
  let lastKnown = -1;
  rows.forEach((r, i) => known.has(r.id) && (lastKnown = i));
  let fresh = 0;
  rows.forEach((r, i) => {
    if (known.has(r.id)) return;
    if (i > lastKnown) shown.push(r);
    else fresh += 1;
  });
  return { shown, fresh };
}

/** Holds the order of the rows while the pointer or the focus is in the list, and for 2 s after. */
export function useFrozen(rows: ConversationRow[], key: string) {
  const [held, setHeld] = useState(false);
  const order = useRef<string[]>([]);
  const kept = useRef(new Map<string, ConversationRow>());
  const [release, setRelease] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const lastKey = useRef(key);
  const result = useMemo(() => {
    // Pressing "." or another list starts over.
    void release;
    if (lastKey.current !== key || !held || order.current.length === 0) {
      lastKey.current = key;
      order.current = rows.map((r) => r.id);
      kept.current = new Map(rows.map((r) => [r.id, r]));
      return { shown: rows, fresh: 0 };
    }
    const f = freeze(order.current, rows, kept.current);
    order.current = f.shown.map((r) => r.id);
    for (const r of f.shown) kept.current.set(r.id, r);
    return f;
  }, [rows, held, key, release]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    ...result,
    hold: () => {
      clearTimeout(timer.current);
      setHeld(true);
    },
    letGo: () => {
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setHeld(false), 2_000);
    },
    showNew: () => {
      order.current = [];
      setRelease((n) => n + 1);
    },
  };
}
