import { expect, test } from "vitest";
import { balances, ignored, newSettings, part, serversOf, signInWay, verdict, type Check, type Folder, type Import, type MailForm } from "./mail-state";

const gmail = { preset: "gmail", imap: { host: "imap.gmail.com", port: 993, tls: "implicit" }, smtp: { host: "smtp.gmail.com", port: 465, tls: "implicit" }, sign_in: { method: "oauth", token_url: "https://t.example", client_id: "", device_url: null } };
const form: MailForm = { address: " help@acme.com ", fromName: "Acme", way: "password", clientId: " me ", ...serversOf(gmail) };

test("what was typed stands over what is known", () => {
  expect(newSettings(gmail, form)).toMatchObject({ preset: "gmail", address: "help@acme.com", from_name: "Acme", imap: { host: "imap.gmail.com" }, sign_in: { method: "password" } });
  expect(newSettings(gmail, { ...form, way: "oauth", fromName: " " })).toMatchObject({ sign_in: { method: "oauth", token_url: "https://t.example", client_id: "me" } });
  expect(newSettings(gmail, { ...form, fromName: " " })).not.toHaveProperty("from_name");
  expect(newSettings({}, { ...form, imap: { host: " mail.acme.com ", port: 143, tls: "starttls" } })["imap"]).toEqual({ host: "mail.acme.com", port: 143, tls: "starttls" });
  expect(serversOf({})).toEqual({ imap: { host: "", port: 993, tls: "implicit" }, smtp: { host: "", port: 465, tls: "implicit" } });
});

test("ways to sign in", () => {
  expect(signInWay(gmail)).toEqual({ way: "oauth", device: false });
  expect(signInWay({ sign_in: { method: "oauth", device_url: "https://d.example" } })).toEqual({ way: "oauth", device: true });
  expect(signInWay(null)).toEqual({ way: "password", device: false });
});

test("a check is as good as its worst step, and not before it has ended", () => {
  const of = (states: string[], ended = true): Check => ({ run: "r", started_at: "2026-01-01T00:00:00Z", ended_at: ended ? "2026-01-01T00:00:01Z" : null, steps: states.map((state, i) => ({ code: `s${i}`, state, text: "", at: null })) });
  expect(verdict(null)).toBe("none");
  expect(verdict(of(["ok", "failed"], false))).toBe("running");
  expect(verdict(of(["ok", "ok"]))).toBe("ok");
  expect(verdict(of(["ok", "warn"]))).toBe("warn");
  expect(verdict(of(["failed", "warn"]))).toBe("failed");
  expect(verdict(of([]))).toBe("failed");
});

test("the ledger is summed here once more", () => {
  const f: Folder = { id: "plf_0000000000001", name: "INBOX", role: "inbox", counted_at: null, on_server: 20, here: 10, quarantined: 2, ignored: { before_start: 5, same_mail: 1 }, waiting: 2, missing: 0, gone: 0, missing_items: [] };
  expect(ignored(f)).toBe(6);
  expect(balances(f)).toBe(true);
  expect(balances({ ...f, here: 9, missing: 1 })).toBe(false);
  expect(balances({ ...f, here: 9 })).toBe(false);
});

test("progress is known once the size is", () => {
  const i: Import = { state: "running", total: 0, done: 0, since: null, reason: null, started_at: "2026-01-01T00:00:00Z", ended_at: null };
  expect(part(i)).toBeNull();
  expect(part({ ...i, total: 40, done: 10 })).toBe(0.25);
  expect(part({ ...i, state: "done" })).toBe(1);
});
