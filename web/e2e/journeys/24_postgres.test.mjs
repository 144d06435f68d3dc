// The same program on PostgreSQL: first run, a chat, a crash, the same picture afterwards.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { freshFolder, removeFolder, startContinuo } from "../lib/binary.mjs";
import { firstRun, onlyConversation, reply, textOf, wholeTimeline } from "../lib/client.mjs";
import { Visitor } from "../lib/visitor.mjs";
import { until } from "../lib/wait.mjs";

const server_url = process.env.CONTINUO_TEST_DATABASE_URL;

test("a chat on PostgreSQL survives a crash", { skip: server_url ? false : "CONTINUO_TEST_DATABASE_URL names no PostgreSQL; make test brings one", timeout: 120_000 }, async () => {
  const name = `continuo_e2e_${process.pid}_${Date.now()}`;
  const psql = (sql) => execFileSync("psql", ["--no-psqlrc", "--quiet", "--dbname", server_url, "--command", sql], { stdio: ["ignore", "ignore", "inherit"] });
  psql(`CREATE DATABASE ${name} TEMPLATE template0`);
  const address = new URL(server_url);
  address.pathname = `/${name}`;
  const folder = freshFolder();
  const start = () => startContinuo({ folder, env: { CONTINUO_DATABASE_URL: address.href } });
  let server = await start();
  try {
    const { owner, site } = await firstRun(server);
    assert.equal((await owner.get("/health")).database, "postgres");
    const visitor = new Visitor(server.url, site);
    await visitor.begin();
    visitor.connect();
    visitor.say("hello elephant");
    await visitor.settled();
    const row = await onlyConversation(owner);
    await reply(owner, row.id, "hello from the desk");
    await until("the answer", () => visitor.texts.includes("hello from the desk"));
    visitor.say("just before the crash");
    await visitor.settled();
    visitor.leave();
    await server.kill();

    server = await start();
    owner.base = server.url;
    const expected = ["hello elephant", "hello from the desk", "just before the crash"];
    const stored = await until("all three", async () => {
      const entries = (await wholeTimeline(owner, row.id)).filter((entry) => entry.kind === "message");
      return entries.length === 3 && entries;
    });
    assert.deepEqual(stored.map(textOf), expected);
    const found = await until("the search to find it", async () => (await owner.get("/search?q=elephant")).hits.find((hit) => hit.kind === "entry"));
    assert.equal(found.conversation.id, row.id);
  } finally {
    await server.stop();
    psql(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    removeFolder(folder);
  }
});
