// The inbox list and a timeline page by HTTP on a folder that `continuo demo` has filled (CONTINUO_BENCH_DATA), with 1 and 4
// clients on kept connections.
import { Agent, request } from "node:http";
import { startContinuo } from "../lib/binary.mjs";
import { Client } from "../lib/client.mjs";
import { cpuOf, full, memoryOf, percentile, place } from "./common.mjs";

const folder = process.env.CONTINUO_BENCH_DATA;
const server = await startContinuo({ folder });
const owner = new Client(server.url);
await owner.post("/login_sessions", { email: "owner@velo-nord.example", password: process.env.CONTINUO_BENCH_PASSWORD });
const first = await owner.get("/conversations?view=all&limit=50");
const ids = first.items.map((row) => row.id);
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const { hostname, port } = new URL(server.url);

function get(path) {
  return new Promise((done, failed) => {
    const began = performance.now();
    request({ hostname, port, path: `/api/v1${path}`, agent, headers: { cookie: owner.cookie } }, (response) => {
      let bytes = 0;
      response.on("data", (chunk) => (bytes += chunk.length));
      response.on("end", () => (response.statusCode === 200 ? done({ ms: performance.now() - began, bytes }) : failed(new Error(`${path} answered ${response.statusCode}`))));
    })
      .on("error", failed)
      .end();
  });
}

const reads = [
  ["inbox list, 50 rows", () => "/conversations?view=all&limit=50"],
  ["inbox list, second page", () => `/conversations?view=all&limit=50&${first.next_cursor ? `cursor=${encodeURIComponent(first.next_cursor)}` : ""}`],
  ["timeline page", (n) => `/conversations/${ids[n % ids.length]}/timeline?anchor=end&limit=50`],
  ["view counts", () => "/views"],
];
console.log(`\n## Lists by HTTP\n\n${place()}\n`);
console.log("| read | clients | requests/s | p50 ms | p99 ms | server CPU ms | KB |\n|---|---|---|---|---|---|---|");
for (const [name, path] of reads) {
  for (const clients of [1, 4]) {
    for (let n = 0; n < 50; n += 1) await get(path(n));
    const until = performance.now() + (full ? 8_000 : 4_000);
    const [cpu, began] = [cpuOf(server.pid), performance.now()];
    const all = [];
    await Promise.all(
      Array.from({ length: clients }, async () => {
        while (performance.now() < until) all.push(await get(path(all.length)));
      }),
    );
    const seconds = (performance.now() - began) / 1_000;
    const ms = all.map((one) => one.ms);
    console.log(`| ${name} | ${clients} | ${(all.length / seconds).toFixed(0)} | ${percentile(ms, 50).toFixed(2)} | ${percentile(ms, 99).toFixed(2)} | ${((cpuOf(server.pid) - cpu) / all.length).toFixed(2)} | ${(all[0].bytes / 1024).toFixed(1)} |`);
  }
}
console.log(`\nServer memory: ${memoryOf(server.pid).toFixed(0)} MiB.`);
agent.destroy();
await server.stop();
