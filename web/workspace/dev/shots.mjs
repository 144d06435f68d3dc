// Takes pictures of the main screens on the fake backend, for looking at. node dev/shots.mjs [name-filter]
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { chromium } from "playwright-core";

const out = process.env.SHOTS_DIR ?? new URL("../shots/", import.meta.url).pathname;
mkdirSync(out, { recursive: true });
const filter = process.argv[2] ?? "";
const port = await new Promise((resolve) => { const s = createServer().listen(0, "127.0.0.1", () => { const p = s.address().port; s.close(() => resolve(p)); }); });
const freshPort = port + 1;
const servers = [["1", port], ["fresh", freshPort]].map(([mode, p]) => spawn("npx", ["vite", "preview", "--port", String(p), "--strictPort", "--host", "127.0.0.1"], { env: { ...process.env, MOCK: mode }, stdio: "ignore", detached: true }));
const stop = () => { for (const s of servers) try { process.kill(-s.pid); } catch { /* gone */ } };
process.on("exit", stop);
const wait = async (url) => { for (let i = 0; i < 200; i++) { try { await fetch(url); return; } catch { await new Promise((r) => setTimeout(r, 100)); } } throw new Error(`${url} does not answer`); };
const base = `http://127.0.0.1:${port}`;
await Promise.all([wait(base), wait(`http://127.0.0.1:${freshPort}`)]);
const browser = await chromium.launch({ executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium", args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
const { id } = await (await fetch(`${base}/mock/control`, { method: "POST", body: JSON.stringify({ do: "presence" }) })).json();

const sizes = { wide: [1440, 900], mid: [1024, 768], phone: [390, 844] };
const scenes = [
  ["inbox", "/inbox", "wide"],
  ["conversation", `/inbox/c/${id}`, "wide"],
  ["conversation", `/inbox/c/${id}`, "mid"],
  ["conversation", `/inbox/c/${id}`, "phone"],
  ["inbox", "/inbox?view=all", "phone"],
  ["all", "/inbox?view=all&q=is%3Aopen%20tag%3ABilling", "mid"],
  ["search", "/search?q=order", "wide"],
  ["settings", "/settings", "wide"],
  ["channel", "/settings/channels/ibx_0000000000001", "wide"],
  ["hours", "/settings/hours", "wide"],
  ["team", "/settings/team", "wide"],
  ["health", "/settings/health", "wide"],
  ["me", "/settings/me", "phone"],
];
async function shot(name, path, size, theme, lang, act, host = base) {
  if (filter && !`${name}-${size}-${theme}-${lang}`.includes(filter)) return;
  const context = await browser.newContext({ viewport: { width: sizes[size][0], height: sizes[size][1] }, colorScheme: theme, reducedMotion: "reduce", hasTouch: size === "phone", locale: "en-GB" });
  const page = await context.newPage();
  page.on("console", (m) => m.type() === "error" && console.log(`${name} ${size}: ${m.text()}`));
  page.on("pageerror", (e) => console.log(`${name} ${size}: ${e.message}`));
  await page.goto(`${host}${path}${lang !== "en" ? `${path.includes("?") ? "&" : "?"}lang=${lang}` : ""}`);
  await page.waitForLoadState("networkidle").catch(() => undefined);
  await page.waitForTimeout(500);
  if (act) await act(page);
  await page.screenshot({ path: `${out}/${name}-${size}-${theme}${lang === "en" ? "" : `-${lang}`}.png` });
  await context.close();
}
for (const [name, path, size] of scenes) for (const theme of ["light", "dark"]) await shot(name, path, size, theme, "en");
await shot("conversation", `/inbox/c/${id}`, "wide", "light", "ar");
await shot("inbox", "/inbox?view=all", "phone", "dark", "ar");
await shot("palette", `/inbox/c/${id}`, "wide", "light", "en", async (p) => { await p.keyboard.press("Control+k"); await p.waitForTimeout(500); });
await shot("keys", `/inbox/c/${id}`, "wide", "light", "en", async (p) => { await p.locator("#stream").focus(); await p.keyboard.press("?"); await p.waitForTimeout(500); });
await shot("via", `/inbox/c/${id}`, "wide", "light", "en", async (p) => { await p.locator("#stream").focus(); await p.keyboard.press("v"); await p.waitForTimeout(400); });
await shot("note", `/inbox/c/${id}`, "wide", "light", "en", async (p) => { await p.locator("#stream").focus(); await p.keyboard.press("n"); await p.keyboard.type("Can you look at this, @bo"); await p.waitForTimeout(400); });
await shot("bulk", "/inbox?view=all", "wide", "light", "en", async (p) => { for (const i of [1, 2, 3]) await p.locator("[role=row]").nth(i).click({ modifiers: ["Control"] }); await p.waitForTimeout(300); });
await shot("snooze", `/inbox/c/${id}`, "wide", "dark", "en", async (p) => { await p.locator("#stream").focus(); await p.keyboard.press("b"); await p.waitForTimeout(400); });
const top = async (p) => { await p.locator("#stream").evaluate((el) => el.scrollTo({ top: 260 })); await p.waitForTimeout(400); };
await shot("looks", `/inbox/c/${id}`, "wide", "light", "en", top);
await shot("looks", `/inbox/c/${id}`, "phone", "dark", "en", top);
await shot("context", `/inbox/c/${id}`, "phone", "light", "en", async (p) => { await p.getByRole("button", { name: "Customer pane" }).click(); await p.waitForTimeout(300); });
await shot("merge", `/inbox/c/${id}`, "wide", "light", "en", async (p) => { await p.getByRole("button", { name: "More", exact: true }).click(); await p.getByRole("menuitem", { name: /Merge/ }).click(); await p.waitForTimeout(300); await p.getByRole("dialog").locator("ul button").first().click(); await p.waitForTimeout(400); });
await shot("views", "/inbox", "wide", "dark", "en", async (p) => { await p.getByRole("button", { name: "All views" }).click(); await p.waitForTimeout(400); });
const freshHost = `http://127.0.0.1:${freshPort}`;
await shot("setup1", "/setup", "wide", "light", "en", undefined, freshHost);
await shot("setup1", "/setup", "phone", "dark", "en", undefined, freshHost);
await browser.close();
stop();
process.exit(0);
