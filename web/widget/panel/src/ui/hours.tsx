import type { Text } from "../text/text";
import type { Hours as Published, Span } from "../wire";
import { Icon } from "./icons";

const SOON_DAYS = 21;

const utc = (locale: string, options: Intl.DateTimeFormatOptions, at: number) => new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" }).format(at);
/** 0 = Monday. */
const weekdayName = (locale: string, index: number) => utc(locale, { weekday: "long" }, Date.UTC(2024, 0, 1 + index));
/** Minutes of a day as a clock time; 24:00 is shown as the midnight it is. */
const clock = (locale: string, minutes: number) => utc(locale, { hour: "2-digit", minute: "2-digit" }, Date.UTC(2024, 0, 1, 0, minutes));
/** A calendar day, "2026-12-24". */
const date = (locale: string, on: string) => utc(locale, { weekday: "short", day: "numeric", month: "short" }, Date.parse(`${on}T00:00:00Z`));

export function Hours({ text, hours, openNow }: { text: Text; hours: Published; openNow: boolean }) {
  const spans = (list: Span[]) => (list.length ? list.map((span) => `${clock(text.locale, span.open)} – ${clock(text.locale, span.close)}`).join(", ") : text.t("closed"));
  // The day it is where the business is, not where the reader is.
  const there = new Intl.DateTimeFormat("en-CA", { timeZone: hours.time_zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date());
  const weekday = (new Date(`${there}T00:00:00Z`).getUTCDay() + 6) % 7;
  const until = new Date(Date.parse(`${there}T00:00:00Z`) + SOON_DAYS * 86_400_000).toISOString().slice(0, 10);
  const holidays = hours.holidays.filter((one) => one.on >= there && one.on <= until);
  const abroad = Intl.DateTimeFormat().resolvedOptions().timeZone !== hours.time_zone;
  return (
    <details class="card hours" open={!openNow}>
      <summary>
        <Icon name="clock" />
        <span>{text.t("hours")}</span>
        <span class={`chip ${openNow ? "ok" : ""}`}>{text.t(openNow ? "open_now" : "closed_now")}</span>
        <Icon name="chevron" small />
      </summary>
      <dl>
        {hours.week.map((day, index) => (
          <div key={index} class={index === weekday ? "now" : undefined}>
            <dt>{weekdayName(text.locale, index)}</dt>
            <dd>{spans(day)}</dd>
          </div>
        ))}
        {holidays.map((one) => (
          <div key={one.on} class="holiday">
            <dt>{text.t("holiday", { day: date(text.locale, one.on), name: one.name })}</dt>
            <dd>{spans(one.spans)}</dd>
          </div>
        ))}
      </dl>
      {abroad && <p class="zone">{text.t("zone", { zone: hours.time_zone.replace(/_/g, " ") })}</p>}
    </details>
  );
}
