import type { Text } from "../text/text";
import type { Hours as Published, Span } from "../wire";
import { Icon } from "./icons";

const SOON_DAYS = 21;

export function Hours({ text, hours, openNow }: { text: Text; hours: Published; openNow: boolean }) {
  const spans = (list: Span[]) => (list.length ? list.map((span) => `${text.clock(span.open)} – ${text.clock(span.close)}`).join(", ") : text.t("closed"));
  // The day it is where the business is, not where the reader is.
  const there = new Intl.DateTimeFormat("en-CA", { timeZone: hours.time_zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date());
  const weekday = (new Date(`${there}T00:00:00Z`).getUTCDay() + 6) % 7;
  const until = new Date(Date.parse(`${there}T00:00:00Z`) + SOON_DAYS * 86_400_000).toISOString().slice(0, 10);
  const holidays = hours.holidays.filter((one) => one.on >= there && one.on <= until);
  const abroad = Intl.DateTimeFormat().resolvedOptions().timeZone !== hours.time_zone;
  return (
    <details class="card hours">
      <summary>
        <Icon name="clock" />
        <span>{text.t("hours")}</span>
        <span class={`chip ${openNow ? "ok" : ""}`}>{text.t(openNow ? "open_now" : "closed_now")}</span>
        <Icon name="chevron" small />
      </summary>
      <dl>
        {hours.week.map((day, index) => (
          <div key={index} class={index === weekday ? "now" : undefined}>
            <dt>{text.weekday(index)}</dt>
            <dd>{spans(day)}</dd>
          </div>
        ))}
        {holidays.map((one) => (
          <div key={one.on} class="holiday">
            <dt>{text.t("holiday", { day: text.date(one.on), name: one.name })}</dt>
            <dd>{spans(one.spans)}</dd>
          </div>
        ))}
      </dl>
      {abroad && <p class="zone">{text.t("zone", { zone: hours.time_zone.replace(/_/g, " ") })}</p>}
    </details>
  );
}
