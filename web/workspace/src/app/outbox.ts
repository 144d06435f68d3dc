import { Problem, type Attachment, type Entry, type SendEntry } from "@continuo/api-client";
import { api, need } from "./api";
import { applyEntry } from "./cache";
import { onBack } from "./live";
import { makeStore } from "./store";

/**
 * What this agent has pressed Send on and the server has not confirmed. On disk from the press on, one idempotency key per
 * sending, so a reload, a cut or a second try can neither lose nor double it. Shown in the timeline as waiting, never as sent.
 */
export interface Outgoing {
  key: string;
  agentId: string;
  conversationId: string;
  name: string;
  at: number;
  body: SendEntry;
  attachments: Attachment[];
  state: "sending" | "waiting" | "refused";
  problem?: { code: string; args: Record<string, unknown>; requestId: string };
}

const DISK = "continuo.outbox";

function fromDisk(): Outgoing[] {
  try {
    const list = JSON.parse(localStorage.getItem(DISK) ?? "[]") as Outgoing[];
    // What was under way when the tab closed is sent again: the key makes that safe.
    return list.map((o) => (o.state === "sending" ? { ...o, state: "waiting" } : o));
  } catch {
    return [];
  }
}

export const outbox = makeStore<Outgoing[]>(fromDisk());

function save() {
  try {
    localStorage.setItem(DISK, JSON.stringify(outbox.get()));
  } catch {
    // Full or refused storage: the queue still lives in memory.
  }
}

function change(key: string, next: Partial<Outgoing> | null) {
  outbox.set((was) => (next === null ? was.filter((o) => o.key !== key) : was.map((o) => (o.key === key ? { ...o, ...next } : o))));
  save();
}

const sentListeners = new Set<(entry: Entry, out: Outgoing) => void>();
export function onSent(listener: (entry: Entry, out: Outgoing) => void): () => void {
  sentListeners.add(listener);
  return () => sentListeners.delete(listener);
}

export function post(out: Omit<Outgoing, "state" | "at" | "key">): void {
  const item: Outgoing = { ...out, key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`, at: Date.now(), state: "sending" };
  outbox.set((was) => [...was, item]);
  save();
  void deliver(item);
}

async function deliver(item: Outgoing): Promise<void> {
  change(item.key, { state: "sending", problem: undefined });
  try {
    const entry = await need(api.POST("/api/v1/conversations/{id}/entries", { params: { path: { id: item.conversationId }, header: { "Idempotency-Key": item.key } }, body: item.body }));
    applyEntry({ ...entry, client_id: entry.client_id ?? item.key });
    change(item.key, null);
    for (const l of sentListeners) l(entry, item);
  } catch (error) {
    const p = error instanceof Problem ? error : new Problem(500, undefined);
    // Not reached, overloaded or signed out: it stays and is tried again. Anything else is a real answer.
    if (p.offline || p.status === 401 || p.status === 429 || p.status >= 500) change(item.key, { state: "waiting", problem: p.offline ? undefined : { code: p.code, args: p.args, requestId: p.requestId } });
    else change(item.key, { state: "refused", problem: { code: p.code, args: p.args, requestId: p.requestId } });
  }
}

/** Tries everything that waits, in the order it was written, one conversation's replies never overtaking each other. */
let flushing = false;
export async function flush(agentId?: string): Promise<void> {
  if (flushing) return;
  flushing = true;
  try {
    for (const item of outbox.get()) {
      if (item.state !== "waiting" || (agentId && item.agentId !== agentId)) continue;
      await deliver(item);
      if (outbox.get().some((o) => o.key === item.key && o.state === "waiting")) break;
    }
  } finally {
    flushing = false;
  }
}

export function retry(key: string, changeBody?: Partial<SendEntry>) {
  const item = outbox.get().find((o) => o.key === key);
  if (item) void deliver({ ...item, body: { ...item.body, ...changeBody } });
}

export function discard(key: string): Outgoing | undefined {
  const item = outbox.get().find((o) => o.key === key);
  change(key, null);
  return item;
}

export function startOutbox(agentId: string) {
  void flush(agentId);
  onBack(() => void flush(agentId));
  addEventListener("online", () => void flush(agentId));
  setInterval(() => void flush(agentId), 5_000);
}
