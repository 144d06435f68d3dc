// From the acknowledgement of a visitor's message to the frame on an agent's socket: open loop, 200 messages a second from
// many visitors, each time counted from the planned moment of sending. The agent follows the inbox list.
import { WebSocket } from "ws";
import { removeFolder, startContinuo } from "../lib/binary.mjs";
import { firstRun, liftRates } from "../lib/client.mjs";
import { Visitor } from "../lib/visitor.mjs";
import { until } from "../lib/wait.mjs";
import { cpuOf, full, memoryOf, pause, percentile, place } from "./common.mjs";

const RATE = 200;
const VISITORS = 100;
const SECONDS = full ? 60 : 15;

const server = await startContinuo();
const { owner, inbox, site } = await firstRun(server);
await liftRates(owner, inbox);

const visitors = Array.from({ length: VISITORS }, () => new Visitor(server.url, site));
for (const visitor of visitors) {
  await visitor.begin();
  visitor.connect();
}
await until("all sockets to be welcomed", () => visitors.every((visitor) => visitor.welcomed), { withinMs: 30_000 });
for (const visitor of visitors) visitor.say("hello");
await until("everybody to have a conversation", () => visitors.every((visitor) => visitor.conversation), { withinMs: 30_000 });

const sent = new Map(); // client id -> { planned, acked, shown }
const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/v1/live`, { headers: { cookie: owner.cookie, origin: server.url } });
socket.on("message", (bytes) => {
  const at = performance.now();
  const text = bytes.toString();
  for (const found of text.matchAll(/bench-([0-9a-f-]{36})/g)) {
    const one = sent.get(found[1]);
    if (one && one.shown === null) one.shown = at;
  }
});
await new Promise((open, failed) => socket.once("open", open).once("error", failed));
socket.send(JSON.stringify({ kind: "hello", change_seq: null }));
await pause(500);

for (const visitor of visitors) {
  const receive = visitor.receive.bind(visitor);
  visitor.receive = (frame) => {
    if (frame.kind === "ack") {
      const one = sent.get(visitor.wordOf?.get(frame.client_msg_id));
      if (one && one.acked === null) one.acked = performance.now();
    }
    receive(frame);
  };
  visitor.wordOf = new Map();
}

const cpu = cpuOf(server.pid);
const began = performance.now();
for (let n = 0; n < RATE * SECONDS; n += 1) {
  const planned = began + (n * 1_000) / RATE;
  const early = planned - performance.now();
  if (early > 1) await pause(early);
  const visitor = visitors[n % VISITORS];
  const word = crypto.randomUUID();
  sent.set(word, { planned, acked: null, shown: null });
  visitor.wordOf.set(visitor.say(`bench-${word}`), word);
}
const drove = (performance.now() - began) / 1_000;
await until("all to be shown", () => [...sent.values()].every((one) => one.acked !== null && one.shown !== null), { withinMs: 30_000 }).catch(() => {});
const used = cpuOf(server.pid) - cpu;
const all = [...sent.values()];
const whole = all.filter((one) => one.acked !== null && one.shown !== null);
const table = [
  ["planned sending to acknowledgement", whole.map((one) => one.acked - one.planned)],
  ["acknowledgement to the agent's socket", whole.map((one) => one.shown - one.acked)],
  ["planned sending to the agent's socket", whole.map((one) => one.shown - one.planned)],
];
console.log(`\n## From a visitor to an agent's screen\n\n${place()}\n`);
console.log(`${all.length} messages, ${(all.length / drove).toFixed(0)} a second (open loop), ${VISITORS} visitors on sockets, 1 agent. ${all.length - whole.length} without acknowledgement or frame. Server: ${(used / all.length).toFixed(2)} ms CPU per message, ${memoryOf(server.pid).toFixed(0)} MiB.\n`);
console.log("| from .. to | p50 ms | p99 ms | most |\n|---|---|---|---|");
for (const [name, values] of table) console.log(`| ${name} | ${percentile(values, 50).toFixed(1)} | ${percentile(values, 99).toFixed(1)} | ${Math.max(...values).toFixed(1)} |`);
for (const visitor of visitors) visitor.leave();
socket.terminate();
await server.stop();
removeFolder(server.folder);
