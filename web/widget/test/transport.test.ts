import { describe, expect, it } from "vitest";
import { times, type Effect } from "../panel/src/transport";
import { dice, World } from "./model";

const message = (n: number | string) => ({ client_msg_id: `msg-${n}`, text: `text ${n}` });
const opened = (world: World) => world.effects.filter((effect): effect is Effect & { do: "open" } => effect.do === "open");
const acked = (world: World) => world.effects.filter((effect) => effect.do === "acked").map((effect) => effect.client_msg_id);

/** 1,000 entries from both sides while connections break at random moments. */
function storm(seed: number, more: (world: World) => void) {
  const random = dice(seed);
  const world = new World(random);
  more(world);
  world.begin();
  const mine: string[] = [];
  let theirs = 0;
  for (let n = 0; n < 1000; n += 1) {
    world.pass(random() * 120);
    if (random() < 0.5) {
      mine.push(message(n).client_msg_id);
      world.give({ on: "enqueue", message: message(n) });
    } else {
      world.server.put("agent", `answer ${n}`);
      theirs += 1;
    }
    if (random() < 0.3) world.server.hidden();
    if (n % 5 === 4) {
      world.pass(random() * 80);
      world.cut();
    }
  }
  world.sockets = "open";
  world.eventsBlocked = false;
  world.loss = 0;
  for (let waited = 0; waited < 400 && world.transport.known.queue.length; waited += 1) world.pass(5_000);
  world.pass(60_000);
  world.server.put("agent", "the last one");
  world.pass(60_000);
  return { world, mine, theirs: theirs + 1 };
}

function holds({ world, mine, theirs }: ReturnType<typeof storm>) {
  expect(world.cuts).toBe(200);
  expect(world.transport.known.queue).toEqual([]);
  // Exactly once and in the order they were written.
  expect(world.server.stored).toEqual(mine);
  // Everything the server has, nothing twice, in its order.
  expect(world.log.map((item) => item.id)).toEqual(world.server.log.map((item) => item.id));
  expect(world.log).toHaveLength(mine.length + theirs);
  expect(world.transport.known.seq).toBe(world.server.seq);
}

describe("200 cuts in 1,000 entries", () => {
  it.each([1, 2, 3])("over sockets, run %i", (seed) => {
    const result = storm(seed, () => undefined);
    holds(result);
    expect(opened(result.world).length).toBeGreaterThan(150);
    expect(opened(result.world).filter((effect) => effect.way === "socket").length).toBeGreaterThan(50);
  });
  it.each([4, 5])("with frames given twice and frames lost, run %i", (seed) => {
    holds(
      storm(seed, (world) => {
        world.echo = 0.2;
        world.loss = 0.1;
      }),
    );
  });
  it.each([6, 7])("over events and POST, run %i", (seed) => {
    const result = storm(seed, (world) => (world.sockets = "blocked"));
    holds(result);
    expect(opened(result.world).filter((effect) => effect.way === "events").length).toBeGreaterThan(100);
  });
});

describe("ways", () => {
  it("takes events after two sockets that did not open, and goes back to a socket later", () => {
    const world = new World(dice(1));
    world.sockets = "blocked";
    world.begin();
    world.pass(5_000);
    expect(opened(world).map((effect) => effect.way)).toEqual(["socket", "socket", "events"]);
    expect(world.transport.known).toMatchObject({ up: true, way: "events" });
    world.give({ on: "enqueue", message: message(1) });
    world.pass(1_000);
    expect(acked(world)).toEqual(["msg-1"]);
    world.sockets = "open";
    world.pass(times.socketAgain + 1_000);
    expect(world.transport.known).toMatchObject({ up: true, way: "socket" });
    world.server.put("agent", "over the socket");
    world.pass(1_000);
    expect(world.log.map((item) => item.text)).toEqual(["text 1", "over the socket"]);
  });
  it("stays with events while the socket stays blocked, asking less and less often", () => {
    const world = new World(dice(2));
    world.sockets = "blocked";
    world.begin();
    world.pass(5_000);
    const before = opened(world).length;
    // No comment lines in this model, so the stream is kept alive by entries.
    for (let minute = 0; minute < 10; minute += 1) {
      world.server.put("agent", `${minute}`);
      world.pass(50_000);
    }
    const tries = opened(world).slice(before);
    expect(tries.every((effect) => effect.way === "socket")).toBe(true);
    expect(tries.length).toBe(3); // after 60, 120 and 240 s
    expect(world.log).toHaveLength(10);
  });
  it("gives a socket that swallows everything ten seconds", () => {
    const world = new World(dice(3));
    world.sockets = "swallowed";
    world.begin();
    world.pass(2 * times.connect + 3_000);
    expect(world.transport.known).toMatchObject({ up: true, way: "events" });
  });
  it("tries both again when neither works", () => {
    const world = new World(dice(4));
    world.sockets = "blocked";
    world.eventsBlocked = true;
    world.begin();
    world.pass(60_000);
    world.sockets = "open";
    world.pass(2 * times.backoffMost + 2_000); // the turn may be the events' first
    expect(world.transport.known).toMatchObject({ up: true, way: "socket" });
  });
  it("does not blame the socket while the device is offline", () => {
    const world = new World(dice(5));
    world.give({ on: "network", up: false });
    world.sockets = "blocked";
    world.begin();
    world.pass(20_000);
    expect(opened(world).every((effect) => effect.way === "socket")).toBe(true);
  });
});

describe("reconnecting", () => {
  const waits = (world: World) => world.effects.filter((effect): effect is Effect & { do: "state" } => effect.do === "state" && effect.state === "waiting").map((effect) => effect.ms);

  it("waits longer each time, with jitter, up to half a minute", () => {
    const world = new World(dice(6));
    world.sockets = "blocked";
    world.eventsBlocked = true;
    world.begin();
    world.pass(600_000);
    const seen = waits(world);
    seen.forEach((ms, at) => {
      const most = Math.min(times.backoffMost, times.backoffFirst * 2 ** at);
      expect(ms).toBeGreaterThanOrEqual(most / 2);
      expect(ms).toBeLessThanOrEqual(most);
    });
    expect(new Set(seen.slice(8)).size).toBeGreaterThan(3);
  });
  it.each([{ on: "wake" } as const, { on: "network", up: true } as const])("connects at once on $on", (input) => {
    const world = new World(dice(7));
    world.sockets = "blocked";
    world.eventsBlocked = true;
    world.begin();
    world.pass(120_000);
    world.sockets = "open";
    world.eventsBlocked = false;
    const at = world.now;
    const before = opened(world).length;
    if (!world.transport.known.up) world.give(input);
    expect(opened(world).length).toBe(before + 1);
    world.pass(500);
    expect(world.transport.known.up).toBe(true);
    expect(world.now - at).toBe(500);
  });
  it("finds a dead connection four seconds after the page comes to the front", () => {
    const world = new World(dice(8));
    world.begin();
    world.pass(1_000);
    const first = opened(world).length;
    world.server.leave(opened(world)[0]?.id ?? 0);
    world.server.take = () => undefined; // a black hole
    world.give({ on: "wake" });
    world.pass(times.probe + 500);
    expect(opened(world).length).toBe(first + 1);
  });
  it("gives up a silent connection after 60 s", () => {
    const world = new World(dice(9));
    world.begin();
    world.pass(1_000);
    world.server.take = () => undefined;
    world.pass(times.silence + times.lastWord - 2_000);
    expect(opened(world).length).toBe(1);
    world.pass(4_000);
    expect(opened(world).length).toBe(2);
  });
  it("does not take late timers of a hidden tab for a dead connection", () => {
    const world = new World(dice(32));
    world.begin();
    world.pass(1_000);
    world.give({ on: "timer", name: "ping" });
    world.give({ on: "timer", name: "dead" });
    world.pass(30_000);
    expect(opened(world).length).toBe(1);
  });
  it("keeps a living one by a ping every 25 s", () => {
    const world = new World(dice(10));
    world.begin();
    world.pass(300_000);
    expect(opened(world).length).toBe(1);
    expect(world.server.heard.filter((frame) => frame.kind === "ping").length).toBe(11);
  });
});

describe("messages", () => {
  it("waits before the connection stands and keeps what is not acknowledged", () => {
    const world = new World(dice(11));
    world.give({ on: "enqueue", message: message(1) });
    expect(world.transport.known.queue).toHaveLength(1);
    world.begin();
    world.pass(1_000);
    expect(world.transport.known.queue).toHaveLength(0);
    expect(world.server.stored).toEqual(["msg-1"]);
  });
  it("sends again later what was refused because of load, and nothing overtakes it", () => {
    const world = new World(dice(12));
    world.begin();
    world.pass(500);
    world.server.refuse = { code: "busy", times: 3 };
    world.give({ on: "enqueue", message: message(1) });
    world.pass(500);
    for (const n of [2, 3]) world.give({ on: "enqueue", message: message(n) }); // while the first one waits
    world.pass(500);
    expect(world.server.heard.filter((frame) => frame.kind === "message")).toHaveLength(1);
    world.pass(120_000);
    expect(world.server.stored).toEqual(["msg-1", "msg-2", "msg-3"]);
    expect(world.effects.filter((effect) => effect.do === "held").map((effect) => effect.ms)).toEqual([3_000, 6_000, 12_000]);
  });
  it("gives back what was refused for good and goes on with the next", () => {
    const world = new World(dice(13));
    world.begin();
    world.pass(500);
    world.server.refuse = { code: "too_long", times: 1 };
    for (const n of [1, 2]) world.give({ on: "enqueue", message: message(n) });
    world.pass(1_000);
    expect(world.server.stored).toEqual(["msg-2"]);
    expect(world.effects).toContainEqual({ do: "refused", client_msg_id: "msg-1", code: "too_long", args: {} });
  });
  it("takes the item itself for an acknowledgement", () => {
    const world = new World(dice(14));
    world.begin();
    world.pass(500);
    const take = world.server.take.bind(world.server);
    world.server.take = (frame, send) => take(frame, (out) => out.kind !== "ack" && send(out));
    for (const n of [1, 2]) world.give({ on: "enqueue", message: message(n) });
    world.pass(1_000);
    expect(world.server.stored).toEqual(["msg-1", "msg-2"]);
    expect(world.transport.known.queue).toEqual([]);
  });
  it("withdraws one from the middle without losing another", () => {
    const world = new World(dice(16));
    world.begin();
    world.pass(500);
    for (const n of [1, 2, 3]) world.give({ on: "enqueue", message: message(n) });
    world.give({ on: "withdraw", client_msg_id: "msg-2" });
    world.pass(1_000);
    expect(world.server.stored).toEqual(["msg-1", "msg-3"]);
  });
  it("withdraws a message that has not gone", () => {
    const world = new World(dice(15));
    world.give({ on: "enqueue", message: message(1) });
    world.give({ on: "withdraw", client_msg_id: "msg-1" });
    world.begin();
    world.pass(1_000);
    expect(world.server.stored).toEqual([]);
  });
});

describe("frames", () => {
  const up = (seed: number) => {
    const world = new World(dice(seed));
    world.begin();
    world.pass(500);
    world.server.put("agent", "one");
    world.pass(500);
    return world;
  };
  const id = (world: World) => opened(world)[0]?.id ?? 0;

  it("asks for the gap and shows nothing out of it", () => {
    const world = up(20);
    world.server.leave(id(world));
    world.server.put("agent", "two");
    world.server.put("agent", "three");
    const three = world.server.log.at(-1)!;
    world.give({ on: "frame", id: id(world), frame: { kind: "frame", conversation: "cnv_1", prev: 2, upto: 3, items: [three] } });
    expect(world.log.map((item) => item.text)).toEqual(["one"]);
    world.pass(500);
    expect(world.log.map((item) => item.text)).toEqual(["one", "two", "three"]);
    expect(world.server.seq).toBe(world.transport.known.seq);
  });
  it("leaves a repeated frame alone", () => {
    const world = up(21);
    const first = world.server.log[0]!;
    world.server.put("agent", "two");
    world.pass(500);
    const before = world.effects.length;
    world.give({ on: "frame", id: id(world), frame: { kind: "frame", conversation: "cnv_1", prev: 0, upto: 1, items: [first] } });
    expect(world.effects.slice(before).every((effect) => effect.do === "timer" || effect.do === "no_timer")).toBe(true);
    expect(world.transport.known.seq).toBe(2);
  });
  it("applies one that overlaps what is known", () => {
    const world = up(22);
    world.server.leave(id(world));
    world.server.put("agent", "two");
    world.give({ on: "frame", id: id(world), frame: { kind: "frame", conversation: "cnv_1", prev: 0, upto: 2, items: world.server.log } });
    expect(world.log.map((item) => item.text)).toEqual(["one", "two"]);
  });
  it("moves on over hidden changes", () => {
    const world = up(23);
    world.server.hidden();
    world.pass(500);
    expect(world.transport.known.seq).toBe(2);
    expect(world.log).toHaveLength(1);
  });
  it("starts at nought in a new conversation", () => {
    const world = up(24);
    world.give({ on: "frame", id: id(world), frame: { kind: "conversation", id: "cnv_2", seq: 0 } });
    expect(world.transport.known).toMatchObject({ conversation: "cnv_2", seq: 0 });
  });
  it("begins again when the server says resync, knows less, or says bye for a bad token", () => {
    for (const frame of [
      { kind: "resync" },
      { kind: "welcome", conversation: "cnv_1", seq: 0, server_time: "", online: true },
      { kind: "bye", code: "bad_token" },
    ] as const) {
      const world = up(25);
      world.give({ on: "frame", id: id(world), frame });
      expect(world.effects.at(-1)).toEqual({ do: "begin_again" });
      world.give({ on: "wake" });
      expect(opened(world)).toHaveLength(1); // nothing before `start`
    }
  });
  it("stays away when banned, comes back after a shutdown and when its tab is looked at again", () => {
    const banned = up(26);
    banned.give({ on: "frame", id: id(banned), frame: { kind: "bye", code: "banned" } });
    banned.give({ on: "wake" });
    banned.pass(60_000);
    expect(opened(banned)).toHaveLength(1);

    const shutdown = up(27);
    shutdown.give({ on: "frame", id: id(shutdown), frame: { kind: "bye", code: "shutdown" } });
    shutdown.pass(2_000);
    expect(shutdown.transport.known.up).toBe(true);

    const superseded = up(28);
    superseded.give({ on: "frame", id: id(superseded), frame: { kind: "bye", code: "superseded" } });
    superseded.pass(60_000);
    expect(opened(superseded)).toHaveLength(1);
    superseded.give({ on: "wake" });
    superseded.pass(500);
    expect(superseded.transport.known.up).toBe(true);
  });
});

describe("what must not be lost beside messages", () => {
  it("says read and delivered once per change, and again after a reconnect", () => {
    const world = new World(dice(30));
    world.begin();
    world.pass(500);
    world.give({ on: "seen", delivered: 4, read: 0 });
    world.give({ on: "seen", delivered: 4, read: 4 });
    world.give({ on: "seen", delivered: 3, read: 3 });
    world.pass(500);
    const said = () => world.server.heard.filter((frame) => frame.kind === "read" || frame.kind === "delivered");
    expect(said()).toEqual([
      { kind: "delivered", up_to_seq: 4 },
      { kind: "read", up_to_seq: 4 },
    ]);
    world.cut();
    world.pass(5_000);
    expect(said()).toHaveLength(4);
  });
  it("does not take a refusal of the address for its arrival", () => {
    const world = new World(dice(33));
    world.begin();
    world.pass(500);
    world.give({ on: "email", address: "ada@ex.com", may_mail: true });
    world.give({ on: "frame", id: opened(world)[0]?.id ?? 0, frame: { kind: "refused", client_msg_id: null, code: "busy" } });
    world.pass(1_000);
    expect(world.effects.some((effect) => effect.do === "email_known")).toBe(false);
    world.cut();
    world.pass(5_000);
    expect(world.effects.some((effect) => effect.do === "email_known")).toBe(true);
  });
  it("repeats the address until the server has answered for it", () => {
    const world = new World(dice(31));
    world.begin();
    world.pass(500);
    world.give({ on: "email", address: "ada@ex.com", may_mail: true });
    world.cut();
    world.pass(5_000);
    const said = () => world.server.heard.filter((frame) => frame.kind === "email");
    expect(said()).toEqual([{ kind: "email", address: "ada@ex.com", may_mail: true }]);
    world.cut();
    world.pass(5_000);
    expect(said()).toHaveLength(1);
  });
});
