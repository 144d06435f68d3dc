import type { Schemas } from "@continuo/api-client";

export type Discovered = Schemas["MailDiscovered"];
export type Preset = Schemas["MailPreset"];
export type Check = Schemas["MailCheck"];
export type Folder = Schemas["LedgerFolder"];
export type Import = Schemas["MailImport"];
export type Tls = "implicit" | "starttls" | "none";
export interface Server { host: string; port: number; tls: Tls }
export type SignInWay = "oauth" | "password";

/** What an admin typed beside what was found. */
export interface MailForm {
  address: string;
  fromName: string;
  way: SignInWay;
  clientId: string;
  imap: Server;
  smtp: Server;
}

const server = (v: unknown, port: number): Server => {
  const o = (v && typeof v === "object" ? v : {}) as Partial<Server>;
  return { host: typeof o.host === "string" ? o.host : "", port: typeof o.port === "number" ? o.port : port, tls: o.tls === "starttls" || o.tls === "none" ? o.tls : "implicit" };
};

/** The servers that a merge patch names. */
export const serversOf = (settings: Record<string, unknown>): { imap: Server; smtp: Server } => ({ imap: server(settings["imap"], 993), smtp: server(settings["smtp"], 465) });

/** Settings of a new mail inbox: what is known of the provider, and over it what was typed. No secret is among them. */
export function newSettings(known: Record<string, unknown>, form: MailForm): Record<string, unknown> {
  const signIn = known["sign_in"] && typeof known["sign_in"] === "object" ? (known["sign_in"] as Record<string, unknown>) : {};
  const over = (name: "imap" | "smtp") => ({ ...(known[name] && typeof known[name] === "object" ? (known[name] as object) : {}), ...form[name], host: form[name].host.trim() });
  return {
    ...known,
    address: form.address.trim(),
    ...(form.fromName.trim() ? { from_name: form.fromName.trim() } : {}),
    imap: over("imap"),
    smtp: over("smtp"),
    sign_in: form.way === "password" ? { method: "password" } : { ...signIn, method: "oauth", client_id: form.clientId.trim() },
  };
}

export function signInWay(email: Record<string, unknown> | null | undefined): { way: SignInWay; device: boolean } {
  const s = (email?.["sign_in"] ?? {}) as { method?: string; device_url?: string | null };
  return { way: s.method === "oauth" ? "oauth" : "password", device: s.method === "oauth" && typeof s.device_url === "string" && s.device_url !== "" };
}

export type Verdict = "none" | "running" | "ok" | "warn" | "failed";
/** What a check says as a whole: the worst of its steps, once it has ended. */
export function verdict(check: Check | null | undefined): Verdict {
  if (!check) return "none";
  if (!check.ended_at) return "running";
  if (check.steps.length === 0 || check.steps.some((s) => s.state === "failed")) return "failed";
  return check.steps.some((s) => s.state === "warn") ? "warn" : "ok";
}

export const ignored = (f: Folder): number => Object.values(f.ignored as Record<string, number>).reduce((a, b) => a + b, 0);
/** The equation of the ledger, by our own sum: never shown as balanced because somebody said so. */
export const balances = (f: Folder): boolean => f.missing === 0 && f.on_server === f.here + f.quarantined + ignored(f) + f.waiting;

/** Part done of an import, 0 to 1; null while its size is not known. */
export const part = (i: Import): number | null => (i.state === "done" ? 1 : i.total > 0 ? Math.min(1, i.done / i.total) : null);
