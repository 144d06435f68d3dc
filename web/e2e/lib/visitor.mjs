// A visitor without a browser: speaks the widget's frames straight to the server, as docs/API-DESIGN.md defines them.
// Keeps what it has not had acknowledged and sends it again after every reconnect, like the real panel.
import { WebSocket } from "ws";
import { until } from "./wait.mjs";

export class Visitor {
  /** `base` may be a proxy; `site` the inbox's slug. */
  constructor(base, site, { locale = "en", host = null, inFlightMax = 1_000 } = {}) {
    Object.assign(this, { base, site, locale, host: host ?? base, inFlightMax });
    this.token = null;
    this.conversation = null;
    this.seq = 0;
    this.items = new Map();
    this.repeated = 0;
    this.gaps = 0;
    this.connects = 0;
    this.unacknowledged = new Map();
    this.refusals = [];
    this.others = [];
    this.closed = true;
    this.wanted = false;
  }

  async begin(extra = {}) {
    const response = await fetch(`${this.base}/w/${this.site}/visitors`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: this.base },
      body: JSON.stringify({ ...(this.token ? { visitor_token: this.token } : {}), locale: this.locale, host_origin: this.host, ...extra }),
    });
    const begun = await response.json();
    if (!response.ok) throw Object.assign(new Error(`begin answered ${response.status}: ${JSON.stringify(begun)}`), { status: response.status, code: begun.code });
    this.token = begun.visitor_token;
    if (begun.conversation) {
      this.conversation = begun.conversation.id;
      for (const item of begun.items) this.take(item);
      this.seq = begun.conversation.seq;
    }
    return begun;
  }

  /** Opens the socket and keeps it open until `leave`. */
  connect() {
    this.wanted = true;
    const socket = new WebSocket(`${this.base.replace("http", "ws")}/w/${this.site}/socket`, { origin: this.base, handshakeTimeout: 5_000 });
    this.socket = socket;
    this.welcomed = false;
    socket.on("open", () => {
      this.connects += 1;
      this.send({ kind: "hello", token: this.token, conversation: this.conversation, since_seq: this.seq });
    });
    socket.on("message", (bytes) => this.receive(JSON.parse(bytes.toString())));
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.socket === socket && this.wanted) setTimeout(() => this.wanted && this.connect(), 10 + Math.random() * 40);
    });
  }

  send(frame) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  receive(frame) {
    switch (frame.kind) {
      case "welcome":
        this.welcomed = true;
        this.conversation ??= frame.conversation;
        this.pump();
        break;
      case "conversation":
        if (frame.id !== this.conversation) {
          this.conversation = frame.id;
          this.seq = frame.seq;
        }
        break;
      case "ack":
        this.unacknowledged.delete(frame.client_msg_id);
        if (this.inFlightMax < 1_000) this.pump();
        break;
      case "refused":
        this.refusals.push(frame);
        if (frame.code === "busy" || frame.code === "rate_limited") {
          // "Send again later" is no refusal of the message itself. Everything waits, so that the order stays.
          this.held = true;
          clearTimeout(this.timer);
          this.timer = setTimeout(() => {
            this.held = false;
            this.pump();
          }, (frame.retry_after ?? 0.2) * 1_000);
        } else this.unacknowledged.delete(frame.client_msg_id);
        break;
      case "frame":
        if (frame.prev > this.seq) {
          this.gaps += 1;
          this.send({ kind: "hello", token: this.token, conversation: this.conversation, since_seq: this.seq });
          break;
        }
        for (const item of frame.items) this.take(item);
        this.seq = Math.max(this.seq, frame.upto);
        break;
      default:
        this.others.push(frame);
    }
  }

  take(item) {
    const known = this.items.get(item.id);
    if (known) this.repeated += 1;
    if (!known || item.seq >= known.seq) this.items.set(item.id, item);
  }

  /** Says something; it is sent again until the server has acknowledged it. Gives the message's own id. */
  say(text, extra = {}) {
    const frame = { kind: "message", client_msg_id: `m-${crypto.randomUUID()}`, text, ...extra };
    this.unacknowledged.set(frame.client_msg_id, frame);
    if (this.welcomed && !this.held && this.unacknowledged.size <= this.inFlightMax) this.send(frame);
    return frame.client_msg_id;
  }

  /** Sends what has not been acknowledged, oldest first. */
  pump() {
    if (!this.welcomed || this.held) return;
    let count = 0;
    for (const frame of this.unacknowledged.values()) {
      if ((count += 1) > this.inFlightMax) break;
      this.send(frame);
    }
  }

  /** What the panel shows: by time, then id. */
  get shown() {
    return [...this.items.values()].sort((a, b) => a.at.localeCompare(b.at) || a.id.localeCompare(b.id));
  }

  get texts() {
    return this.shown.filter((item) => !item.event).map((item) => item.text);
  }

  async settled({ withinMs = 30_000 } = {}) {
    await until("all messages to be acknowledged", () => this.unacknowledged.size === 0, { withinMs });
  }

  leave() {
    this.wanted = false;
    clearTimeout(this.timer);
    this.socket?.terminate();
  }
}
