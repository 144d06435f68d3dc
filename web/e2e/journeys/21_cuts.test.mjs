// A thousand entries over a network that breaks two hundred times: no gap, no duplicate, order kept, on both sides.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { removeFolder, startContinuo } from "../lib/binary.mjs";
import { firstRun, liftRates, textOf, wholeTimeline } from "../lib/client.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { Visitor } from "../lib/visitor.mjs";
import { until } from "../lib/wait.mjs";

const EACH = 500;
const CUTS = 200;

let server, proxy, owner, inbox, site;
before(async () => {
  server = await startContinuo();
  ({ owner, inbox, site } = await firstRun(server));
  await liftRates(owner, inbox);
  proxy = await startProxy(server.port);
});
after(async () => {
  await proxy.stop();
  await server.stop();
  removeFolder(server.folder);
});

/** The agent's side of an unreliable network: the same key until an answer arrives. */
async function replyThroughCuts(conversation, text, key) {
  for (;;) {
    try {
      const response = await fetch(`${proxy.url}/api/v1/conversations/${conversation}/entries`, {
        method: "POST",
        headers: { "content-type": "application/json", cookie: owner.cookie, "idempotency-key": key },
        body: JSON.stringify({ kind: "message", text, base_seq: 0, force: true, hold_seconds: 0 }),
      });
      if (response.ok) return await response.json();
      if (response.status < 500 && response.status !== 429) throw new Error(`refused: ${response.status} ${await response.text()}`);
    } catch (error) {
      if (String(error.message).startsWith("refused")) throw error;
    }
    await pause(20);
  }
}

test("200 cuts during 1,000 entries", { timeout: 280_000 }, async () => {
  // One at a time: what is sent again after a cut counts against the site's rate.
  const visitor = new Visitor(proxy.url, site, { inFlightMax: 1 });
  await visitor.begin();
  visitor.connect();
  visitor.say("visitor 0");
  await until("the conversation", () => visitor.conversation);

  // Each of them breaks the visitor's socket, and whatever else is open at that moment.
  const cutting = (async () => {
    while (proxy.socketsCut < CUTS) {
      await pause(20 + Math.random() * 120);
      if (proxy.openSockets > 0) proxy.cutAll();
    }
  })();
  const writing = (async () => {
    for (let n = 1; n < EACH; n += 1) {
      visitor.say(`visitor ${n}`);
      await pause(20 + Math.random() * 50);
    }
  })();
  const answering = (async () => {
    for (let n = 0; n < EACH; n += 1) await replyThroughCuts(visitor.conversation, `agent ${n}`, `cut-agent-${n}`);
  })();
  await Promise.all([cutting, writing, answering]);

  await visitor.settled({ withinMs: 60_000 });
  await until("everything to arrive at the visitor", () => visitor.texts.length >= 2 * EACH, { withinMs: 60_000 });

  const expected = (who) => Array.from({ length: EACH }, (_, n) => `${who} ${n}`);
  const of = (texts, who) => texts.filter((text) => text.startsWith(`${who} `));
  assert.deepEqual(visitor.refusals.filter((each) => each.code !== "rate_limited"), []);
  assert.equal(visitor.texts.length, 2 * EACH, "nothing twice on the visitor's screen");
  assert.deepEqual(of(visitor.texts, "agent"), expected("agent"), "the agent's order at the visitor");
  assert.deepEqual(of(visitor.texts, "visitor"), expected("visitor"), "the visitor's own order");

  const stored = (await wholeTimeline(owner, visitor.conversation)).filter((entry) => entry.kind === "message").map(textOf);
  assert.equal(stored.length, 2 * EACH, "nothing twice in the store");
  assert.deepEqual(of(stored, "visitor"), expected("visitor"), "the visitor's order in the store");
  assert.deepEqual(of(stored, "agent"), expected("agent"), "the agent's order in the store");
  assert.deepEqual(visitor.texts, stored, "both sides show the same timeline");

  const fresh = new Visitor(proxy.url, site);
  fresh.token = visitor.token;
  const begun = await fresh.begin();
  assert.deepEqual(begun.items.filter((item) => !item.event).map((item) => item.text), stored.slice(-begun.items.length), "and so does a reload");
  visitor.leave();
  console.log(`  ${visitor.connects} connections, ${proxy.socketsCut} sockets cut, ${visitor.repeated} items seen again, ${visitor.gaps} gaps healed`);
});
