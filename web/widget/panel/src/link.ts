/** The hands of the transport: real sockets, streams and timers. All decisions are in transport.ts. */
import { Transport, type Effect, type Input, type TimerName } from "./transport";
import type { ClientFrame, ServerFrame } from "./wire";

export class Link {
  readonly machine = new Transport();
  private timers = new Map<TimerName, number>();
  private open = new Map<number, () => void>();
  private sockets = new Map<number, WebSocket>();
  private token = "";
  /** POSTs keep their order: the next one leaves when the last one has been answered. */
  private posts: Promise<unknown> = Promise.resolve();

  constructor(
    /** `https://host/w/site` */
    private readonly base: string,
    private readonly onEffect: (effect: Effect) => void,
  ) {
    addEventListener("online", () => this.give({ on: "network", up: true }));
    addEventListener("offline", () => this.give({ on: "network", up: false }));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.give({ on: "wake" });
    });
    // Back from the back-forward cache: every socket is gone.
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.give({ on: "wake" });
    });
  }

  give(input: Input) {
    if (input.on === "start") this.token = input.token;
    for (const effect of this.machine.handle(input)) this.run(effect);
  }

  private run(effect: Effect) {
    switch (effect.do) {
      case "open":
        return effect.way === "socket" ? this.socket(effect.id) : this.events(effect.id, effect.conversation, effect.since);
      case "close": {
        this.open.get(effect.id)?.();
        this.open.delete(effect.id);
        return;
      }
      case "send": {
        const socket = this.sockets.get(effect.id);
        if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(effect.frame));
        return;
      }
      case "post":
        this.posts = this.posts.then(() => this.post(effect.id, effect.frames)).catch(() => undefined);
        return;
      case "timer":
        clearTimeout(this.timers.get(effect.name));
        this.timers.set(effect.name, window.setTimeout(() => this.give({ on: "timer", name: effect.name }), effect.ms));
        return;
      case "no_timer":
        clearTimeout(this.timers.get(effect.name));
        return;
      default:
        this.onEffect(effect);
    }
  }

  private socket(id: number) {
    let socket: WebSocket;
    const over = () => {
      this.sockets.delete(id);
      if (this.open.delete(id)) this.give({ on: "closed", id });
    };
    try {
      socket = new WebSocket(`${this.base.replace(/^http/, "ws")}/socket`);
    } catch {
      this.open.set(id, () => undefined);
      queueMicrotask(over);
      return;
    }
    this.sockets.set(id, socket);
    this.open.set(id, () => {
      this.sockets.delete(id);
      socket.close();
    });
    socket.onopen = () => this.give({ on: "opened", id });
    socket.onmessage = (event) => this.text(id, String(event.data));
    socket.onclose = over;
  }

  private text(id: number, text: string) {
    let frame: ServerFrame;
    try {
      frame = JSON.parse(text) as ServerFrame;
    } catch {
      return this.give({ on: "heard", id });
    }
    this.give({ on: "frame", id, frame });
  }

  /** The fall-back's code is fetched when it is needed, which for most visitors is never. */
  private async events(id: number, conversation: string | null, since: number) {
    const stop = new AbortController();
    this.open.set(id, () => stop.abort());
    try {
      const { stream } = await import("./fallback");
      const heard = (lines: string[]) => {
        if (!this.open.has(id)) return;
        this.give({ on: "heard", id });
        for (const line of lines) this.text(id, line);
      };
      const address = `${this.base}/events?since=${since}${conversation ? `&conversation=${conversation}` : ""}`;
      const status = await stream(address, this.token, stop.signal, () => this.open.has(id) && this.give({ on: "opened", id }), heard);
      if (status === 401) this.give({ on: "posted", id, ok: false, status, frames: [], sent: [] });
    } catch {
      /* told below */
    }
    if (this.open.delete(id)) this.give({ on: "closed", id });
  }

  private async post(id: number, frames: ClientFrame[]) {
    const { post } = await import("./fallback");
    const answer = await post(this.base, this.token, frames);
    this.give({ on: "posted", id, sent: frames, ...answer });
  }
}
