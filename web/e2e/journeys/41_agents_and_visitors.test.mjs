// Two agents and three visitors at once, each in a browser of their own: everybody sees what they should, live.
import assert from "node:assert/strict";
import { addAgent, OWNER, textOf, wholeTimeline } from "../lib/client.mjs";
import { Desk } from "../lib/desk.mjs";
import { journeys } from "../lib/journey.mjs";
import { Panel } from "../lib/panel.mjs";
import { startSite } from "../lib/site.mjs";
import { until } from "../lib/wait.mjs";
import { loadWords } from "../lib/words.mjs";

const world = journeys({ chain: true });
const { step } = world;

let olga, ben, shop, t;
const visitors = {};

async function visitor(name) {
  const { page, context } = await world.chrome.person(name);
  await page.goto(shop.url);
  const panel = new Panel(page);
  await panel.open();
  await panel.toChat();
  return (visitors[name] = { page, context, panel });
}

const conversationWith = (text) =>
  until(`the conversation with "${text}"`, async () => (await world.owner.get("/conversations?view=all&limit=100")).items.find((row) => row.preview?.text.includes(text)));
const texts = async (id) => (await wholeTimeline(world.owner, id)).filter((entry) => entry.kind === "message").map(textOf);

step("two agents sign in", async () => {
  t = await loadWords();
  shop = await startSite({ widget: `${world.server.url}/w/${world.site}.js` });
  world.closers.push(() => shop.stop());
  const second = await addAgent(world.owner, { name: "Ben Agent", email: "ben@acme.example" });
  olga = new Desk((await world.chrome.person("Olga")).page, world.server.url, t);
  ben = new Desk((await world.chrome.person("Ben")).page, world.server.url, t);
  await olga.signIn(OWNER.email, OWNER.password);
  await ben.signIn(second.email, second.password);
  await olga.view("unassigned");
  await ben.view("unassigned");
});

step("three visitors write at once, and both agents see all three without reload", async () => {
  await Promise.all(["Ada", "Bela", "Cem"].map(visitor));
  await Promise.all(Object.entries(visitors).map(([name, { panel }]) => panel.say(`${name} needs help`)));
  for (const desk of [olga, ben]) for (const name of Object.keys(visitors)) await desk.row(`${name} needs help`).waitFor();
  await world.chrome.shot(olga.page, "desk-unassigned");
});

step("each answer reaches its own visitor and nobody else", async () => {
  await olga.open("Ada needs help");
  await ben.open("Bela needs help");
  await Promise.all([olga.send("Hello Ada, Olga here."), ben.send("Hello Bela, Ben here.")]);
  await visitors.Ada.panel.bubble("Hello Ada, Olga here.").waitFor();
  await visitors.Bela.panel.bubble("Hello Bela, Ben here.").waitFor();
  assert.equal(await visitors.Cem.panel.log.getByText("here.").count(), 0);
  assert.equal(await visitors.Ada.panel.log.getByText("Ben here").count(), 0);
});

step("both agents in one conversation: the second sees the answer and the note; the visitor sees only the answer", async () => {
  await ben.view("all");
  await ben.open("Hello Ada, Olga here.");
  await olga.note("Be kind, she is a regular.");
  await ben.entry("Be kind, she is a regular.").waitFor();
  await olga.mode("reply");
  await olga.send("Is there anything else?");
  await ben.entry("Is there anything else?").waitFor();
  await visitors.Ada.panel.bubble("Is there anything else?").waitFor();
  assert.equal(await visitors.Ada.panel.log.getByText("regular").count(), 0);
});

step("typing is seen on the other side, in both directions", async () => {
  await visitors.Ada.panel.field.pressSequentially("Yes, one", { delay: 30 });
  await ben.page.getByText(/ is typing in /).first().waitFor();
  await visitors.Ada.panel.say("Yes, one thing");
  await ben.field.pressSequentially("Let me see", { delay: 30 });
  await visitors.Ada.panel.frame.getByText(/is writing/).first().waitFor();
  await ben.field.fill("");
});

step("an interleaved exchange ends in the same order for everybody", async () => {
  const ada = (await conversationWith("Yes, one thing")).id;
  for (let n = 1; n <= 5; n += 1) {
    await visitors.Ada.panel.say(`question ${n}`);
    await ben.entry(`question ${n}`).waitFor();
    await ben.send(`answer ${n}`);
    await visitors.Ada.panel.bubble(`answer ${n}`).waitFor();
  }
  const stored = await texts(ada);
  assert.deepEqual(stored.slice(-10), [1, 2, 3, 4, 5].flatMap((n) => [`question ${n}`, `answer ${n}`]));
  assert.deepEqual((await visitors.Ada.panel.bubbles()).slice(-10), stored.slice(-10));
  await olga.entry("answer 5").waitFor();
  await world.chrome.shot(ben.page, "desk-conversation");
});

step("closing is seen by the other agent; the visitor's next word opens it again", async () => {
  const ada = await conversationWith("answer 5");
  await olga.page.keyboard.press("Escape");
  await world.owner.patch(`/conversations/${ada.id}`, { status: "resolved" });
  await ben.page.getByRole("button", { name: t.cmd.reopen }).first().waitFor();
  await visitors.Ada.panel.say("sorry, one more");
  await ben.entry("sorry, one more").waitFor();
  await until("it to be open", async () => (await world.owner.get(`/conversations/${ada.id}`)).conversation.status === "open");
  await ben.page.getByRole("button", { name: t.cmd.close, exact: true }).first().waitFor();
});

step("the third visitor, whom nobody answered, is still unassigned and unread", async () => {
  const cem = await conversationWith("Cem needs help");
  assert.equal(cem.agent_id, null);
  assert.deepEqual(await texts(cem.id), ["Cem needs help"]);
});
