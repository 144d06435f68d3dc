export type Locale = "en" | "de" | "es" | "fr" | "ar";
const known = /^(en|de|es|fr|ar)\b/i;

/** The first wish that we speak, else English. */
export function pick(...wishes: (string | null | undefined)[]): Locale {
  for (const wish of wishes) {
    const match = known.exec(wish ?? "");
    if (match) return (match[1] as string).toLowerCase() as Locale;
  }
  return "en";
}

export const dir = (locale: Locale) => (locale === "ar" ? "rtl" : "ltr");
