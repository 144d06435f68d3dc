// The real program as a child process: its own folder, a free port, its printed lines read.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { until, within } from "./wait.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");

export function binaryPath() {
  return resolve(process.env.CONTINUO_BIN ?? join(root, "target/debug/continuo"));
}

/** A folder of this run's own; `removeFolder` takes it away again. */
export function freshFolder() {
  return mkdtempSync(join(tmpdir(), "continuo-e2e-"));
}

export function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * Starts the program without expecting that it comes up. With `fileBlocksMax` no file may grow past so many blocks of
 * 512 bytes: every write beyond fails, as on a full disk.
 */
export function spawnContinuo(args, env = {}, { fileBlocksMax = null } = {}) {
  const limited = ["-c", 'trap "" XFSZ; ulimit -f "$1"; shift; exec "$@"', "sh", String(fileBlocksMax), binaryPath(), ...args];
  const [program, all] = fileBlocksMax === null ? [binaryPath(), args] : ["/bin/sh", limited];
  const child = spawn(program, all, { stdio: ["ignore", "pipe", "pipe"], env: { ...cleanEnvironment(), ...env } });
  const run = { child, output: "", errors: "", exit: null };
  child.stdout.setEncoding("utf8").on("data", (text) => (run.output += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (run.errors += text));
  run.ended = new Promise((done) => {
    child.on("error", (error) => done((run.exit = { code: null, signal: null, error })));
    child.on("close", (code, signal) => done((run.exit = { code, signal })));
  });
  return run;
}

/** Runs the program to its end and gives `{code, output, errors}`. */
export async function runContinuo(args, { env = {}, withinMs = 30_000 } = {}) {
  const run = spawnContinuo(args, env);
  try {
    const { code, signal } = await within(withinMs, `continuo ${args.join(" ")}`, run.ended);
    return { code, signal, output: run.output, errors: run.errors };
  } finally {
    run.child.kill("SIGKILL");
  }
}

/**
 * Starts `continuo serve` on a free port and waits until it answers.
 * The set-up code is null when the workspace has an owner already.
 */
export async function startContinuo({ folder = freshFolder(), args = [], env = {}, fileBlocksMax = null } = {}) {
  const run = spawnContinuo(["serve", "--data", folder, "--listen", "127.0.0.1:0", ...args], env, { fileBlocksMax });
  const told = () => `\n--- printed\n${run.output}\n--- errors\n${run.errors.slice(-8_000)}`;
  let url;
  try {
    url = await until("the line that tells the address", () => {
      if (run.exit) return "ended";
      return run.output.match(/^Continuo listens on (http:\/\/\S+?)\/?$/m)?.[1];
    }, { withinMs: 60_000 });
    if (url === "ended") throw new Error(`continuo ended at once: ${JSON.stringify(run.exit)}`);
    await until("the first answer", async () => (await fetch(`${url}/readyz`)).ok, { withinMs: 30_000 });
  } catch (error) {
    run.child.kill("SIGKILL");
    throw new Error(`${error.message}${told()}`, { cause: error });
  }
  return {
    url,
    folder,
    port: Number(new URL(url).port),
    get code() {
      return run.output.match(/^Set-up code: (\S+)$/m)?.[1] ?? null;
    },
    get output() {
      return run.output;
    },
    get errors() {
      return run.errors;
    },
    get exit() {
      return run.exit;
    },
    told,
    pid: run.child.pid,
    /** Asks it to end, as an operator would, and waits. */
    async stop() {
      run.child.kill("SIGTERM");
      try {
        return await within(20_000, "stopping", run.ended);
      } finally {
        run.child.kill("SIGKILL");
      }
    },
    /** Ends it as a power cut would. */
    async kill() {
      run.child.kill("SIGKILL");
      return run.ended;
    },
  };
}

// Settings of whoever runs the tests must not reach the program.
function cleanEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("CONTINUO_") && !name.startsWith("NODE_TEST")));
}
