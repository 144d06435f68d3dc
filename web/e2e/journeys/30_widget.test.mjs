// The widget in a stranger's page, in a real browser; the agent answers over the API.
import assert from "node:assert/strict";
import { assertAccessible } from "../lib/axe.mjs";
import { onlyConversation, reply, textOf, wholeTimeline } from "../lib/client.mjs";
import { journeys } from "../lib/journey.mjs";
import { ENGLISH, Panel, panelFrame } from "../lib/panel.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { startSite } from "../lib/site.mjs";
import { until } from "../lib/wait.mjs";

const world = journeys();
const { step } = world;

async function site(options = {}) {
  const started = await startSite({ widget: `${options.base ?? world.server.url}/w/${world.site}.js`, ...options });
  world.closers.push(() => started.stop());
  return started;
}

/** A visitor in front of the open chat. */
async function visit(name, { siteOptions = {}, words = ENGLISH, ...options } = {}) {
  const shop = await site(siteOptions);
  const { page, context } = await world.chrome.person(name, options);
  await page.goto(shop.url);
  const panel = new Panel(page, words);
  await panel.open();
  await panel.toChat();
  return { shop, page, context, panel };
}

const conversationWith = (text) =>
  until(`the conversation with "${text}"`, async () => (await world.owner.get("/conversations?view=all&limit=100")).items.find((row) => row.preview?.text.includes(text)));

step("nothing but the script is loaded before the first click, and no cookie is set", async () => {
  const shop = await site();
  const { page, context } = await world.chrome.person("before the click");
  const asked = [];
  page.on("request", (request) => request.url().startsWith(world.server.url) && asked.push(new URL(request.url()).pathname));
  await page.goto(shop.url);
  await new Panel(page).launcher.waitFor();
  await page.waitForLoadState("networkidle");
  assert.deepEqual(asked, [`/w/${world.site}.js`]);
  assert.deepEqual(await context.cookies(), []);
  assert.equal(await page.evaluate(() => Object.keys(window).filter((name) => /continuo/i.test(name)).join()), "continuo");
});

step("hello and an answer, without reload on either side", async () => {
  const { page, panel } = await visit("Ada");
  await panel.say("Hello, is my bicycle ready?");
  await panel.bubble("Hello, is my bicycle ready?").waitFor();
  const row = await conversationWith("is my bicycle ready");
  assert.equal(row.channel, "webchat");
  assert.equal(row.status, "open");
  await reply(world.owner, row.id, "Yes, since this morning.");
  await panel.bubble("Yes, since this morning.").waitFor();
  await world.chrome.shot(page, "widget-conversation");
  await panel.frame.getByText("Read", { exact: true }).or(panel.frame.getByText("Sent", { exact: true })).first().waitFor();
});

step("a reload and a second page keep the history", async () => {
  const { page, panel, shop } = await visit("Ben");
  await panel.say("first");
  const row = await conversationWith("first");
  await reply(world.owner, row.id, "answer to first");
  await panel.bubble("answer to first").waitFor();
  await page.goto(`${shop.url}second`);
  const again = new Panel(page);
  await again.frame.getByRole("main").waitFor();
  await again.toChat();
  await again.bubble("first").waitFor();
  await again.bubble("answer to first").waitFor();
  await again.say("second");
  await until("both in one conversation", async () => (await wholeTimeline(world.owner, row.id)).filter((entry) => entry.kind === "message").map(textOf).join() === "first,answer to first,second");
});

step("an answer that arrives while the panel is closed shows on the launcher", async () => {
  const { page, panel } = await visit("Cleo");
  await panel.say("will you call me back?");
  const row = await conversationWith("call me back");
  await panel.frame.getByRole("button", { name: "Close chat" }).click();
  await reply(world.owner, row.id, "We will.");
  await panel.launcher.and(page.getByRole("button", { name: /1 new message/i })).waitFor();
  await panel.launcher.click();
  await panel.bubble("We will.").waitFor();
});

step("by keyboard alone: open, write, send, close; the focus comes back to the launcher", async () => {
  const shop = await site();
  const { page } = await world.chrome.person("Dora by keyboard");
  await page.goto(shop.url);
  const panel = new Panel(page);
  await panel.launcher.waitFor();
  await page.getByRole("link", { name: "Second page" }).focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const frame = await until("the panel", async () => {
    const found = await panelFrame(page).catch(() => null);
    return found && (await found.getByRole("main").isVisible()) && found;
  });
  const focused = () => frame.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.textContent ?? ""}`);
  await until("the focus inside the panel", async () => !(await focused()).startsWith("BODY"));
  for (let stops = 0; stops < 6 && !/^(BUTTON .*Write to us|TEXTAREA)/s.test(await focused()); stops += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await until("the focus in the field", async () => (await focused()).startsWith("TEXTAREA"));
  await page.keyboard.type("typed, not clicked");
  await page.keyboard.press("Enter");
  await panel.bubble("typed, not clicked").waitFor();
  await page.keyboard.press("Escape");
  await until("the focus back on the launcher", () => page.evaluate(() => document.querySelector("[data-continuo]")?.shadowRoot?.activeElement?.tagName === "BUTTON"));
  assert.equal(await panel.launcher.getAttribute("aria-expanded"), "false");
});

step("markup in every field is text, for the visitor and in the store", async () => {
  const { panel, page } = await visit("Eve", { siteOptions: { before: `<script>window.continuo=window.continuo||function(){(continuo.q=continuo.q||[]).push(arguments)};continuo("identify",{name:"<img src=x onerror=alert(1)>",email:"'; DROP TABLE contact; --"})</script>` } });
  const text = "<img src=x onerror=alert(1)><script>alert(2)</script> **bold** [x](javascript:alert(3))";
  await panel.say(text);
  await panel.bubble(text).waitFor();
  const row = await conversationWith("<img src=x");
  await reply(world.owner, row.id, "<b>not bold</b> javascript:alert(4) https://acme.example/<script>");
  await panel.log.getByText("<b>not bold</b>", { exact: false }).waitFor();
  const frame = await panelFrame(page);
  const planted = await frame.evaluate(() => [...document.querySelectorAll("script:not([src]):not([type='application/json']), img[src='x'], b")].map((each) => each.outerHTML));
  assert.deepEqual(planted, []);
  assert.deepEqual(await frame.locator("a[href^='javascript']").count(), 0);
});

step("a network without web sockets: everything works by events and POST", async () => {
  const proxy = await startProxy(world.server.port);
  world.closers.push(() => proxy.stop());
  proxy.webSockets = false;
  const { panel } = await visit("Finn behind a proxy", { siteOptions: { base: proxy.url }, tolerate: [/WebSocket/] });
  await panel.say("no sockets here");
  await panel.bubble("no sockets here").waitFor();
  const row = await conversationWith("no sockets here");
  await reply(world.owner, row.id, "still live");
  await panel.bubble("still live").waitFor({ timeout: 30_000 });
  await panel.say("and back");
  await until("it in the store", async () => (await wholeTimeline(world.owner, row.id)).some((entry) => textOf(entry) === "and back"));
});

step("a network that goes away: what is written is kept, sent later, and nothing comes twice", async () => {
  const proxy = await startProxy(world.server.port);
  world.closers.push(() => proxy.stop());
  const { panel, page } = await visit("Gil on a train", { siteOptions: { base: proxy.url }, tolerate: [/WebSocket|ERR_CONNECTION|Failed to load|ERR_EMPTY|ERR_/] });
  await panel.say("before the tunnel");
  const row = await conversationWith("before the tunnel");
  await until("it is stored", async () => row.id);
  proxy.unplug();
  await panel.say("in the tunnel 1");
  await panel.say("in the tunnel 2");
  await reply(world.owner, row.id, "said meanwhile");
  await panel.frame.getByText("Connecting again. What you write is kept.").waitFor();
  await assertAccessible(page, "widget, connecting again", { frames: "inner" });
  proxy.plugIn();
  await panel.bubble("said meanwhile").waitFor({ timeout: 40_000 });
  const expected = ["before the tunnel", "said meanwhile", "in the tunnel 1", "in the tunnel 2"].sort();
  await until("everything once in the store", async () => {
    const stored = (await wholeTimeline(world.owner, row.id)).filter((entry) => entry.kind === "message").map(textOf).sort();
    return JSON.stringify(stored) === JSON.stringify(expected);
  });
  for (const text of expected) assert.equal(await panel.bubble(text).count(), 1, text);
  for (let n = 0; n < 5; n += 1) {
    proxy.cutAll();
    await panel.say(`cut ${n}`);
  }
  await until("all five", async () => (await wholeTimeline(world.owner, row.id)).filter((entry) => textOf(entry).startsWith("cut ")).length === 5, { withinMs: 30_000 });
});

step("a picture travels from the visitor to the agent", async () => {
  const { panel } = await visit("Hana");
  const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
  await panel.frame.locator("input[type=file]").setInputFiles({ name: "broken chain.png", mimeType: "image/png", buffer: png });
  await panel.frame.getByText("broken chain.png").first().waitFor();
  await panel.say("look at this");
  const row = await conversationWith("look at this");
  const entry = await until("the entry with its file", async () => (await wholeTimeline(world.owner, row.id)).find((each) => each.attachments.length === 1));
  assert.equal(entry.attachments[0].name, "broken chain.png");
  assert.equal(entry.attachments[0].bytes, png.length);
  const fetched = await fetch(new URL(entry.attachments[0].url, world.server.url));
  assert.equal(fetched.status, 200);
  assert.deepEqual(Buffer.from(await fetched.arrayBuffer()), png);
});

for (const [locale, dir, name] of [["en-GB", "ltr", "English"], ["de-DE", "ltr", "German"], ["es-ES", "ltr", "Spanish"], ["fr-FR", "ltr", "French"], ["ar-EG", "rtl", "Arabic"]]) {
  for (const dark of [false, true]) {
    step(`axe finds nothing in ${name}, ${dark ? "dark" : "light"}: closed, home, conversation`, async () => {
      const lang = locale.slice(0, 2);
      const shop = await site({ lang, dir });
      const { page } = await world.chrome.person(`${name} ${dark ? "dark" : "light"}`, { locale, dark, phone: dark });
      await page.goto(shop.url);
      const panel = new Panel(page);
      await panel.launcher.waitFor();
      await assertAccessible(page, `${name}: launcher`, { within: "[data-continuo]" });
      await panel.open();
      await assertAccessible(page, `${name}: home`, { frames: "inner" });
      const frame = await panelFrame(page);
      assert.equal(await frame.evaluate(() => document.documentElement.lang), lang);
      assert.equal(await frame.evaluate(() => document.documentElement.dir), dir);
      await frame.locator("button.card.go").click();
      await frame.locator("textarea").fill(`axe ${lang} ${dark}`);
      await assertAccessible(page, `${name}: writing`, { frames: "inner" });
      await frame.locator("button[type=submit]").click();
      await reply(world.owner, (await conversationWith(`axe ${lang} ${dark}`)).id, "مرحبا hello https://acme.example/a");
      await frame.getByText("مرحبا hello", { exact: false }).first().waitFor();
      await assertAccessible(page, `${name}: conversation`, { frames: "inner" });
      await world.chrome.shot(page, `widget-${lang}-${dark ? "dark-phone" : "light"}`);
    });
  }
}

step("the hosted test page has the widget and passes axe", async () => {
  const { page } = await world.chrome.person("test page");
  await page.goto(`${world.server.url}/w/${world.site}/test`);
  const panel = new Panel(page);
  await panel.open();
  await panel.toChat();
  await panel.say("from the test page");
  await conversationWith("from the test page");
  await assertAccessible(page, "hosted test page");
});

step("the first conversation is still what it was", async () => {
  assert.ok(await onlyConversation(world.owner));
});
