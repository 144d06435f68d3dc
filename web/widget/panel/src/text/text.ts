/** Texts, plurals, dates and sizes of one language. */
import type { Locale } from "../../../shared/locale";
import type { Catalogue, Key, Places, PlainKey, Plural, PluralKey } from "./catalogue";

/** Each language is its own file, fetched when it is needed. */
const load: Record<Locale, () => Promise<Catalogue>> = {
  en: () => import("./en").then((file) => file.en),
  de: () => import("./de").then((file) => file.de),
  es: () => import("./es").then((file) => file.es),
  fr: () => import("./fr").then((file) => file.fr),
  ar: () => import("./ar").then((file) => file.ar),
};

const fillIn = (text: string, places: Record<string, string | number>) => text.replace(/\{(\w+)\}/g, (all, name: string) => String(places[name] ?? all));

export class Text {
  private readonly rules: Intl.PluralRules;
  private readonly numbers: Intl.NumberFormat;
  constructor(
    readonly locale: Locale,
    private readonly catalogue: Catalogue,
  ) {
    this.rules = new Intl.PluralRules(locale);
    this.numbers = new Intl.NumberFormat(locale);
  }

  static async of(locale: Locale) {
    return new Text(locale, await load[locale]());
  }

  t<K extends PlainKey>(key: K, ...places: [keyof Places<K>] extends [never] ? [] : [Places<K>]): string {
    return fillIn(this.catalogue[key as Key] as string, places[0] ?? {});
  }

  /** The form for `n`; `{n}` in the text is the number in the language's digits. */
  n<K extends PluralKey>(key: K, n: number, ...places: [Exclude<keyof Places<K>, "n">] extends [never] ? [] : [Omit<Places<K>, "n">]): string {
    const forms = this.catalogue[key] as Plural;
    return fillIn(forms[this.rules.select(n)] ?? forms.other, { ...(places[0] as Record<string, string> | undefined), n: this.numbers.format(n) });
  }

  list(names: string[]): string {
    return new Intl.ListFormat(this.locale, { type: "conjunction" }).format(names);
  }

  time(at: string | Date): string {
    return new Intl.DateTimeFormat(this.locale, { hour: "2-digit", minute: "2-digit" }).format(new Date(at));
  }

  full(at: string | Date): string {
    return new Intl.DateTimeFormat(this.locale, { dateStyle: "full", timeStyle: "short" }).format(new Date(at));
  }

  /** The heading between two days. */
  day(at: string, now = new Date()): string {
    const days = daysFrom(now, new Date(at));
    if (days === 0) return this.t("today");
    if (days === -1) return this.t("yesterday");
    const year = new Date(at).getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
    return new Intl.DateTimeFormat(this.locale, { weekday: "long", day: "numeric", month: "long", ...year }).format(new Date(at));
  }

  /** "today 14:00", "Mon 09:00", "12 Jan 09:00": in the reader's own time zone. */
  when(at: string, now = new Date()): string {
    const then = new Date(at);
    const days = daysFrom(now, then);
    if (days === 0) return this.t("today_at", { time: this.time(at) });
    if (days === 1) return this.t("tomorrow_at", { time: this.time(at) });
    const day = days > 1 && days < 7 ? ({ weekday: "short" } as const) : ({ day: "numeric", month: "short" } as const);
    return `${new Intl.DateTimeFormat(this.locale, day).format(then)} ${this.time(at)}`;
  }

  minutes(ms: number): string {
    const minutes = Math.max(1, Math.round(ms / 60_000));
    const [value, unit] = minutes < 90 ? [minutes, "minute"] : [Math.round(minutes / 60), "hour"];
    return new Intl.NumberFormat(this.locale, { style: "unit", unit: unit as string, unitDisplay: "short" }).format(value as number);
  }

  soon(ms: number): string {
    const relative = new Intl.RelativeTimeFormat(this.locale);
    return ms < 90_000 ? relative.format(Math.max(1, Math.ceil(ms / 1000)), "second") : relative.format(Math.ceil(ms / 60_000), "minute");
  }

  bytes(bytes: number): string {
    const [value, unit] = bytes < 1_000_000 ? [Math.max(1, bytes / 1000), "kilobyte"] : [bytes / 1_000_000, "megabyte"];
    return new Intl.NumberFormat(this.locale, { style: "unit", unit: unit as string, maximumFractionDigits: unit === "megabyte" ? 1 : 0 }).format(value as number);
  }
}

function daysFrom(a: Date, b: Date): number {
  const day = (at: Date) => Date.UTC(at.getFullYear(), at.getMonth(), at.getDate());
  return Math.round((day(b) - day(a)) / 86_400_000);
}
