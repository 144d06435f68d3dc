// From a fresh server to the first answered chat, in the browser alone, as the owner of a small business does it.
import assert from "node:assert/strict";
import { assertAccessible } from "../lib/axe.mjs";
import { OWNER } from "../lib/client.mjs";
import { Desk } from "../lib/desk.mjs";
import { journeys } from "../lib/journey.mjs";
import { Panel } from "../lib/panel.mjs";
import { until } from "../lib/wait.mjs";
import { loadWords } from "../lib/words.mjs";

const world = journeys({ setUp: false, chain: true });
const { step } = world;
let t, page, context, visitor;

const heading = (title) => page.getByRole("heading", { level: 1, name: title }).waitFor();
const press = (name) => page.getByRole("button", { name, exact: true }).click();

step("the address leads to set-up, and a wrong code is told with the tries that are left", async () => {
  t = await loadWords();
  ({ page, context } = await world.chrome.person("Olga", { tolerate: [/40[13]/] }));
  await page.goto(world.server.url);
  await heading(t.st.ownerTitle);
  assert.match(page.url(), /\/setup/);
  await assertAccessible(page, "set-up: owner");
  await page.getByLabel(t.st.code, { exact: true }).fill(world.server.code === "000000" ? "111111" : "000000");
  await page.getByLabel(t.st.yourName, { exact: true }).fill(OWNER.name);
  await page.getByLabel(t.st.email, { exact: true }).fill(OWNER.email);
  await page.getByLabel(t.st.password, { exact: true }).fill(OWNER.password);
  await press(t.st.createOwner);
  await page.getByText(t.st.wrongCode(4)).waitFor();
  await assertAccessible(page, "set-up: wrong code");
});

step("the right code makes the owner", async () => {
  await page.getByLabel(t.st.code, { exact: true }).fill(world.server.code);
  await press(t.st.createOwner);
  await heading(t.st.businessTitle);
  await assertAccessible(page, "set-up: business");
  await world.chrome.shot(page, "setup-business");
});

step("a reload in the middle loses nothing", async () => {
  await page.getByLabel(t.st.businessName, { exact: true }).fill("Acme Bicycles");
  await page.reload();
  await heading(t.st.businessTitle);
  assert.equal(await page.getByLabel(t.st.businessName, { exact: true }).inputValue(), "Acme Bicycles");
  await press(t.nextWord);
  await heading(t.st.wayTitle);
});

step("the line for the site is there to copy, and works", async () => {
  const line = page.getByText(/<script src="[^"]+\/w\/[^"]+\.js" async><\/script>/).first();
  await line.waitFor();
  const src = (await line.textContent()).match(/src="([^"]+)"/)[1];
  assert.equal((await fetch(src)).status, 200);
  await assertAccessible(page, "set-up: way in");
  await world.chrome.shot(page, "setup-way-in");
  await press(t.st.tryIt);
  await heading(t.st.tryTitle);
});

step("hello from the test page arrives while the owner looks", async () => {
  await assertAccessible(page, "set-up: try it");
  const [tab] = await Promise.all([context.waitForEvent("page"), page.getByRole("link", { name: t.st.openTest }).click()]);
  visitor = new Panel(tab);
  await visitor.open();
  await visitor.toChat();
  await visitor.say("hello, it is me");
  await page.getByText(t.st.helloCame).waitFor();
  await page.getByText("hello, it is me").first().waitFor();
  await assertAccessible(page, "set-up: hello came");
  await world.chrome.shot(page, "setup-hello");
});

step("the owner answers, and the visitor reads it", async () => {
  await press(t.nextWord);
  await heading(t.st.teamTitle);
  await assertAccessible(page, "set-up: team");
  await press(t.st.toInbox);
  const desk = new Desk(page, world.server.url, t);
  await desk.row("hello, it is me").waitFor();
  await assertAccessible(page, "first inbox with the first steps");
  await page.getByRole("complementary", { name: t.firstSteps }).getByRole("button", { name: t.skip }).click();
  await desk.open("hello, it is me");
  await desk.send("Welcome!");
  await visitor.bubble("Welcome!").waitFor();
  await world.chrome.shot(page, "first-answer");
});

step("set-up is over; the sign-out page holds no customer's data; signing in again finds everything", async () => {
  const setup = await (await fetch(`${world.server.url}/api/v1/setup`)).json();
  assert.equal(setup.needed, false);
  await page.evaluate(() => fetch("/api/v1/login_sessions/current", { method: "DELETE" }));
  await page.goto(`${world.server.url}/inbox`);
  await until("the sign-in page", () => /\/login/.test(page.url()));
  assert.equal(await page.getByText("hello, it is me").count(), 0);
  const desk = new Desk(page, world.server.url, t);
  await desk.signIn(OWNER.email, OWNER.password);
  await desk.view("all");
  await desk.row("Welcome!").waitFor();
});
