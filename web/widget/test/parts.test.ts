import { describe, expect, it } from "vitest";
import { allowed, check } from "../panel/src/files";
import { emailLooksRight, identityOf, texts } from "../panel/src/identity";
import { pieces } from "../panel/src/linkify";
import { merge } from "../panel/src/log";
import { brand, contrast } from "../panel/src/theme";
import type { WidgetItem } from "../panel/src/wire";
import { lines } from "../panel/src/ui/lines";
import { fill, parse, type Rgb } from "../shared/colour";
import { dice } from "./model";

const rgb = (text: string): Rgb => (text.match(/[\d.]+/g) ?? []).map(Number);

describe("colour", () => {
  const random = dice(99);
  const any = Array.from({ length: 400 }, () => `#${Math.floor(random() * 0xffffff).toString(16).padStart(6, "0")}`);
  it("always reads, whatever the business chose", () => {
    for (const colour of ["#ffffff", "#000000", "#ffd23f", "#777777", "#0b6b74", ...any]) {
      const { fill: ground, on } = fill(colour);
      expect(contrast(ground, on), colour).toBeGreaterThanOrEqual(4.5);
      for (const dark of [false, true]) {
        const vars = brand(colour, dark);
        for (const ground of ["--accent-tint", "--well"]) expect(contrast(rgb(vars["--accent"] ?? ""), rgb(vars[ground] ?? "")), `${colour} ${dark} ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
    }
  });
  it("leaves a colour alone that is good already", () => {
    expect(fill("#0b6b74")).toEqual({ fill: parse("#0b6b74"), on: [255, 255, 255] });
    expect(fill("#ffd23f")).toEqual({ fill: parse("#ffd23f"), on: [22, 32, 43] });
  });
  it("takes its own for nonsense", () => {
    expect(parse("red;}")).toEqual(parse("#0b6b74"));
  });
});

describe("links in text", () => {
  const hrefs = (text: string) => pieces(text).flatMap((piece) => (piece.href ? [piece.href] : []));
  it("finds addresses and leaves the rest", () => {
    expect(pieces("See https://a.example/b?c=1#d, or write to ada@ex.com.")).toEqual([
      { text: "See ", href: null },
      { text: "https://a.example/b?c=1#d", href: "https://a.example/b?c=1#d" },
      { text: ", or write to ", href: null },
      { text: "ada@ex.com", href: "mailto:ada@ex.com" },
      { text: ".", href: null },
    ]);
  });
  it("keeps brackets that belong to it", () => {
    expect(hrefs("(https://a.example/x_(y))")).toEqual(["https://a.example/x_(y)"]);
    expect(hrefs("www.a.example!")).toEqual(["https://www.a.example"]);
  });
  it("follows nothing but the web and mail", () => {
    expect(hrefs("javascript:alert(1) data:text/html,x file:///etc vbscript:x")).toEqual([]);
    expect(hrefs('<a href="javascript:x">https://a.example/"><script>')).toEqual(["https://a.example/"]);
  });
  it("loses no character", () => {
    const text = "a https://x.example, b@c.de\n<b>www.y.example</b> ؟ https://عربي.example/؟";
    expect(pieces(text).map((piece) => piece.text).join("")).toBe(text);
  });
});

describe("files", () => {
  const limits = { enabled: true, bytes_max: 1000, count_max: 2, types: ["image/*", "application/pdf", ".csv"] };
  it("refuses with the reason", () => {
    expect(check(limits, { name: "a.png", size: 10, type: "image/png" }, 0)).toBeNull();
    expect(check(limits, { name: "a.csv", size: 10, type: "" }, 0)).toBeNull();
    expect(check(limits, { name: "a.png", size: 1001, type: "image/png" }, 0)).toBe("file_too_large");
    expect(check(limits, { name: "a.exe", size: 10, type: "" }, 0)).toBe("file_type");
    expect(check(limits, { name: "a.png", size: 0, type: "image/png" }, 0)).toBe("file_empty");
    expect(check(limits, { name: "a.png", size: 10, type: "image/png" }, 2)).toBe("file_count");
  });
  it("allows anything when nothing is listed", () => {
    expect(allowed([], "a.xyz", "")).toBe(true);
    expect(allowed(["imagex/png"], "a.png", "image/png")).toBe(false);
  });
});

describe("identity", () => {
  it("is signed by a token, or by id and hash together, and otherwise a claim", () => {
    expect(identityOf({ jwt: "a.b.c", plan: "pro" })).toEqual({ jwt: "a.b.c", claimed: { plan: "pro" } });
    expect(identityOf({ id: 7, hash: "ff", name: "Ada" })).toEqual({ id: "7", hash: "ff", claimed: { name: "Ada" } });
    expect(identityOf({ id: "7", name: "Ada" })).toEqual({ claimed: { id: "7", name: "Ada" } });
    expect(identityOf(null)).toBeNull();
  });
  it("takes plain values only", () => {
    expect(texts({ a: 1, b: true, c: { d: 1 }, e: null, f: ["x"] })).toEqual({ a: "1", b: "true" });
  });
  it("knows an address when it sees one", () => {
    expect(["ada@ex.com", " a.b+c@d.co.uk "].every(emailLooksRight)).toBe(true);
    expect(["ada", "ada@ex", "a b@c.de", "@c.de", "a@.de", "a@b..de"].some(emailLooksRight)).toBe(false);
  });
});

const item = (id: string, seq: number, more: Partial<WidgetItem> = {}): WidgetItem => ({
  id,
  seq,
  from: "agent",
  name: "Lea",
  channel: "webchat",
  text: id,
  files: [],
  at: `2026-11-22T10:00:${String(seq % 60).padStart(2, "0")}.000Z`,
  client_msg_id: null,
  state: null,
  event: null,
  removed: false,
  ...more,
});

describe("log", () => {
  it("keeps one per id, the newer one, sorted by time and id", () => {
    const at = "2026-11-22T10:00:00.000Z";
    const log = merge([item("b", 2, { at }), item("a", 1, { at })], [item("a", 5, { at, state: "read" }), item("b", 1, { at, text: "old" }), item("c", 3, { at: "2026-11-22T09:00:00.000Z" })]);
    expect(log.map((one) => [one.id, one.seq])).toEqual([
      ["c", 3],
      ["a", 5],
      ["b", 2],
    ]);
  });
  it("groups one author's lines and puts days between", () => {
    const log = [item("a", 1), item("b", 2), item("c", 3, { from: "me", name: null }), item("d", 4, { at: "2026-11-24T10:00:00.000Z" })];
    const got = lines(log, []).map((line) => (line.kind === "item" ? `${line.item.id}${line.first ? " first" : ""}${line.last ? " last" : ""}` : line.kind));
    expect(got).toEqual(["day", "a first", "b last", "c first last", "day", "d first last"]);
  });
  it("does not show events without words", () => {
    const event = (code: string, args = {}) => item(code, 1, { from: "system", text: "", event: { code, args } });
    expect(lines([event("tagged"), event("status_changed", { to: "open" })], [])).toEqual([]);
    expect(lines([event("status_changed", { to: "resolved" })], []).map((line) => line.kind)).toEqual(["day", "item"]);
  });
});
