import { useEffect, useState } from "react";
import { locale } from "../text";

const cache = new Map<string, Intl.DateTimeFormat>();
function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify(options) + locale();
  let f = cache.get(key);
  if (!f) cache.set(key, (f = new Intl.DateTimeFormat(locale(), options)));
  return f;
}

export const clock = (at: string | number | Date) => format({ hour: "2-digit", minute: "2-digit", hour12: false }).format(new Date(at));
export const dateLong = (at: string | number | Date) => format({ weekday: "long", day: "numeric", month: "long" }).format(new Date(at));
export const dateShort = (at: string | number | Date) => format({ day: "numeric", month: "short" }).format(new Date(at));
export const dateYear = (at: string | number | Date) => format({ day: "numeric", month: "short", year: "numeric" }).format(new Date(at));
export const weekdayClock = (at: string | number | Date) => `${format({ weekday: "short" }).format(new Date(at))} ${clock(at)}`;
export const full = (at: string | number | Date) => format({ dateStyle: "full", timeStyle: "short" }).format(new Date(at));

export function dayKey(at: string | number | Date): string {
  const d = new Date(at);
  return `${d.getFullYear()}-${d.getMonth()}-${d.getDate()}`;
}

/** "Today", "Yesterday", "Monday, 16 November", with the year when it is another one. */
export function dayName(at: string, now = Date.now(), words: { today: string; yesterday: string }): string {
  if (dayKey(at) === dayKey(now)) return words.today;
  if (dayKey(at) === dayKey(now - 86_400_000)) return words.yesterday;
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? dateLong(at) : format({ weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(new Date(at));
}

/** Age in one short piece: "now", "7m", "3h", "2d", then the date. */
export function age(at: string, now = Date.now()): string {
  const min = Math.floor((now - Date.parse(at)) / 60_000);
  const unit = (n: number, u: "minute" | "hour" | "day") => new Intl.NumberFormat(locale(), { style: "unit", unit: u, unitDisplay: "narrow" }).format(n);
  if (min < 1) return unit(0, "minute");
  if (min < 60) return unit(min, "minute");
  if (min < 24 * 60) return unit(Math.floor(min / 60), "hour");
  if (min < 7 * 24 * 60) return unit(Math.floor(min / 1440), "day");
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? dateShort(at) : dateYear(at);
}

/** When a snooze or a sending is due: time only today, weekday this week, date later. */
export function when(at: string | number, now = Date.now()): string {
  const ms = new Date(at).getTime();
  if (dayKey(ms) === dayKey(now)) return clock(ms);
  if (Math.abs(ms - now) < 6 * 86_400_000) return weekdayClock(ms);
  return `${dateShort(ms)} ${clock(ms)}`;
}

export function duration(ms: number): string {
  const s = Math.round(ms / 1000);
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

export function bytes(n: number): string {
  const f = (v: number, unit: string) => new Intl.NumberFormat(locale(), { style: "unit", unit, maximumFractionDigits: v < 10 && unit !== "kilobyte" ? 1 : 0 }).format(v);
  if (n < 1024 * 1024) return f(Math.max(1, Math.round(n / 1024)), "kilobyte");
  if (n < 1024 ** 3) return f(n / 1024 ** 2, "megabyte");
  return f(n / 1024 ** 3, "gigabyte");
}

/** The time, renewed every `everyMs`. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
