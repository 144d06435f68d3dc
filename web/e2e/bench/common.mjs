// What the benches of the real program share: figures, CPU and memory of the process as Linux tells them.
import { execSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";

export const full = process.env.SIZE === "full";

/** Resident memory in MiB. */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(status.match(/^VmRSS:\s+(\d+) kB/m)[1]) / 1024;
}

/** User and system time in milliseconds (ticks of 10 ms). */
export function cpuOf(pid) {
  const rest = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop().split(" ");
  return (Number(rest[11]) + Number(rest[12])) * 10;
}

export function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round(((sorted.length - 1) * percent) / 100)] ?? Number.NaN;
}

export function median(values) {
  return percentile(values, 50);
}

export function place() {
  const version = execSync("git rev-parse --short HEAD", { encoding: "utf8" }).trim();
  return `${new Date().toISOString().slice(0, 16)}Z, commit ${version}, ${cpus().length} cores (load drivers share them), load ${loadavg()[0].toFixed(1)}`;
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));
