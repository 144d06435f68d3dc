/**
 * How messages get across, as a state machine without sockets, clocks or storage: inputs in, effects out.
 *
 * The promises it keeps:
 * - A message stays in the queue until the server has acknowledged it, is sent again after every reconnect, one at a time and in
 *   order, always under the same `client_msg_id`: it arrives exactly once.
 * - Items are taken only when they join on to what is known (`prev` <= position); a gap asks for everything after the position.
 * - Two sockets that cannot be opened in a row: server-sent events + POST; the socket is tried again beside them.
 */
import type { Availability, ClientFrame, Outgoing, ServerFrame, WidgetItem } from "./wire";

export type Way = "socket" | "events";
export type LinkState = "off" | "connecting" | "up" | "waiting";
export type TimerName = "reconnect" | "connect" | "ping" | "dead" | "probe" | "ack" | "hold" | "socket_again" | "trial" | "gap";

export type Effect =
  | { do: "open"; id: number; way: Way; conversation: string | null; since: number }
  | { do: "close"; id: number }
  | { do: "send"; id: number; frame: ClientFrame }
  | { do: "post"; id: number; frames: ClientFrame[] }
  | { do: "timer"; name: TimerName; ms: number }
  | { do: "no_timer"; name: TimerName }
  | { do: "items"; items: WidgetItem[]; current: boolean }
  | { do: "acked"; client_msg_id: string }
  | { do: "refused"; client_msg_id: string; code: string; args: Record<string, unknown> }
  | { do: "held"; code: string; ms: number }
  | { do: "typing"; name: string | null; on: boolean }
  | { do: "availability"; value: Availability }
  | { do: "conversation"; id: string }
  | { do: "state"; state: LinkState; way: Way; ms: number }
  | { do: "email_known" }
  /** Ask `visitors` again: the token, the history or the position is no longer good. */
  | { do: "begin_again" }
  | { do: "bye"; code: string };

export type Input =
  | { on: "start"; token: string; conversation: string | null; seq: number }
  | { on: "stop" }
  | { on: "opened"; id: number }
  | { on: "frame"; id: number; frame: ServerFrame }
  /** Any sign of life that is no frame (a comment line of the event stream). */
  | { on: "heard"; id: number }
  | { on: "closed"; id: number }
  | { on: "posted"; id: number; ok: boolean; status: number; retry_after?: number | null; frames: ServerFrame[]; sent: ClientFrame[] }
  | { on: "timer"; name: TimerName }
  | { on: "wake" }
  | { on: "network"; up: boolean }
  | { on: "enqueue"; message: Outgoing }
  | { on: "withdraw"; client_msg_id: string }
  | { on: "typing"; value: boolean }
  | { on: "seen"; delivered: number; read: number }
  | { on: "claim"; values: Record<string, string> }
  | { on: "email"; address: string; may_mail: boolean }
  | { on: "page"; url: string; title: string };

export const times = {
  connect: 10_000,
  ping: 25_000,
  /** Silence after which the connection is asked once more, and how long it may take to answer: 60 s together. */
  silence: 50_000,
  lastWord: 10_000,
  probe: 4_000,
  ack: 15_000,
  gap: 5_000,
  backoffFirst: 500,
  backoffMost: 30_000,
  hold: 3_000,
  holdMost: 60_000,
  socketAgain: 60_000,
  socketAgainMost: 600_000,
} as const;
/** Sockets that could not be opened in a row before the fall-back is used. */
const SOCKET_TRIES = 2;

interface Connection {
  id: number;
  way: Way;
  up: boolean;
}

export class Transport {
  private token = "";
  private running = false;
  private conversation: string | null = null;
  private position = 0;
  private queue: Outgoing[] = [];
  private main: Connection | null = null;
  /** A socket being tried while the event stream carries the load. */
  private trial: Connection | null = null;
  private way: Way = "socket";
  private lastId = 0;
  private socketFailures = 0;
  private attempts = 0;
  private socketAgain: number = times.socketAgain;
  private holds = 0;
  private held = false;
  private inFlight: string | null = null;
  private gapAsked = false;
  private network = true;
  private delivered = 0;
  private read = 0;
  private told = { delivered: 0, read: 0 };
  private claim: Record<string, string> | null = null;
  private email: { address: string; may_mail: boolean } | null = null;
  private emailSent = false;
  private page: { url: string; title: string } | null = null;
  private out: Effect[] = [];

  constructor(private readonly random: () => number = Math.random) {}

  /** What must survive: for tests and for the shell. */
  get known() {
    return { conversation: this.conversation, seq: this.position, queue: this.queue, way: this.way, up: this.main?.up ?? false };
  }

  handle(input: Input): Effect[] {
    this.out = [];
    this.take(input);
    return this.out;
  }

  private take(input: Input) {
    switch (input.on) {
      case "start":
        return this.start(input.token, input.conversation, input.seq);
      case "stop":
        return this.stop();
      case "opened":
        return this.opened(input.id);
      case "frame":
        return this.frame(input.id, input.frame);
      case "heard":
        return this.heard(input.id);
      case "closed":
        return this.closed(input.id);
      case "posted":
        return this.posted(input);
      case "timer":
        return this.timer(input.name);
      case "wake":
        return this.wake();
      case "network":
        this.network = input.up;
        if (input.up) this.wake();
        return;
      case "enqueue":
        this.queue.push(input.message);
        if (this.running && !this.main) this.wake();
        return this.flush();
      case "withdraw":
        return this.drop(input.client_msg_id);
      case "typing":
        // Worth nothing later, so it is only said on a connection that stands.
        return this.say({ kind: "typing", on: input.value });
      case "seen":
        this.delivered = Math.max(this.delivered, input.delivered);
        this.read = Math.max(this.read, input.read);
        return this.tellSeen();
      case "claim":
        this.claim = input.values;
        return this.say({ kind: "claim", values: input.values });
      case "email":
        this.email = { address: input.address, may_mail: input.may_mail };
        return this.tellEmail();
      case "page":
        this.page = { url: input.url, title: input.title };
        return this.say({ kind: "page", ...this.page });
    }
  }

  // --- the connection -------------------------------------------------------------------------------------------------

  private start(token: string, conversation: string | null, seq: number) {
    this.closeAll();
    if (conversation !== this.conversation) {
      this.delivered = 0;
      this.read = 0;
    }
    this.token = token;
    this.conversation = conversation;
    this.position = seq;
    this.running = true;
    this.attempts = 0;
    this.connect();
  }

  private stop() {
    this.running = false;
    this.closeAll();
    this.state("off");
  }

  private closeAll() {
    for (const open of [this.main, this.trial]) if (open) this.out.push({ do: "close", id: open.id });
    this.main = null;
    this.trial = null;
    this.inFlight = null;
    this.gapAsked = false;
    const names: TimerName[] = ["reconnect", "connect", "ping", "dead", "probe", "ack", "gap", "socket_again", "trial"];
    for (const name of names) this.out.push({ do: "no_timer", name });
  }

  private connect() {
    this.out.push({ do: "no_timer", name: "reconnect" });
    this.main = { id: ++this.lastId, way: this.way, up: false };
    this.out.push({ do: "open", id: this.main.id, way: this.way, conversation: this.conversation, since: this.position });
    this.timeout("connect", times.connect);
    this.state("connecting");
  }

  private opened(id: number) {
    if (this.main?.id === id && this.main.way === "events") return this.up();
    if (this.main?.id === id || this.trial?.id === id) this.hello(id);
  }

  private hello(id: number) {
    this.out.push({ do: "send", id, frame: { kind: "hello", token: this.token, conversation: this.conversation, since_seq: this.position } });
  }

  /** The connection stands: say what was not heard before, then send the queue. */
  private up() {
    const main = this.main;
    if (!main) return;
    if (!main.up) {
      main.up = true;
      this.attempts = 0;
      this.told = { delivered: 0, read: 0 };
      this.emailSent = false;
      if (main.way === "socket") {
        this.socketFailures = 0;
        this.socketAgain = times.socketAgain;
      } else this.timeout("socket_again", this.socketAgain);
      this.out.push({ do: "no_timer", name: "connect" });
      this.timeout("ping", times.ping);
      this.timeout("dead", times.silence);
      this.state("up");
      if (this.page) this.say({ kind: "page", ...this.page });
      if (this.claim) this.say({ kind: "claim", values: this.claim });
      this.tellEmail();
      this.tellSeen();
    }
    this.flush();
  }

  private heard(id: number) {
    if (this.main?.id !== id) return;
    this.out.push({ do: "no_timer", name: "probe" });
    this.timeout("dead", times.silence);
  }

  private closed(id: number) {
    if (this.trial?.id === id) {
      this.trial = null;
      this.out.push({ do: "no_timer", name: "trial" });
      this.socketAgain = Math.min(this.socketAgain * 2, times.socketAgainMost);
      this.timeout("socket_again", this.socketAgain);
      return;
    }
    if (this.main?.id !== id) return;
    const was = this.main;
    this.main = null;
    this.inFlight = null;
    this.gapAsked = false;
    for (const name of ["connect", "ping", "dead", "probe", "ack", "gap"] as const) this.out.push({ do: "no_timer", name });
    if (!this.running) return;
    if (!was.up && this.network) {
      if (was.way === "socket") {
        this.socketFailures += 1;
        if (this.socketFailures >= SOCKET_TRIES) this.way = "events";
      } else if (!this.trial) {
        // Neither works: the network is away rather than the socket blocked, so the next try is a socket again, once.
        this.way = "socket";
        this.socketFailures = SOCKET_TRIES - 1;
      }
    }
    this.retry();
  }

  private retry() {
    const most = Math.min(times.backoffMost, times.backoffFirst * 2 ** this.attempts);
    const ms = Math.round(most * (0.5 + this.random() * 0.5));
    this.attempts += 1;
    this.timeout("reconnect", ms);
    this.state("waiting", ms);
  }

  /** The page came to the front or the network came back: connect at once, or ask whether the old connection still lives. */
  private wake() {
    if (!this.running) return;
    if (!this.main) {
      this.attempts = 0;
      this.connect();
    } else if (this.main.up) {
      this.timeout("probe", times.probe);
      this.say({ kind: "ping" });
      if (this.main.way === "events" && !this.trial) this.tryTheSocket();
    }
  }

  private tryTheSocket() {
    this.out.push({ do: "no_timer", name: "socket_again" });
    this.trial = { id: ++this.lastId, way: "socket", up: false };
    this.out.push({ do: "open", id: this.trial.id, way: "socket", conversation: this.conversation, since: this.position });
    this.timeout("trial", times.connect);
  }

  private giveUp() {
    if (!this.main) return;
    const { id } = this.main;
    this.out.push({ do: "close", id });
    this.closed(id);
  }

  private timer(name: TimerName) {
    switch (name) {
      case "reconnect":
        if (this.running && !this.main) this.connect();
        return;
      case "connect":
        return this.giveUp();
      case "dead":
        // Not the end yet: in a hidden tab timers run late and together, and this one may have overtaken the ping.
        this.timeout("probe", times.lastWord);
        return this.say({ kind: "ping" });
      case "probe":
        this.giveUp();
        this.attempts = 0;
        if (this.running && !this.main) this.connect();
        return;
      case "ping":
        this.timeout("ping", times.ping);
        // The stream's own comment lines prove that it lives; a POST would not.
        if (this.main?.way === "socket") this.say({ kind: "ping" });
        return;
      case "ack":
        this.inFlight = null;
        return this.flush();
      case "hold":
        this.held = false;
        return this.flush();
      case "gap":
        this.gapAsked = false;
        return;
      case "trial":
        if (!this.trial) return;
        this.out.push({ do: "close", id: this.trial.id });
        return this.closed(this.trial.id);
      case "socket_again":
        if (this.running && this.main?.up && this.main.way === "events" && !this.trial) this.tryTheSocket();
        return;
    }
  }

  // --- what comes in --------------------------------------------------------------------------------------------------

  private frame(id: number, frame: ServerFrame) {
    if (this.trial?.id === id && frame.kind === "welcome") {
      if (this.main) this.out.push({ do: "close", id: this.main.id });
      this.main = this.trial;
      this.trial = null;
      this.way = "socket";
      this.inFlight = null; // its POST may be stuck; the socket says it again
      this.out.push({ do: "no_timer", name: "trial" }, { do: "no_timer", name: "socket_again" });
    }
    // A closing connection may still have frames in the pipe; what it says twice does no harm, what it says wrongly would.
    if (this.main?.id !== id) return;
    this.heard(id);
    this.receive(frame);
  }

  private receive(frame: ServerFrame) {
    switch (frame.kind) {
      case "welcome":
        return this.welcome(frame);
      case "ack":
        this.holds = 0;
        return this.done(frame.client_msg_id);
      case "refused":
        return this.refused(frame);
      case "frame":
        return this.items(frame);
      case "typing":
        return void this.out.push({ do: "typing", name: frame.name, on: frame.on });
      case "availability": {
        const { kind: _, ...value } = frame;
        return void this.out.push({ do: "availability", value });
      }
      case "conversation":
        return this.switchTo(frame.id, frame.seq);
      case "resync":
        return this.beginAgain();
      case "pong":
        if (this.emailSent) {
          // Frames are worked off in order, so the answer to a later ping means that the address has arrived.
          this.email = null;
          this.emailSent = false;
          this.out.push({ do: "email_known" });
        }
        return;
      case "bye":
        return this.bye(frame.code);
    }
  }

  private welcome(frame: ServerFrame & { kind: "welcome" }) {
    if (frame.conversation && frame.conversation !== this.conversation) this.switchTo(frame.conversation, 0);
    else if (frame.conversation && frame.seq < this.position) return this.beginAgain(); // the server knows less than we: a restored copy
    this.up();
  }

  private switchTo(id: string, seq: number) {
    if (id === this.conversation) return;
    this.conversation = id;
    this.position = seq;
    this.told = { delivered: 0, read: 0 };
    this.delivered = 0;
    this.read = 0;
    this.out.push({ do: "conversation", id });
  }

  private items(frame: ServerFrame & { kind: "frame" }) {
    if (this.conversation === null) this.switchTo(frame.conversation, 0);
    if (frame.conversation !== this.conversation) {
      // One of the visitor's earlier conversations: shown, but it says nothing about the position in this one.
      return this.show(frame.items, false);
    }
    if (frame.prev > this.position) return this.gap();
    if (frame.upto <= this.position) return; // known already
    this.position = frame.upto;
    this.gapAsked = false;
    this.out.push({ do: "no_timer", name: "gap" });
    this.show(frame.items, true);
  }

  private show(items: WidgetItem[], current: boolean) {
    if (items.length) this.out.push({ do: "items", items, current });
    for (const item of items) if (item.client_msg_id) this.done(item.client_msg_id);
  }

  private gap() {
    if (this.gapAsked || !this.main) return;
    this.gapAsked = true;
    this.timeout("gap", times.gap);
    if (this.main.way === "socket") return this.hello(this.main.id);
    this.out.push({ do: "close", id: this.main.id });
    this.connect();
  }

  private beginAgain() {
    this.running = false; // until `start` comes with what `visitors` said
    this.closeAll();
    this.state("connecting");
    this.out.push({ do: "begin_again" });
  }

  private bye(code: string) {
    if (code === "shutdown") {
      this.giveUp();
      return;
    }
    if (code === "banned" || code === "superseded") {
      // `wake` starts a superseded one again when its tab comes to the front.
      this.running = code === "superseded";
      this.closeAll();
      this.state("off");
      this.out.push({ do: "bye", code });
      return;
    }
    this.beginAgain();
  }

  // --- what goes out --------------------------------------------------------------------------------------------------

  private say(...frames: ClientFrame[]) {
    const main = this.main;
    if (!main?.up) return;
    if (main.way === "events") this.out.push({ do: "post", id: main.id, frames });
    else for (const frame of frames) this.out.push({ do: "send", id: main.id, frame });
  }

  private tellSeen() {
    if (!this.main?.up) return;
    if (this.delivered > this.told.delivered) this.say({ kind: "delivered", up_to_seq: this.delivered });
    if (this.read > this.told.read) this.say({ kind: "read", up_to_seq: this.read });
    this.told = { delivered: this.delivered, read: this.read };
  }

  private tellEmail() {
    if (!this.email || !this.main?.up) return;
    this.emailSent = true;
    this.say({ kind: "email", ...this.email }, { kind: "ping" });
  }

  private flush() {
    const next = this.queue[0];
    if (!next || !this.main?.up || this.held || this.inFlight) return;
    this.inFlight = next.client_msg_id;
    this.timeout("ack", times.ack);
    this.say({ kind: "message", ...next });
  }

  private drop(id: string) {
    this.queue = this.queue.filter((message) => message.client_msg_id !== id);
    if (this.inFlight !== id) return;
    this.inFlight = null;
    this.out.push({ do: "no_timer", name: "ack" });
    this.flush();
  }

  private done(id: string) {
    if (!this.queue.some((message) => message.client_msg_id === id)) return;
    this.out.push({ do: "acked", client_msg_id: id });
    this.drop(id);
  }

  private refused(frame: ServerFrame & { kind: "refused" }) {
    const id = frame.client_msg_id;
    if (frame.code === "banned") return this.bye("banned");
    if (!id && (frame.code === "busy" || frame.code === "rate_limited")) this.emailSent = false; // perhaps it was that: said again later
    if (!id || !this.queue.some((message) => message.client_msg_id === id)) return;
    if (frame.code === "busy" || frame.code === "rate_limited") return this.hold(frame.code, frame.retry_after);
    this.out.push({ do: "refused", client_msg_id: id, code: frame.code, args: frame.args ?? {} });
    this.drop(id);
  }

  /** The whole queue waits, so that a later message cannot overtake the held one. */
  private hold(code: string, seconds?: number | null) {
    const ms = seconds ? seconds * 1000 : Math.min(times.hold * 2 ** this.holds, times.holdMost);
    this.holds += 1;
    this.held = true;
    this.inFlight = null;
    this.out.push({ do: "no_timer", name: "ack" });
    this.timeout("hold", ms);
    this.out.push({ do: "held", code, ms });
  }

  private posted(input: Input & { on: "posted" }) {
    if (input.ok) {
      // An answer is good even when the stream has been replaced meanwhile: acknowledgements are about messages, not connections.
      const live = this.main?.id === input.id;
      if (live) this.out.push({ do: "no_timer", name: "probe" });
      for (const frame of input.frames) if (live || frame.kind === "ack") this.receive(frame);
      return;
    }
    if (this.main?.id !== input.id) return;
    if (input.status === 401) return this.beginAgain();
    if (input.sent.some((frame) => frame.kind === "read" || frame.kind === "delivered")) this.told = { delivered: 0, read: 0 };
    const message = input.sent.find((frame) => frame.kind === "message");
    if (message && this.inFlight === message.client_msg_id) this.hold(input.status === 429 ? "rate_limited" : "busy", input.retry_after);
  }

  private timeout(name: TimerName, ms: number) {
    this.out.push({ do: "timer", name, ms });
  }

  private state(state: LinkState, ms = 0) {
    this.out.push({ do: "state", state, way: this.way, ms });
  }
}
