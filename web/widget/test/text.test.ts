import { describe, expect, it } from "vitest";
import { ar } from "../panel/src/text/ar";
import type { Catalogue, Key } from "../panel/src/text/catalogue";
import { de } from "../panel/src/text/de";
import { en } from "../panel/src/text/en";
import { es } from "../panel/src/text/es";
import { fr } from "../panel/src/text/fr";
import { Text } from "../panel/src/text/text";
import { dir, pick } from "../shared/locale";

const catalogues: Record<string, Catalogue> = { en, de, es, fr, ar };
const places = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))].sort();
const keys = Object.keys(en) as Key[];

describe.each(Object.entries(catalogues))("%s", (locale, catalogue) => {
  it("has every key and no other", () => {
    expect(Object.keys(catalogue).sort()).toEqual([...keys].sort());
  });
  it.each(keys)("%s has the places of the English text and is not empty", (key) => {
    const source = en[key];
    const text = catalogue[key];
    expect(typeof text).toBe(typeof source);
    if (typeof text === "string") {
      expect(text.trim()).not.toBe("");
      expect(places(text)).toEqual(places(source as string));
    } else {
      expect(places(text.other)).toEqual(places((source as { other: string }).other));
      for (const form of Object.values(text)) for (const place of places(form)) expect(places(text.other)).toContain(place);
    }
  });
  it("has a form for every number it can meet", () => {
    const used = new Set(new Intl.PluralRules(locale).resolvedOptions().pluralCategories);
    used.delete("many"); // in Spanish and French only of millions; Arabic is checked by its type and below
    for (const key of keys) {
      const text = catalogue[key];
      if (typeof text !== "string") for (const rule of used) expect(text[rule], `${key}.${rule}`).toBeTruthy();
    }
  });
  it("is another language, not the English text again", () => {
    if (locale === "en") return;
    const same = keys.filter((key) => JSON.stringify(catalogue[key]) === JSON.stringify(en[key]));
    // Words that are spelled alike.
    expect(same.filter((key) => !["chat", "assistant", "audio", "emoji", "team", "holiday", "optional", "message", "conversation", "start_new_yes"].includes(key))).toEqual([]);
  });
});

describe("plurals", () => {
  it("come out right in Arabic", async () => {
    const text = await Text.of("ar");
    expect([0, 1, 2, 3, 10, 11, 99, 100, 102].map((n) => text.n("new_messages", n))).toEqual([
      "لا رسائل جديدة",
      "رسالة جديدة واحدة",
      "رسالتان جديدتان",
      expect.stringMatching(/^\S+ رسائل جديدة$/),
      expect.stringMatching(/^\S+ رسائل جديدة$/),
      expect.stringMatching(/^\S+ رسالة جديدة$/),
      expect.stringMatching(/^\S+ رسالة جديدة$/),
      expect.stringMatching(/^\S+ رسالة جديدة$/),
      expect.stringMatching(/^\S+ رسالة جديدة$/),
    ]);
    expect(text.n("new_messages", 3)).toContain(new Intl.NumberFormat("ar").format(3));
  });
  it("come out right in English, German, French and Spanish", async () => {
    expect((await Text.of("en")).n("new_messages", 1)).toBe("1 new message");
    expect((await Text.of("en")).n("new_messages", 1234)).toBe("1,234 new messages");
    expect((await Text.of("de")).n("new_messages", 2)).toBe("2 neue Nachrichten");
    expect((await Text.of("fr")).n("new_messages", 0)).toBe("0 nouveau message");
    expect((await Text.of("es")).n("new_messages", 2)).toBe("2 mensajes nuevos");
  });
});

describe("dates", () => {
  const now = new Date(2026, 10, 22, 12);
  it("says when somebody is back", async () => {
    const text = await Text.of("de");
    expect(text.when(new Date(2026, 10, 22, 14).toISOString(), now)).toBe("heute 14:00");
    expect(text.when(new Date(2026, 10, 23, 9).toISOString(), now)).toBe("morgen 09:00");
    expect(text.when(new Date(2026, 10, 25, 9).toISOString(), now)).toBe("Mi 09:00");
    expect(text.when(new Date(2026, 11, 6, 9).toISOString(), now)).toBe("6. Dez. 09:00");
  });
  it("names the days of the log", async () => {
    const text = await Text.of("en");
    expect(text.day(new Date(2026, 10, 22, 1).toISOString(), now)).toBe("Today");
    expect(text.day(new Date(2026, 10, 21, 23).toISOString(), now)).toBe("Yesterday");
    expect(text.day(new Date(2025, 10, 21).toISOString(), now)).toContain("2025");
  });
});

describe("locale", () => {
  it("takes the first wish that we speak", () => {
    expect(pick("auto", "pt-BR", "fr-CH")).toBe("fr");
    expect(pick(null, undefined, "")).toBe("en");
    expect(pick("AR-eg")).toBe("ar");
    expect(pick("arn")).toBe("en");
    expect([dir("ar"), dir("de")]).toEqual(["rtl", "ltr"]);
  });
});
