import type { Contact, ContactRow, ConversationPatch, ConversationRow, Draft, Entry, LiveClientFrame, LiveItem, LiveServerFrame, MergePreview, SendEntry, TimelinePage, ViewCount } from "@continuo/api-client";
import { addEntry, addEvent, iso, makeInbox, makeWorld, newId, refreshRow, replyOptions, statusOf, webchat, type World, type WorldOptions } from "./world";
import { matches, matchText } from "./filter";
import { MailDesk } from "./mail-routes";

interface Change { upto: number; items: LiveItem[] }
interface Listener { send: (frame: LiveServerFrame) => void }
type Json = Record<string, unknown>;

class Refused extends Error {
  constructor(readonly status: number, readonly code: string, readonly args: Json = {}) { super(code); }
}

/** The fake backend: the contract of docs/API-DESIGN.md over one in-memory world. Needs neither network nor disk. */
export class Backend {
  world: World;
  private mail: MailDesk;
  changes: Change[] = [];
  seq = 1000;
  signedIn = true;
  /** Answers fail with these codes, first come first served; for tests of failure. */
  failNext: { path: RegExp; status: number; code: string }[] = [];
  private listeners = new Set<Listener>();
  private timers = new Map<string, ReturnType<typeof setTimeout>>();
  private files = new Map<string, { mime: string; bytes: Uint8Array }>();
  private sent = new Map<string, Entry>();

  constructor(options: WorldOptions = {}) {
    this.world = makeWorld(options);
    this.mail = new MailDesk(this.world);
    if (options.fresh) this.signedIn = false;
  }

  /** Joins the live socket; the answer takes frames of the client, `close` leaves. */
  join(send: (frame: LiveServerFrame) => void) {
    const listener = { send };
    return {
      receive: (frame: LiveClientFrame) => {
        if (frame.kind === "hello") {
          this.listeners.add(listener);
          send({ kind: "welcome", change_seq: this.seq, agent_id: this.world.me.agent.id, server_version: "mock" });
          for (const [conversation_id, p] of this.world.presence) send({ kind: "presence", conversation_id, ...p });
        } else if (frame.kind === "ping") send({ kind: "pong" });
      },
      close: () => this.listeners.delete(listener),
    };
  }

  push(items: LiveItem[]) {
    const prev = this.seq;
    this.seq += 1;
    this.changes.push({ upto: this.seq, items });
    for (const l of this.listeners) l.send({ kind: "frame", prev, upto: this.seq, items });
  }

  presence(conversationId: string, change: { agents?: { agent_id: string; doing: "viewing" | "typing_reply" | "typing_note" }[]; customer?: { typing: boolean; online: boolean } }) {
    const was = this.world.presence.get(conversationId) ?? { agents: [], customer: { typing: false, online: false } };
    const now = { agents: change.agents ?? was.agents, customer: change.customer ?? was.customer };
    this.world.presence.set(conversationId, now);
    for (const l of this.listeners) l.send({ kind: "presence", conversation_id: conversationId, ...now });
  }

  /** A customer writes: used by the demo pulse and by tests. */
  customerWrites(row: ConversationRow, text: string): Entry {
    const at = this.world.now();
    const entry = addEntry(this.world, row, at, { kind: "message", direction: "in", author: { kind: "contact", id: row.contact.id, name: row.contact.name }, body: { text, html_safe: null, subject: null, mail: null }, via: { proof_level: 0, flags: [] } });
    if (row.status !== "open") row.status = "open";
    row.waiting_since ??= entry.at;
    refreshRow(this.world, row);
    this.push([{ kind: "entry", entry }, { kind: "conversation", conversation: { ...row } }, { kind: "views", items: this.views() }]);
    return entry;
  }

  async handle(request: Request): Promise<Response> {
    const url = new URL(request.url, "http://mock");
    const path = url.pathname.replace(/^\/api\/v1/, "");
    try {
      const failing = this.failNext.findIndex((f) => f.path.test(path));
      if (failing >= 0) {
        const [f] = this.failNext.splice(failing, 1);
        if (f) throw new Refused(f.status, f.code);
      }
      const answer = await this.route(request.method, path, url.searchParams, request);
      if (answer instanceof Response) return answer;
      if (answer === undefined) return new Response(null, { status: 204 });
      return Response.json(answer);
    } catch (error) {
      const r = error instanceof Refused ? error : new Refused(500, "internal", { text: String(error) });
      return new Response(JSON.stringify({ status: r.status, code: r.code, title: r.code, args: r.args, request_id: `req_${this.seq.toString(36)}mock` }), { status: r.status, headers: { "content-type": "application/problem+json" } });
    }
  }

  private row(id: string | undefined): ConversationRow {
    const row = this.world.conversations.get(id ?? "");
    if (!row) throw new Refused(404, "not_found");
    return row;
  }

  views(): ViewCount[] {
    const all = [...this.world.conversations.values()];
    const count = (key: string, name: string | null): ViewCount => {
      const rows = all.filter((r) => this.inView(key, r));
      return { key, name, count: rows.length, capped: false, unread: rows.filter((r) => r.unread).length };
    };
    return [...["mine", "unassigned", "mentions", "waiting", "snoozed", "sends_later", "closed", "all", "spam"].map((k) => count(k, null)), ...this.world.teams.map((t) => count(`team:${t.id}`, t.name)), ...this.world.views.map((v) => count(`view:${v.id}`, v.name))];
  }

  private inView(key: string, r: ConversationRow): boolean {
    const me = this.world.me.agent.id;
    if (r.merged_into) return false;
    if (key === "spam") return r.spam;
    if (r.spam) return false;
    switch (key) {
      case "mine": return r.agent_id === me && r.status === "open";
      case "unassigned": return r.agent_id == null && r.status === "open";
      case "mentions": return r.mentioned;
      case "waiting": return r.status === "pending" || r.status === "on_hold";
      case "snoozed": return r.status === "snoozed";
      case "sends_later": return (this.world.entries.get(r.contact.id) ?? []).some((e) => e.conversation_id === r.id && e.status?.send_at != null && e.status.code === "queued");
      case "closed": return r.status === "resolved" || r.status === "closed";
      case "all": return true;
    }
    if (key.startsWith("team:")) return r.team_id === key.slice(5) && r.status === "open";
    const view = this.world.views.find((v) => `view:${v.id}` === key);
    return view ? matches(this.world, view.query, r).ok : false;
  }

  private contactRow(c: Contact): ContactRow {
    return { id: c.id, name: c.name, points: c.points.filter((p) => p.kind !== "visitor").map((p) => p.address), last_seen_at: c.last_seen_at, open_conversations: [...this.world.conversations.values()].filter((r) => r.contact.id === c.id && r.status !== "resolved" && r.status !== "closed").length };
  }

  private patch(row: ConversationRow, patch: ConversationPatch, note = true): (() => void) {
    const before = { ...row, tag_ids: [...row.tag_ids] };
    const at = this.world.now();
    const me = this.world.me.agent.id;
    const undoId = newId(this.world, "evt");
    const said = (code: string, args: Json) => note && addEvent(this.world, row, at, code, args, "agent", undoId);
    if (patch.status && patch.status !== row.status) { said("status_changed", { from: row.status, to: patch.status, until: patch.snoozed_until ?? null }); row.status = patch.status; if (patch.status === "resolved") row.waiting_since = null; }
    if (patch.snoozed_until !== undefined) row.snoozed_until = patch.snoozed_until;
    if (patch.status && patch.status !== "snoozed") row.snoozed_until = null;
    if (patch.priority && patch.priority !== row.priority) { said("priority_changed", { from: row.priority, to: patch.priority }); row.priority = patch.priority; }
    if (patch.agent_id !== undefined && patch.agent_id !== row.agent_id) { said("assigned", { agent_id: patch.agent_id, team_id: row.team_id, from_agent_id: row.agent_id, by: me }); row.agent_id = patch.agent_id; }
    if (patch.team_id !== undefined && patch.team_id !== row.team_id) { said("assigned", { agent_id: row.agent_id, team_id: patch.team_id, from_agent_id: row.agent_id }); row.team_id = patch.team_id; }
    if (patch.tag_ids) { const next = patch.tag_ids; said("tagged", { added: next.filter((t) => !row.tag_ids.includes(t)), removed: row.tag_ids.filter((t) => !next.includes(t)) }); row.tag_ids = [...next]; }
    if (patch.spam != null) { said("spam_changed", { spam: patch.spam }); row.spam = patch.spam; }
    if (patch.subject !== undefined) { said("subject_changed", {}); row.subject = patch.subject; }
    const undo = () => {
      Object.assign(row, { status: before.status, snoozed_until: before.snoozed_until, priority: before.priority, agent_id: before.agent_id, team_id: before.team_id, tag_ids: before.tag_ids, spam: before.spam, subject: before.subject, waiting_since: before.waiting_since });
      addEvent(this.world, row, this.world.now(), "undone", { event: undoId }, "agent");
      this.push([{ kind: "conversation", conversation: { ...refreshRow(this.world, row) } }, { kind: "views", items: this.views() }]);
    };
    this.world.undo.set(undoId, undo);
    refreshRow(this.world, row);
    return undo;
  }

  private freshEvents(row: ConversationRow, sinceSeq: number): LiveItem[] {
    return (this.world.entries.get(row.contact.id) ?? []).filter((e) => e.conversation_id === row.id && e.seq > sinceSeq).map((entry) => ({ kind: "entry" as const, entry }));
  }

  private timeline(row: ConversationRow, q: URLSearchParams): TimelinePage {
    const list = this.world.entries.get(row.contact.id) ?? [];
    const limit = Number(q.get("limit") ?? 60);
    const seen = this.world.seen.get(row.id) ?? 0;
    const firstUnread = list.find((e) => e.conversation_id === row.id && e.direction === "in" && e.seq > seen);
    let from: number;
    let to: number;
    const before = q.get("before");
    const after = q.get("after");
    const anchor = q.get("anchor") ?? "first_unread";
    if (before) { to = Number(before); from = Math.max(0, to - limit); }
    else if (after) { from = Number(after); to = Math.min(list.length, from + limit); }
    else {
      const at = anchor === "end" ? -1 : anchor.startsWith("ent_") ? list.findIndex((e) => e.id === anchor) : firstUnread ? list.indexOf(firstUnread) : -1;
      to = at < 0 ? list.length : Math.min(list.length, at + limit / 2);
      from = Math.max(0, to - limit);
    }
    const mine = [...this.world.conversations.values()].filter((c) => c.contact.id === row.contact.id);
    return { entries: list.slice(from, to), before: from > 0 ? String(from) : null, after: to < list.length ? String(to) : null, first_unread_id: firstUnread?.id ?? null, conversations: mine.map((c) => ({ id: c.id, number: c.number, status: c.status, subject: c.subject, merged_into: c.merged_into })), seq: row.seq, change_seq: this.seq };
  }

  private deliver(entry: Entry, row: ConversationRow) {
    const steps: Entry["status"][] = [statusOf("leased", this.world.now()), statusOf("sent", this.world.now()), statusOf(row.channel === "webchat" ? "read" : "delivered", this.world.now())];
    const run = (i: number) => {
      const next = steps[i];
      if (!next) return;
      entry.status = next;
      entry.seq = ++row.seq;
      this.push([{ kind: "entry", entry: { ...entry } }, { kind: "conversation", conversation: { ...row } }]);
      this.timers.set(entry.id, setTimeout(() => run(i + 1), 900));
    };
    run(0);
  }

  private send(row: ConversationRow, body: SendEntry, key: string): Entry {
    const again = this.sent.get(key);
    if (again) return again;
    if (row.status === "closed") throw new Refused(409, "closed_for_good");
    if (body.kind === "message" && !body.force && row.customer_seq > body.base_seq) throw new Refused(409, "newer_entries", { count: row.customer_seq - body.base_seq });
    const at = this.world.now();
    const options = replyOptions(this.world, row);
    const way = options.find((o) => o.inbox_id === body.inbox_id) ?? options.find((o) => o.default);
    if (body.kind === "message" && (!way || way.state === "blocked")) throw new Refused(409, "blocked", { reason: way?.reason ?? "channel_down" });
    const attachments = (body.attachment_ids ?? []).map((id) => this.world.attachments.get(id)).filter((a) => a !== undefined);
    const me = this.world.me.agent;
    const hold = body.kind === "message" ? (body.hold_seconds ?? 0) : 0;
    const entry = addEntry(this.world, row, at, { kind: body.kind, direction: body.kind === "note" ? "internal" : "out", channel: body.kind === "note" ? "internal" : (way?.channel ?? row.channel), inbox_id: way?.inbox_id ?? row.inbox_id, author: { kind: "agent", id: me.id, name: me.name }, body: { text: body.text, html_safe: null, subject: null, mail: null }, attachments, client_id: key, status: body.kind === "note" ? null : statusOf("queued", at, { hold_until: hold > 0 ? iso(at + hold * 1000) : null, send_at: body.send_at ?? null }) });
    this.sent.set(key, entry);
    if (body.kind === "message") row.waiting_since = null;
    this.world.drafts.delete(`${row.id}:${body.kind === "note" ? "note" : "reply"}`);
    if (body.then) this.patch(row, body.then);
    if (body.kind === "message" && row.agent_id == null) row.agent_id = me.id;
    refreshRow(this.world, row);
    this.push([{ kind: "entry", entry: { ...entry } }, ...this.freshEvents(row, entry.seq), { kind: "conversation", conversation: { ...row } }, { kind: "views", items: this.views() }]);
    if (body.kind === "message" && !body.send_at) this.timers.set(entry.id, setTimeout(() => this.deliver(entry, row), hold * 1000 + 300));
    return entry;
  }

  private findEntry(id: string | undefined): { entry: Entry; row: ConversationRow } {
    for (const list of this.world.entries.values()) {
      const entry = list.find((e) => e.id === id);
      if (entry) return { entry, row: this.row(entry.conversation_id) };
    }
    throw new Refused(404, "not_found");
  }

  private relabel(row: ConversationRow, into: ConversationRow, which: Entry[], dry: boolean, code: string, args: Json) {
    if (!dry) {
      for (const e of which) { e.conversation_id = into.id; e.seq = ++into.seq; }
      const undoId = newId(this.world, "evt");
      addEvent(this.world, into, this.world.now(), code, args, "agent", undoId);
      this.world.undo.set(undoId, () => { for (const e of which) { e.conversation_id = row.id; e.seq = ++row.seq; } if (row.merged_into === into.id) row.merged_into = null; refreshRow(this.world, row); refreshRow(this.world, into); this.push([...which.map((entry) => ({ kind: "entry" as const, entry })), { kind: "conversation", conversation: { ...row } }, { kind: "conversation", conversation: { ...into } }]); });
      refreshRow(this.world, row);
      refreshRow(this.world, into);
      this.push([...which.map((entry) => ({ kind: "entry" as const, entry })), ...this.freshEvents(into, into.seq - 1), { kind: "conversation", conversation: { ...row } }, { kind: "conversation", conversation: { ...into } }]);
      return { undo_id: undoId, conversation_id: into.id, entries: which.length, warnings: [] };
    }
    return { undo_id: null, conversation_id: into.id, entries: which.length, warnings: [] };
  }

  private preview(keep: Contact, other: Contact, mergeId: string | null): MergePreview {
    const of = (c: Contact) => [...this.world.conversations.values()].filter((r) => r.contact.id === c.id).length;
    const entries = (c: Contact) => this.world.entries.get(c.id)?.length ?? 0;
    return {
      merge_id: mergeId, keep: this.contactRow(keep), other: this.contactRow(other), keep_conversations: of(keep), conversations: of(other), keep_entries: entries(keep), entries: entries(other), conflicts: [],
      consents: [], edited: [], fields: [], merged_at: mergeId ? iso(this.world.now()) : null, needs_confirming: false, open: [], parted: [], returned: [], since: [],
    };
  }

  private async route(method: string, path: string, q: URLSearchParams, request: Request): Promise<unknown> {
    const w = this.world;
    const body = async <T = Json>(): Promise<T> => { try { return (await request.json()) as T; } catch { throw new Refused(400, "bad_json"); } };
    const seg = path.split("/").filter(Boolean);
    const key = `${method} /${seg.map((s, i) => (i % 2 === 1 && /_[0-9a-z]{13}$/.test(s) ? ":id" : s)).join("/")}`;
    const id = seg[1];
    if (key === "GET /setup") return { needed: w.setupNeeded, time_zone: "Europe/Berlin" };
    if (key === "POST /setup/owner") {
      const b = await body<{ code: string; name: string; email: string; password: string; business_name?: string; time_zone?: string }>();
      if (!w.setupNeeded) throw new Refused(409, "setup_done");
      if (b.code.replace(/\W/g, "").toUpperCase() !== "MOCK1234") throw new Refused(403, "wrong_code", { left: 3 });
      if (b.password.length < 10) throw new Refused(422, "invalid", { field: "password" });
      w.setupNeeded = false;
      this.signedIn = true;
      Object.assign(w.me.agent, { name: b.name, email: b.email });
      Object.assign(w.me.workspace, { name: b.business_name ?? "", time_zone: b.time_zone ?? "Europe/Berlin" });
      return w.me;
    }
    if (key === "POST /login_sessions") { this.signedIn = true; return w.me; }
    if (!this.signedIn) throw new Refused(401, "not_signed_in");
    const mail = this.mail.handle(method, seg, method === "GET" || method === "DELETE" ? {} : ((await request.clone().json().catch(() => ({}))) as Json));
    if (mail) {
      if ((mail.status ?? 200) >= 400) throw new Refused(mail.status ?? 500, "not_found");
      return mail.answer === null ? undefined : mail.answer;
    }
    switch (key) {
      case "DELETE /login_sessions/current": this.signedIn = false; return undefined;
      case "GET /me": return w.me;
      case "PATCH /me": { const b = await body<{ name?: string; availability?: "available"; preferences?: Json }>(); if (b.name) w.me.agent.name = b.name; if (b.availability) w.me.agent.availability = b.availability; Object.assign(w.me.preferences, b.preferences); return w.me; }
      case "PUT /me/password": { const b = await body<{ current: string; new: string }>(); if (b.current === "wrong") throw new Refused(403, "wrong_password"); if (b.new.length < 10) throw new Refused(422, "invalid", { field: "new" }); return undefined; }
      case "PATCH /workspace": { const { checklist_done, ...rest } = await body<{ checklist_done?: string[] }>(); Object.assign(w.me.workspace, rest); if (checklist_done) w.me.checklist.done = checklist_done; return w.me.workspace; }
      case "GET /agents": return { items: w.agents };
      case "PATCH /agents/:id": { const a = w.agents.find((x) => x.id === id); Object.assign(a ?? {}, await body()); this.push([{ kind: "agents" }]); return a; }
      case "GET /teams": return { items: w.teams };
      case "POST /teams": { const b = await body<{ name: string; agent_ids?: string[] }>(); const t = { id: newId(w, "tem"), name: b.name, agent_ids: b.agent_ids ?? [] }; w.teams.push(t); return t; }
      case "PATCH /teams/:id": { const t = w.teams.find((x) => x.id === id); Object.assign(t ?? {}, await body()); return t; }
      case "DELETE /teams/:id": w.teams = w.teams.filter((x) => x.id !== id); return undefined;
      case "GET /invitations": return { items: w.invitations };
      case "POST /invitations": { const b = await body<{ email: string; role: "agent" }>(); const i = { id: newId(w, "inv"), email: b.email, name: null, role: b.role, url: `http://localhost:5173/invite/${w.counter.toString(36)}x7k2`, expires_at: iso(w.now() + 7 * 86_400_000) }; w.invitations.push(i); return i; }
      case "DELETE /invitations/:id": w.invitations = w.invitations.filter((x) => x.id !== id); return undefined;
      case "GET /business_hours": return { items: w.hours };
      case "POST /business_hours": { const b = await body<{ name: string; hours: never }>(); const h = { id: newId(w, "bhr"), open_now: true, next_open_at: null, ...b }; w.hours.push(h); return h; }
      case "PUT /business_hours/:id": { const h = w.hours.find((x) => x.id === id); Object.assign(h ?? {}, await body()); return h; }
      case "GET /inboxes": return { items: w.inboxes };
      case "POST /inboxes": { const b = await body<{ name: string; webchat?: Json }>(); const i = makeInbox(newId(w, "ibx"), "webchat", b.name); i.webchat = { ...webchat(i.webchat?.site ?? "site", b.name), ...b.webchat }; w.inboxes.push(i); this.push([{ kind: "inboxes" }]); return i; }
      case "PATCH /inboxes/:id": { const { webchat: chat, email, ...rest } = await body<{ webchat?: Json; email?: Json }>(); const i = w.inboxes.find((x) => x.id === id); if (!i) throw new Refused(404, "not_found"); Object.assign(i, rest); if (i.webchat && chat) Object.assign(i.webchat, chat); if (i.email && email) Object.assign(i.email, email); if (rest && "enabled" in rest) i.state = i.enabled ? "ok" : "off"; return i; }
      case "POST /inboxes/:id/identity_secret": return { secret: "k7c2w9q4n8x1v5b3m6z0t2r8y4p1s9d7" };
      case "GET /quarantine": return { items: w.quarantine, next_cursor: null, total: w.quarantine.length };
      case "POST /quarantine/:id/retry": case "POST /quarantine/:id/dismiss": w.quarantine = w.quarantine.filter((x) => x.id !== id); return undefined;
      case "GET /jobs/given_up": return { items: w.jobs };
      case "POST /jobs/:id/retry": w.jobs = w.jobs.filter((x) => x.id !== id); return undefined;
      case "GET /health": return { database: "sqlite", version: "0.1.0-mock", search_lag: 0, oldest_ready_job_ms: 12, given_up_jobs: w.jobs.length, quarantined: w.quarantine.length, disk_free_bytes: 41_231_511_552 };
      case "GET /views": return { items: this.views() };
      case "POST /views": { const v = { id: newId(w, "viw"), ...(await body<{ name: string; query: string; shared: boolean; pinned: boolean }>()) }; w.views.push(v); this.push([{ kind: "views", items: this.views() }]); return v; }
      case "DELETE /views/:id": w.views = w.views.filter((x) => x.id !== id); this.push([{ kind: "views", items: this.views() }]); return undefined;
      case "GET /conversations": {
        const view = q.get("view") ?? "all";
        const limit = Number(q.get("limit") ?? 50);
        const text = q.get("q") ?? "";
        const problems: { token: string; text: string }[] = [];
        const rows = [...w.conversations.values()].filter((r) => this.inView(view, r)).filter((r) => { if (!text) return true; const m = matches(w, text, r); if (m.problems.length > 0 && problems.length === 0) problems.push(...m.problems); return m.ok; });
        const oldest = q.get("sort") === "oldest";
        rows.sort((a, b) => (oldest ? 1 : -1) * (a.last_activity_at < b.last_activity_at ? -1 : 1));
        const from = Number(q.get("cursor") ?? 0);
        return { items: rows.slice(from, from + limit), next_cursor: from + limit < rows.length ? String(from + limit) : null, total: { n: rows.length, capped: false }, change_seq: this.seq, problems };
      }
      case "POST /conversations/bulk": {
        const b = await body<{ ids: string[]; patch: ConversationPatch }>();
        const undos = b.ids.map((x) => this.patch(this.row(x), b.patch));
        const undoId = newId(w, "evt");
        w.undo.set(undoId, () => undos.forEach((u) => u()));
        this.push([...b.ids.map((x) => ({ kind: "conversation" as const, conversation: { ...this.row(x) } })), { kind: "views", items: this.views() }]);
        return { changed: b.ids.length, undo_id: undoId };
      }
      case "POST /conversations/next": {
        const row = [...w.conversations.values()].filter((r) => this.inView("unassigned", r)).sort((a, b) => (a.last_activity_at < b.last_activity_at ? -1 : 1))[0];
        if (!row) return undefined;
        this.patch(row, { agent_id: w.me.agent.id });
        this.push([{ kind: "conversation", conversation: { ...row } }, { kind: "views", items: this.views() }]);
        return row;
      }
      case "GET /conversations/:id": {
        const row = this.row(id);
        const contact = w.contacts.get(row.contact.id);
        return { conversation: row, contact, participants: [{ id: row.contact.id, name: row.contact.name, address: null, role: "customer" }], others: [...w.conversations.values()].filter((c) => c.contact.id === row.contact.id && c.id !== row.id).sort((a, b) => (a.last_activity_at < b.last_activity_at ? 1 : -1)), reply_options: replyOptions(w, row), drafts: [...w.drafts.values()].filter((d) => d.conversation_id === row.id), presence: w.presence.get(row.id) ?? { agents: [], customer: { typing: false, online: contact?.points.some((p) => p.online) ?? false } }, change_seq: this.seq };
      }
      case "PATCH /conversations/:id": {
        const row = this.row(id);
        const since = row.seq;
        this.patch(row, await body<ConversationPatch>());
        this.push([...this.freshEvents(row, since), { kind: "conversation", conversation: { ...row } }, { kind: "views", items: this.views() }]);
        return row;
      }
      case "POST /conversations/:id/seen": { const row = this.row(id); const b = await body<{ seq: number }>(); if (b.seq > (w.seen.get(row.id) ?? 0)) { w.seen.set(row.id, b.seq); refreshRow(w, row); this.push([{ kind: "conversation", conversation: { ...row } }, { kind: "views", items: this.views() }]); } return undefined; }
      case "POST /conversations/:id/take": { const row = this.row(id); if (row.agent_id && row.agent_id !== w.me.agent.id) throw new Refused(409, "taken", { agent_id: row.agent_id }); this.patch(row, { agent_id: w.me.agent.id }); this.push([{ kind: "conversation", conversation: { ...row } }]); return row; }
      case "GET /conversations/:id/timeline": return this.timeline(this.row(id), q);
      case "POST /conversations/:id/entries": return this.send(this.row(id), await body<SendEntry>(), request.headers.get("idempotency-key") ?? newId(w, "key"));
      case "POST /conversations/:id/merge": { const row = this.row(id); const into = this.row((await body<{ into: string }>()).into); const dry = q.get("dry_run") === "true"; const which = (w.entries.get(row.contact.id) ?? []).filter((e) => e.conversation_id === row.id); const done = this.relabel(row, into, which, dry, "conversation_merged", { from: row.number, into: into.number }); if (!dry) { row.merged_into = into.id; this.push([{ kind: "conversation", conversation: { ...row } }, { kind: "views", items: this.views() }]); } return done; }
      case "POST /conversations/:id/split": { const row = this.row(id); const ids = (await body<{ entry_ids: string[] }>()).entry_ids; const which = (w.entries.get(row.contact.id) ?? []).filter((e) => ids.includes(e.id)); const dry = q.get("dry_run") === "true"; const into: ConversationRow = { ...row, id: newId(w, "cnv"), number: dry ? 0 : ++w.nextNumber, seq: 0, tag_ids: [], subject: null }; if (!dry) w.conversations.set(into.id, into); return this.relabel(row, into, which, dry, "conversation_split", { from: row.number, to: into.number }); }
      case "POST /entries/:id/move": { const { entry, row } = this.findEntry(id); const to = this.row((await body<{ to: string }>()).to); return this.relabel(row, to, [entry], q.get("dry_run") === "true", "entry_moved", { from: row.number, to: to.number }); }
      case "POST /undo/:id": { const u = w.undo.get(id ?? ""); if (!u) throw new Refused(409, "nothing_to_undo"); u(); w.undo.delete(id ?? ""); return undefined; }
      case "DELETE /holds/:id": { const { entry, row } = this.findEntry(id); if (entry.status?.code !== "queued") throw new Refused(409, "already_sent"); clearTimeout(this.timers.get(entry.id)); entry.status = statusOf("cancelled", w.now()); entry.seq = ++row.seq; this.push([{ kind: "entry", entry: { ...entry } }, { kind: "conversation", conversation: { ...row } }]); return entry; }
      case "POST /holds/:id/send_now": { const { entry, row } = this.findEntry(id); clearTimeout(this.timers.get(entry.id)); this.deliver(entry, row); return entry; }
      case "POST /entries/:id/retry": { const { entry, row } = this.findEntry(id); const b = await body<{ force: boolean }>(); if (entry.status?.uncertain && !b.force) throw new Refused(409, "uncertain"); this.deliver(entry, row); return entry; }
      case "POST /entries/:id/check": { const { entry, row } = this.findEntry(id); entry.status = statusOf("sent", w.now()); entry.seq = ++row.seq; this.push([{ kind: "entry", entry: { ...entry } }]); return entry; }
      case "POST /attachments": { const name = q.get("name") ?? "file"; const bytes = new Uint8Array(await request.arrayBuffer()); if (bytes.length > 10_485_760) throw new Refused(413, "too_large"); const mime = request.headers.get("content-type") ?? "application/octet-stream"; const a = { id: newId(w, "att"), name, mime, bytes: bytes.length, url: "", inline: mime.startsWith("image/") }; a.url = `/api/v1/files/${a.id}/${encodeURIComponent(name)}`; this.files.set(a.id, { mime, bytes }); w.attachments.set(a.id, a); return a; }
      case "GET /drafts": return { items: [...w.drafts.values()] };
      case "GET /conversations/:id/reply-options": return { items: replyOptions(w, this.row(id)) };
      case "GET /tags": return { items: w.tags };
      case "POST /tags": { const b = await body<{ name: string; colour?: string }>(); const t = { id: newId(w, "tag"), name: b.name, colour: b.colour ?? "#4a5867" }; w.tags.push(t); this.push([{ kind: "tags" }]); return t; }
      case "GET /search": {
        const text = q.get("q") ?? "";
        const hits: unknown[] = [];
        for (const c of w.contacts.values()) if (hits.length < 5 && matchText(text, c.name)) hits.push({ kind: "contact", contact: this.contactRow(c) });
        const found: { entry: Entry; row: ConversationRow }[] = [];
        for (const list of w.entries.values()) for (const entry of list) { const row = w.conversations.get(entry.conversation_id); if (row && entry.kind !== "event") { const m = matches(w, text, row, entry.body.text); if (m.ok && m.words.some((x) => entry.body.text.toLowerCase().includes(x))) found.push({ entry, row }); } }
        found.sort((a, b) => (a.entry.at < b.entry.at ? 1 : -1));
        const words = matches(w, text, [...w.conversations.values()][0] as ConversationRow).words;
        for (const { entry, row } of found.slice(0, 40)) hits.push({ kind: "entry", entry_id: entry.id, conversation: row, at: entry.at, snippet: snippet(entry.body.text, words) });
        return { hits, next_cursor: null, problems: matches(w, text, [...w.conversations.values()][0] as ConversationRow).problems, looked_back_to: null, lag_ms: 0 };
      }
      case "GET /contacts": return { items: [...w.contacts.values()].filter((c) => matchText(q.get("q") ?? "", c.name)).slice(0, 20).map((c) => this.contactRow(c)), next_cursor: null };
      case "GET /contacts/:id": return w.contacts.get(id ?? "") ?? Promise.reject(new Refused(404, "not_found"));
      case "PATCH /contacts/:id": { const c = w.contacts.get(id ?? ""); if (!c) throw new Refused(404, "not_found"); Object.assign(c, await body()); for (const r of w.conversations.values()) if (r.contact.id === c.id) r.contact.name = c.name; this.push([{ kind: "contact", contact_id: c.id }]); return c; }
      case "POST /contacts/:id/merge": { const keep = w.contacts.get(id ?? ""); const other = w.contacts.get((await body<{ other_id: string }>()).other_id); if (!keep || !other) throw new Refused(404, "not_found"); if (q.get("dry_run") === "true") return this.preview(keep, other, null); const mergeId = newId(w, "mrg"); keep.merged.push({ contact_id: other.id, name: other.name, merge_id: mergeId, at: iso(w.now()), by: w.me.agent.name }); this.push([{ kind: "contact", contact_id: keep.id }]); return this.preview(keep, other, mergeId); }
      case "POST /contact_merges/:id/undo": { for (const c of w.contacts.values()) { const m = c.merged.find((x) => x.merge_id === id); if (m) { const other: Contact = { ...c, id: m.contact_id, name: m.name, merged: [], points: c.points.slice(-1) }; if (q.get("dry_run") !== "true") { c.merged = c.merged.filter((x) => x !== m); this.push([{ kind: "contact", contact_id: c.id }]); } return this.preview(c, other, id ?? null); } } throw new Refused(404, "not_found"); }
      case "GET /changes": { const since = Number(q.get("since")); const found = this.changes.filter((c) => c.upto > since); return { prev: since, upto: this.seq, items: found.flatMap((c) => c.items), more: false }; }
    }
    if (seg[0] === "conversations" && seg[2] === "drafts" && seg[3]) {
      const row = this.row(id);
      const dkey = `${row.id}:${seg[3]}`;
      const was = w.drafts.get(dkey);
      if (method === "DELETE") { w.drafts.delete(dkey); refreshRow(w, row); return undefined; }
      const b = await body<{ text: string; attachment_ids: string[]; inbox_id: string | null; version: number }>();
      if ((was?.version ?? 0) !== b.version) throw new Refused(409, "draft_conflict", { draft: was });
      const draft: Draft = { id: was?.id ?? newId(w, "drf"), conversation_id: row.id, mode: seg[3] as "reply", text: b.text, attachments: b.attachment_ids.map((x) => w.attachments.get(x)).filter((a) => a !== undefined), inbox_id: b.inbox_id, version: (was?.version ?? 0) + 1, mail: null, updated_at: iso(w.now()) };
      w.drafts.set(dkey, draft);
      refreshRow(w, row);
      this.push([{ kind: "conversation", conversation: { ...row } }, { kind: "draft", conversation_id: row.id, mode: draft.mode }]);
      return draft;
    }
    if (seg[0] === "files") { const f = this.files.get(seg[1] ?? ""); if (f) return new Response(f.bytes.slice().buffer, { headers: { "content-type": f.mime } }); }
    throw new Refused(404, "not_found", { path: key });
  }
}

function snippet(text: string, words: string[]) {
  const out: { text: string; hit: boolean }[] = [];
  const low = text.toLowerCase();
  const at = Math.max(0, Math.min(...words.map((x) => low.indexOf(x)).filter((i) => i >= 0)) - 50);
  let rest = (at > 0 ? "… " : "") + text.slice(at, at + 180);
  while (rest) {
    const low2 = rest.toLowerCase();
    const hits = words.map((x) => ({ x, i: low2.indexOf(x) })).filter((h) => h.i >= 0).sort((a, b) => a.i - b.i);
    const first = hits[0];
    if (!first) { out.push({ text: rest, hit: false }); break; }
    if (first.i > 0) out.push({ text: rest.slice(0, first.i), hit: false });
    out.push({ text: rest.slice(first.i, first.i + first.x.length), hit: true });
    rest = rest.slice(first.i + first.x.length);
  }
  return out;
}
