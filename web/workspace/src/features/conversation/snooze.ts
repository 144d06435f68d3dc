/** Reads "2h", "30m", "3d", "tue 9", "tomorrow 14:30", "18:00", "9 dec 10" as a time after now; null when it says nothing. */
export function parseWhen(text: string, now: Date, weekdays: string[] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"], tomorrow = "tomorrow"): Date | null {
  const s = text.trim().toLowerCase();
  const span = /^(\d{1,3})\s*(m|min|h|d|w)$/.exec(s);
  if (span) {
    const n = Number(span[1]);
    const unit = { m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 }[span[2] ?? ""] ?? 0;
    return n > 0 ? new Date(now.getTime() + n * unit) : null;
  }
  const day = /^([\p{L}]+)?\.?\s*(?:(\d{1,2})(?::(\d{2}))?)?$/u.exec(s);
  if (!day || (!day[1] && !day[2])) return null;
  const hour = day[2] === undefined ? 9 : Number(day[2]);
  const minute = day[3] === undefined ? 0 : Number(day[3]);
  if (hour > 23 || minute > 59) return null;
  const at = new Date(now);
  at.setHours(hour, minute, 0, 0);
  if (!day[1]) {
    if (at <= now) at.setDate(at.getDate() + 1);
    return at;
  }
  const word = day[1];
  if (word.length >= 3 && tomorrow.startsWith(word)) {
    at.setDate(at.getDate() + 1);
    return at;
  }
  const wanted = weekdays.findIndex((w) => word.length >= 2 && (w.startsWith(word) || word.startsWith(w)));
  if (wanted < 0) return null;
  let ahead = (wanted - now.getDay() + 7) % 7;
  if (ahead === 0 && at <= now) ahead = 7;
  at.setDate(at.getDate() + ahead);
  return at;
}

export interface WhenChoice { key: "hours2" | "evening" | "tomorrow" | "monday" | "week"; at: Date }
/** The usual choices; those that have passed or say the same are left out. */
export function whenChoices(now: Date): WhenChoice[] {
  const at = (days: number, hour: number) => {
    const d = new Date(now);
    d.setDate(d.getDate() + days);
    d.setHours(hour, 0, 0, 0);
    return d;
  };
  const toMonday = ((8 - now.getDay()) % 7) || 7;
  const all: WhenChoice[] = [{ key: "hours2", at: new Date(now.getTime() + 2 * 3_600_000) }, { key: "evening", at: at(0, 18) }, { key: "tomorrow", at: at(1, 9) }, { key: "monday", at: at(toMonday, 9) }, { key: "week", at: at(7, 9) }];
  return all.filter((c, i) => c.at.getTime() > now.getTime() + (c.key === "evening" ? 2.5 * 3_600_000 : 0) && !all.slice(0, i).some((o) => o.at.getTime() === c.at.getTime()));
}
