// @vitest-environment node
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

/** Budgets of the built app, gz. `npm test` builds first. */
const dist = new URL("../dist/", import.meta.url);
const gz = (file: string) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;
interface Chunk { file: string; imports?: string[]; css?: string[]; isEntry?: boolean }
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8")) as Record<string, Chunk>;

function initial(): Set<string> {
  const files = new Set<string>();
  const walk = (key: string) => {
    const chunk = manifest[key];
    if (!chunk || files.has(chunk.file)) return;
    files.add(chunk.file);
    chunk.imports?.forEach(walk);
  };
  walk("index.html");
  return files;
}

test("what the inbox needs to start is at most 170 KB", () => {
  const total = [...initial()].reduce((sum, file) => sum + gz(file), 0);
  expect(total).toBeGreaterThan(50_000);
  expect(total).toBeLessThanOrEqual(170 * 1024);
});

test("no lazy chunk is over 110 KB, no style sheet over 15 KB", () => {
  const first = initial();
  for (const file of readdirSync(new URL("assets/", dist))) {
    if (file.endsWith(".js") && !first.has(`assets/${file}`)) expect(gz(`assets/${file}`), file).toBeLessThanOrEqual(110 * 1024);
    if (file.endsWith(".css")) expect(gz(`assets/${file}`), file).toBeLessThanOrEqual(15 * 1024);
  }
});

test("the page needs neither inline script nor inline style, and chunks are not cut by hand", () => {
  const html = readFileSync(new URL("index.html", dist), "utf8");
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>/);
  expect(html).not.toMatch(/<style|\son\w+=|style="/);
  expect(readFileSync(new URL("../vite.config.ts", import.meta.url), "utf8")).not.toMatch(/manualChunks|advancedChunks|codeSplitting/);
});
