// kill -9 at random moments under load: what was acknowledged is there exactly once after the restart.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { removeFolder, startContinuo } from "../lib/binary.mjs";
import { firstRun, liftRates, textOf, wholeTimeline } from "../lib/client.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { Visitor } from "../lib/visitor.mjs";
import { until } from "../lib/wait.mjs";

const CRASHES = 6;
const VISITORS = 5;

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

test("every acknowledged message is one entry, every accepted reply is sent once", { timeout: 280_000 }, async () => {
  const visitors = Array.from({ length: VISITORS }, () => new Visitor(proxy.url, site, { inFlightMax: 1 }));
  for (const [n, visitor] of visitors.entries()) {
    await visitor.begin();
    visitor.connect();
    visitor.said = [visitor.say(`visitor ${n} message 0`)];
    await until("its conversation", () => visitor.conversation);
  }
  let running = true;
  const accepted = new Map(visitors.map((visitor) => [visitor, []]));
  const writing = visitors.map(async (visitor, n) => {
    for (let m = 1; running; m += 1) {
      visitor.said.push(visitor.say(`visitor ${n} message ${m}`));
      await pause(80 + Math.random() * 120);
    }
  });
  const answering = visitors.map(async (visitor, n) => {
    for (let m = 0; running; m += 1) {
      const text = `reply ${n} ${m}`;
      for (let tries = 0; tries < 400; tries += 1) {
        const response = await fetch(`${proxy.url}/api/v1/conversations/${visitor.conversation}/entries`, {
          method: "POST",
          headers: { "content-type": "application/json", cookie: owner.cookie, "idempotency-key": `crash-${n}-${m}` },
          body: JSON.stringify({ kind: "message", text, base_seq: 0, force: true, hold_seconds: 0 }),
        }).catch(() => null);
        if (response?.ok) {
          accepted.get(visitor).push(text);
          break;
        }
        await pause(50);
      }
      await pause(100 + Math.random() * 200);
    }
  });

  for (let crash = 0; crash < CRASHES; crash += 1) {
    await pause(300 + Math.random() * 900);
    const { folder } = server;
    await server.kill();
    server = await startContinuo({ folder });
    proxy.port = server.port;
    owner.base = server.url;
  }
  await pause(500);
  running = false;
  await Promise.all([...writing, ...answering]);
  for (const visitor of visitors) await visitor.settled({ withinMs: 60_000 });

  for (const [n, visitor] of visitors.entries()) {
    const sent = await until(
      "all replies to be handed over",
      async () => {
        const entries = (await wholeTimeline(owner, visitor.conversation)).filter((entry) => entry.kind === "message");
        const open = entries.filter((entry) => entry.direction === "out" && ["queued", "leased"].includes(entry.status.code) && !entry.status.uncertain);
        return open.length === 0 && entries;
      },
      { withinMs: 60_000, everyMs: 250 },
    );
    const inbound = sent.filter((entry) => entry.direction === "in").map(textOf);
    const outbound = sent.filter((entry) => entry.direction === "out");
    assert.deepEqual(inbound, visitor.said.map((_, m) => `visitor ${n} message ${m}`), "each message once, in order");
    assert.deepEqual(outbound.map(textOf), accepted.get(visitor), "each accepted reply once, in order");
    await until("the visitor to have everything", () => visitor.texts.length === sent.length, { withinMs: 30_000 });
    assert.deepEqual(visitor.texts, sent.map(textOf), "the visitor sees what is stored");
    visitor.leave();
  }
  console.log(`  ${CRASHES} crashes, ${visitors.reduce((sum, visitor) => sum + visitor.said.length, 0)} messages, ${[...accepted.values()].flat().length} replies`);
});
