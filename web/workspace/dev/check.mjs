// Walks through the main stories on the fake backend in real Chromium and runs axe on the main screens. node dev/check.mjs
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const port = await new Promise((resolve) => { const s = createServer().listen(0, "127.0.0.1", () => { const p = s.address().port; s.close(() => resolve(p)); }); });
const servers = [["1", port], ["fresh", port + 1]].map(([mode, p]) => spawn("npx", ["vite", "preview", "--port", String(p), "--strictPort", "--host", "127.0.0.1"], { env: { ...process.env, MOCK: mode }, stdio: "ignore", detached: true }));
const stop = () => { for (const s of servers) try { process.kill(-s.pid); } catch { /* gone */ } };
process.on("exit", stop);
const base = `http://127.0.0.1:${port}`;
const fresh = `http://127.0.0.1:${port + 1}`;
for (const url of [base, fresh]) for (let i = 0; i < 200; i++) { try { await fetch(url); break; } catch { await new Promise((r) => setTimeout(r, 100)); } }
const control = async (body) => (await fetch(`${base}/mock/control`, { method: "POST", body: JSON.stringify(body) })).json();
const browser = await chromium.launch({ executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium", args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
let failed = 0;
const only = process.argv[2];
async function story(name, run, options = {}) {
  if (only && !name.includes(only)) return;
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", locale: "en-GB", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(5_000);
  const errors = [];
  page.on("console", (m) => m.type() === "error" && !/40[349]|422|ERR_INTERNET|net::/.test(m.text()) && errors.push(m.text()));
  page.on("pageerror", (e) => errors.push(e.message));
  try {
    await run(page, context);
    if (errors.length) throw new Error(`console: ${errors[0]}`);
    console.log(`ok   ${name}`);
  } catch (e) {
    failed += 1;
    console.log(`FAIL ${name}: ${String(e.message).split("\n").slice(0, 6).join(" | ")}`);
    await page.screenshot({ path: `${process.env.SHOTS_DIR ?? "."}/fail-${name.replace(/\W+/g, "-")}.png` }).catch(() => undefined);
  }
  await context.close();
}
const expect = (ok, what) => { if (!ok) throw new Error(what); };
const until = async (f, what) => { for (let i = 0; i < 60; i++) { if (await f()) return; await new Promise((r) => setTimeout(r, 100)); } throw new Error(what); };
const ada = (await control({ do: "presence" })).id;
const openAda = async (page) => { await page.goto(`${base}/inbox/c/${ada}`); await page.locator("footer textarea").waitFor(); await page.waitForTimeout(300); };

await story("opens a conversation from the list with keys", async (page) => {
  await page.goto(`${base}/inbox`);
  await page.locator("[role=row]").first().waitFor();
  await page.keyboard.press("j");
  await page.waitForURL(/\/inbox\/c\//);
  const first = page.url();
  await page.keyboard.press("j");
  await until(() => page.url() !== first, "j does not move on");
  await page.keyboard.press("k");
  await until(() => page.url() === first, "k does not move back");
});
await story("sends a reply that ends delivered, never said sent before", async (page) => {
  await openAda(page);
  await page.keyboard.press("r");
  await page.keyboard.type("Yes, it is gone.");
  await page.keyboard.press("Control+Enter");
  await page.getByText("Yes, it is gone.").first().waitFor();
  expect((await page.locator("footer textarea").inputValue()) === "", "box is not empty");
  await page.getByText("Read", { exact: true }).last().waitFor();
});
await story("a held reply can be taken back", async (page) => {
  await page.goto(`${base}/inbox?view=all&q=${encodeURIComponent("channel:sms is:open")}`);
  const rows = page.locator("[role=row]");
  await rows.first().waitFor();
  for (let i = 0; i < 12; i++) {
    await rows.nth(i).click();
    await page.locator("footer textarea").waitFor();
    await page.waitForTimeout(200);
    if ((await page.locator("footer").getByText("via SMS").count()) > 0) break;
  }
  await page.locator("footer textarea").fill("Hold this one");
  await page.keyboard.press("Control+Enter");
  await page.getByText(/Sends in \d s/).first().waitFor();
  await page.locator("#stream").focus();
  await page.keyboard.press("z");
  await until(async () => (await page.locator("footer textarea").inputValue()).includes("Hold this one"), "text is not back in the box");
  await page.getByText("Taken back", { exact: true }).first().waitFor();
});
await story("drafts survive a reload", async (page) => {
  await openAda(page);
  await page.locator("footer textarea").fill("Half a sent");
  await page.waitForTimeout(400);
  await page.reload();
  await page.locator("footer textarea").waitFor();
  await until(async () => (await page.locator("footer textarea").inputValue()) === "Half a sent", "the draft is gone");
  await page.getByText(/Saved \d\d:\d\d/).waitFor();
  await page.locator("footer textarea").fill("");
  await page.waitForTimeout(1300);
});
await story("stale check asks once, then sends", async (page) => {
  await openAda(page);
  await page.locator("footer textarea").fill("I think");
  await control({ do: "write", id: ada, text: "One more thing" });
  await page.getByText("One more thing").first().waitFor();
  await page.getByRole("button", { name: "Read 1 new reply first" }).click();
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await until(async () => (await page.locator("footer textarea").inputValue()) === "", "second press does not send");
});
await story("offline replies wait and go out once", async (page, context) => {
  await openAda(page);
  await context.setOffline(true);
  await page.locator("footer textarea").fill("Written without network");
  await page.keyboard.press("Control+Enter");
  await page.getByText("Waits here until the server has it").waitFor();
  await page.getByText("Offline. 1 reply waits here.").waitFor();
  await page.getByText(/Connection lost at/).waitFor();
  await context.setOffline(false);
  await until(async () => (await page.getByText("Waits here until the server has it").count()) === 0, "it never goes out");
  expect((await page.getByText("Written without network").count()) === 1, "it is there twice");
});
await story("a note mentions a colleague", async (page) => {
  await openAda(page);
  await page.locator("#stream").focus();
  await page.keyboard.press("n");
  await page.keyboard.type("Please look @bo");
  await page.getByRole('listbox').waitFor();
  await page.keyboard.press("Enter");
  await until(async () => (await page.locator("footer textarea").inputValue()) === "Please look @Bo Larsen ", `mention was not taken: ${await page.locator("footer textarea").inputValue()}`);
  await page.keyboard.press("Control+Enter");
  await page.locator("#stream").getByText("@Bo Larsen").first().waitFor();
});
await story("close, undo with z, snooze by text", async (page) => {
  await page.goto(`${base}/inbox`);
  await page.locator("[role=row]").nth(4).click();
  await page.locator("footer textarea").waitFor();
  await page.locator("#stream").focus();
  await page.keyboard.press("e");
  await page.getByRole("button", { name: "Open again" }).first().waitFor();
  await page.keyboard.press("z");
  await page.getByRole("button", { name: "Close", exact: true }).first().waitFor();
  await page.locator("#stream").focus();
  await page.keyboard.press("b");
  await page.getByPlaceholder("2h, tue 9, tomorrow 14:30").waitFor();
  await page.keyboard.type("2h");
  await page.keyboard.press("Enter");
  await page.getByText(/Snoozed until/).first().waitFor();
});
await story("bulk close with one undo", async (page) => {
  await page.goto(`${base}/inbox?view=unassigned`);
  await page.locator("[role=row]").first().waitFor();
  const before = Number(await page.locator("[role=grid]").getAttribute("aria-rowcount"));
  for (const i of [0, 1, 2]) await page.locator("[role=row]").nth(i).click({ modifiers: ["Control"] });
  await page.getByRole("toolbar").getByRole("button", { name: "Close" }).click();
  await page.getByText("3 closed").waitFor();
  await until(async () => Number(await page.locator("[role=grid]").getAttribute("aria-rowcount")) === before - 3, "rows do not leave");
  await page.getByRole("button", { name: "Undo" }).click();
  await until(async () => Number(await page.locator("[role=grid]").getAttribute("aria-rowcount")) === before, "undo does not bring them back");
});
await story("the list does not move under the pointer", async (page) => {
  await page.goto(`${base}/inbox?view=all`);
  const rows = page.locator("[role=row]");
  await rows.nth(3).hover();
  const was = await rows.nth(3).getAttribute("data-row");
  const last = await rows.nth(8).getAttribute("data-row");
  await control({ do: "write", id: last, text: "I moved up" });
  await page.getByText("I moved up").waitFor();
  expect((await rows.nth(3).getAttribute("data-row")) === was, "the row moved");
  await page.mouse.move(900, 500);
  await until(async () => (await rows.nth(0).getAttribute("data-row")) === last, "it is not applied after the pointer left");
});
await story("scroll: nothing moves while reading, the end follows", async (page) => {
  await openAda(page);
  const box = page.locator("#stream");
  await box.evaluate((el) => el.scrollTo({ top: el.scrollHeight }));
  await page.waitForTimeout(200);
  await control({ do: "write", id: ada, text: "Follow me to the end" });
  await page.locator('#stream').getByText("Follow me to the end").waitFor();
  await until(() => box.evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight < 4), "the end does not follow");
  await page.waitForTimeout(400);
  await box.evaluate((el) => el.scrollBy({ top: -500 }));
  await page.waitForTimeout(300);
  const top = await box.evaluate((el) => el.scrollTop);
  await control({ do: "write", id: ada, text: "Do not move me" });
  await page.getByRole("button", { name: "1 new" }).waitFor();
  expect(Math.abs((await box.evaluate((el) => el.scrollTop)) - top) < 2, "it moved");
  await box.focus();
  await page.keyboard.press("End");
  await page.getByText("Do not move me").first().waitFor();
});
await story("the last entry is fully visible for entries of 1 to 60 lines", async (page) => {
  await openAda(page);
  const box = page.locator("#stream");
  await box.evaluate((el) => el.scrollTo({ top: el.scrollHeight }));
  await page.waitForTimeout(200);
  let seed = 5;
  for (let i = 0; i < 25; i++) {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    const lines = 1 + (seed % 60);
    await control({ do: "write", id: ada, text: `${Array.from({ length: lines }, (_, k) => `line ${k}`).join("\n")}\nlast of ${i}` });
    await page.getByText(`last of ${i}`).last().waitFor();
    await until(() => box.evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight < 2), `run ${i} with ${lines} lines stops short`);
  }
});
await story("presence shows who types", async (page) => {
  await openAda(page);
  await control({ do: "presence", id: ada, agents: [{ agent_id: "agt_0000000000002", doing: "typing_reply" }], customer: { typing: true, online: true } });
  await page.getByText("Bo Larsen is typing a reply").last().waitFor();
  await page.getByText(/Ada Novak is typing in Chat/).waitFor();
  await control({ do: "presence", id: ada, agents: [], customer: { typing: false, online: true } });
});
await story("merges a conversation and says where it went", async (page) => {
  await openAda(page);
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("What do you want to do, or find?").fill("merge into");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").locator("ul button").first().click();
  await page.getByText(/entries move to/).waitFor();
  await page.getByRole("button", { name: "Merge", exact: true }).click();
  await page.getByText(/#4812 merged into/).waitFor();
  await page.goto(`${base}/inbox/c/${ada}`);
  await page.getByText(/#4812 is now part of #\d+/).waitFor();
});
await story("first run to the first hello", async (page) => {
  await page.goto(`${fresh}/setup`);
  await page.getByLabel("One-time code").fill("wrong");
  await page.getByLabel("Your name").fill("Lea Winter");
  await page.getByLabel("Email").fill("lea@roastery.test");
  await page.getByLabel("Password", { exact: true }).fill("correct horse");
  await page.getByRole("button", { name: "Create my account" }).click();
  await page.getByText(/This code is not right. 3 tries left/).waitFor();
  await page.getByLabel("One-time code").fill("MOCK-1234");
  await page.reload();
  expect((await page.getByLabel("Your name").inputValue()) === "Lea Winter", "answers are not kept over reload");
  await page.getByLabel("One-time code").fill("MOCK-1234");
  await page.getByLabel("Password", { exact: true }).fill("correct horse");
  await page.getByRole("button", { name: "Create my account" }).click();
  await page.getByLabel("Name of your business").fill("Nordlicht");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByText(/<script src=/).waitFor();
  await page.getByRole("button", { name: "Try it" }).click();
  await page.getByText("Waiting for your first hello").waitFor();
  await page.getByRole("img", { name: /QR/ }).waitFor();
});
for (const theme of ["light", "dark"]) for (const lang of ["en", "ar"]) {
  await story(`axe ${theme} ${lang}`, async (page) => {
    const problems = [];
    const run = async (_name) => {
      await page.waitForTimeout(400);
      await page.evaluate(axe);
      const result = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
      for (const v of result.violations) problems.push(`${v.id} ${v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} ${n.failureSummary?.split("\n")[1] ?? ""}`).join(" ; ")}`);
    };
    const q = `lang=${lang}`;
    for (const path of ["/inbox", `/inbox?view=all&q=is%3Aopen`, "/search?q=order", "/settings/channels", "/settings/channels/ibx_0000000000001", "/settings/hours", "/settings/team", "/settings/tags", "/settings/quarantine", "/settings/health", "/settings/me"]) {
      await page.goto(`${base}${path}${path.includes("?") ? "&" : "?"}${q}`);
      await page.waitForLoadState("networkidle");
      await run(path);
    }
    await page.goto(`${base}/inbox/c/${ada}?${q}`);
    await page.locator("#stream").waitFor();
    await run("conversation");
    await page.goto(`${base}/inbox?view=mine&${q}`);
    await page.locator("[role=row]").nth(2).click();
    await page.locator("footer textarea").waitFor();
    await run("conversation 2");
    await page.locator("#stream").focus();
    for (const key of ["v", "b", "a", "t", "?", "Control+k"]) { await page.locator("#stream").focus(); await page.keyboard.press(key); await run(`key ${key}`); await page.keyboard.press("Escape"); await page.waitForTimeout(150); }
    await page.locator("#stream").focus();
    await page.keyboard.press("n");
    await run("note");
    await page.goto(`${fresh}/setup?${q}`);
    await page.waitForLoadState("networkidle");
    await run("setup");
    if (problems.length) throw new Error(`${problems.length}: ${[...new Set(problems)].join(" || ").slice(0, 2500)}`);
  }, { colorScheme: theme });
}
await browser.close();
stop();
console.log(failed ? `${failed} failed` : "all ok");
process.exit(failed ? 1 : 0);
