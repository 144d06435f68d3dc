import type { Agent, Attachment, BusinessHours, Channel, Contact, ConversationRow, Draft, Entry, EntryStatus, GivenUpJob, Inbox, Invitation, Me, Presence, QuarantineItem, ReplyOption, Status, Tag, Team, View, WebchatSettings } from "@continuo/api-client";
import { chance, makeId } from "./chance";
import { mails } from "./mail";
import { FIRST, LAST, SHORT, TOPICS } from "./scripts";

/** Everything the fake backend knows. One plain object, built from a seed and a start time. */
export interface World {
  now: () => number;
  me: Me;
  agents: Agent[];
  teams: Team[];
  tags: Tag[];
  inboxes: Inbox[];
  hours: BusinessHours[];
  invitations: Invitation[];
  views: View[];
  contacts: Map<string, Contact>;
  conversations: Map<string, ConversationRow>;
  /** By contact, oldest first. */
  entries: Map<string, Entry[]>;
  drafts: Map<string, Draft>;
  seen: Map<string, number>;
  presence: Map<string, Presence>;
  quarantine: QuarantineItem[];
  jobs: GivenUpJob[];
  attachments: Map<string, Attachment>;
  setupNeeded: boolean;
  nextNumber: number;
  counter: number;
  undo: Map<string, () => void>;
}

const MIN = 60_000;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

export function newId(world: World, prefix: string, at = world.now()): string {
  world.counter += 1;
  return makeId(prefix, at, world.counter);
}

export function webchat(site: string, title: string): WebchatSettings {
  return { site, title, greeting: "Hello! How can we help?", colour: "#0b6b74", corner: "end", radius: 16, theme: "auto", locale: "auto", business_hours_id: "bhr_0000000000001", away_text: "We are out right now. Leave a message, we answer by email.", show_agents: true, show_wait: true, pre_chat: { enabled: false, fields: [] }, ask_email_when_away: true, consent_text: null, allowed_origins: [], attachments: { enabled: true, bytes_max: 10_485_760, count_max: 5, types: ["image/*", "application/pdf"] }, identity: { required: false, jwt_algorithm: "HS256", jwt_public_key: null }, rates: { messages_per_minute: 20, visitors_per_address_per_hour: 30 }, banned_addresses: [] };
}

export function makeInbox(id: string, channel: Channel, name: string, host = "http://localhost:5173"): Inbox {
  const chat = channel === "webchat";
  const site = name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return { id, channel, name, enabled: true, team_id: null, agent_ids: [], state: "ok", webchat: chat ? webchat(site, name) : null, snippet: chat ? `<script src="${host}/w/${site}.js" async></script>` : null, test_url: chat ? `${host}/w/${site}/test` : null, email: null, last_in_at: null, last_out_at: null };
}

export interface WorldOptions {
  seed?: number;
  contacts?: number;
  now?: () => number;
  /** An empty workspace that still wants its owner. */
  fresh?: boolean;
}

export function makeWorld(options: WorldOptions = {}): World {
  const now = options.now ?? Date.now;
  const start = now();
  const rnd = chance(options.seed ?? 7);
  const agentNames: [string, Agent["role"], Agent["availability"]][] = [["Lea Winter", "owner", "available"], ["Bo Larsen", "agent", "available"], ["Sam Okafor", "supervisor", "busy"], ["Mina Park", "agent", "away"], ["Tariq Aziz", "agent", "offline"]];
  const agents: Agent[] = agentNames.map(([name, role, availability], i) => ({ id: `agt_000000000000${i + 1}`, name, email: `${name.split(" ")[0]?.toLowerCase()}@roastery.example`, role, availability, team_ids: i < 3 ? ["tem_0000000000001"] : ["tem_0000000000002"], archived: false }));
  const lea = agents[0] as Agent;
  const tagNames: [string, string][] = [["Billing", "#2456a6"], ["Shipping", "#0b6b74"], ["Returns", "#8f3a0a"], ["Technical", "#6a3fa0"], ["Question", "#4a5867"], ["Quality", "#a1275f"], ["Subscription", "#17693b"], ["Sales", "#8a5300"], ["VIP", "#b3261e"]];
  const tags: Tag[] = tagNames.map(([name, colour], i) => ({ id: `tag_000000000000${i + 1}`, name, colour }));
  const world: World = {
    now, agents, tags, contacts: new Map(), conversations: new Map(), entries: new Map(), drafts: new Map(), seen: new Map(), presence: new Map(), attachments: new Map(), undo: new Map(),
    me: { agent: lea, workspace: { id: "wsp_0000000000001", name: "Nordlicht Roastery", colour: "#0b6b74", time_zone: "Europe/Berlin", sample_data: true }, preferences: { theme: "system", density: "comfortable", undo_seconds: 5, list_width: 352, context_width: 320, single_keys: true, locale: "en" }, checklist: { done: ["coach"] } },
    teams: [{ id: "tem_0000000000001", name: "Support", agent_ids: agents.slice(0, 3).map((a) => a.id) }, { id: "tem_0000000000002", name: "Wholesale", agent_ids: agents.slice(3).map((a) => a.id) }],
    inboxes: [makeInbox("ibx_0000000000001", "webchat", "Shop chat"), makeInbox("ibx_0000000000002", "email", "hello@roastery.example"), makeInbox("ibx_0000000000003", "sms", "+49 341 555 0100"), makeInbox("ibx_0000000000004", "whatsapp", "WhatsApp Nordlicht"), makeInbox("ibx_0000000000005", "voice", "Main line"), makeInbox("ibx_0000000000006", "instagram", "@nordlicht"), makeInbox("ibx_0000000000007", "webchat", "Wholesale chat")],
    hours: [{ id: "bhr_0000000000001", name: "Shop hours", open_now: true, next_open_at: null, hours: { time_zone: "Europe/Berlin", week: [...Array.from({ length: 5 }, () => [{ open: 540, close: 1080 }]), [{ open: 600, close: 840 }], []], holidays: [{ on: "2026-12-24", name: "Christmas Eve", spans: [{ open: 540, close: 720 }] }, { on: "2026-12-25", name: "Christmas Day", spans: [] }] } }],
    invitations: [{ id: "inv_0000000000001", email: "ravi@roastery.example", name: null, role: "agent", url: "http://localhost:5173/invite/9f2c71aa", expires_at: iso(start + 6 * DAY) }],
    views: [{ id: "viw_0000000000001", name: "Late billing", query: "is:open tag:Billing", shared: true, pinned: true }],
    quarantine: [{ id: "raw_0000000000001", inbox_id: "ibx_0000000000002", received_at: iso(start - 3 * HOUR), reason: "unreadable", detail: "The MIME structure ends in the middle of part 2.", bytes: 84_211, from: "orders@supplier.example" }, { id: "raw_0000000000002", inbox_id: "ibx_0000000000001", received_at: iso(start - 26 * HOUR), reason: "bad_frame", detail: "text is longer than 20,000 characters", bytes: 61_003, from: null }],
    jobs: [{ id: "job_0000000000001", name: "send", reason: "smtp: 454 temporary authentication failure, 12 attempts", gave_up_at: iso(start - 5 * HOUR), attempts: 12 }],
    setupNeeded: false, nextNumber: 4100, counter: 0,
  };
  if (options.fresh) {
    world.setupNeeded = true;
    world.agents.length = 1;
    world.inboxes.length = 0;
    world.invitations.length = 0;
    world.me.workspace.sample_data = false;
    world.me.checklist.done = [];
    world.views.length = 0;
    return world;
  }
  const count = options.contacts ?? 420;
  for (let i = 0; i < count; i++) makeContact(world, rnd, start, i);
  showcase(world, start);
  return world;
}

const CHANNELS: [Channel, string][] = [["webchat", "ibx_0000000000001"], ["webchat", "ibx_0000000000001"], ["webchat", "ibx_0000000000001"], ["email", "ibx_0000000000002"], ["email", "ibx_0000000000002"], ["sms", "ibx_0000000000003"], ["whatsapp", "ibx_0000000000004"], ["instagram", "ibx_0000000000006"]];

function makeContact(world: World, rnd: ReturnType<typeof chance>, start: number, i: number) {
  const first = rnd.pick(FIRST);
  const last = rnd.pick(LAST);
  const anonymous = rnd.yes(0.12);
  const born = start - rnd.below(180) * DAY - rnd.below(24) * HOUR;
  const id = newId(world, "ctc", born);
  const name = anonymous ? `Visitor ${(1000 + i).toString(36).toUpperCase()}` : `${first} ${last}`;
  const address = `${first}.${last}@example.com`.toLowerCase().normalize("NFD").replace(/[^a-z@.]/g, "");
  const contact: Contact = { id, name, company: rnd.yes(0.2) ? `${last} ${rnd.pick(["Print", "GmbH", "Studio", "Café", "& Sons"])}` : null, locale: rnd.pick(["de", "en", "es", "fr"]), time_zone: rnd.pick(["Europe/Berlin", "Europe/Madrid", "America/Lima", "Asia/Tokyo"]), notes: null, blocked: false, first_seen_at: iso(born), last_seen_at: iso(start - rnd.below(300) * MIN), points: [], claimed: {}, merged: [] };
  contact.points.push({ id: newId(world, "cpt", born), kind: "visitor", address: "Shop chat visitor", proof_level: 0, proof_source: "browser", health: "ok", shared: false, blocked: false, first_seen_at: iso(born), last_seen_at: contact.last_seen_at, online: rnd.yes(0.15) });
  if (!anonymous) contact.points.push({ id: newId(world, "cpt", born), kind: "email", address, proof_level: rnd.pick([1, 2, 2, 3]), proof_source: rnd.pick(["sender_check", "signed_token", "typed"]), health: rnd.yes(0.04) ? "bounced" : "ok", shared: rnd.yes(0.05), blocked: false, first_seen_at: iso(born), last_seen_at: contact.last_seen_at, online: false });
  if (rnd.yes(0.5)) contact.points.push({ id: newId(world, "cpt", born), kind: "phone", address: `+49 1${60 + rnd.below(19)} 555 ${String(1000 + rnd.below(8999))}`, proof_level: 2, proof_source: "caller_id", health: "ok", shared: false, blocked: false, first_seen_at: iso(born), last_seen_at: contact.last_seen_at, online: false });
  if (rnd.yes(0.25)) contact.claimed = { plan: rnd.pick(["free", "pro", "business"]), customer_id: String(8000 + rnd.below(1999)) };
  world.contacts.set(id, contact);
  world.entries.set(id, []);
  const several = rnd.yes(0.3) ? 2 + rnd.below(2) : 1;
  for (let k = several - 1; k >= 0; k--) makeConversation(world, rnd, contact, start - k * (9 + rnd.below(20)) * DAY - Math.floor(rnd.next() ** 3 * 6 * DAY), k > 0);
}

function makeConversation(world: World, rnd: ReturnType<typeof chance>, contact: Contact, endAt: number, old: boolean) {
  const topic = rnd.pick(TOPICS);
  const [channel, inboxId] = rnd.pick(CHANNELS);
  const take = Math.max(1, rnd.below(topic.lines.length + 1));
  const lines = topic.lines.slice(0, old ? topic.lines.length : take);
  if (!old && rnd.yes(0.25)) lines.push(rnd.pick(SHORT));
  const status: Status = old ? "resolved" : rnd.pick(["open", "open", "open", "open", "pending", "snoozed", "resolved", "on_hold"]);
  const agent = rnd.yes(0.62) || old ? rnd.pick(world.agents) : null;
  endAt = Math.min(endAt, world.now() - 4 * MIN - rnd.below(8 * HOUR));
  const at0 = endAt - lines.length * (8 + rnd.below(90)) * MIN - 2 * MIN;
  const id = newId(world, "cnv", at0);
  const row: ConversationRow = { id, number: world.nextNumber++, contact: { id: contact.id, name: contact.name }, subject: rnd.yes(0.75) ? topic.subject : null, status, snoozed_until: status === "snoozed" ? iso(world.now() + (4 + rnd.below(60)) * HOUR) : null, priority: rnd.pick(["normal", "normal", "normal", "normal", "normal", "high", "urgent", "low"]), spam: !old && rnd.yes(0.02), channel, inbox_id: inboxId, agent_id: agent?.id ?? null, team_id: rnd.yes(0.4) ? "tem_0000000000001" : null, tag_ids: rnd.yes(0.7) ? world.tags.filter((t) => t.name === topic.tag || (t.name === "VIP" && rnd.yes(0.06))).map((t) => t.id) : [], seq: 0, customer_seq: 0, unread_count: 0, unread: false, mentioned: false, last_activity_at: iso(endAt), waiting_since: null, next_due_at: null, preview: null, draft: false, merged_into: null };
  world.conversations.set(id, row);
  const step = (endAt - at0) / Math.max(1, lines.length);
  lines.forEach((line, i) => {
    const at = i === lines.length - 1 ? endAt : at0 + i * step + rnd.below(5) * MIN;
    addLine(world, row, line, at, agent, topic.subject, rnd.next());
    if (i === 0 && agent && rnd.yes(0.6)) addEvent(world, row, at + MIN, "assigned", { agent_id: agent.id, team_id: null, from_agent_id: null }, "system");
    if (i === 0 && row.tag_ids.length && rnd.yes(0.4)) addEvent(world, row, at + 2 * MIN, "tagged", { added: row.tag_ids, removed: [] }, "system");
  });
  if (old) addEvent(world, row, endAt + MIN, "status_changed", { from: "open", to: "resolved" }, "agent");
  const list = world.entries.get(contact.id) ?? [];
  const customer = list.filter((e) => e.conversation_id === id && e.direction === "in");
  const lastMessage = [...list].reverse().find((e) => e.conversation_id === id && e.kind === "message");
  const mineUnread = lastMessage?.direction === "in" && !old && rnd.yes(0.55);
  const unread = mineUnread ? 1 + rnd.below(Math.min(2, customer.length)) : 0;
  world.seen.set(id, unread > 0 ? (customer[customer.length - unread]?.seq ?? 1) - 1 : row.seq);
  if (lastMessage?.direction === "in" && (status === "open" || status === "snoozed")) {
    row.waiting_since = lastMessage.at;
    if (rnd.yes(0.5)) row.next_due_at = iso(Date.parse(lastMessage.at) + 4 * HOUR);
  }
  row.mentioned = !old && list.some((e) => e.conversation_id === id && e.kind === "note" && e.body.text.includes("@Lea"));
  refreshRow(world, row);
}

export function statusOf(code: EntryStatus["code"], at: number, extra: Partial<EntryStatus> = {}): EntryStatus {
  return { code, reason: null, uncertain: false, hold_until: null, send_at: null, parts_sent: 1, parts_total: 1, at: iso(at), ...extra };
}

export function addEntry(world: World, row: ConversationRow, at: number, part: Partial<Entry> & Pick<Entry, "kind" | "direction" | "author">): Entry {
  row.seq += 1;
  const entry: Entry = { id: newId(world, "ent", at), conversation_id: row.id, contact_id: row.contact.id, channel: row.channel, inbox_id: row.inbox_id, contact_point_id: null, at: iso(at), audience: part.kind === "message" || part.kind === "call" ? "customer" : "team", body: { text: "", html_safe: null, subject: null, mail: null }, attachments: [], parts: [], status: null, event: null, call: null, via: null, placed: null, context: null, seq: row.seq, client_id: null, edited_at: null, redacted: false, imported: false, ...part };
  if (entry.direction === "in") row.customer_seq = row.seq;
  const list = world.entries.get(row.contact.id) ?? [];
  list.push(entry);
  list.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.id < b.id ? -1 : 1));
  world.entries.set(row.contact.id, list);
  row.last_activity_at = entry.at > row.last_activity_at ? entry.at : row.last_activity_at;
  return entry;
}

export function addEvent(world: World, row: ConversationRow, at: number, code: string, args: Record<string, unknown>, by: "system" | "agent", undoId: string | null = null): Entry {
  const author = by === "agent" ? { kind: "agent" as const, id: world.me.agent.id, name: world.me.agent.name } : { kind: "system" as const, id: null, name: "Continuo" };
  return addEntry(world, row, at, { kind: "event", direction: "internal", channel: "internal", author, event: { code, args, undo_id: undoId } });
}

function addLine(world: World, row: ConversationRow, line: string, at: number, agent: Agent | null, subject: string, dice: number) {
  const who = line[0];
  const text = line.slice(2);
  const writer = agent ?? (world.agents[1] as Agent);
  if (who === "n") {
    addEntry(world, row, at, { kind: "note", direction: "internal", channel: "internal", author: { kind: "agent", id: writer.id, name: writer.name }, body: { text, html_safe: null, subject: null, mail: null } });
  } else if (who === "a") {
    const status = dice < 0.02 ? statusOf("failed", at, { reason: "address" }) : dice < 0.5 ? statusOf("read", at) : dice < 0.8 ? statusOf("delivered", at) : statusOf("sent", at);
    addEntry(world, row, at, { kind: "message", direction: "out", author: { kind: "agent", id: writer.id, name: writer.name }, body: { text, html_safe: null, subject: row.channel === "email" ? `Re: ${subject}` : null, mail: null }, status });
  } else {
    const attachments: Attachment[] = text.includes("photo attached") ? [{ id: newId(world, "att", at), name: "broken-cup.jpg", mime: "image/jpeg", bytes: 84_213, url: "/mock/photo.svg", inline: true }] : [];
    addEntry(world, row, at, { kind: "message", direction: "in", author: { kind: "contact", id: row.contact.id, name: row.contact.name }, body: { text, html_safe: null, subject: row.channel === "email" ? subject : null, mail: null }, attachments, via: { proof_level: row.channel === "email" ? 2 : 0, flags: [] } });
  }
}

export function refreshRow(world: World, row: ConversationRow): ConversationRow {
  const list = (world.entries.get(row.contact.id) ?? []).filter((e) => e.conversation_id === row.id);
  const seen = world.seen.get(row.id) ?? 0;
  row.unread_count = list.filter((e) => e.direction === "in" && e.seq > seen).length;
  row.unread = row.unread_count > 0;
  const last = [...list].reverse().find((e) => e.kind !== "event") ?? list[list.length - 1];
  row.preview = last ? { kind: last.kind, direction: last.direction, author_kind: last.author.kind, author_name: last.author.name, text: last.kind === "event" ? "" : last.body.text.slice(0, 160), attachments: last.attachments.length } : null;
  row.draft = [...world.drafts.values()].some((d) => d.conversation_id === row.id && (d.text !== "" || d.attachments.length > 0));
  return row;
}

/** One conversation that shows every look of the timeline: channels, call, failures, notes, events, files, merges. */
function showcase(world: World, start: number) {
  const rnd = chance(99);
  const born = start - 220 * DAY;
  const id = newId(world, "ctc", born);
  const contact: Contact = { id, name: "Ada Novak", company: "Novak Print", locale: "de", time_zone: "America/Lima", notes: "Prefers mail before nine. Buys for the whole office.", blocked: false, first_seen_at: iso(born), last_seen_at: iso(start - 2 * MIN), claimed: { plan: "business", customer_id: "8841", city: "Lima" }, merged: [{ contact_id: newId(world, "ctc", born + DAY), name: "A. Novak", merge_id: newId(world, "mrg", start - 20 * DAY), at: iso(start - 20 * DAY), by: "Bo Larsen" }], points: [] };
  const point = (kind: Contact["points"][number]["kind"], address: string, level: number, source: string, online = false) => contact.points.push({ id: newId(world, "cpt", born), kind, address, proof_level: level, proof_source: source, health: "ok", shared: false, blocked: false, first_seen_at: iso(born), last_seen_at: iso(start - 2 * MIN), online });
  point("visitor", "Shop chat visitor", 0, "browser", true);
  point("account", "8841", 3, "signed_token");
  point("email", "ada@novak-print.example", 2, "sender_check");
  point("phone", "+51 1 555 0142", 1, "typed");
  world.contacts.set(id, contact);
  world.entries.set(id, []);
  makeConversation(world, rnd, contact, start - 61 * DAY, true);
  makeConversation(world, rnd, contact, start - 33 * DAY, true);
  const row: ConversationRow = { id: newId(world, "cnv", start - 2 * DAY), number: 4812, contact: { id, name: contact.name }, subject: "Charged twice for order 8841", status: "open", snoozed_until: null, priority: "high", spam: false, channel: "webchat", inbox_id: "ibx_0000000000001", agent_id: world.me.agent.id, team_id: "tem_0000000000001", tag_ids: ["tag_0000000000001", "tag_0000000000009"], seq: 0, customer_seq: 0, unread_count: 0, unread: false, mentioned: true, last_activity_at: iso(start - 3 * DAY), waiting_since: iso(start - 4 * MIN), next_due_at: iso(start + 9 * MIN), preview: null, draft: false, merged_into: null };
  world.conversations.set(row.id, row);
  const bo = world.agents[1] as Agent;
  const lea = world.me.agent;
  const them = { kind: "contact" as const, id, name: contact.name };
  const us = (a: Agent) => ({ kind: "agent" as const, id: a.id, name: a.name });
  const body = (text: string, subject: string | null = null) => ({ text, html_safe: null, subject, mail: null });
  const t = (daysAgo: number, hour: number, minute: number) => start - daysAgo * DAY - ((new Date(start).getUTCHours() + 24 - hour) % 24) * HOUR + minute * MIN;
  addEntry(world, row, t(2, 9, 12), { kind: "message", direction: "in", channel: "email", inbox_id: "ibx_0000000000002", author: them, body: body("Hello,\n\nmy card shows two charges of 48.90 for order 8841. The first one is from Monday evening, the second one from this morning. I only ordered once, and the confirmation mail came only once as well.\n\nCould you have a look please? The statement is attached.\n\nKind regards\nAda Novak", "Charged twice for order 8841"), attachments: [{ id: newId(world, "att"), name: "statement-november.pdf", mime: "application/pdf", bytes: 86_016, url: "/mock/photo.svg", inline: false }], via: { proof_level: 2, flags: [] }, placed: { rule: "T8-new", decision_id: newId(world, "dec") } });
  addEvent(world, row, t(2, 9, 13), "tagged", { added: ["tag_0000000000001"], removed: [] }, "system");
  addEvent(world, row, t(2, 9, 14), "priority_changed", { from: "normal", to: "high" }, "system");
  addEvent(world, row, t(2, 9, 15), "assigned", { agent_id: bo.id, team_id: null, from_agent_id: null }, "system");
  addEntry(world, row, t(2, 9, 40), { kind: "message", direction: "out", channel: "email", inbox_id: "ibx_0000000000002", author: us(bo), body: body("Good morning Ada,\n\nthank you for the statement. I have asked our payment provider and call you as soon as they answer.\n\nBest, Bo", "Re: Charged twice for order 8841"), status: statusOf("delivered", t(2, 9, 41)) });
  addEntry(world, row, t(1, 10, 2), { kind: "call", direction: "out", channel: "voice", inbox_id: "ibx_0000000000005", author: us(bo), call: { id: newId(world, "cal"), state: "ended", duration_ms: 401_000, wait_ms: 0 }, body: body("One of the charges is only reserved and falls away by Thursday. Bo promised to check again and to write.") });
  addEntry(world, row, t(1, 10, 9), { kind: "note", direction: "internal", channel: "internal", author: us(bo), body: body("Provider confirmed: second charge is a reservation. @Lea can you check the refund on Thursday?") });
  addEntry(world, row, t(1, 10, 12), { kind: "message", direction: "out", channel: "sms", inbox_id: "ibx_0000000000003", author: us(bo), body: body("As promised: the reservation ends on Thursday. Bo from Nordlicht"), status: statusOf("failed", t(1, 10, 12), { reason: "address" }) });
  addEntry(world, row, t(1, 15, 30), { kind: "call", direction: "in", channel: "voice", inbox_id: "ibx_0000000000005", author: them, call: { id: newId(world, "cal"), state: "missed", duration_ms: 0, wait_ms: 74_000 } });
  mails.forEach((m, i) => addEntry(world, row, t(1, 16, i * 9), { kind: "message", direction: m.out ? "out" : "in", channel: "email", inbox_id: "ibx_0000000000002", author: m.out ? us(bo) : them, body: { text: m.text, html_safe: m.html, subject: m.subject, mail: m.mail }, status: m.out ? statusOf("sent", t(1, 16, i * 9)) : null, via: m.out ? null : { proof_level: m.level ?? 2, flags: m.flags ?? [] } }));
  addEvent(world, row, start - 26 * MIN, "channel_switched", { from: "voice", to: "webchat" }, "system");
  addEvent(world, row, start - 26 * MIN + 1000, "identity_given", { level: 3 }, "system");
  addEntry(world, row, start - 25 * MIN, { kind: "message", direction: "in", author: them, body: body("Hi, I am back. Is there any news about the refund?"), via: { proof_level: 3, flags: [] }, context: { page: "https://shop.example/account/orders/8841" } });
  addEvent(world, row, start - 24 * MIN, "assigned", { agent_id: lea.id, team_id: null, from_agent_id: bo.id }, "agent", newId(world, "evt"));
  addEntry(world, row, start - 22 * MIN, { kind: "message", direction: "out", author: us(lea), body: body("Hi Ada, Lea here, I took over from Bo. I am looking at it right now."), status: statusOf("read", start - 21 * MIN) });
  addEntry(world, row, start - 20 * MIN, { kind: "message", direction: "out", author: us(lea), body: body("The bank shows the reservation as released. It can take until tomorrow before your account shows it."), status: statusOf("delivered", start - 19 * MIN) });
  addEntry(world, row, start - 18 * MIN, { kind: "message", direction: "out", channel: "whatsapp", inbox_id: "ibx_0000000000004", author: us(lea), body: body("Here is the confirmation of the bank as well."), status: statusOf("queued", start - 17 * MIN, { uncertain: true }) });
  addEntry(world, row, start - 6 * MIN, { kind: "message", direction: "in", author: them, body: body("Here is what I see in the app today:"), attachments: [{ id: newId(world, "att"), name: "screenshot.png", mime: "image/png", bytes: 184_213, url: "/mock/photo.svg", inline: true }], via: { proof_level: 3, flags: [] } });
  addEntry(world, row, start - 5 * MIN, { kind: "message", direction: "in", author: them, body: body("So it is gone, right? https://shop.example/account/orders/8841"), via: { proof_level: 3, flags: [] } });
  addEntry(world, row, start - 4 * MIN, { kind: "message", direction: "in", author: them, body: body("And could you gift wrap the next order?"), via: { proof_level: 3, flags: [] } });
  world.seen.set(row.id, row.seq - 2);
  world.presence.set(row.id, { agents: [{ agent_id: bo.id, doing: "viewing" }], customer: { typing: false, online: true } });
  refreshRow(world, row);
  const old = [...world.conversations.values()].find((c) => c.contact.id === id && c.id !== row.id);
  if (old) old.merged_into = null;
}

export function replyOptions(world: World, row: ConversationRow): ReplyOption[] {
  const contact = world.contacts.get(row.contact.id);
  if (!contact) return [];
  const limits = { text_max: 20_000, attachment_bytes_max: 10_485_760, attachments_max: 5, types: ["image/*", "application/pdf"] };
  const online = contact.points.some((p) => p.online);
  const email = contact.points.find((p) => p.kind === "email");
  const phone = contact.points.find((p) => p.kind === "phone");
  const out: ReplyOption[] = [];
  out.push({ channel: "webchat", inbox_id: "ibx_0000000000001", inbox_name: "Shop chat", contact_point_id: contact.points[0]?.id ?? null, address: online ? "on the site now" : "Shop chat", state: online ? "ok" : "warn", reason: online ? null : "customer_away", until: null, fix: null, limits, default: row.channel === "webchat", proof_level: 0, away_since: null, by_mail_after_seconds: null });
  out.push({ channel: "email", inbox_id: "ibx_0000000000002", inbox_name: "hello@roastery.example", contact_point_id: email?.id ?? null, address: email?.address ?? "", state: !email || email.health === "bounced" ? "blocked" : email.proof_level < 2 ? "warn" : "ok", reason: !email ? "no_contact_point" : email.health === "bounced" ? "bounced" : email.proof_level < 2 ? "unverified_contact_point" : null, until: null, fix: null, limits: { ...limits, text_max: null, attachment_bytes_max: 26_214_400, attachments_max: 20, types: ["*/*"] }, default: row.channel === "email", proof_level: email?.proof_level ?? 0, away_since: null, by_mail_after_seconds: null });
  if (row.channel === "whatsapp" || row.number === 4812) out.push({ channel: "whatsapp", inbox_id: "ibx_0000000000004", inbox_name: "WhatsApp Nordlicht", contact_point_id: phone?.id ?? null, address: phone?.address ?? "", state: "blocked", reason: "window_closed", until: null, fix: { action: "use_template", label_key: "fix.use_template" }, limits, default: false, proof_level: 1, away_since: null, by_mail_after_seconds: null });
  out.push({ channel: "sms", inbox_id: "ibx_0000000000003", inbox_name: "+49 341 555 0100", contact_point_id: phone?.id ?? null, address: phone?.address ?? "", state: phone ? "ok" : "blocked", reason: phone ? null : "no_contact_point", until: null, fix: null, limits: { ...limits, text_max: 1600, attachments_max: 0 }, default: row.channel === "sms", proof_level: phone?.proof_level ?? 0, away_since: null, by_mail_after_seconds: null });
  if (row.channel === "instagram") out.push({ channel: "instagram", inbox_id: "ibx_0000000000006", inbox_name: "@nordlicht", contact_point_id: null, address: "@customer", state: "warn", reason: "window_closing", until: iso(world.now() + 3 * HOUR), fix: null, limits, default: true, proof_level: 1, away_since: null, by_mail_after_seconds: null });
  if (!out.some((o) => o.default)) {
    const usable = out.find((o) => o.state !== "blocked");
    if (usable) usable.default = true;
  }
  return out;
}
