import type { Inbox, Schemas } from "@continuo/api-client";
import { addEntry, iso, makeInbox, newId, refreshRow, statusOf, type World } from "./world";

type Json = Record<string, unknown>;
const servers = (imap: string, smtp: string, port = 465) => ({ imap: { host: imap, port: 993, tls: "implicit" }, smtp: { host: smtp, port, tls: port === 587 ? "starttls" : "implicit" } });
const PRESETS: Schemas["MailPreset"][] = [
  { id: "gmail", name: "Gmail and Google Workspace", note: "Google lets mail programs in by OAuth with a client id of your own, or with an app password of an account that has two-step verification.", sign_in: ["oauth", "password"], settings: { preset: "gmail", ...servers("imap.gmail.com", "smtp.gmail.com"), sign_in: { method: "oauth", device_url: null, client_id: "" } } },
  { id: "microsoft365", name: "Microsoft 365 and Outlook", note: "Register an app in Entra ID, and allow authenticated SMTP for this mailbox.", sign_in: ["oauth"], settings: { preset: "microsoft365", ...servers("outlook.office365.com", "smtp.office365.com", 587), sign_in: { method: "oauth", device_url: "https://login.example/device", client_id: "" } } },
  { id: "fastmail", name: "Fastmail", note: "Make an app password with access to IMAP and SMTP. The usual password does not work.", sign_in: ["password"], settings: { preset: "fastmail", ...servers("imap.fastmail.com", "smtp.fastmail.com") } },
];
const STEPS: [string, string, string][] = [["sign_in", "ok", "Signed in at imap.fastmail.com."], ["read", "ok", "Read 5 folders, 1,204 mails in INBOX."], ["send", "ok", "The mail server takes mail for sending."], ["probe", "ok", "A mail to itself came back after 2 seconds."], ["plus_address", "warn", "Mail to name+anything@ does not arrive. Answers are recognised by their ids alone, which nearly always works."]];

/** Mail side of the fake backend: what it keeps beside the world. */
export class MailDesk {
  private checks = new Map<string, { at: number; run: string }>();
  private imports = new Map<string, { at: number; stopped: boolean; days: number | null }>();
  private refetched = false;
  private polls = 0;
  private automatic: Schemas["AutomaticItem"][];
  private allowed: Schemas["AllowedSender"][] = [];

  constructor(private world: World) {
    const now = world.now();
    const item = (i: number, name: string, from: string, subject: string, text: string): Schemas["AutomaticItem"] => ({ id: `evt_000000000010${i}`, name, from, inbox_id: "ibx_0000000000002", received_at: iso(now - i * 47 * 60_000), rule: "T0-auto", subject, text });
    this.automatic = [item(1, "Carrier", "tracking@carrier.example", "Your parcel 4471 was delivered", "Delivered at 10:14 to the neighbour."), item(2, "Mira Müller", "mira.muller@example.com", "Out of office", "I am back on Monday. In urgent cases please call."), item(3, "Shop system", "orders@shop.example", "New order 9188", "Two bags of filter coffee, 36.80.")];
    const hello = world.inboxes.find((i) => i.id === "ibx_0000000000002");
    if (hello) Object.assign(hello, { email: { address: hello.name, from_name: "Nordlicht Roastery", ...servers("imap.fastmail.com", "smtp.fastmail.com"), sign_in: { method: "password" } }, last_in_at: iso(now - 4 * 60_000) });
  }

  private check(id: string): Schemas["MailCheck"] | null {
    const c = this.checks.get(id);
    if (!c) return null;
    const done = Math.min(STEPS.length, Math.floor((this.world.now() - c.at) / 500));
    return { run: c.run, started_at: iso(c.at), ended_at: done === STEPS.length ? iso(c.at + 2500) : null, steps: STEPS.slice(0, done).map(([code, state, text], i) => ({ code, state, text, at: iso(c.at + i * 500) })) };
  }

  private import(id: string): Schemas["MailImport"] | null {
    const m = this.imports.get(id);
    if (!m) return null;
    const done = m.stopped ? 120 : Math.min(1204, Math.floor((this.world.now() - m.at) / 10));
    return { state: m.stopped ? "stopped" : done >= 1204 ? "done" : "running", done, total: 1204, since: m.days ? iso(m.at - m.days * 86_400_000) : null, reason: null, started_at: iso(m.at), ended_at: null };
  }

  private ledger(id: string): Schemas["MailLedger"] {
    const now = this.world.now();
    const missing = this.refetched ? 0 : 2;
    const folder = (n: number, name: string, role: string, on: number, here: number, ignored: Record<string, number>, gone = 0, waiting = 0, miss = 0): Schemas["LedgerFolder"] => ({ id: `plf_000000000000${n}`, name, role, counted_at: iso(now - 4 * 60_000), on_server: on, here, quarantined: name === "INBOX" ? 1 : 0, ignored, waiting, missing: miss, gone, missing_items: miss ? [{ key: "INBOX/7/1188", bytes: 48_112, at: iso(now - 7_200_000) }, { key: "INBOX/7/1190", bytes: 9_410, at: iso(now - 7_000_000) }] : [] });
    return { state: "ok", reason: null, alive_at: iso(now - 20_000), trouble_since: null, banner: false, push: true, counted_at: iso(now - 4 * 60_000), balanced: missing === 0, import: this.import(id), folders: [folder(1, "INBOX", "inbox", 1204, 240 - missing, { before_start: 951, "T0-auto": 3, deleted_there: 2, same_mail: 5 }, 12, 2, missing), folder(2, "Sent", "sent", 611, 88, { before_start: 523 }), folder(3, "Junk", "junk", 31, 4, { before_start: 27 })], troubles: [{ kind: "missing", began_at: iso(now - 4 * 60_000), ended_at: this.refetched ? iso(now) : null, detail: "2 mails in INBOX" }, { kind: "no_connection", began_at: iso(now - 30 * 3_600_000), ended_at: iso(now - 30 * 3_600_000 + 1_100_000), detail: "The server did not answer in time." }, { kind: "renumbered", began_at: iso(now - 90 * 3_600_000), ended_at: iso(now - 90 * 3_600_000), detail: "Junk was numbered anew; nothing was missing." }] };
  }

  /** The answer to a request about mail; `undefined` when it is about something else. `null` as `answer` is 204. */
  handle(method: string, seg: string[], body: Json): { status?: number; answer: unknown } | undefined {
    const [a, id = "", b, c, d] = seg;
    const what = `${method} ${a}${b ? `/${b}` : ""}${c ? `/${c}` : ""}${d ? `/${d}` : ""}`;
    if (a === "mail" && id === "presets") return { answer: { items: PRESETS } };
    if (a === "mail" && id === "discover") {
      const at = String(body["address"] ?? "");
      const p = PRESETS.find((x) => at.endsWith(`@${x.id}.com`));
      return { answer: p ? { found: true, by: "domain", name: p.name, preset: p.id, settings: p.settings, sign_in: p.sign_in } : { found: false, by: "guess", name: "", preset: null, settings: {}, sign_in: ["password", "oauth"] } };
    }
    if (a === "automatic") {
      if (method === "GET") return { answer: { items: this.automatic, next_cursor: null } };
      const item = this.automatic.find((x) => x.id === id);
      if (!item) return { status: 404, answer: null };
      if (body["always"] === true && item.from) this.allowed.push({ id: newId(this.world, "als"), address: item.from, added_at: iso(this.world.now()) });
      this.automatic = this.automatic.filter((x) => x !== item && !(body["always"] === true && x.from === item.from));
      return { answer: null };
    }
    if (a === "allowed_senders") {
      if (method === "GET") return { answer: { items: this.allowed } };
      this.allowed = this.allowed.filter((x) => x.id !== id);
      return { answer: null };
    }
    if (what === "POST inboxes" && body["channel"] === "email") {
      const inbox: Inbox = { ...makeInbox(newId(this.world, "ibx"), "email", String(body["name"])), enabled: false, state: "off", email: body["email"] as Json };
      this.world.inboxes.push(inbox);
      return { status: 201, answer: inbox };
    }
    if (a === "inboxes" && b) {
      const at = this.world.now();
      switch (what) {
        case "PUT inboxes/secrets": return { answer: null };
        case "POST inboxes/check": this.checks.set(id, { at, run: String(at) }); return { status: 202, answer: this.check(id) };
        case "GET inboxes/check": { const found = this.check(id); return found ? { answer: found } : { status: 404, answer: null }; }
        case "POST inboxes/sign_in": return { answer: { url: `/settings/channels/${id}?signed_in=1` } };
        case "POST inboxes/sign_in/device": this.polls = 0; return { answer: { code: "WDJB-MJHT", url: "https://login.example/device", expires_at: iso(at + 900_000), interval_seconds: 1 } };
        case "POST inboxes/sign_in/device/poll": this.polls += 1; return { answer: { done: this.polls >= 3, interval_seconds: 1 } };
        case "GET inboxes/ledger": return { answer: this.ledger(id) };
        case "POST inboxes/ledger/count": return { status: 202, answer: null };
        case "POST inboxes/refetch": this.refetched = true; return { status: 202, answer: null };
        case "POST inboxes/import": this.imports.set(id, { at, stopped: false, days: (body["days"] as number | null) ?? null }); return { status: 202, answer: this.import(id) };
        case "GET inboxes/import": { const found = this.import(id); return found ? { answer: found } : { status: 404, answer: null }; }
        case "DELETE inboxes/import": { const m = this.imports.get(id); if (m) m.stopped = true; return { answer: this.import(id) }; }
      }
    }
    if (what === "POST conversations/mail_plan") return this.plan(id, (body["mail"] ?? {}) as Schemas["MailWish"]);
    if (a === "compose" && id === "receivers") return { answer: { items: (body["addresses"] as string[]).map((address) => this.receiver(address)) } };
    if (what === "POST compose" && id === "") return this.compose(body as unknown as Schemas["Compose"]);
    return undefined;
  }

  private plan(id: string, wish: Schemas["MailWish"]): { status?: number; answer: unknown } {
    const row = this.world.conversations.get(id);
    if (!row) return { status: 404, answer: null };
    const own = this.world.inboxes.filter((i) => i.channel === "email").map((i) => i.name);
    const last = [...(this.world.entries.get(row.contact.id) ?? [])].reverse().find((e) => e.conversation_id === id && e.channel === "email" && e.direction === "in");
    const address = this.world.contacts.get(row.contact.id)?.points.find((p) => p.kind === "email")?.address ?? "";
    const from = last?.body.mail?.from ?? { address, name: row.contact.name };
    const others = last?.body.mail ? [...last.body.mail.to, ...last.body.mail.cc].filter((x) => !own.includes(x.address) && x.address !== from.address) : [];
    const mode = wish.mode ?? (others.length ? "reply_all" : "reply");
    const plan: Schemas["MailPlan"] = { inbox_id: "ibx_0000000000002", contact_point_id: null, mode, answers: last?.id ?? null, to: wish.to ?? (mode === "forward" ? [] : [from]), cc: wish.cc ?? (mode === "reply_all" ? others : []), bcc: wish.bcc ?? [], subject: wish.subject ?? (mode === "forward" ? "Fwd: " : "Re: ") + (last?.body.subject ?? row.subject ?? ""), quotes: last && wish.quote !== false ? [last.id] : [], new: [], had_others: others.length > 0, from_reply_to: false };
    plan.new = [...plan.to, ...plan.cc].map((x) => x.address).filter((x) => x !== from.address && !others.some((o) => o.address === x));
    return { answer: plan };
  }

  private receiver(address: string): Schemas["ComposeReceiver"] {
    const contact = [...this.world.contacts.values()].find((k) => k.points.some((p) => p.address === address));
    const open = contact ? [...this.world.conversations.values()].filter((r) => r.contact.id === contact.id && r.status === "open") : [];
    return { address, valid: /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(address), contact_id: contact?.id ?? null, name: contact?.name ?? null, reason: null, open: open.map((r) => ({ id: r.id, number: r.number, subject: r.subject })) };
  }

  private compose(b: Schemas["Compose"]): { status?: number; answer: unknown } {
    const at = this.world.now();
    const me = this.world.me.agent;
    const row = [...this.world.conversations.values()].find((r) => this.world.contacts.get(r.contact.id)?.points.some((p) => p.address === b.to[0]?.address)) ?? [...this.world.conversations.values()][0];
    if (!row) return { status: 422, answer: null };
    const entry = addEntry(this.world, row, at, { kind: "message", direction: "out", channel: "email", inbox_id: b.inbox_id ?? "ibx_0000000000002", author: { kind: "agent", id: me.id, name: me.name }, body: { text: b.text, html_safe: null, subject: b.subject, mail: { from: null, to: b.to, cc: b.cc ?? [], bcc: b.bcc ?? [], reply_to: [], mode: "new", signature: null, automatic: false } }, status: statusOf("queued", at) });
    refreshRow(this.world, row);
    return { status: 201, answer: { items: [entry] } };
  }
}
