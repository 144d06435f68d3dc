// Waiting without guessing: ask until the answer is there or the time is up, then say what was seen last.
import { setTimeout as pause } from "node:timers/promises";

/**
 * Asks `probe` until it gives something truthy, and returns that. A probe that throws has not answered yet.
 * @template T
 * @param {string} what  completes the sentence "waited for ..."
 * @param {() => T | Promise<T>} probe
 */
export async function until(what, probe, { withinMs = 15_000, everyMs = 50 } = {}) {
  const end = performance.now() + withinMs;
  let last;
  for (;;) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`waited ${withinMs} ms for ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
    await pause(everyMs);
  }
}

/** Rejects when the promise takes longer; for things that end on their own. */
export async function within(ms, what, promise) {
  const timer = new AbortController();
  const late = pause(ms, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${what} took more than ${ms} ms`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
    late.catch(() => {});
  }
}
