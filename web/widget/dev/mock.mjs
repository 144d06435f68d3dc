// A small server that plays the widget's side of docs/API-DESIGN.md, so that the panel can be run and looked at without Rust.
// `node dev/mock.mjs` after a build; the first path part of the site name chooses a state: demo, away, form, banned, expired, limited, required, gone.
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { WebSocketServer } from "ws";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const types = { ".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml" };
const csp =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; font-src 'self'; media-src 'self'; base-uri 'none'; form-action 'none'";

const day = [{ open: 9 * 60, close: 17 * 60 + 30 }];
const soon = (days, hour) => {
  const at = new Date();
  at.setDate(at.getDate() + days);
  at.setHours(hour, 0, 0, 0);
  return at;
};
export function baseConfig(site) {
  return {
    site,
    title: "Fern & Field support",
    business: "Fern & Field",
    greeting: "Hello, how can we help?",
    colour: "#0b6b74",
    corner: "end",
    radius: 16,
    theme: "auto",
    locale: "auto",
    online: true,
    open_now: true,
    next_open_at: null,
    hours: {
      time_zone: "Europe/Berlin",
      week: [day, day, day, [{ open: 540, close: 720 }, { open: 780, close: 1200 }], day, [{ open: 600, close: 840 }], []],
      holidays: [{ on: soon(5, 0).toISOString().slice(0, 10), name: "Winter stocktaking", spans: [] }],
    },
    expected_wait_ms: 120_000,
    agents: [{ name: "Lea Brandt" }, { name: "Bo Larsen" }],
    away_text: "Leave us a message. We answer here and by email, usually the next morning.",
    pre_chat: { enabled: false, fields: [] },
    ask_email_when_away: true,
    consent_text: "By writing you agree to our privacy notice: https://fern.example/privacy",
    attachments: { enabled: true, bytes_max: 5_000_000, count_max: 4, types: ["image/*", "application/pdf", ".txt"] },
    identity_required: false,
    text_max: 4000,
  };
}

/** One site: its config and its visitors' conversations. */
class Site {
  constructor(name) {
    this.config = baseConfig(name);
    this.visitors = new Map(); // token -> { id, conversation, seq, log, connections, acked, before }
    this.beginProblem = null;
    this.refuse = null;
    this.dropSockets = false;
    if (name.startsWith("away")) Object.assign(this.config, { online: false, open_now: false, next_open_at: soon(3, 9).toISOString(), agents: [], expected_wait_ms: null });
    if (name.startsWith("form"))
      this.config.pre_chat = {
        enabled: true,
        fields: [
          { key: "name", label: "Your name", kind: "text", required: true },
          { key: "email", label: "Email", kind: "email", required: true },
          { key: "about", label: "What is it about?", kind: "select", required: false, options: ["An order", "A return", "Something else"] },
        ],
      };
    if (name.startsWith("required")) this.config.identity_required = true;
    if (name.startsWith("banned")) this.beginProblem = { status: 403, code: "banned" };
    if (name.startsWith("expired")) this.beginProblem = { status: 401, code: "expired_identity" };
    if (name.startsWith("limited")) this.beginProblem = { status: 429, code: "rate_limited", retry_after: 90 };
    if (name.startsWith("gone")) this.beginProblem = { status: 404, code: "no_such_site" };
  }

  begin(body) {
    let visitor = body.new ? null : this.visitors.get(body.visitor_token);
    if (!visitor) {
      visitor = { token: randomUUID(), id: `vis_${randomUUID().slice(0, 8)}`, conversation: null, seq: 0, log: [], connections: new Set(), acked: new Set(), older: [] };
      this.visitors.set(visitor.token, visitor);
    }
    return {
      visitor_token: visitor.token,
      visitor_id: visitor.id,
      verified: body.jwt ? { level: 3, name: "Ada Lund" } : null,
      conversation: visitor.conversation && { id: visitor.conversation, seq: visitor.seq, status: "open", agent_name: null },
      items: visitor.log.slice(-50),
      before: visitor.older.length ? "older-1" : null,
      unread: visitor.unread ?? 0,
      config: this.config,
    };
  }

  item(visitor, from, more) {
    visitor.seq += 1;
    const at = more.at ?? new Date().toISOString();
    return { id: `ent_${String(visitor.seq).padStart(8, "0")}_${randomUUID().slice(0, 6)}`, seq: visitor.seq, from, name: null, channel: "webchat", text: "", files: [], client_msg_id: null, state: null, event: null, removed: false, ...more, at };
  }

  put(visitor, item) {
    const prev = item.seq - 1;
    visitor.log = visitor.log.filter((old) => old.id !== item.id).concat(item);
    this.broadcast(visitor, { kind: "frame", conversation: visitor.conversation, prev, upto: visitor.seq, items: [item] });
  }

  open(visitor) {
    if (visitor.conversation) return;
    visitor.conversation = `cnv_${randomUUID().slice(0, 8)}`;
    this.broadcast(visitor, { kind: "conversation", id: visitor.conversation, seq: 0 });
  }

  broadcast(visitor, frame) {
    for (const send of visitor.connections) send(frame);
  }

  replay(visitor, since, send) {
    send({ kind: "welcome", conversation: visitor.conversation, seq: visitor.seq, server_time: new Date().toISOString(), online: this.config.online });
    const items = visitor.log.filter((item) => item.seq > since);
    if (visitor.conversation && visitor.seq > since) send({ kind: "frame", conversation: visitor.conversation, prev: since, upto: visitor.seq, items });
  }

  take(visitor, frame, send) {
    if (frame.kind === "ping") return send({ kind: "pong" });
    if (frame.kind === "read") {
      visitor.unread = 0;
      return;
    }
    if (frame.kind !== "message") return;
    if (this.refuse) return send({ kind: "refused", client_msg_id: frame.client_msg_id, ...this.refuse });
    if (!visitor.acked.has(frame.client_msg_id)) {
      visitor.acked.add(frame.client_msg_id);
      this.open(visitor);
      const files = (frame.file_ids ?? []).map((id) => this.files?.get(id)).filter(Boolean);
      this.put(visitor, this.item(visitor, "me", { text: frame.text, files, client_msg_id: frame.client_msg_id, state: "sent" }));
    }
    send({ kind: "ack", client_msg_id: frame.client_msg_id });
    this.onMessage?.(visitor, frame);
  }

  /** For tests: an answer to everybody who has written. */
  say(text, more = {}) {
    for (const visitor of this.visitors.values()) {
      this.open(visitor);
      this.put(visitor, this.item(visitor, "agent", { name: "Lea Brandt", text, ...more }));
    }
  }

  event(code, args) {
    for (const visitor of this.visitors.values()) if (visitor.conversation) this.put(visitor, this.item(visitor, "system", { event: { code, args } }));
  }

  typing(on, name = "Lea") {
    for (const visitor of this.visitors.values()) this.broadcast(visitor, { kind: "typing", name, on });
  }

  readAll() {
    for (const visitor of this.visitors.values()) {
      const mine = visitor.log.findLast((item) => item.from === "me");
      if (!mine) continue;
      visitor.seq += 1;
      this.put(visitor, { ...mine, state: "read", seq: visitor.seq });
    }
  }
}

export async function createMock(port = 0) {
  const sites = new Map();
  const site = (name) => {
    if (!sites.has(name)) sites.set(name, new Site(name));
    return sites.get(name);
  };
  const pictures = new Map();

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://mock");
    const [, w, name = "", action] = url.pathname.split("/");
    const answer = (status, body, type = "application/json", headers = {}) => {
      response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store", ...headers });
      response.end(typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body));
    };
    const read = async () => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    if (url.pathname === "/" || action === "test") return answer(200, testPage(url.searchParams.get("site") ?? (name || "demo"), url.searchParams.get("lang") ?? "en", url.searchParams.get("dark")), "text/html");
    if (w !== "w") return answer(404, "not found", "text/plain");
    if (name === "assets") {
      const file = join(dist, "assets", action ?? "");
      return existsSync(file) ? answer(200, readFileSync(file), types[extname(file)]) : answer(404, "", "text/plain");
    }
    if (name.endsWith(".js")) {
      const { site: slug, title, colour, corner, radius, theme, locale } = site(name.slice(0, -3)).config;
      const config = JSON.stringify({ site: slug, title, colour, corner, radius, theme, locale });
      return answer(200, readFileSync(join(dist, "loader.js"), "utf8").replace('"__CONTINUO_CONFIG__"', () => config), "text/javascript");
    }
    if (name === "picture") {
      const kept = pictures.get(action);
      return kept ? answer(200, kept.body, kept.mime) : answer(404, "", "text/plain");
    }
    const there = site(name);
    const visitor = there.visitors.get(request.headers.authorization?.replace("Visitor ", "") ?? "");
    if (!action) {
      const config = JSON.stringify(there.config).replace(/</g, "\\u003c");
      return answer(200, readFileSync(join(dist, "panel.html"), "utf8").replace("__CONTINUO_PANEL_CONFIG__", () => config), "text/html", { "Content-Security-Policy": csp });
    }
    if (action === "config") return answer(200, there.config);
    if (action === "visitors") {
      const body = JSON.parse(String(await read()));
      const problem = there.beginProblem;
      if (problem && !(problem.code === "expired_identity" && !body.jwt)) return answer(problem.status, { title: problem.code, request_id: "req_1", ...problem }, "application/problem+json");
      return answer(200, there.begin(body));
    }
    if (!visitor) return answer(401, { status: 401, code: "bad_token", title: "", request_id: "" });
    if (action === "frames") {
      const frames = [];
      for (const frame of JSON.parse(String(await read())).frames) there.take(visitor, frame, (out) => frames.push(out));
      return answer(200, { frames });
    }
    if (action === "events") {
      response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
      const send = (frame) => response.write(`data: ${JSON.stringify(frame)}\n\n`);
      visitor.connections.add(send);
      there.replay(visitor, Number(url.searchParams.get("since")), send);
      const beat = setInterval(() => response.write(": here\n\n"), 20_000);
      request.on("close", () => {
        clearInterval(beat);
        visitor.connections.delete(send);
      });
      return;
    }
    if (action === "files") {
      const body = await read();
      const id = `fil_${randomUUID().slice(0, 8)}`;
      const file = { id, name: url.searchParams.get("name"), mime: request.headers["content-type"], bytes: body.length, url: `/w/picture/${id}` };
      pictures.set(id, { body, mime: file.mime });
      (there.files ??= new Map()).set(id, file);
      return answer(200, file);
    }
    if (action === "history") {
      const items = visitor.older.splice(-20);
      return answer(200, { items, before: visitor.older.length ? "older" : null });
    }
    return answer(404, { status: 404, code: "not_found", title: "", request_id: "" });
  });

  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    const there = site(request.url.split("/")[2]);
    if (there.dropSockets) return socket.destroy();
    sockets.handleUpgrade(request, socket, head, (ws) => {
      let visitor = null;
      const send = (frame) => ws.readyState === 1 && ws.send(JSON.stringify(frame));
      ws.on("message", (data) => {
        const frame = JSON.parse(String(data));
        if (frame.kind === "hello") {
          visitor = there.visitors.get(frame.token);
          if (!visitor) return send({ kind: "bye", code: "bad_token" });
          visitor.connections.add(send);
          there.replay(visitor, frame.since_seq, send);
        } else if (visitor) there.take(visitor, frame, send);
      });
      ws.on("close", () => visitor?.connections.delete(send));
    });
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    site,
    cut: () => sockets.clients.forEach((client) => client.terminate()),
    close: () => {
      sockets.clients.forEach((client) => client.terminate());
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

const testPage = (site, lang, dark) => `<!doctype html><html lang="${lang}" dir="${lang === "ar" ? "rtl" : "ltr"}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Fern &amp; Field</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; style-src 'nonce-page'; frame-src 'self'">
<style nonce="page">body{margin:0;font:16px/1.6 Georgia,serif;color:${dark ? "#ddd" : "#2b2b26"};background:${dark ? "#14181b" : "#f6f3ec"}}main{max-width:640px;margin:0 auto;padding:64px 24px}h1{font-size:44px;line-height:1.1}</style></head>
<body><main><h1>Plants that forgive you</h1><p>Ferns, mosses and field flowers, grown outdoors and sent in paper. Every plant comes with a card that tells what it likes, and a person who knows it.</p><p>Order before noon and it leaves the same day.</p></main>
<script src="/w/${site}.js" async></script></body></html>`;

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const mock = await createMock(Number(process.env["PORT"] ?? 5174));
  const demo = mock.site("demo");
  demo.onMessage = (visitor, frame) => {
    setTimeout(() => demo.readAll(), 700);
    setTimeout(() => demo.typing(true), 1200);
    setTimeout(() => demo.put(visitor, demo.item(visitor, "agent", { name: "Lea Brandt", text: `You said: ${frame.text}` })), 3000);
  };
  console.log(`${mock.url}/?site=demo`);
}
