import { useSyncExternalStore } from "react";

/** A value that several components watch, for things that are neither server state nor place: toasts, connection, drafts. */
export interface Store<T> {
  get: () => T;
  set: (next: T | ((was: T) => T)) => void;
  watch: (listener: () => void) => () => void;
}

export function makeStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set: (next) => {
      const after = typeof next === "function" ? (next as (was: T) => T)(value) : next;
      if (Object.is(after, value)) return;
      value = after;
      for (const l of listeners) l();
    },
    watch: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore<T>(store: Store<T>): T;
export function useStore<T, P>(store: Store<T>, pick: (value: T) => P): P;
export function useStore<T, P>(store: Store<T>, pick?: (value: T) => P): T | P {
  const read = () => (pick ? pick(store.get()) : store.get());
  return useSyncExternalStore(store.watch, read, read);
}
