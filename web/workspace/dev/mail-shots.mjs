// Takes pictures of the mail screens on the fake backend, under the content policy of the real server. node dev/mail-shots.mjs [name-filter]
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { chromium } from "playwright-core";

const out = process.env.SHOTS_DIR ?? new URL("../shots/", import.meta.url).pathname;
mkdirSync(out, { recursive: true });
const filter = process.argv[2] ?? "";
// The policy is read from where it is written, so that these pictures cannot be prettier than the truth.
const policy = /const APP_CSP: &str = "([^;][\s\S]*?)";/.exec(readFileSync(new URL("../../../crates/api/src/assets.rs", import.meta.url), "utf8"))?.[1]?.replace(/\\\n\s*/g, "") ?? "";
const port = await new Promise((resolve) => { const s = createServer().listen(0, "127.0.0.1", () => { const p = s.address().port; s.close(() => resolve(p)); }); });
const server = spawn("npx", ["vite", "preview", "--port", String(port), "--strictPort", "--host", "127.0.0.1"], { env: { ...process.env, MOCK: "1" }, stdio: "ignore", detached: true });
const stop = () => { try { process.kill(-server.pid); } catch { /* gone */ } };
process.on("exit", stop);
const base = `http://127.0.0.1:${port}`;
for (let i = 0; i < 200; i++) { try { await fetch(base); break; } catch { await new Promise((r) => setTimeout(r, 100)); } }
const browser = await chromium.launch({ executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium", args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-features=LocalNetworkAccessChecks"] });
const { id } = await (await fetch(`${base}/mock/control`, { method: "POST", body: JSON.stringify({ do: "presence" }) })).json();
const sizes = { wide: [1440, 1000], phone: [390, 844] };
const to = (text) => async (p) => { const stream = p.locator("#stream"); for (let i = 0; i < 30; i++) { const hit = p.getByText(text, { exact: false }).first(); if (await hit.count()) { await hit.evaluate((el) => el.scrollIntoView({ block: "start" })); await p.waitForTimeout(250); const again = await hit.evaluate((el) => el.getBoundingClientRect().top); if (again > 0 && again < 700) break; } await stream.evaluate((el) => el.scrollBy(0, -500)); await p.waitForTimeout(120); } await p.waitForTimeout(300); };
const scenes = [
  ["mail-rich", `/inbox/c/${id}`, to("Fwd: Charged twice")],
  ["mail-forged", `/inbox/c/${id}`, to("Your account statement")],
  ["mail-inbox", "/settings/channels/ibx_0000000000002", undefined],
  ["mail-channels", "/settings/channels", undefined],
  ["mail-add", "/settings/channels", async (p) => { await p.getByRole("button", { name: "Add email" }).click(); await p.getByLabel("Address").fill("help@gmail.com"); await p.getByRole("button", { name: "Go on" }).click(); await p.waitForTimeout(500); }],
  ["mail-automatic", "/settings/automatic", undefined],
  ["mail-compose", "/inbox", async (p) => { await p.getByRole("button", { name: "New mail" }).click(); await p.getByRole("textbox", { name: "To", exact: true }).fill("ada@novak-print.example, tom@x.example"); await p.waitForTimeout(900); }],
  ["mail-plan", `/inbox/c/${id}`, async (p) => { await p.locator("#stream").focus(); await p.keyboard.press("v"); await p.waitForTimeout(300); await p.getByRole("menuitemradio", { name: /Email/ }).first().click(); await p.waitForTimeout(500); }],
];
for (const [name, path, act] of scenes) for (const size of ["wide", "phone"]) for (const theme of ["light", "dark"]) {
  if (filter && !`${name}-${size}-${theme}`.includes(filter)) continue;
  const context = await browser.newContext({ viewport: { width: sizes[size][0], height: sizes[size][1] }, colorScheme: theme, reducedMotion: "reduce", hasTouch: size === "phone", locale: "en-GB" });
  const page = await context.newPage();
  page.on("console", (m) => m.type() === "error" && console.log(`${name} ${size}: ${m.text()}`));
  page.on("pageerror", (e) => console.log(`${name} ${size}: ${e.message}`));
  await page.route((u) => u.origin === base && !/\.\w+$/.test(u.pathname) && !u.pathname.startsWith("/api"), async (route) => { if (route.request().resourceType() !== "document") return route.fallback(); const r = await route.fetch(); await route.fulfill({ response: r, headers: { ...r.headers(), "content-security-policy": policy } }); });
  await page.goto(`${base}${path}`);
  await page.waitForLoadState("networkidle").catch(() => undefined);
  await page.waitForTimeout(500);
  try { if (act) await act(page); } catch (e) { console.log(`${name} ${size}: ${String(e).split("\n")[0]}`); }
  if (process.env.AXE) {
    await page.evaluate(readFileSync(new URL("../../node_modules/axe-core/axe.min.js", import.meta.url), "utf8"));
    const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    for (const v of found.violations) console.log(`${name} ${size} ${theme}: ${v.id} (${v.impact}) ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | ")}`);
  }
  await page.screenshot({ path: `${out}/${name}-${size}-${theme}.png` });
  await context.close();
}
await browser.close();
stop();
process.exit(0);
