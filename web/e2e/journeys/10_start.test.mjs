// The program itself: what it says when it cannot start, and that nothing stored is harmed by trying.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { freshFolder, removeFolder, runContinuo, startContinuo } from "../lib/binary.mjs";
import { firstRun } from "../lib/client.mjs";

const folders = [];
const folder = () => folders[folders.push(freshFolder()) - 1];
after(() => folders.forEach(removeFolder));

/** It ended by itself, with an error in plain words and no stack of the program's insides. */
function assertClearRefusal(run, ...patterns) {
  assert.notEqual(run.code, 0, `should not have succeeded: ${run.output}`);
  assert.notEqual(run.code, 101, `panicked: ${run.errors}`);
  assert.equal(run.signal, null);
  const said = run.output + run.errors;
  assert.doesNotMatch(said, /panicked at|RUST_BACKTRACE/, said);
  for (const pattern of patterns) assert.match(said, pattern);
  return said;
}

test("a port in use is named, and the next start finds everything as it was", async () => {
  const taken = createServer();
  await new Promise((done) => taken.listen(0, "127.0.0.1", done));
  const port = taken.address().port;
  const data = folder();
  const run = await runContinuo(["serve", "--data", data, "--listen", `127.0.0.1:${port}`]);
  assertClearRefusal(run, new RegExp(`127\\.0\\.0\\.1:${port}`), /in use/i);
  await new Promise((done) => taken.close(done));
  const server = await startContinuo({ folder: data });
  assert.match(server.code ?? "", /^\d{6}$/);
  await server.stop();
});

test("a data folder that cannot be written is named", async () => {
  // Nobody, root included, can make a folder there.
  const run = await runContinuo(["serve", "--data", "/proc/continuo", "--listen", "127.0.0.1:0"]);
  assertClearRefusal(run, /\/proc\/continuo/);
});

test("a data folder that is a file is named", async () => {
  const file = join(folder(), "data");
  writeFileSync(file, "not a folder");
  const run = await runContinuo(["serve", "--data", file, "--listen", "127.0.0.1:0"]);
  assertClearRefusal(run, /data/);
  assert.equal(readFileSync(file, "utf8"), "not a folder");
});

test("two servers on one data folder: the second says who has it", async () => {
  const first = await startContinuo({ folder: folder() });
  const run = await runContinuo(["serve", "--data", first.folder, "--listen", "127.0.0.1:0"]);
  assertClearRefusal(run, /in use|another|already|lock/i);
  assert.equal((await fetch(`${first.url}/readyz`)).status, 200, "the first one goes on");
  await first.stop();
});

test("a corrupt configuration is named with its line, an unknown setting with its name", async () => {
  const data = folder();
  const file = join(data, "continuo.toml");
  writeFileSync(file, 'listen = "127.0.0.1:0"\nthis is not = = toml\n');
  assertClearRefusal(await runContinuo(["serve", "--data", data, "--config", file]), /continuo\.toml/, /line 2|:2/);

  writeFileSync(file, 'lissten = "127.0.0.1:0"\n');
  assertClearRefusal(await runContinuo(["serve", "--data", data, "--config", file]), /lissten/);

  writeFileSync(file, 'listen = "somewhere"\n');
  assertClearRefusal(await runContinuo(["serve", "--data", data, "--config", file]), /somewhere|listen/);
  assertClearRefusal(await runContinuo(["serve", "--data", data, "--config", join(data, "missing.toml")]), /missing\.toml/);
});

test("a database address of an engine that we do not speak is refused with what is accepted", async () => {
  const run = await runContinuo(["serve", "--data", folder(), "--listen", "127.0.0.1:0"], { env: { CONTINUO_DATABASE_URL: "mysql://root@127.0.0.1/desk" } });
  assertClearRefusal(run, /sqlite/i, /postgres/i);
});

test("a database file that is no database is left alone and named", async () => {
  const server = await startContinuo({ folder: folder() });
  const data = server.folder;
  await firstRun(server);
  await server.stop();
  const { readdirSync } = await import("node:fs");
  const name = readdirSync(data).find((entry) => entry.endsWith(".db") && !entry.includes("search"));
  assert.ok(name, `no database file in ${readdirSync(data)}`);
  const garbage = "this is no database\n".repeat(4_000);
  writeFileSync(join(data, name), garbage);
  assertClearRefusal(await runContinuo(["serve", "--data", data, "--listen", "127.0.0.1:0"]), new RegExp(`${name}|database`));
  assert.equal(readFileSync(join(data, name), "utf8"), garbage, "evidence is not overwritten");
});

test("unknown commands and options are answered with what there is", async () => {
  assertClearRefusal(await runContinuo(["serv"]), /serv/);
  assertClearRefusal(await runContinuo(["serve", "--prot", "1"]), /--prot/);
  const help = await runContinuo(["--help"]);
  assert.equal(help.code, 0);
  for (const word of ["serve", "demo", "backup", "--data", "--listen"]) assert.match(help.output, new RegExp(word));
  const version = await runContinuo(["--version"]);
  assert.equal(version.code, 0);
  assert.match(version.output, /\d+\.\d+\.\d+/);
});

test("what was set up is there after a stop and after a kill; the code is not printed again once there is an owner", async () => {
  const data = folder();
  mkdirSync(join(data, "nested"), { recursive: true });
  let server = await startContinuo({ folder: join(data, "nested") });
  const { owner, inbox } = await firstRun(server);
  assert.equal((await server.stop()).code, 0, "a stop by SIGTERM is no failure");

  server = await startContinuo({ folder: server.folder });
  assert.equal(server.code, null);
  owner.base = server.url;
  assert.deepEqual((await owner.get("/inboxes")).items.map((each) => each.id), [inbox.id], "the login session goes on, too");
  await server.kill();

  server = await startContinuo({ folder: server.folder });
  owner.base = server.url;
  assert.equal((await owner.get("/me")).agent.name, "Olga Owner");
  await server.stop();
});

test("the set-up code is needed, and guessing is locked", async () => {
  const server = await startContinuo({ folder: folder() });
  const attempt = (code) =>
    fetch(`${server.url}/api/v1/setup/owner`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ code, name: "Eve", email: "eve@evil.example", password: "a long enough password" }),
    });
  const wrong = server.code === "000000" ? "111111" : "000000";
  const answers = [];
  for (let n = 0; n < 6; n += 1) answers.push((await (await attempt(wrong)).json()).code);
  assert.equal(answers[0], "wrong_code");
  assert.equal(answers.at(-1), "setup_locked");
  assert.equal((await (await attempt(server.code)).json()).code, "setup_locked", "even the right code, until the next start");
  await server.stop();
  const again = await startContinuo({ folder: server.folder });
  await firstRun(again);
  await again.stop();
});
