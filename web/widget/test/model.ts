/** A world in virtual time: one transport, a network that can be cut, and a server that follows docs/API-DESIGN.md. */
import { merge } from "../panel/src/log";
import { Transport, type Effect, type TimerName, type Way } from "../panel/src/transport";
import type { ClientFrame, ServerFrame, WidgetItem } from "../panel/src/wire";

/** mulberry32: the same run for the same seed. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export class Server {
  conversation: string | null = null;
  seq = 0;
  log: WidgetItem[] = [];
  /** Every message that was written, by its client id, in order of arrival. */
  readonly stored: string[] = [];
  readonly heard: ClientFrame[] = [];
  /** Refuses the next messages with this code. */
  refuse: { code: string; times: number } | null = null;
  private readonly seats = new Map<number, (frame: ServerFrame) => void>();

  attach(id: number, send: (frame: ServerFrame) => void, since: number) {
    this.seats.set(id, send);
    send({ kind: "welcome", conversation: this.conversation, seq: this.seq, server_time: "", online: true });
    if (this.conversation && this.seq > since) send({ kind: "frame", conversation: this.conversation, prev: since, upto: this.seq, items: this.log.filter((item) => item.seq > since) });
  }
  leave(id: number) {
    this.seats.delete(id);
  }
  private all(frame: ServerFrame) {
    for (const send of this.seats.values()) send(frame);
  }
  put(from: "me" | "agent", text: string, client_msg_id: string | null = null) {
    if (!this.conversation) {
      this.conversation = "cnv_1";
      this.all({ kind: "conversation", id: "cnv_1", seq: 0 });
    }
    const prev = this.seq++;
    const at = new Date(this.seq * 1000).toISOString();
    const item: WidgetItem = { id: `ent_${String(this.seq).padStart(6, "0")}`, seq: this.seq, from, name: null, channel: "webchat", text, files: [], at, client_msg_id, state: null, event: null, removed: false };
    this.log.push(item);
    this.all({ kind: "frame", conversation: "cnv_1", prev, upto: this.seq, items: [item] });
  }
  /** A note or an assignment: the number moves, the visitor sees nothing. */
  hidden() {
    if (!this.conversation) return;
    const prev = this.seq++;
    this.all({ kind: "frame", conversation: this.conversation, prev, upto: this.seq, items: [] });
  }
  take(frame: ClientFrame, send: (frame: ServerFrame) => void) {
    this.heard.push(frame);
    if (frame.kind === "ping") send({ kind: "pong" });
    if (frame.kind !== "message") return;
    if (this.refuse && this.refuse.times-- > 0) return send({ kind: "refused", client_msg_id: frame.client_msg_id, code: this.refuse.code });
    if (!this.stored.includes(frame.client_msg_id)) {
      this.stored.push(frame.client_msg_id);
      this.put("me", frame.text, frame.client_msg_id);
    }
    send({ kind: "ack", client_msg_id: frame.client_msg_id });
  }
}

interface Wire {
  way: Way;
  alive: boolean;
  /** Nothing sent before may arrive after. */
  lastUp: number;
  lastDown: number;
}

export class World {
  now = 0;
  readonly transport: Transport;
  readonly server = new Server();
  readonly effects: Effect[] = [];
  log: WidgetItem[] = [];
  cuts = 0;
  /** What the network does with sockets. */
  sockets: "open" | "blocked" | "swallowed" = "open";
  eventsBlocked = false;
  /** Frames from the server are now and then given twice. */
  echo = 0;
  /** ... or lost on the way although the connection stands. */
  loss = 0;
  private readonly wires = new Map<number, Wire>();
  private readonly timers = new Map<TimerName, number>();
  private queue: { at: number; order: number; run: () => void }[] = [];
  private order = 0;

  constructor(readonly random: () => number) {
    this.transport = new Transport(random);
  }

  later(ms: number, run: () => void) {
    this.queue.push({ at: this.now + ms, order: this.order++, run });
  }

  give(input: Parameters<Transport["handle"]>[0]) {
    for (const effect of this.transport.handle(input)) {
      this.effects.push(effect);
      this.run(effect);
    }
  }

  private run(effect: Effect) {
    switch (effect.do) {
      case "open":
        return this.open(effect.id, effect.way, effect.since);
      case "close":
        return this.shut(effect.id, false);
      case "send":
        return this.up(effect.id, effect.frame);
      case "post":
        return this.post(effect.id, effect.frames);
      case "timer": {
        const due = this.order;
        this.timers.set(effect.name, due);
        return this.later(effect.ms, () => this.timers.get(effect.name) === due && this.give({ on: "timer", name: effect.name }));
      }
      case "no_timer":
        this.timers.delete(effect.name);
        return;
      case "items":
        this.log = merge(this.log, effect.items);
    }
  }

  private delay = () => 5 + this.random() * 60;

  private open(id: number, way: Way, since: number) {
    const wire: Wire = { way, alive: true, lastUp: 0, lastDown: 0 };
    this.wires.set(id, wire);
    const blocked = way === "socket" ? this.sockets !== "open" : this.eventsBlocked;
    if (blocked && this.sockets === "swallowed" && way === "socket") return;
    this.later(this.delay(), () => {
      if (!wire.alive) return;
      if (blocked) return this.shut(id, true);
      this.give({ on: "opened", id });
      if (way === "events") this.server.attach(id, (frame) => this.down(id, frame), since);
    });
  }

  private shut(id: number, tell: boolean) {
    const wire = this.wires.get(id);
    if (!wire?.alive) return;
    wire.alive = false;
    this.server.leave(id);
    if (tell) this.give({ on: "closed", id });
  }

  private up(id: number, frame: ClientFrame) {
    const wire = this.wires.get(id);
    if (!wire?.alive) return;
    wire.lastUp = Math.max(wire.lastUp, this.now + this.delay());
    this.later(wire.lastUp - this.now, () => {
      if (!wire.alive) return;
      if (frame.kind === "hello") this.server.attach(id, (out) => this.down(id, out), frame.since_seq);
      else this.server.take(frame, (out) => this.down(id, out));
    });
  }

  private down(id: number, frame: ServerFrame) {
    const wire = this.wires.get(id);
    if (!wire?.alive || (frame.kind === "frame" && this.random() < this.loss)) return;
    wire.lastDown = Math.max(wire.lastDown, this.now + this.delay());
    this.later(wire.lastDown - this.now, () => {
      if (!wire.alive) return;
      this.give({ on: "frame", id, frame });
      if (this.random() < this.echo) this.give({ on: "frame", id, frame });
    });
  }

  /** A POST may reach the server and its answer still be lost. */
  private post(id: number, frames: ClientFrame[]) {
    const wire = this.wires.get(id);
    this.later(this.delay(), () => {
      const answers: ServerFrame[] = [];
      const arrives = Boolean(wire?.alive) || this.random() < 0.5;
      if (arrives) for (const frame of frames) this.server.take(frame, (out) => answers.push(out));
      this.later(this.delay(), () => {
        const ok = Boolean(wire?.alive) && arrives;
        this.give({ on: "posted", id, ok, status: ok ? 200 : 0, frames: ok ? answers : [], sent: frames });
      });
    });
  }

  /** Every open connection breaks, in the middle of whatever was on the way. */
  cut() {
    this.cuts += 1;
    for (const [id, wire] of this.wires) if (wire.alive) this.shut(id, true);
  }

  /** Runs what is due up to `until`. */
  runTo(until: number) {
    for (;;) {
      let next: (typeof this.queue)[number] | undefined;
      for (const one of this.queue) if (one.at <= until && (!next || one.at < next.at || (one.at === next.at && one.order < next.order))) next = one;
      if (!next) break;
      this.queue.splice(this.queue.indexOf(next), 1);
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    this.now = until;
  }

  pass(ms: number) {
    this.runTo(this.now + ms);
  }

  begin() {
    this.give({ on: "start", token: "tok", conversation: null, seq: 0 });
  }
}
