// The widget's wire against the real server: tokens, replays, broken frames, limits. No browser.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { removeFolder, startContinuo } from "../lib/binary.mjs";
import { Client, firstRun, liftRates, textOf, wholeTimeline } from "../lib/client.mjs";
import { Visitor } from "../lib/visitor.mjs";
import { until } from "../lib/wait.mjs";

let server, owner, inbox, site;
const visitors = [];
before(async () => {
  server = await startContinuo();
  ({ owner, inbox, site } = await firstRun(server));
  await liftRates(owner, inbox);
});
after(async () => {
  visitors.forEach((visitor) => visitor.leave());
  await server.stop();
  removeFolder(server.folder);
});

async function arrive(extra) {
  const visitor = new Visitor(server.url, site);
  visitors.push(visitor);
  await visitor.begin(extra);
  visitor.connect();
  await until("the welcome", () => visitor.welcomed);
  return visitor;
}

const refusal = (visitor, id) => until(`the refusal of ${id}`, () => visitor.refusals.find((each) => each.client_msg_id === id));

async function entriesOf(visitor) {
  await until("the visitor's conversation", () => visitor.conversation);
  return (await wholeTimeline(owner, visitor.conversation)).filter((entry) => entry.kind === "message");
}

const sign = (claims, secret, header = { alg: "HS256", typ: "JWT" }) => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = `${part(header)}.${part(claims)}`;
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
};

test("a message is stored once, however often it is sent", async () => {
  const visitor = await arrive();
  const id = visitor.say("only once");
  await visitor.settled();
  for (let n = 0; n < 5; n += 1) visitor.send({ kind: "message", client_msg_id: id, text: "only once" });
  visitor.say("the end");
  await visitor.settled();
  await until("both to be shown", () => visitor.texts.length === 2);
  assert.deepEqual((await entriesOf(visitor)).map(textOf), ["only once", "the end"]);
});

test("the same message by socket and by POST at once is one entry", async () => {
  const visitor = await arrive();
  const frame = { kind: "message", client_msg_id: `both-${crypto.randomUUID()}`, text: "twice on its way" };
  const post = () =>
    fetch(`${server.url}/w/${site}/frames`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: server.url, authorization: `Visitor ${visitor.token}` },
      body: JSON.stringify({ frames: [frame] }),
    });
  visitor.send(frame);
  const answers = await Promise.all([post(), post(), post()]);
  for (const answer of answers) assert.equal(answer.status, 200);
  await until("it to be shown", () => visitor.texts.length === 1);
  assert.deepEqual((await entriesOf(visitor)).map(textOf), ["twice on its way"]);
});

test("old messages again in another order change nothing", async () => {
  const visitor = await arrive();
  const frames = Array.from({ length: 10 }, (_, n) => ({ kind: "message", client_msg_id: `order-${n}-${crypto.randomUUID()}`, text: `number ${n}` }));
  for (const frame of frames) visitor.send(frame);
  await until("ten to be shown", () => visitor.texts.length === 10);
  for (const frame of [...frames].reverse()) visitor.send(frame);
  visitor.say("last");
  await until("eleven to be shown", () => visitor.texts.length === 11);
  const expected = [...frames.map((frame) => frame.text), "last"];
  assert.deepEqual(visitor.texts, expected);
  assert.deepEqual((await entriesOf(visitor)).map(textOf), expected);
});

test("broken frames are refused by code and the connection lives on; twenty end it", async () => {
  const visitor = await arrive();
  const broken = ["", "nonsense", "[]", "42", "null", '{"kind":', '{"kind":"unheard-of"}', '{"kind":"message"}', '{"kind":"message","client_msg_id":"short","text":1}', '{"kind":"read","up_to_seq":"x"}'];
  for (const text of broken) visitor.socket.send(text);
  await until("each to be refused", () => visitor.refusals.length >= broken.length - 1);
  for (const each of visitor.refusals) assert.equal(each.code, "bad_frame");
  visitor.say("still here");
  await visitor.settled();
  await until("it to be shown", () => visitor.texts.includes("still here"));

  const ended = new Promise((done) => visitor.socket.once("close", done));
  visitor.wanted = false;
  for (let n = 0; n < 25; n += 1) if (visitor.socket.readyState === WebSocket.OPEN) visitor.socket.send("nonsense");
  await ended;
});

test("a frame above 64 KiB closes with 1009 and the server goes on", async () => {
  const visitor = await arrive();
  visitor.wanted = false;
  const closed = new Promise((done) => visitor.socket.once("close", (code) => done(code)));
  visitor.socket.send(JSON.stringify({ kind: "message", client_msg_id: "far-too-large", text: "x".repeat(70_000) }));
  assert.equal(await closed, 1009);
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
});

test("what is too long, empty or names unknown files is refused by its own code", async () => {
  const visitor = await arrive();
  assert.equal((await refusal(visitor, visitor.say("y".repeat(10_001)))).code, "too_long");
  assert.equal((await refusal(visitor, visitor.say("   \n "))).code, "empty");
  assert.equal((await refusal(visitor, visitor.say("see file", { file_ids: ["att_0000000000000"] }))).code, "unknown_file");
  assert.equal(visitor.conversation, null, "nothing of it began a conversation");
});

test("a flood is slowed down, and what was refused is stored later, once", async () => {
  const other = await owner.post("/inboxes", { channel: "webchat", name: "Slow", webchat: { rates: { messages_per_minute: 60, visitors_per_address_per_hour: 100_000 } } });
  const visitor = new Visitor(server.url, other.webchat.site);
  visitors.push(visitor);
  await visitor.begin();
  visitor.connect();
  await until("the welcome", () => visitor.welcomed);
  for (let n = 0; n < 63; n += 1) visitor.say(`flood ${n}`);
  await until("the brake", () => visitor.refusals.some((each) => each.code === "rate_limited"));
  await visitor.settled({ withinMs: 60_000 });
  await until("all to be shown", () => visitor.texts.length === 63);
  assert.equal(new Set(visitor.texts).size, 63);
});

test("forged, foreign and damaged visitor tokens open nothing", async () => {
  const victim = await arrive();
  victim.say("private");
  await victim.settled();
  await until("its conversation", () => victim.conversation);
  const damaged = victim.token.slice(0, -3) + (victim.token.endsWith("AAA") ? "BBB" : "AAA");
  for (const token of ["", "nonsense", damaged, `${victim.token}x`, "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."]) {
    const begin = new Visitor(server.url, site);
    begin.token = token || null;
    if (token) await assert.rejects(begin.begin(), (error) => error.status === 401 && error.code === "bad_token");
    const answer = await fetch(`${server.url}/w/${site}/frames`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: server.url, authorization: `Visitor ${token}` },
      body: JSON.stringify({ frames: [{ kind: "message", client_msg_id: "forged-1234", text: "forged" }] }),
    });
    assert.equal(answer.status, 401, `token ${JSON.stringify(token)}`);
  }
  // A good token of one visitor does not read the conversation of another.
  const stranger = await arrive();
  stranger.send({ kind: "hello", token: stranger.token, conversation: victim.conversation, since_seq: 0 });
  stranger.say("mine");
  await stranger.settled();
  await until("own message", () => stranger.texts.includes("mine"));
  assert.deepEqual(stranger.texts, ["mine"]);
});

test("signed identities: right ones prove, expired, forged and algorithm-switched ones do not", async () => {
  const { secret } = await owner.post(`/inboxes/${inbox.id}/identity_secret`);
  const now = Math.floor(Date.now() / 1_000);
  const known = { sub: "customer-1", name: "Ada Known", exp: now + 600, iat: now };
  const begun = await (await arrive({ jwt: sign(known, secret) })).begin({ jwt: sign(known, secret) });
  assert.equal(begun.verified?.level, 3);

  const byHash = await new Visitor(server.url, site).begin({ identify_id: "customer-2", identify_hash: createHmac("sha256", secret).update("customer-2").digest("hex") });
  assert.equal(byHash.verified?.level, 2);

  const refused = async (extra, code) => assert.rejects(new Visitor(server.url, site).begin(extra), (error) => error.status === 401 && error.code === code, JSON.stringify(extra));
  await refused({ jwt: sign({ ...known, exp: now - 600 }, secret) }, "expired_identity");
  await refused({ jwt: sign(known, "another secret") }, "forged_identity");
  await refused({ jwt: sign(known, secret).replace(/\.[^.]*$/, ".") }, "forged_identity");
  await refused({ jwt: sign(known, secret, { alg: "none", typ: "JWT" }) }, "forged_identity");
  await refused({ jwt: sign({ ...known, exp: now + 40 * 86_400 }, secret) }, "forged_identity");
  await refused({ jwt: sign({ name: "Nobody", exp: now + 600 }, secret) }, "forged_identity");
  await refused({ identify_id: "customer-2", identify_hash: "00".repeat(32) }, "forged_identity");

  const claimed = await new Visitor(server.url, site).begin({ claimed: { name: "Ada Known", id: "customer-1" } });
  assert.equal(claimed.verified, null, "what the page says proves nothing");
});

test("unsigned identities never join people", async () => {
  const first = await arrive({ claimed: { email: "ada@example.org", name: "Ada" } });
  first.say("I am Ada");
  const second = await arrive({ claimed: { email: "ada@example.org", name: "Ada" } });
  second.say("I say that I am Ada");
  const [one, two] = [await entriesOf(first), await entriesOf(second)];
  assert.notEqual(one[0].contact_id, two[0].contact_id);
});

test("only allowed origins may embed, and the socket is for our own panel only", async () => {
  const other = await owner.post("/inboxes", { channel: "webchat", name: "Strict", webchat: { allowed_origins: ["https://shop.example", "https://*.acme.example"] } });
  const slug = other.webchat.site;
  const from = (host) => new Visitor(server.url, slug, { host }).begin();
  await from("https://shop.example");
  await from("https://de.acme.example");
  for (const host of ["https://evil.example", "https://shop.example.evil.example", "http://shop.example", "https://acme.example.org", "null"]) {
    await assert.rejects(from(host), (error) => error.status === 403 && error.code === "wrong_origin", host);
  }
  const foreign = await fetch(`${server.url}/w/${slug}/visitors`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: "https://evil.example" },
    body: JSON.stringify({ locale: "en", host_origin: "https://shop.example" }),
  });
  assert.equal(foreign.status, 403);
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/w/${slug}/socket`, { origin: "https://evil.example" });
  const outcome = await new Promise((done) => {
    socket.once("open", () => done("open"));
    socket.once("error", (error) => done(error.message));
  });
  assert.match(outcome, /403/);
  const panel = await fetch(`${server.url}/w/${slug}`);
  assert.match(panel.headers.get("content-security-policy") ?? "", /frame-ancestors[^;]*https:\/\/shop\.example/);
});

test("agents' writing calls from another origin are refused, and sign-in does not tell which half was wrong", async () => {
  const answer = await owner.send("POST", "/tags", { name: "planted" }, { headers: { origin: "https://evil.example" } });
  assert.equal(answer.status, 403);
  assert.equal((await answer.json()).code, "wrong_origin");
  const pair = async (email, password) => {
    const response = await new Client(server.url).send("POST", "/login_sessions", { email, password });
    const { status, code, title } = await response.json();
    return { status, code, title };
  };
  assert.deepEqual(await pair("olga@acme.example", "wrong wrong wrong"), await pair("nobody@acme.example", "wrong wrong wrong"));
  for (const path of ["/me", "/conversations?view=all", "/inboxes", "/agents", "/search?q=x", "/changes?since=0"]) {
    assert.equal((await new Client(server.url).send("GET", path)).status, 401, path);
  }
});

test("hostile file names and types arrive as plain names and never run", async () => {
  const visitor = await arrive();
  const put = (name, bytes, type) =>
    fetch(`${server.url}/w/${site}/files?name=${encodeURIComponent(name)}`, {
      method: "POST",
      headers: { "content-type": type, origin: server.url, authorization: `Visitor ${visitor.token}` },
      body: bytes,
    });
  await owner.patch(`/inboxes/${inbox.id}`, { webchat: { attachments: { enabled: true, bytes_max: 1_000_000, count_max: 5, types: ["image/*", "text/plain", "text/html", "image/svg+xml", "application/pdf"] } } });
  const names = ["../../../etc/passwd", "a\u0000b.txt", "x\r\nSet-Cookie: a=b.txt", '"><img src=x onerror=alert(1)>.txt', "\u202Egpj.exe", "n".repeat(5_000) + ".txt", "..", "CON"];
  for (const name of names) {
    const answer = await put(name, "plain text", "text/plain");
    assert.ok(answer.status < 500, `${JSON.stringify(name.slice(0, 40))}: ${answer.status}`);
    if (!answer.ok) continue;
    const file = await answer.json();
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(file.name, /[/\\\u0000-\u001f\u202e]/, JSON.stringify(file.name));
    const fetched = await fetch(new URL(file.url, server.url), { headers: { authorization: `Visitor ${visitor.token}` } });
    assert.equal(fetched.status, 200);
    assert.equal(fetched.headers.get("set-cookie"), null);
    assert.equal(fetched.headers.get("x-content-type-options"), "nosniff");
    assert.equal(await fetched.text(), "plain text");
  }
  for (const [name, bytes, type] of [
    ["page.html", "<script>alert(1)</script>", "text/html"],
    ["picture.png", "<html><script>alert(1)</script></html>", "image/png"],
    ["drawing.svg", '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "image/svg+xml"],
  ]) {
    const answer = await put(name, bytes, type);
    if (!answer.ok) continue;
    const fetched = await fetch(new URL((await answer.json()).url, server.url), { headers: { authorization: `Visitor ${visitor.token}` } });
    assert.match(fetched.headers.get("content-disposition") ?? "", /^attachment/, `${name} must not be shown in place`);
    assert.equal(fetched.headers.get("x-content-type-options"), "nosniff");
  }
  const tooLarge = await put("large.txt", "z".repeat(1_000_001), "text/plain");
  assert.equal(tooLarge.status, 413);
  const wrongKind = await put("tool.exe", Buffer.from("MZ\x90\x00"), "application/x-msdownload");
  assert.ok(wrongKind.status >= 400 && wrongKind.status < 500);
  assert.equal((await put("unsigned.txt", "x", "text/plain")).ok, true);
  const unsigned = await fetch(`${server.url}/w/${site}/files?name=a.txt`, { method: "POST", headers: { origin: server.url, "content-type": "text/plain" }, body: "x" });
  assert.equal(unsigned.status, 401);
});

test("markup, SQL and odd characters in every field come back exactly as they were", async () => {
  const nasty = ["<script>alert(1)</script>", "'; DROP TABLE entry; --", "\" OR 1=1 --", "{{7*7}} ${7*7}", "%00 %s %n", "\u202Eright to left\u202C", "👩‍👩‍👧‍👦 é é ß ﷽", "a\tb\nc", "\\x00\\u0000", "null", "x".repeat(9_999)];
  const visitor = await arrive({ claimed: { name: nasty[0], email: nasty[1], plan: nasty[2] }, page: { url: "javascript:alert(1)", title: nasty[0], referrer: nasty[1] } });
  for (const text of nasty) visitor.say(text);
  await visitor.settled();
  await until("all to be shown", () => visitor.texts.length === nasty.length);
  assert.deepEqual((await entriesOf(visitor)).map(textOf), nasty);
  const tag = await owner.post("/tags", { name: "<b>'; DROP TABLE tag; --</b>" });
  await owner.patch(`/conversations/${visitor.conversation}`, { tag_ids: [tag.id], subject: nasty[0] });
  const detail = await owner.get(`/conversations/${visitor.conversation}`);
  assert.equal(detail.conversation.subject, nasty[0]);
  for (const q of nasty.slice(0, 10)) {
    const answer = await owner.send("GET", `/search?q=${encodeURIComponent(q)}`);
    assert.equal(answer.status, 200, `search for ${JSON.stringify(q)}`);
    const list = await owner.send("GET", `/conversations?view=all&q=${encodeURIComponent(q)}`);
    assert.equal(list.status, 200, `list with ${JSON.stringify(q)}`);
  }
});

test("broken requests to the API are told apart from our own failures", async () => {
  const raw = (method, path, body, type = "application/json") => owner.send(method, path, body, { raw: true, headers: { "content-type": type } });
  assert.equal((await raw("POST", "/tags", "{")).status, 400);
  assert.equal((await raw("POST", "/tags", '{"name":"a","surprise":1}')).status, 422);
  assert.equal((await raw("POST", "/tags", '{"name":5}')).status, 422);
  assert.equal((await raw("PATCH", "/conversations/cnv_zzzzzzzzzzzzz", "{}")).status, 404);
  assert.ok([404, 422].includes((await raw("GET", "/conversations/12")).status));
  assert.ok([400, 422].includes((await raw("GET", "/conversations?view=all&cursor=nonsense")).status));
  assert.ok([400, 422].includes((await raw("GET", "/conversations?view=all&limit=100000")).status));
  const problem = await (await raw("POST", "/tags", "{")).json();
  for (const field of ["status", "code", "title", "request_id"]) assert.ok(problem[field], `problem without ${field}`);
  assert.equal((await owner.send("GET", "/no-such-thing")).status, 404);
});
