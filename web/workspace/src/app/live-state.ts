import type { LiveItem } from "@continuo/api-client";

/**
 * Where this browser stands in the stream of changes, as a pure reducer.
 * Numbers are gap-free per workspace but permission hides items, so only `prev` and `upto` count: a frame fits when
 * `prev` is not ahead of us. When it is, something was missed: it is fetched through `/changes`, and frames wait meanwhile.
 */
export interface LiveState {
  position: number | null;
  healing: boolean;
  waiting: Frame[];
}

export interface Frame {
  prev: number;
  upto: number;
  items: LiveItem[];
}

export type LiveInput =
  | { kind: "welcome"; change_seq: number }
  | ({ kind: "frame" } & Frame)
  /** A page that was read over HTTP says how new it is. */
  | { kind: "snapshot"; change_seq: number }
  | ({ kind: "healed"; more: boolean } & Frame)
  | { kind: "heal_failed" }
  | { kind: "resync" };

export type LiveEffect = { kind: "apply"; items: LiveItem[] } | { kind: "heal"; since: number } | { kind: "reload" };

export const liveStart: LiveState = { position: null, healing: false, waiting: [] };

export function liveStep(state: LiveState, input: LiveInput): [LiveState, LiveEffect[]] {
  switch (input.kind) {
    case "welcome":
      if (state.position === null) return [{ ...state, position: input.change_seq }, []];
      if (input.change_seq > state.position) return heal(state, state.position);
      // A server that is behind us was restored from a backup: what we show may not exist.
      if (input.change_seq < state.position) return [{ position: input.change_seq, healing: false, waiting: [] }, [{ kind: "reload" }]];
      return [{ ...state, healing: false, waiting: [] }, []];
    case "snapshot":
      if (state.position === null) return [{ ...state, position: input.change_seq }, []];
      // The page was read before changes that we already applied elsewhere: bring it up to date too.
      if (input.change_seq < state.position) return heal(state, input.change_seq);
      return [state, []];
    case "frame": {
      if (state.healing) return [{ ...state, waiting: [...state.waiting, { prev: input.prev, upto: input.upto, items: input.items }] }, []];
      const position = state.position ?? input.prev;
      // A frame that stands still (`prev` = `upto`) carries news without a number of their own, such as counts, or the first
      // parts of a large frame: applied without moving on. Each item knows by its own `seq` whether it is newer.
      if (input.prev === input.upto && input.upto <= position) return [{ ...state, position }, [{ kind: "apply", items: input.items }]];
      if (input.upto <= position) return [state, []];
      if (input.prev > position) return heal({ ...state, waiting: [{ prev: input.prev, upto: input.upto, items: input.items }] }, position);
      return [{ ...state, position: input.upto }, [{ kind: "apply", items: input.items }]];
    }
    case "healed": {
      const position = Math.max(state.position ?? 0, input.upto);
      const effects: LiveEffect[] = [{ kind: "apply", items: input.items }];
      if (input.more) return [{ ...state, position }, [...effects, { kind: "heal", since: input.upto }]];
      let now: LiveState = { position, healing: false, waiting: [] };
      for (const frame of [...state.waiting].sort((a, b) => a.prev - b.prev)) {
        const [next, more] = liveStep(now, { kind: "frame", ...frame });
        now = next;
        effects.push(...more);
      }
      return [now, effects];
    }
    case "heal_failed":
      return [{ ...state, healing: false, waiting: [] }, []];
    case "resync":
      return [{ position: null, healing: false, waiting: [] }, [{ kind: "reload" }]];
  }
}

function heal(state: LiveState, since: number): [LiveState, LiveEffect[]] {
  if (state.healing) return [state, []];
  return [{ ...state, healing: true }, [{ kind: "heal", since }]];
}
