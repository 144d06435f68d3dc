/** Budgets of the built files: `npm test` builds first. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const KB = 1024;
const gz = (name: string) => gzipSync(readFileSync(dist + name), { level: 9 }).length;
const assets = readdirSync(`${dist}assets`).map((name) => `assets/${name}`);
const named = (start: string) => assets.filter((name) => name.startsWith(`assets/${start}-`));
const sum = (names: string[]) => names.reduce((total, name) => total + gz(name), 0);
const html = readFileSync(`${dist}panel.html`, "utf8");
const loader = readFileSync(`${dist}loader.js`, "utf8");

describe("size", () => {
  it("the loader is at most 3 KB", () => expect(gz("loader.js")).toBeLessThanOrEqual(3 * KB));
  it.each(["en", "de", "es", "fr", "ar"])("the panel is at most 30 KB to the first message (%s)", (locale) => {
    const first = assets.filter((name) => html.includes(name));
    expect(first.length).toBeGreaterThanOrEqual(2);
    expect(sum([...first, ...named(locale), "panel.html"])).toBeLessThanOrEqual(30 * KB);
  });
  it("everything one visitor can load is at most 60 KB", () => {
    const others = ["de", "es", "fr", "ar"].flatMap(named);
    expect(sum(["panel.html", "loader.js", ...assets.filter((name) => !others.includes(name))])).toBeLessThanOrEqual(60 * KB);
  });
});

describe("what the server fills in", () => {
  it("is in each file exactly once", () => {
    expect(loader.split('"__CONTINUO_CONFIG__"')).toHaveLength(2);
    expect(html.split("__CONTINUO_PANEL_CONFIG__")).toHaveLength(2);
  });
  it("needs no inline script or style", () => {
    const scripts = html.match(/<script[^>]*>/g) ?? [];
    expect(scripts.filter((tag) => !tag.includes("src=") && !tag.includes('type="application/json"'))).toEqual([]);
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=/);
  });
  it("sits under /w/assets/", () => {
    for (const match of html.matchAll(/(?:src|href)="([^"]+)"/g)) expect(match[1]).toMatch(/^\/w\/assets\/[\w-]+-[\w-]{8}\.(js|css)$/);
  });
});
