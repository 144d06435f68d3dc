// The invented business: made by the command, signed in to, looked at, searched.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { assertAccessible } from "../lib/axe.mjs";
import { freshFolder, removeFolder, runContinuo, startContinuo } from "../lib/binary.mjs";
import { openBrowser } from "../lib/browser.mjs";
import { Client } from "../lib/client.mjs";
import { Desk } from "../lib/desk.mjs";
import { loadWords } from "../lib/words.mjs";

const folder = freshFolder();
let server, chrome;
after(async () => {
  await chrome?.close();
  await server?.stop();
  removeFolder(folder);
});

test("continuo demo fills a workspace that looks like a business at work", { timeout: 120_000 }, async () => {
  const made = await runContinuo(["demo", "--data", folder], { withinMs: 100_000 });
  assert.equal(made.code, 0, made.errors);
  const [, email, password] = made.output.match(/Sign in as (\S+) with the password (\S+)/);

  server = await startContinuo({ folder });
  assert.equal(server.code, null, "there is an owner");
  const client = new Client(server.url);
  await client.post("/login_sessions", { email, password });
  const views = (await client.get("/views")).items;
  assert.ok(views.find((view) => view.key === "all").count >= 99, JSON.stringify(views));
  const channels = new Set();
  const rows = [];
  let cursor = "";
  do {
    const page = await client.get(`/conversations?view=all&limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    for (const row of page.items) channels.add(row.channel);
    rows.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  for (const channel of ["webchat", "email", "sms", "whatsapp", "telegram"]) assert.ok(channels.has(channel), `no ${channel} among ${[...channels]}`);
  let calls = 0;
  for (const row of rows) {
    calls += (await client.get(`/conversations/${row.id}/timeline?anchor=end&limit=100`)).entries.filter((entry) => entry.kind === "call").length;
    if (calls > 0) break;
  }
  assert.ok(calls > 0, "calls are entries of the timeline, too");

  chrome = await openBrowser();
  const t = await loadWords();
  for (const [name, options] of [["light", {}], ["dark", { dark: true }], ["phone", { phone: true }]]) {
    const { page } = await chrome.person(name, options);
    const desk = new Desk(page, server.url, t);
    await desk.signIn(email, password);
    await desk.view("all");
    await desk.list.getByRole("row").first().waitFor();
    await assertAccessible(page, `demo list, ${name}`);
    await chrome.shot(page, `demo-list-${name}`);
    await desk.list.getByRole("row").first().getByRole("button").first().click();
    await desk.stream.getByRole("listitem").first().waitFor();
    await page.waitForLoadState("networkidle");
    await assertAccessible(page, `demo conversation, ${name}`);
    await chrome.shot(page, `demo-conversation-${name}`);
  }
  chrome.assertQuiet();
});

test("a second demo on top is refused while a server runs, and its data stays", async () => {
  const again = await runContinuo(["demo", "--data", folder]);
  assert.notEqual(again.code, 0);
  assert.notEqual(again.code, 101);
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
});
