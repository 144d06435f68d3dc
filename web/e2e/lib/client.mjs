// The API as a program uses it: set-up, sign-in, and plain calls with the cookie kept. Arranges what a journey needs and
// looks at what the server really stored.

import { until } from "./wait.mjs";

export class ApiError extends Error {
  constructor(status, body, call) {
    super(`${call} answered ${status}: ${JSON.stringify(body)}`);
    this.status = status;
    this.code = body?.code;
    this.body = body;
  }
}

export class Client {
  constructor(base) {
    this.base = base;
    this.cookies = new Map();
  }

  get cookie() {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** Sends a call and gives the raw response; `call` is the one that checks. */
  async send(method, path, body, { headers = {}, raw = false } = {}) {
    const all = { ...headers };
    if (this.cookies.size > 0) all.cookie = this.cookie;
    if (body !== undefined && !raw) all["content-type"] ??= "application/json";
    const response = await fetch(`${this.base}${path.startsWith("/w/") ? "" : "/api/v1"}${path}`, {
      method,
      headers: all,
      body: body === undefined || raw ? body : JSON.stringify(body),
      redirect: "manual",
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const at = pair.indexOf("=");
      const value = pair.slice(at + 1);
      if (value) this.cookies.set(pair.slice(0, at), value);
      else this.cookies.delete(pair.slice(0, at));
    }
    return response;
  }

  async call(method, path, body, options) {
    const response = await this.send(method, path, body, options);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    const answer = isJson && text ? JSON.parse(text) : text || null;
    if (!response.ok) throw new ApiError(response.status, answer, `${method} ${path}`);
    return answer;
  }

  get(path) {
    return this.call("GET", path);
  }
  post(path, body, options) {
    return this.call("POST", path, body ?? {}, options);
  }
  patch(path, body) {
    return this.call("PATCH", path, body);
  }
}

export const OWNER = { name: "Olga Owner", email: "olga@acme.example", password: "correct horse battery" };

/** First run without a browser: the owner, a web chat inbox, hours that are always open. Gives the signed-in client. */
export async function firstRun(server, { base = server.url, business = "Acme", webchat = {} } = {}) {
  const owner = new Client(base);
  const me = await owner.post("/setup/owner", { code: server.code, ...OWNER, business_name: business, time_zone: "Europe/Berlin" });
  const always = Array.from({ length: 7 }, () => [{ open: 0, close: 1440 }]);
  const hours = await owner.post("/business_hours", { name: "Always", hours: { time_zone: "Europe/Berlin", week: always, holidays: [] } });
  const inbox = await owner.post("/inboxes", {
    channel: "webchat",
    name: "Site chat",
    webchat: { title: `${business} help`, greeting: "Hello, how can we help?", business_hours_id: hours.id, ...webchat },
  });
  await owner.patch("/me", { availability: "available" });
  return { owner, me, inbox, site: inbox.webchat.site };
}

/** Rates as high as they go, for journeys that write a thousand entries. */
export async function liftRates(owner, inbox) {
  return owner.patch(`/inboxes/${inbox.id}`, { webchat: { rates: { messages_per_minute: 600, visitors_per_address_per_hour: 100_000 } } });
}

/** Invites somebody and signs them in. */
export async function addAgent(owner, { name, email, role = "agent", password = "another good password" }) {
  const invitation = await owner.post("/invitations", { email, name, role });
  const token = new URL(invitation.url, owner.base).pathname.split("/").pop();
  const agent = new Client(owner.base);
  const me = await agent.post("/invitations/accept", { token, name, password });
  await agent.patch("/me", { availability: "available" });
  return { client: agent, me, email, password, name };
}

/** The whole timeline of a conversation's contact, oldest first. */
export async function wholeTimeline(client, conversation) {
  let page = await client.get(`/conversations/${conversation}/timeline?anchor=end&limit=100`);
  let entries = page.entries;
  while (page.before) {
    page = await client.get(`/conversations/${conversation}/timeline?before=${encodeURIComponent(page.before)}&limit=100`);
    entries = [...page.entries, ...entries];
  }
  return entries;
}

/** An agent's answer that leaves at once. */
export async function reply(client, conversation, text, extra = {}) {
  return client.post(`/conversations/${conversation}/entries`, { kind: "message", text, base_seq: 0, force: true, hold_seconds: 0, ...extra }, { headers: { "idempotency-key": crypto.randomUUID() } });
}

/** The one conversation that there is, once it is there. */
export async function onlyConversation(client) {
  return until("a conversation", async () => (await client.get("/conversations?view=all&limit=100")).items[0]);
}

/** Text of an entry as it is stored. */
export function textOf(entry) {
  return entry.body.text;
}
