/** The shapes of docs/API-DESIGN.md, section Widget, and the calls that are not part of the live connection. */

export interface Span {
  open: number;
  close: number;
}
export interface Hours {
  time_zone: string;
  week: Span[][];
  holidays: { on: string; name: string; spans: Span[] }[];
}
export interface PreChatField {
  key: string;
  label: string;
  kind: "text" | "email" | "select";
  required: boolean;
  options?: string[];
}
export interface WidgetConfig {
  site: string;
  title: string;
  business: string;
  greeting: string;
  colour: string;
  corner: "start" | "end";
  radius: number;
  theme: "auto" | "light" | "dark";
  locale: string;
  online: boolean;
  open_now: boolean;
  next_open_at: string | null;
  hours: Hours | null;
  expected_wait_ms: number | null;
  agents: { name: string }[];
  away_text: string;
  pre_chat: { enabled: boolean; fields: PreChatField[] };
  ask_email_when_away: boolean;
  consent_text: string | null;
  attachments: { enabled: boolean; bytes_max: number; count_max: number; types: string[] };
  identity_required: boolean;
  text_max: number;
}
export type Availability = Pick<WidgetConfig, "online" | "open_now" | "next_open_at" | "expected_wait_ms" | "agents">;

export interface WidgetFile {
  id: string;
  name: string;
  mime: string;
  bytes: number;
  url: string;
}
export interface WidgetItem {
  id: string;
  seq: number;
  from: "me" | "agent" | "bot" | "system";
  name: string | null;
  channel: string;
  text: string;
  files: WidgetFile[];
  at: string;
  client_msg_id: string | null;
  state: "sent" | "read" | null;
  event: { code: string; args: Record<string, unknown> } | null;
  removed: boolean;
}
export interface Begin {
  visitor_token?: string;
  jwt?: string;
  identify_id?: string;
  identify_hash?: string;
  claimed?: Record<string, string>;
  page?: { url: string; title: string; referrer: string };
  locale: string;
  host_origin: string;
  new?: boolean;
}
export interface Begun {
  visitor_token: string;
  visitor_id: string;
  verified: { level: 2 | 3; name?: string } | null;
  conversation: { id: string; seq: number; status: string; agent_name: string | null } | null;
  items: WidgetItem[];
  before: string | null;
  unread: number;
  config: WidgetConfig;
}

/** A message of the visitor as it waits in the queue. */
export interface Outgoing {
  client_msg_id: string;
  text: string;
  file_ids?: string[];
  form?: Record<string, string>;
  page?: { url: string; title: string };
}
export type ClientFrame =
  | { kind: "hello"; token: string; conversation: string | null; since_seq: number }
  | ({ kind: "message" } & Outgoing)
  | { kind: "typing"; on: boolean }
  | { kind: "read"; up_to_seq: number }
  | { kind: "delivered"; up_to_seq: number }
  | { kind: "claim"; values: Record<string, string> }
  | { kind: "email"; address: string; may_mail: boolean }
  | { kind: "page"; url: string; title: string }
  | { kind: "ping" };
export type ServerFrame =
  | { kind: "welcome"; conversation: string | null; seq: number; server_time: string; online: boolean }
  | { kind: "ack"; client_msg_id: string }
  | { kind: "refused"; client_msg_id: string | null; code: string; args?: Record<string, unknown>; retry_after?: number }
  | { kind: "frame"; conversation: string; prev: number; upto: number; items: WidgetItem[] }
  | { kind: "typing"; name: string | null; on: boolean }
  | ({ kind: "availability" } & Availability)
  | { kind: "conversation"; id: string; seq: number }
  | { kind: "resync" }
  | { kind: "pong" }
  | { kind: "bye"; code: string };

/** A problem document, or `network` when no answer came. */
export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly status = 0,
    readonly retryAfter: number | null = null,
    readonly args: Record<string, unknown> = {},
  ) {
    super(code);
  }
  /** Trying again later may help. */
  get passing(): boolean {
    return this.code === "network" || this.code === "rate_limited" || this.status >= 500;
  }
}

export function problem(status: number, body: string, header: string | null): Problem {
  let said: { code?: string; retry_after?: number; args?: Record<string, unknown> } = {};
  try {
    said = JSON.parse(body);
  } catch {
    /* a proxy's page */
  }
  const after = said.retry_after ?? (header && /^\d+$/.test(header) ? Number(header) : null);
  return new Problem(said.code ?? (status === 429 ? "rate_limited" : status === 413 ? "too_large" : "internal"), status, after, said.args);
}

export async function call<T>(url: string, init: RequestInit, token?: string): Promise<T> {
  const headers: Record<string, string> = {};
  if (init.body) headers["Content-Type"] = "application/json";
  if (token) headers["Authorization"] = `Visitor ${token}`;
  let answer: Response;
  try {
    answer = await fetch(url, { ...init, headers, credentials: "omit" });
  } catch {
    throw new Problem("network");
  }
  const body = await answer.text().catch(() => "");
  if (!answer.ok) throw problem(answer.status, body, answer.headers.get("Retry-After"));
  try {
    return JSON.parse(body) as T;
  } catch {
    throw new Problem("network", answer.status);
  }
}
