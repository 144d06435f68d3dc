// The workspace without a mouse, and axe on each of its states: light, dark, right-to-left, desktop and phone.
import assert from "node:assert/strict";
import { assertAccessible } from "../lib/axe.mjs";
import { OWNER, reply } from "../lib/client.mjs";
import { Desk } from "../lib/desk.mjs";
import { journeys } from "../lib/journey.mjs";
import { Visitor } from "../lib/visitor.mjs";
import { until } from "../lib/wait.mjs";
import { loadWords } from "../lib/words.mjs";

const world = journeys();
const { step } = world;
let t;

async function visitorSays(text) {
  const visitor = new Visitor(world.server.url, world.site);
  world.closers.push(() => visitor.leave());
  await visitor.begin();
  visitor.connect();
  visitor.say(text);
  await visitor.settled();
  await until("its conversation", () => visitor.conversation);
  return visitor;
}
const listed = async (view) => (await world.owner.get(`/conversations?view=${view}&limit=100`)).items;

step("ten conversations wait", async () => {
  t = await loadWords();
  for (let n = 0; n < 10; n += 1) await visitorSays(`triage ${n}`);
  await until("ten rows", async () => (await listed("unassigned")).length === 10);
});

step("triage of ten conversations without a mouse", async () => {
  const { page } = await world.chrome.person("Olga by keyboard");
  const olga = new Desk(page, world.server.url, t);
  await page.goto(`${world.server.url}/login`);
  await page.keyboard.type(OWNER.email);
  await page.keyboard.press("Tab");
  await page.keyboard.type(OWNER.password);
  await page.keyboard.press("Enter");
  await olga.list.waitFor();
  for (let n = 0; n < 10; n += 1) {
    await page.keyboard.press("Escape");
    await page.keyboard.press("g");
    await page.keyboard.press("n");
    await olga.stream.waitFor();
    const open = await until("a conversation of mine in the address", async () => {
      const id = page.url().match(/\/inbox\/c\/(cnv_\w+)/)?.[1];
      const row = id && (await world.owner.get(`/conversations/${id}`)).conversation;
      return row && row.agent_id && row.status === "open" && row;
    });
    await until("its entries", async () => (await olga.stream.getByText(open.preview.text, { exact: true }).count()) > 0);
    if (n % 3 === 0) {
      await page.keyboard.press("r");
      await until("the focus in the composer", () => olga.field.evaluate((field) => field === document.activeElement));
      await page.keyboard.type(`answer to ${open.preview.text}`);
      await page.keyboard.press("Control+Shift+Enter");
    } else {
      await page.keyboard.press("e");
    }
    await until(`${open.id} to be closed`, async () => (await world.owner.get(`/conversations/${open.id}`)).conversation.status === "resolved");
  }
  assert.equal((await listed("unassigned")).length, 0);
  const list = await page.evaluate(() => document.activeElement?.tagName);
  assert.ok(list, "the focus is never lost");
});

step("the sign-in page passes axe, right and after a wrong pair", async () => {
  for (const dark of [false, true]) {
    const { page } = await world.chrome.person(`sign-in ${dark ? "dark" : "light"}`, { dark, tolerate: [/401/] });
    await page.goto(`${world.server.url}/login`);
    await assertAccessible(page, "sign-in");
    await page.getByRole("textbox", { name: "Email" }).fill(OWNER.email);
    await page.getByLabel("Password", { exact: true }).fill("wrong wrong wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await assertAccessible(page, "sign-in, wrong pair");
    await world.chrome.shot(page, `sign-in-${dark ? "dark" : "light"}`);
  }
});

const LOOKS = [
  { name: "light", options: {} },
  { name: "dark", options: { dark: true } },
  { name: "rtl", options: {}, rtl: true },
  { name: "rtl dark", options: { dark: true }, rtl: true },
  { name: "phone", options: { phone: true } },
  { name: "phone dark", options: { phone: true, dark: true } },
];
for (const { name, options, rtl } of LOOKS) {
  step(`axe finds nothing in the workspace: ${name}`, async () => {
    const visitor = await visitorSays(`look at this in ${name}: https://acme.example/a?b=c`);
    await reply(world.owner, visitor.conversation, "with an answer مرحبا");
    await world.owner.post(`/conversations/${visitor.conversation}/entries`, { kind: "note", text: "and a note", base_seq: 0 }, { headers: { "idempotency-key": crypto.randomUUID() } });
    const { page } = await world.chrome.person(`Olga ${name}`, options);
    const olga = new Desk(page, world.server.url, t, { rtl });
    await olga.signIn(OWNER.email, OWNER.password);
    for (const view of ["mine", "unassigned", "all", "snoozed", "closed"]) {
      await olga.view(view);
      await page.waitForLoadState("networkidle");
      await assertAccessible(page, `${name}: list ${view}`);
    }
    await olga.openById(visitor.conversation);
    await olga.entry("and a note").waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.dir), rtl ? "rtl" : "ltr");
    await assertAccessible(page, `${name}: conversation`);
    await world.chrome.shot(page, `desk-${name.replace(" ", "-")}`);
    await olga.field.fill("being written");
    await assertAccessible(page, `${name}: writing`);
    await olga.mode("note");
    await assertAccessible(page, `${name}: writing a note`);
    await olga.field.fill("");
    await page.goto(olga.address("/search?q=look"));
    await page.waitForLoadState("networkidle");
    await assertAccessible(page, `${name}: search`);
    for (const place of ["/settings", "/settings/me", "/settings/channels"]) {
      await page.goto(olga.address(place));
      await page.waitForLoadState("networkidle");
      await assertAccessible(page, `${name}: ${place}`);
      await world.chrome.shot(page, `desk-${name.replace(" ", "-")}${place.replaceAll("/", "-")}`);
    }
  });
}

step("keys do nothing while somebody types in a field", async () => {
  const before = (await listed("all")).map((row) => [row.id, row.status]);
  const { page } = await world.chrome.person("Olga typing");
  const olga = new Desk(page, world.server.url, t);
  await olga.signIn(OWNER.email, OWNER.password);
  await olga.openById(before[0][0]);
  await olga.field.click();
  await page.keyboard.type("e b a x k j z t s #");
  await until("the draft", async () => (await olga.field.inputValue()) === "e b a x k j z t s #");
  assert.deepEqual((await listed("all")).map((row) => [row.id, row.status]), before);
  await olga.field.fill("");
});
