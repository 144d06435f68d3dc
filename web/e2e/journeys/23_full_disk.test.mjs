// A disk that is full: the server says so, keeps reading, keeps what it acknowledged, and goes on when there is room.
// (After a kill, what a worker had taken comes back when its lease has run out, a minute later.)
import assert from "node:assert/strict";
import { statSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { removeFolder, startContinuo } from "../lib/binary.mjs";
import { firstRun, liftRates, textOf, wholeTimeline } from "../lib/client.mjs";
import { Visitor } from "../lib/visitor.mjs";
import { until } from "../lib/wait.mjs";

test("what was acknowledged before the disk was full is there afterwards", { timeout: 120_000 }, async () => {
  let server = await startContinuo();
  const { owner, inbox, site } = await firstRun(server);
  await liftRates(owner, inbox);
  const visitor = new Visitor(server.url, site);
  await visitor.begin();
  visitor.connect();
  visitor.say("while there was room");
  await visitor.settled();
  await until("its conversation", () => visitor.conversation);
  visitor.leave();
  const { folder } = server;
  await server.stop();

  const largest = Math.max(...readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)).size));
  server = await startContinuo({ folder, fileBlocksMax: Math.ceil(largest / 512) + 1_500 });
  owner.base = visitor.base = server.url;
  const acknowledged = ["while there was room"];
  let refusal = null;
  for (let n = 0; n < 400 && !refusal; n += 1) {
    const text = `${n} ${"long ".repeat(1_500)}`;
    const response = await fetch(`${server.url}/w/${site}/frames`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: server.url, authorization: `Visitor ${visitor.token}` },
      body: JSON.stringify({ frames: [{ kind: "message", client_msg_id: `full-disk-${n}`, text }] }),
    });
    const body = await response.json();
    const frames = body.frames ?? [];
    if (response.ok && frames.some((frame) => frame.kind === "ack")) acknowledged.push(text.trim());
    else if (frames.some((frame) => frame.code === "rate_limited")) await new Promise((done) => setTimeout(done, 120));
    else refusal = { status: response.status, body };
  }
  assert.ok(refusal, "the disk never became full");
  assert.ok(["busy", "internal"].includes(refusal.body.code ?? refusal.body.frames[0].code), JSON.stringify(refusal));
  assert.equal(server.exit, null, "a full disk ends nothing");
  assert.equal((await owner.send("GET", "/conversations?view=all")).status, 200, "reading goes on");
  await server.kill();

  server = await startContinuo({ folder });
  owner.base = server.url;
  const stored = await until(
    "everything to be processed",
    async () => {
      const entries = (await wholeTimeline(owner, visitor.conversation)).filter((entry) => entry.kind === "message");
      return entries.length >= acknowledged.length && entries;
    },
    { withinMs: 90_000, everyMs: 250 },
  );
  const texts = stored.map((entry) => textOf(entry).trim());
  assert.deepEqual(texts.slice(0, acknowledged.length), acknowledged, "each once, in order");
  assert.ok(texts.length <= acknowledged.length + 1, "at most the one without an answer came on top");
  await server.stop();
  removeFolder(folder);
});
