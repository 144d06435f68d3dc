import type { Doing, LiveClientFrame, LiveServerFrame, Presence } from "@continuo/api-client";
import { api, need } from "./api";
import { applyItems } from "./cache";
import { liveStart, liveStep, type LiveInput } from "./live-state";
import { queryClient } from "./query";
import { makeStore } from "./store";

export type Connection = { state: "connecting" } | { state: "live" } | { state: "lost"; since: number; retryAt: number };

/** What the banner shows, who is where, and how often it came back (for queues that wait for the connection). */
export const connection = makeStore<Connection>({ state: "connecting" });
export const presences = makeStore<ReadonlyMap<string, Presence>>(new Map());

let state = liveStart;
let socket: WebSocket | null = null;
let attempt = 0;
let lostSince: number | null = null;
let retryTimer: ReturnType<typeof setTimeout> | undefined;
let lastHeard = 0;
let started = false;
let beat: { conversation_id: string | null; doing: Doing | null } = { conversation_id: null, doing: null };
const backListeners = new Set<() => void>();

const BEAT_MS = 5_000;
const SILENCE_MS = 25_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

function step(input: LiveInput) {
  const [next, effects] = liveStep(state, input);
  state = next;
  for (const effect of effects) {
    if (effect.kind === "apply") applyItems(effect.items);
    else if (effect.kind === "reload") void queryClient.invalidateQueries();
    else void heal(effect.since);
  }
}

async function heal(since: number) {
  try {
    const page = await need(api.GET("/api/v1/changes", { params: { query: { since } } }));
    step({ kind: "healed", prev: page.prev, upto: page.upto, items: page.items, more: page.more });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "resync") step({ kind: "resync" });
    else step({ kind: "heal_failed" });
  }
}

function send(frame: LiveClientFrame) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
}

function connect() {
  clearTimeout(retryTimer);
  if (lostSince === null) connection.set({ state: "connecting" });
  const ws = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/live`);
  socket = ws;
  ws.onopen = () => send({ kind: "hello", change_seq: state.position });
  ws.onmessage = (event) => {
    lastHeard = Date.now();
    let frame: LiveServerFrame;
    try {
      frame = JSON.parse(String(event.data)) as LiveServerFrame;
    } catch {
      return;
    }
    receive(frame);
  };
  ws.onclose = () => {
    if (socket === ws) lost();
  };
}

function receive(frame: LiveServerFrame) {
  switch (frame.kind) {
    case "welcome":
      attempt = 0;
      if (lostSince !== null) {
        lostSince = null;
        for (const l of backListeners) l();
      }
      connection.set({ state: "live" });
      step({ kind: "welcome", change_seq: frame.change_seq });
      send({ kind: "beat", ...beat });
      break;
    case "frame":
      step({ kind: "frame", prev: frame.prev, upto: frame.upto, items: frame.items });
      break;
    case "presence":
      presences.set((was) => new Map(was).set(frame.conversation_id, { agents: frame.agents, customer: frame.customer }));
      break;
    case "resync":
      step({ kind: "resync" });
      break;
    default: // pong, or a kind of a newer server
  }
}

function lost() {
  socket = null;
  lostSince ??= Date.now();
  const wait = (RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 15_000) * (0.8 + Math.random() * 0.4);
  attempt += 1;
  connection.set({ state: "lost", since: lostSince, retryAt: Date.now() + wait });
  retryTimer = setTimeout(() => void reconnect(), wait);
}

/** A refused socket gives no reason; asking who we are tells a lost login session from a lost server. */
async function reconnect() {
  try {
    await need(api.GET("/api/v1/me"));
  } catch {
    if (attempt > 0 && !navigator.onLine) return lost();
  }
  connect();
}

/** Starts the one live connection of this tab. */
export function startLive() {
  if (started) return;
  started = true;
  connect();
  setInterval(() => {
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (lastHeard > 0 && Date.now() - lastHeard > SILENCE_MS) {
      // The network went without a word (sleep, changed Wi-Fi): do not wait for TCP to notice.
      const silent = socket;
      socket = null;
      silent.close();
      lost();
      return;
    }
    send({ kind: "beat", ...beat });
    if (Date.now() - lastHeard > BEAT_MS * 2) send({ kind: "ping" });
  }, BEAT_MS);
  addEventListener("online", tryNow);
  addEventListener("offline", () => socket?.close());
}

export function tryNow() {
  if (connection.get().state !== "lost") return;
  attempt = 0;
  void reconnect();
}

/** Called when the connection has come back after a loss. */
export function onBack(listener: () => void): () => void {
  backListeners.add(listener);
  return () => backListeners.delete(listener);
}

/** Tells the others what I am doing; repeated every 5 s, sent at once when it changes. */
export function doing(conversationId: string | null, what: Doing | null) {
  if (beat.conversation_id === conversationId && beat.doing === what) return;
  beat = { conversation_id: conversationId, doing: what };
  send({ kind: "beat", ...beat });
}

/** A page was read over HTTP: keep the live position honest about it. */
export function sawSnapshot(changeSeq: number) {
  step({ kind: "snapshot", change_seq: changeSeq });
}

export function seedPresence(conversationId: string, presence: Presence) {
  if (!presences.get().has(conversationId)) presences.set((was) => new Map(was).set(conversationId, presence));
}
