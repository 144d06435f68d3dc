import type { Problem, ViewCount } from "@continuo/api-client";
import { en, type Text } from "./en";

/** The words of the interface. Filled before the first paint; a change of language loads the page again. */
export let t: Text = en;
let now = "en";

export const locales: { key: string; name: string }[] = [
  { key: "en", name: "English" },
  { key: "de", name: "Deutsch" },
  { key: "ar", name: "العربية (preview)" },
];
const rtl = new Set(["ar", "he", "fa", "ur"]);

export const locale = () => now;

/** The language of the last visit, else the browser's, as far as we have it. */
export function firstLocale(): string {
  const asked = new URLSearchParams(location.search).get("lang");
  const kept = asked ?? localStorage.getItem("continuo.locale");
  for (const l of [kept, ...navigator.languages]) {
    const short = l?.slice(0, 2).toLowerCase();
    if (short && locales.some((x) => x.key === short)) return short;
  }
  return "en";
}

export async function loadText(key: string): Promise<void> {
  if (key === "de") t = (await import("./de")).de;
  else if (key === "ar") t = (await import("./ar")).ar;
  else t = en;
  now = locales.some((l) => l.key === key) ? key : "en";
  const root = document.documentElement;
  root.lang = now;
  root.dir = new URLSearchParams(location.search).get("dir") === "rtl" || rtl.has(now) ? "rtl" : "ltr";
}

/** Called with the language on record; another one than shown is loaded with the whole page, so that no word is left behind. */
export async function setLocale(key: string): Promise<void> {
  if (new URLSearchParams(location.search).has("lang")) return;
  const short = key.slice(0, 2).toLowerCase();
  if (short === now || !locales.some((l) => l.key === short)) return;
  localStorage.setItem("continuo.locale", short);
  location.reload();
}

export function viewName(view: Pick<ViewCount, "key" | "name">): string {
  return (t.view as Record<string, string>)[view.key] ?? view.name ?? view.key;
}

/** What a refused or failed call means, in words. */
export function problemText(problem: Problem | null): string {
  if (!problem) return t.problemUnknown;
  const known = t.problem[problem.code];
  if (known) return known;
  return problem.status >= 500 ? (t.problem["internal"] ?? t.problemUnknown) : t.problemUnknown;
}

export type { Text };
