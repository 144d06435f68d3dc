import type { LiveItem } from "@continuo/api-client";
import { expect, test } from "vitest";
import { liveStart, liveStep, type LiveEffect, type LiveInput, type LiveState } from "./live-state";

const item = (n: number): LiveItem => ({ kind: "gone", conversation_id: `cnv_${n}` });
const frame = (prev: number, upto: number): LiveInput => ({ kind: "frame", prev, upto, items: [item(upto)] });

function run(inputs: LiveInput[], from: LiveState = liveStart) {
  let state = from;
  const effects: LiveEffect[] = [];
  for (const input of inputs) {
    const [next, more] = liveStep(state, input);
    state = next;
    effects.push(...more);
  }
  return { state, effects };
}
const applied = (effects: LiveEffect[]) => effects.flatMap((e) => (e.kind === "apply" ? e.items : [])).map((i) => (i.kind === "gone" ? i.conversation_id : ""));

test("frames in order are applied and move the position", () => {
  const { state, effects } = run([{ kind: "welcome", change_seq: 5 }, frame(5, 6), frame(6, 9)]);
  expect(state.position).toBe(9);
  expect(applied(effects)).toEqual(["cnv_6", "cnv_9"]);
});

test("a duplicate is dropped, an overlap is applied", () => {
  const { state, effects } = run([{ kind: "welcome", change_seq: 5 }, frame(5, 7), frame(5, 7), frame(6, 8)]);
  expect(state.position).toBe(8);
  expect(applied(effects)).toEqual(["cnv_7", "cnv_8"]);
});

test("a frame that stands still is applied without moving the position, but not over a gap", () => {
  const { state, effects } = run([{ kind: "welcome", change_seq: 5 }, frame(5, 5), frame(5, 7), frame(7, 7), frame(6, 6)]);
  expect(state.position).toBe(7);
  expect(applied(effects)).toEqual(["cnv_5", "cnv_7", "cnv_7", "cnv_6"]);
  expect(run([{ kind: "welcome", change_seq: 5 }, frame(6, 6)]).effects).toEqual([{ kind: "heal", since: 5 }]);
});

test("a gap asks once, holds later frames back and applies them after the healing", () => {
  const first = run([{ kind: "welcome", change_seq: 5 }, frame(7, 8), frame(8, 9)]);
  expect(first.effects).toEqual([{ kind: "heal", since: 5 }]);
  expect(first.state.position).toBe(5);
  const then = run([{ kind: "healed", prev: 5, upto: 8, items: [item(6), item(7), item(8)], more: false }], first.state);
  expect(then.state).toEqual({ position: 9, healing: false, waiting: [] });
  expect(applied(then.effects)).toEqual(["cnv_6", "cnv_7", "cnv_8", "cnv_9"]);
});

test("frames that came in the wrong order during healing are sorted", () => {
  const first = run([{ kind: "welcome", change_seq: 1 }, frame(3, 4), frame(5, 6), frame(4, 5)]);
  const then = run([{ kind: "healed", prev: 1, upto: 4, items: [item(4)], more: false }], first.state);
  expect(then.state.position).toBe(6);
  expect(applied(then.effects)).toEqual(["cnv_4", "cnv_5", "cnv_6"]);
});

test("healing in pages goes on until there is no more", () => {
  const first = run([{ kind: "welcome", change_seq: 1 }, frame(9, 10)]);
  const page = run([{ kind: "healed", prev: 1, upto: 5, items: [item(5)], more: true }], first.state);
  expect(page.effects.at(-1)).toEqual({ kind: "heal", since: 5 });
  expect(page.state.healing).toBe(true);
  const last = run([{ kind: "healed", prev: 5, upto: 10, items: [item(10)], more: false }], page.state);
  expect(last.state).toEqual({ position: 10, healing: false, waiting: [] });
});

test("a second gap behind the healed part asks again", () => {
  const first = run([{ kind: "welcome", change_seq: 1 }, frame(3, 4), frame(6, 7)]);
  const then = run([{ kind: "healed", prev: 1, upto: 4, items: [], more: false }], first.state);
  expect(then.effects.at(-1)).toEqual({ kind: "heal", since: 4 });
});

test("a reconnect asks for what was missed, and nothing when nothing was", () => {
  const { state } = run([{ kind: "welcome", change_seq: 5 }, frame(5, 6)]);
  expect(run([{ kind: "welcome", change_seq: 6 }], state).effects).toEqual([]);
  expect(run([{ kind: "welcome", change_seq: 8 }], state).effects).toEqual([{ kind: "heal", since: 6 }]);
});

test("a page read before known changes is brought up to date", () => {
  const { effects } = run([{ kind: "welcome", change_seq: 8 }, { kind: "snapshot", change_seq: 6 }]);
  expect(effects).toEqual([{ kind: "heal", since: 6 }]);
  expect(run([{ kind: "welcome", change_seq: 8 }, { kind: "snapshot", change_seq: 9 }]).effects).toEqual([]);
});

test("a failed healing leaves the position, so the next frame asks again", () => {
  const first = run([{ kind: "welcome", change_seq: 1 }, frame(3, 4), { kind: "heal_failed" }]);
  expect(first.state.position).toBe(1);
  expect(run([frame(4, 5)], first.state).effects).toEqual([{ kind: "heal", since: 1 }]);
});

test("resync and a server that went back both read everything again", () => {
  expect(run([{ kind: "welcome", change_seq: 9 }, { kind: "resync" }]).effects).toEqual([{ kind: "reload" }]);
  expect(run([{ kind: "welcome", change_seq: 9 }, { kind: "welcome", change_seq: 3 }]).effects).toEqual([{ kind: "reload" }]);
});

test("any order of any frames ends at the newest position with every item applied", () => {
  for (let seed = 1; seed <= 200; seed++) {
    let a = seed * 7919;
    const next = (n: number) => (a = (a * 1103515245 + 12345) & 0x7fffffff) % n;
    const frames = Array.from({ length: 20 }, (_, i) => frame(i, i + 1));
    for (let i = frames.length - 1; i > 0; i--) { const j = next(i + 1); [frames[i], frames[j]] = [frames[j]!, frames[i]!]; }
    const kept = frames.filter(() => next(10) > 1);
    let state: LiveState = { position: 0, healing: false, waiting: [] };
    const seen = new Set<string>();
    const queue: LiveInput[] = [...kept, { kind: "welcome", change_seq: 20 }];
    while (queue.length > 0) {
      const [now, effects] = liveStep(state, queue.shift()!);
      state = now;
      for (const e of effects) {
        if (e.kind === "apply") applied([e]).forEach((x) => seen.add(x));
        if (e.kind === "heal") queue.splice(next(queue.length + 1), 0, { kind: "healed", prev: e.since, upto: 20, items: Array.from({ length: 20 - e.since }, (_, i) => item(e.since + i + 1)), more: false });
      }
    }
    expect(state.position).toBe(20);
    expect(seen.size).toBe(20);
  }
});
