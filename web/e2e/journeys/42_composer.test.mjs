// Drafts survive a reload, another device and a restart of the server; a reply can be taken back; a network that goes
// away loses nothing of what an agent wrote.
import assert from "node:assert/strict";
import { startContinuo } from "../lib/binary.mjs";
import { OWNER, onlyConversation, textOf, wholeTimeline } from "../lib/client.mjs";
import { Desk } from "../lib/desk.mjs";
import { journeys } from "../lib/journey.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { until } from "../lib/wait.mjs";
import { Visitor } from "../lib/visitor.mjs";
import { loadWords } from "../lib/words.mjs";

const world = journeys({ chain: true });
const { step } = world;
const network = [/WebSocket|ERR_|Failed to load resource|Failed to fetch/];

let t, proxy, olga, visitor, conversation;
const messages = async () => (await wholeTimeline(world.owner, conversation)).filter((entry) => entry.kind === "message");

step("a conversation, and an agent behind a network that can break", async () => {
  t = await loadWords();
  proxy = await startProxy(world.server.port);
  world.closers.push(() => proxy.stop());
  visitor = new Visitor(world.server.url, world.site);
  world.closers.push(() => visitor.leave());
  await visitor.begin();
  visitor.connect();
  visitor.say("Do you have it in red?");
  await visitor.settled();
  conversation = (await onlyConversation(world.owner)).id;
  olga = new Desk((await world.chrome.person("Olga", { tolerate: network })).page, proxy.url, t);
  await olga.signIn(OWNER.email, OWNER.password);
  await olga.openById(conversation);
});

step("a draft survives a reload", async () => {
  await olga.field.fill("Yes, and in");
  await until("the draft on the server", async () => (await world.owner.get("/drafts")).items.find((draft) => draft.text === "Yes, and in"));
  await olga.page.reload();
  await olga.stream.waitFor();
  await until("the text to be back", async () => (await olga.field.inputValue()) === "Yes, and in");
});

step("reply and note have drafts of their own", async () => {
  await olga.mode("note");
  assert.equal(await olga.field.inputValue(), "");
  await olga.field.fill("ask the workshop first");
  await until("both drafts on the server", async () => (await world.owner.get("/drafts")).items.length === 2);
  await olga.page.reload();
  await until("the reply", async () => (await olga.field.inputValue()) === "Yes, and in");
  await olga.mode("note");
  await until("the note", async () => (await olga.field.inputValue()) === "ask the workshop first");
  await olga.field.fill("");
  await olga.mode("reply");
  await until("the note's draft to go", async () => (await world.owner.get("/drafts")).items.length === 1);
});

step("a draft survives a restart of the server, on another device too", async () => {
  const { folder } = world.server;
  await world.server.kill();
  world.server = await startContinuo({ folder });
  proxy.port = world.server.port;
  world.owner.base = visitor.base = world.server.url;
  await until("the screen to be live again", async () => (await olga.field.inputValue()) === "Yes, and in");
  const { page } = await world.chrome.person("Olga's other device");
  const other = new Desk(page, world.server.url, t);
  await other.signIn(OWNER.email, OWNER.password);
  await other.openById(conversation);
  await until("the text on the other device", async () => (await other.field.inputValue()) === "Yes, and in");
  await page.close();
});

step("a held reply can be taken back, and comes back into the composer", async () => {
  visitor.leave();
  await until("the visitor to be gone", async () => !(await world.owner.get(`/conversations/${conversation}`)).presence.customer.online, { withinMs: 60_000 });
  await world.owner.patch("/me", { preferences: { undo_seconds: 30 } });
  await olga.page.reload();
  await olga.stream.waitFor();
  await olga.send("Yes, and in BLEU");
  await olga.entry("Yes, and in BLEU").waitFor();
  await until("it to be held", async () => (await messages()).some((entry) => textOf(entry) === "Yes, and in BLEU" && entry.status.hold_until));
  await olga.page.getByRole("button", { name: new RegExp(`^(${t.undo}|${t.takeBack})`) }).first().click();
  await until("the text to be back", async () => (await olga.field.inputValue()).includes("Yes, and in BLEU"));
  await until("it to be cancelled", async () => (await messages()).every((entry) => textOf(entry) !== "Yes, and in BLEU" || entry.status.code === "cancelled"));
  visitor.connect();
  await until("the visitor to be back", () => visitor.welcomed);
  assert.ok(!visitor.texts.includes("Yes, and in BLEU"));
});

step("a held reply that nobody takes back leaves by itself", async () => {
  visitor.leave();
  await until("the visitor to be gone", async () => !(await world.owner.get(`/conversations/${conversation}`)).presence.customer.online, { withinMs: 60_000 });
  await world.owner.patch("/me", { preferences: { undo_seconds: 2 } });
  await olga.page.reload();
  await olga.stream.waitFor();
  await olga.send("Yes, and in blue");
  await until("it to leave", async () => (await messages()).some((entry) => textOf(entry) === "Yes, and in blue" && ["sent", "accepted", "delivered", "read"].includes(entry.status.code)), { withinMs: 30_000 });
  visitor.connect();
  await until("the visitor to get it", () => visitor.texts.includes("Yes, and in blue"));
});

step("written without a network: it waits, says so, and leaves once when the network is back", async () => {
  proxy.unplug();
  await olga.send("written in the lift");
  await olga.page.getByText(t.offlineWaiting(1)).first().waitFor();
  assert.ok(!(await messages()).some((entry) => textOf(entry) === "written in the lift"));
  proxy.plugIn();
  await until("it to arrive once", async () => (await messages()).filter((entry) => textOf(entry) === "written in the lift").length === 1, { withinMs: 40_000 });
  await until("the visitor to have it", () => visitor.texts.filter((text) => text === "written in the lift").length === 1);
});

step("20 cuts while both sides write: the agent's screen ends as the store has it", async () => {
  for (let n = 0; n < 20; n += 1) {
    visitor.say(`cut from outside ${n}`);
    proxy.cutAll({ onlySockets: n % 2 === 0 });
    await until(`it in the store`, async () => (await messages()).some((entry) => textOf(entry) === `cut from outside ${n}`));
  }
  for (let n = 0; n < 20; n += 1) await olga.stream.getByText(`cut from outside ${n}`, { exact: true }).first().waitFor({ state: "attached", timeout: 40_000 }).catch(async () => {
    await olga.stream.evaluate((box) => box.scrollTo(0, box.scrollHeight / 2));
    await olga.stream.getByText(`cut from outside ${n}`, { exact: true }).first().waitFor({ state: "attached" });
  });
  const ids = (await messages()).map((entry) => entry.id);
  assert.equal(new Set(ids).size, ids.length);
});
