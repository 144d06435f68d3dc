// Memory of idle widget sockets: as many as the limits of this account allow, up to 10,000, in one process beside the server.
import { readFileSync } from "node:fs";
import { WebSocket } from "ws";
import { removeFolder, startContinuo } from "../lib/binary.mjs";
import { firstRun, liftRates } from "../lib/client.mjs";
import { cpuOf, memoryOf, pause, place } from "./common.mjs";

const allowed = Number(readFileSync("/proc/self/limits", "utf8").match(/Max open files\s+(\d+)/)[1]);
const WANTED = Math.min(Number(process.env.SOCKETS ?? 10_000), allowed - 200);
const AT_ONCE = 50;

// Visitors come from all over: limits per address are not what is measured here.
const server = await startContinuo({ env: { CONTINUO_BEHIND_PROXY: "true" } });
const { owner, inbox, site } = await firstRun(server);
await liftRates(owner, inbox);
await pause(2_000);
const before = memoryOf(server.pid);

const sockets = [];
let failed = 0;
async function one(n) {
  const from = { "x-forwarded-for": `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}` };
  const response = await fetch(`${server.url}/w/${site}/visitors`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: server.url, ...from },
    body: JSON.stringify({ locale: "en", host_origin: server.url }),
  });
  if (!response.ok) throw new Error(`begin answered ${response.status}: ${await response.text()}`);
  const { visitor_token: token } = await response.json();
  await new Promise((done, refused) => {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/w/${site}/socket`, { origin: server.url, perMessageDeflate: false, headers: from });
    socket.on("open", () => socket.send(JSON.stringify({ kind: "hello", token, conversation: null, since_seq: 0 })));
    socket.once("message", () => done(sockets.push(socket)));
    socket.on("error", refused);
    socket.on("close", () => refused(new Error("closed")));
  });
}
let begun = 0;
const reasons = new Map();
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (begun < WANTED && failed < 200) {
      begun += 1;
      await one(begun).catch((error) => {
        failed += 1;
        reasons.set(error.message.replace(/\{.*/, ""), (reasons.get(error.message.replace(/\{.*/, "")) ?? 0) + 1);
      });
    }
  }),
);
await pause(3_000);
const open = sockets.filter((socket) => socket.readyState === WebSocket.OPEN).length;
const cpu = cpuOf(server.pid);
await pause(10_000);
const after = memoryOf(server.pid);
console.log(`\n## Idle widget sockets\n\n${place()}\n`);
console.log(`${open} sockets stay open (${allowed} open files are allowed per process)${failed ? `; ${failed} did not come about: ${[...reasons].slice(0, 3).map(([text, count]) => `${count} x ${text}`).join("; ")}` : ""}.\n`);
console.log("| before MiB | after MiB | KiB each | CPU at rest |\n|---|---|---|---|");
console.log(`| ${before.toFixed(0)} | ${after.toFixed(0)} | ${(((after - before) * 1024) / open).toFixed(1)} | ${((cpuOf(server.pid) - cpu) / 10).toFixed(0)} ms/s |`);
for (const socket of sockets) socket.terminate();
await server.stop();
removeFolder(server.folder);
