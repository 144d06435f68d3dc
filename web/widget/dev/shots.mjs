// Looks at every state of the widget in real Chromium: a picture and an axe run of each. `npm run shots [-- filter]`; pictures go to dev/shots/.
import { mkdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createMock } from "./mock.mjs";

const out = fileURLToPath(new URL("shots/", import.meta.url));
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const wanted = process.argv[2];
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const mock = await createMock();
const browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });
const desktop = { width: 900, height: 800 };
const phone = { width: 390, height: 780 };
let failures = 0;
let count = 0;

const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

/** One state: opens the host page, lets `act` bring the panel there, then looks. */
async function look(name, site, options, act = async () => undefined) {
  if (wanted && !name.includes(wanted)) return;
  const context = await browser.newContext({
    viewport: options.phone ? phone : desktop,
    colorScheme: options.dark ? "dark" : "light",
    reducedMotion: "reduce",
    locale: options.lang ?? "en",
    timezoneId: "Europe/Berlin",
    hasTouch: Boolean(options.phone),
  });
  const page = await context.newPage();
  const errors = [];
  page.on("console", (message) => message.type() === "error" && !/status of 4|WebSocket|ERR_INTERNET/.test(message.text()) && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  if (options.before) await options.before(page);
  await page.goto(`${mock.url}/?site=${site}&lang=${options.lang ?? "en"}${options.dark ? "&dark=1" : ""}`);
  if (!options.closed) {
    await page.locator("[data-continuo] button").click();
    const panel = page.frameLocator("[data-continuo] iframe");
    await panel.locator("main").waitFor();
    await act(panel, page, mock.site(site), context);
  } else await act(null, page, mock.site(site), context);
  await page.waitForTimeout(350);
  await page.screenshot({ path: `${out}${name}.png` });
  const frame = options.closed ? page : page.frames().find((one) => new URL(one.url()).pathname === `/w/${site}`);
  await frame.evaluate(axe);
  const result = await frame.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  const bad = result.violations.filter((one) => !(options.closed && ["region", "landmark-one-main"].includes(one.id)));
  for (const violation of bad) console.log(`  axe ${violation.id}: ${violation.help}\n${violation.nodes.map((node) => `    ${node.target} ${node.failureSummary?.split("\n")[1] ?? ""}`).join("\n")}`);
  for (const error of errors) console.log(`  console: ${error}`);
  failures += bad.length + errors.length;
  count += 1;
  console.log(`${bad.length || errors.length ? "BAD" : "ok "} ${name}`);
  await context.close();
}

const write = async (panel, text) => {
  await panel.locator("textarea").fill(text);
  await panel.locator("textarea").press("Enter");
};
const toChat = async (panel) => {
  await panel.locator(".go").click();
  await panel.locator("textarea").waitFor();
};
const settled = (panel) => panel.locator(".mark").last().filter({ hasNotText: /Sending|Wird/ }).waitFor();

async function conversation(panel, page, site) {
  await toChat(panel);
  await write(panel, "Hello, my order 4711 is late. Can you see where it is?");
  await settled(panel);
  const visitor = [...site.visitors.values()].at(-1);
  site.event("assigned", { name: "Lea Brandt" });
  site.say("Hello Ada, I am looking into it.");
  site.say("It left our nursery on Friday. Here is the tracking page: https://post.example/track?id=4711 (updated every hour).");
  site.say("", { files: [{ id: "f1", name: "delivery note 4711.pdf", mime: "application/pdf", bytes: 182_400, url: "/w/picture/x" }] });
  await panel.getByText("delivery note").waitFor();
  await write(panel, "Thank you, I will wait for it then.");
  await write(panel, "👍");
  await settled(panel);
  site.readAll();
  await panel.locator(".mark.read").waitFor();
  return visitor;
}

for (const dark of [false, true]) {
  const tag = dark ? "dark" : "light";
  await look(`closed-${tag}`, "demo", { dark, closed: true });
  await look(`home-${tag}`, "demo", { dark });
  await look(`home-phone-${tag}`, "demo", { dark, phone: true });
  await look(`empty-${tag}`, `demo-empty-${tag}`, { dark }, toChat);
  await look(`chat-${tag}`, `demo-chat-${tag}`, { dark }, async (panel, page, site) => {
    await conversation(panel, page, site);
    site.typing(true);
    await panel.locator(".typing").waitFor();
  });
  await look(`chat-phone-${tag}`, `demo-chatp-${tag}`, { dark, phone: true }, async (panel, page, site) => {
    await toChat(panel);
    await panel.locator("textarea").fill("Hello, my order 4711 is late.");
    await panel.locator(".send").click();
    await settled(panel);
    site.say("Hello, I am looking into it.");
    await panel.getByText("looking into").first().waitFor();
  });
  await look(`chat-ar-${tag}`, `demo-ar-${tag}`, { dark, lang: "ar" }, async (panel, page, site) => {
    site.config.greeting = "";
    await toChat(panel);
    await write(panel, "مرحبًا، طلبي رقم 4711 متأخر.");
    await panel.getByText("أُرسلت").waitFor();
    site.say("مرحبًا، أنظر في الأمر الآن. https://post.example/4711");
    await panel.locator(".theirs").first().waitFor();
  });
  await look(`home-away-${tag}`, "away", { dark });
  await look(`away-email-${tag}`, `away-mail-${tag}`, { dark }, async (panel) => {
    await toChat(panel);
    await write(panel, "Do you ship to Norway?");
    await settled(panel);
    await panel.locator(".email-card").waitFor();
  });
  await look(`away-email-given-${tag}`, `away-given-${tag}`, { dark }, async (panel) => {
    await toChat(panel);
    await write(panel, "Do you ship to Norway?");
    await panel.locator("#email-field").fill("ada@ex.com");
    await panel.locator(".email-card button[type=submit]").click();
    await panel.locator(".email-line").waitFor();
  });
  await look(`form-${tag}`, `form-${tag}`, { dark }, async (panel) => {
    await panel.locator(".go").click();
    await panel.locator("form.form").waitFor();
    await panel.locator("form.form button[type=submit]").click();
    await panel.locator(".why").first().waitFor();
  });
  await look(`banned-${tag}`, "banned", { dark }, async (panel) => {
    await panel.locator(".go").click();
    await panel.locator("textarea").fill("Hello");
    await panel.locator(".blocked").waitFor();
  });
  await look(`limited-${tag}`, "limited", { dark }, async (panel) => {
    await panel.locator(".go").click();
    await panel.locator("textarea").fill("Hello");
    await panel.locator(".blocked").waitFor();
  });
  await look(`required-${tag}`, "required", { dark }, (panel) => panel.locator(".blocked").waitFor());
  await look(`expired-${tag}`, "expired", { dark }, async (panel, page) => {
    await page.evaluate(() => globalThis.continuo("identify", { jwt: "a.b.c" }));
    await panel.locator(".blocked").waitFor();
  });
  await look(`refused-${tag}`, `demo-refused-${tag}`, { dark }, async (panel, page, site) => {
    site.refuse = { code: "too_long" };
    await toChat(panel);
    await write(panel, "This one is refused for its length.");
    await panel.locator(".failed-line").waitFor();
    site.refuse = { code: "rate_limited", retry_after: 30 };
    await write(panel, "And this one has to wait a moment.");
    await panel.locator(".strip").waitFor();
  });
  await look(`offline-${tag}`, `demo-offline-${tag}`, { dark }, async (panel, page, site, context) => {
    await toChat(panel);
    await write(panel, "Before the tunnel.");
    await settled(panel);
    await context.setOffline(true);
    mock.cut();
    await write(panel, "Written in the tunnel.");
    await panel.locator(".strip").waitFor();
  });
  await look(`files-${tag}`, `demo-files-${tag}`, { dark }, async (panel, page) => {
    await toChat(panel);
    await panel.locator("input[type=file]").setInputFiles([
      { name: "leaf with brown spots.png", mimeType: "image/png", buffer: png },
      { name: "invoice.pdf", mimeType: "application/pdf", buffer: Buffer.alloc(30_000) },
      { name: "setup.exe", mimeType: "application/x-msdownload", buffer: Buffer.alloc(10) },
      { name: "holiday film.png", mimeType: "image/png", buffer: Buffer.alloc(6_000_000) },
    ]);
    await panel.locator(".up.done").nth(1).waitFor();
    await page.waitForTimeout(100);
  });
  await look(`emoji-${tag}`, `demo-emoji-${tag}`, { dark }, async (panel) => {
    await toChat(panel);
    await panel.getByRole("button", { name: "Emoji" }).click();
    await panel.locator(".emoji").waitFor();
  });
  await look(`returning-${tag}`, `demo-returning-${tag}`, { dark }, async (panel, page, site) => {
    const visitor = await conversation(panel, page, site);
    visitor.older = Array.from({ length: 30 }, (_, at) => ({ ...site.item(visitor, at % 2 ? "agent" : "me", { text: `An older line, number ${at + 1}`, name: at % 2 ? "Bo Larsen" : null, at: new Date(Date.now() - 86_400_000 * 2 + at * 60_000).toISOString() }), seq: 0 }));
    await page.reload();
    await panel.locator(".earlier").waitFor();
    await panel.locator(".log").evaluate((box) => box.scrollTo(0, 0));
    await panel.getByText("number 20").waitFor();
    await panel.locator(".bar .bare").first().click();
    await panel.locator(".foot .link").click();
    await panel.locator(".ask").waitFor();
  });
}
await look("home-de-verified", "demo-de", { lang: "de" }, async (panel, page) => {
  await page.evaluate(() => globalThis.continuo("identify", { jwt: "a.b.c" }));
  await panel.locator(".hello").waitFor();
  await panel.locator(".hours summary").click();
});
await look("badge", "demo-badge", {}, async (panel, page, site) => {
  await conversation(panel, page, site);
  await panel.locator(".close").click();
  site.say("Anything else?");
  await page.locator("[data-continuo] .b", { hasText: "1" }).waitFor();
});
Object.assign(mock.site("demo-bright").config, { colour: "#ffd23f", radius: 4, corner: "start" });
await look("bright-brand", "demo-bright", {}, async (panel, page, site) => {
  await conversation(panel, page, site);
});
await look("text-200", "demo-big", { phone: true }, async (panel, page) => {
  await toChat(panel);
  const frame = page.frames().find((one) => one.url().includes("/w/demo-big"));
  await frame.evaluate(() => (document.documentElement.style.fontSize = "200%"));
});

await browser.close();
await mock.close();
console.log(`${count} states, ${failures} problems`);
process.exit(failures ? 1 : 0);
