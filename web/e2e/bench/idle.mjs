// Memory of the program that has nothing to do: an empty SQLite data folder, set up, 10 s of rest.
import { removeFolder, startContinuo } from "../lib/binary.mjs";
import { firstRun } from "../lib/client.mjs";
import { cpuOf, memoryOf, pause, place } from "./common.mjs";

const server = await startContinuo();
const fresh = memoryOf(server.pid);
await firstRun(server);
await pause(5_000);
const before = cpuOf(server.pid);
await pause(10_000);
const after = memoryOf(server.pid);
console.log(`\n## Idle\n\n${place()}\n`);
console.log("| | MiB RSS | CPU |\n|---|---|---|");
console.log(`| just started, no workspace | ${fresh.toFixed(1)} | |`);
console.log(`| set up, 15 s of rest | ${after.toFixed(1)} | ${(cpuOf(server.pid) - before) / 10} ms/s |`);
await server.stop();
removeFolder(server.folder);
