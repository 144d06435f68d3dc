import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Http2SecureServer } from "node:http2";
import { WebSocketServer } from "ws";
import type { LiveClientFrame } from "@continuo/api-client";
import { Backend } from "./backend";

const PHOTO = `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="640"><rect width="960" height="640" fill="#dfe7e8"/><rect x="120" y="90" width="720" height="460" rx="24" fill="#fff"/><rect x="160" y="140" width="300" height="34" rx="8" fill="#b9cfd1"/><rect x="160" y="220" width="640" height="20" rx="8" fill="#e3eaeb"/><rect x="160" y="260" width="560" height="20" rx="8" fill="#e3eaeb"/><rect x="160" y="340" width="220" height="60" rx="12" fill="#0b6b74"/><circle cx="700" cy="420" r="70" fill="#f2b866"/></svg>`;

interface Host {
  middlewares: { use: (f: (req: IncomingMessage, res: ServerResponse, next: () => void) => void) => unknown };
  httpServer: Server | Http2SecureServer | null;
}

/** The fake backend inside Vite's own server: `MOCK=1 vite`. `MOCK=fresh` starts without an owner; MOCK_PULSE=ms lets customers write. */
export function mockBackend(mode: string, pulseMs: number) {
  const backend = new Backend({ fresh: mode === "fresh" });
  const attach = (server: Host) => {
    server.middlewares.use((req, res, next) => {
      const url = req.url ?? "/";
      if (url.startsWith("/mock/photo.svg")) { res.setHeader("content-type", "image/svg+xml"); res.end(PHOTO); return; }
      if (url.startsWith("/mock/control")) { void control(backend, req, res); return; }
      if (url.startsWith("/login")) { res.setHeader("content-type", "text/html"); res.end("<title>Sign in</title><h1>Sign in (server page)</h1>"); return; }
      if (/^\/w\/[^/]+\/test/.test(url)) { res.setHeader("content-type", "text/html"); res.end("<title>Test page</title><body style='font:16px sans-serif;padding:3rem'><h1>Test page</h1><p>The server shows the real widget here.</p>"); return; }
      if (!url.startsWith("/api/v1")) { next(); return; }
      void answer(backend, req, res);
    });
    const sockets = new WebSocketServer({ noServer: true });
    server.httpServer?.on("upgrade", (req: IncomingMessage, socket, head) => {
      if (!req.url?.startsWith("/api/v1/live")) return;
      sockets.handleUpgrade(req, socket, head, (ws) => {
        const seat = backend.join((frame) => ws.send(JSON.stringify(frame)));
        ws.on("message", (data) => seat.receive(JSON.parse(String(data)) as LiveClientFrame));
        ws.on("close", seat.close);
      });
    });
    if (pulseMs > 0) setInterval(() => pulse(backend), pulseMs).unref();
  };
  return { name: "continuo-mock", configureServer: attach, configurePreviewServer: attach };
}

async function read(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const c of req) chunks.push(c as Buffer);
  return Buffer.concat(chunks);
}

async function answer(backend: Backend, req: IncomingMessage, res: ServerResponse) {
  const body = await read(req);
  const headers = new Headers();
  for (const [k, v] of Object.entries(req.headers)) if (typeof v === "string" && !k.startsWith(":")) headers.set(k, v);
  const response = await backend.handle(new Request(`http://mock${req.url}`, { method: req.method, headers, body: body.length > 0 ? new Uint8Array(body) : undefined }));
  res.statusCode = response.status;
  response.headers.forEach((v, k) => res.setHeader(k, v));
  res.end(Buffer.from(await response.arrayBuffer()));
}

/** What a test does to the world from outside: a customer writes, a colleague types. */
async function control(backend: Backend, req: IncomingMessage, res: ServerResponse) {
  const b = JSON.parse(String(await read(req))) as { do: string; id?: string; text?: string; agents?: { agent_id: string; doing: "viewing" }[]; customer?: { typing: boolean; online: boolean } };
  const row = backend.world.conversations.get(b.id ?? "") ?? [...backend.world.conversations.values()].find((c) => c.number === 4812);
  if (row && b.do === "write") backend.customerWrites(row, b.text ?? "Hello?");
  if (row && b.do === "presence") backend.presence(row.id, { agents: b.agents, customer: b.customer });
  if (b.do === "empty") for (const c of backend.world.conversations.values()) c.status = "resolved";
  res.end(JSON.stringify({ id: row?.id }));
}

function pulse(backend: Backend) {
  const open = [...backend.world.conversations.values()].filter((c) => c.status === "open");
  const row = open[Math.floor(Math.random() * open.length)];
  if (row) backend.customerWrites(row, "Any news about this?");
}
