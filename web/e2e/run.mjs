// Runs the journeys: `npm run e2e`, `ONLY=reconnect npm run e2e`. One file at a time, since each starts a server and a
// browser of its own and small machines have two cores.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { binaryPath } from "./lib/binary.mjs";

const here = dirname(fileURLToPath(import.meta.url));
if (!existsSync(binaryPath())) {
  console.error(`There is no server at ${binaryPath()}. Build it (make e2e does), or name one in CONTINUO_BIN.`);
  process.exit(1);
}
const only = process.env.ONLY ?? "";
const files = readdirSync(join(here, "journeys"))
  .filter((name) => name.endsWith(".test.mjs") && name.includes(only))
  .sort()
  .map((name) => join("journeys", name));
if (files.length === 0) {
  console.error(`No journey has "${only}" in its name.`);
  process.exit(1);
}
const args = ["--test", "--test-reporter=spec", "--test-concurrency=1", "--test-timeout=300000", ...files];
spawn(process.execPath, args, { cwd: here, stdio: ["ignore", "inherit", "inherit"] }).on("exit", (code) => process.exit(code ?? 1));
