// Markup in every field an attacker can fill: on the agent's screen it is text, nothing runs, nothing is fetched.
import assert from "node:assert/strict";
import { OWNER, onlyConversation } from "../lib/client.mjs";
import { Desk } from "../lib/desk.mjs";
import { journeys } from "../lib/journey.mjs";
import { Visitor } from "../lib/visitor.mjs";
import { until } from "../lib/wait.mjs";
import { loadWords } from "../lib/words.mjs";

const world = journeys();
const { step } = world;
const MARK = `<img src=/planted onerror="window.planted=1"><script>window.planted=1</script>`;

step("names, texts, pages, files, tags, subjects and searches show as text", async () => {
  const t = await loadWords();
  const visitor = new Visitor(world.server.url, world.site);
  world.closers.push(() => visitor.leave());
  await visitor.begin({ claimed: { name: `${MARK}name`, email: `${MARK}@x.example`, company: MARK }, page: { url: "javascript:window.planted=1", title: MARK, referrer: MARK } });
  visitor.connect();
  await until("the welcome", () => visitor.welcomed);
  const upload = await fetch(`${world.server.url}/w/${world.site}/files?name=${encodeURIComponent(`${MARK}.png`)}`, {
    method: "POST",
    headers: { "content-type": "image/png", origin: world.server.url, authorization: `Visitor ${visitor.token}` },
    body: Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64"),
  });
  visitor.say(`${MARK}text`, upload.ok ? { file_ids: [(await upload.json()).id] } : {});
  await visitor.settled();
  const row = await onlyConversation(world.owner);
  const tag = await world.owner.post("/tags", { name: `${MARK}tag`.slice(0, 60) });
  await world.owner.patch(`/conversations/${row.id}`, { subject: `${MARK}subject`, tag_ids: [tag.id] });
  await world.owner.patch(`/contacts/${row.contact.id}`, { name: `${MARK}contact` });

  const { page } = await world.chrome.person("Olga");
  const planted = [];
  page.on("request", (request) => new URL(request.url()).pathname === "/planted" && planted.push(request.url()));
  const olga = new Desk(page, world.server.url, t);
  await olga.signIn(OWNER.email, OWNER.password);
  await olga.view("all");
  await olga.row("contact").waitFor();
  await olga.open("contact");
  await olga.entry(`${MARK}text`).waitFor();
  await world.chrome.shot(page, "hostile");
  await page.goto(`${world.server.url}/search?q=${encodeURIComponent(MARK)}`);
  await page.waitForLoadState("networkidle");
  await page.goto(`${world.server.url}/inbox?view=all&q=${encodeURIComponent(MARK)}`);
  await page.waitForLoadState("networkidle");
  assert.equal(await page.evaluate(() => window.planted), undefined);
  assert.deepEqual(planted, []);
});
