import { Plus, X } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { BusinessHours, Holiday, Hours, Span } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { qk, queryClient } from "../../app/query";
import { useMe } from "../../app/me";
import { when } from "../../app/time";
import { locale, t } from "../../text";
import { Button, IconButton } from "../../ui/button";
import { Field } from "../../ui/field";
import { Failed } from "../../ui/state";
import { hoursQuery } from "./channels";
import { Card, Page, Pill, useSave } from "./parts";

const refresh = () => void queryClient.invalidateQueries({ queryKey: qk.hours });
export const defaultWeek = (): Span[][] => [...Array.from({ length: 5 }, () => [{ open: 540, close: 1020 }]), [], []];

export function HoursPage() {
  const hours = useQuery(hoursQuery);
  const me = useMe();
  const create = useSave(() => need(api.POST("/api/v1/business_hours", { body: { name: t.st.hoursNew, hours: { time_zone: me.workspace.time_zone, week: defaultWeek(), holidays: [] } } })), refresh, null);
  return (
    <Page title={t.st.pages.hours} text={t.st.pageHints.hours} actions={<Button icon={<Plus size={16} aria-hidden />} busy={create.isPending} onClick={() => create.mutate(undefined)}>{t.st.addHours}</Button>}>
      {hours.isError && <Failed error={hours.error} onRetry={() => void hours.refetch()} />}
      {hours.data?.items.map((h) => <HoursCard key={h.id} item={h} />)}
      {hours.data?.items.length === 0 && <p className="text-14 text-ink3">{t.st.noHours}</p>}
    </Page>
  );
}

const zones = (): string[] => (typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : []);
const toText = (m: number) => `${String(Math.floor(m / 60) % 24).padStart(2, "0")}:${String(m % 60).padStart(2, "0")}`;
const toMinutes = (s: string) => { const [h, m] = s.split(":").map(Number); return (h ?? 0) * 60 + (m ?? 0); };
const dayNames = () => Array.from({ length: 7 }, (_, i) => new Intl.DateTimeFormat(locale(), { weekday: "long", timeZone: "UTC" }).format(new Date(Date.UTC(2024, 0, 1 + i))));

/** Days with any number of spans: split shifts and nights are fine (a close before the open ends on the next day). */
export function WeekEditor({ week, onChange }: { week: Span[][]; onChange: (week: Span[][]) => void }) {
  const names = dayNames();
  const set = (day: number, spans: Span[]) => onChange(week.map((d, i) => (i === day ? spans : d)));
  return (
    <div className="flex flex-col divide-y divide-line" role="group" aria-label={t.st.week}>
      {names.map((name, day) => {
        const spans = week[day] ?? [];
        return (
          <div key={name} className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1 py-1.5">
            <span className="w-28 text-14">{name}</span>
            <div className="flex flex-1 flex-wrap items-center gap-2">
              {spans.length === 0 && <span className="text-13 text-ink3">{t.st.closedDay}</span>}
              {spans.map((s, i) => (
                <span key={i} className="inline-flex items-center gap-1.5 text-13">
                  <input type="time" aria-label={t.st.opens(name)} className="field h-8 min-h-8 w-32 py-0 tnum" value={toText(s.open)} onChange={(e) => e.target.value && set(day, spans.map((x, j) => (j === i ? { ...x, open: toMinutes(e.target.value) } : x)))} />
                  <span aria-hidden>–</span>
                  <input type="time" aria-label={t.st.closes(name)} className="field h-8 min-h-8 w-32 py-0 tnum" value={toText(s.close)} onChange={(e) => e.target.value && set(day, spans.map((x, j) => (j === i ? { ...x, close: toMinutes(e.target.value) || 1440 } : x)))} />
                  <IconButton size="s" label={t.st.removeSpan(name)} onClick={() => set(day, spans.filter((_, j) => j !== i))}><X size={14} aria-hidden /></IconButton>
                </span>
              ))}
              <IconButton size="s" label={t.st.addSpan(name)} onClick={() => set(day, [...spans, spans.length ? { open: Math.min(1380, (spans.at(-1)?.close ?? 1020) + 60), close: Math.min(1440, (spans.at(-1)?.close ?? 1020) + 240) } : { open: 540, close: 1020 }])}><Plus size={14} aria-hidden /></IconButton>
            </div>
          </div>
        );
      })}
    </div>
  );
}

export function ZoneField({ value, onChange, label = t.st.timeZone }: { value: string; onChange: (zone: string) => void; label?: string }) {
  const all = zones();
  return (
    <Field label={label}>
      {(ids) => all.length > 0 ? (
        <select {...ids} className="field" value={value} onChange={(e) => onChange(e.target.value)}>
          {!all.includes(value) && <option value={value}>{value}</option>}
          {all.map((z) => <option key={z} value={z}>{z.replace(/_/g, " ")}</option>)}
        </select>
      ) : <input {...ids} className="field" value={value} onChange={(e) => onChange(e.target.value)} />}
    </Field>
  );
}

function HoursCard({ item }: { item: BusinessHours }) {
  const [name, setName] = useState(item.name);
  const [hours, setHours] = useState<Hours>(item.hours);
  const holidays = (hours.holidays ?? []).map((h) => ({ ...h, spans: h.spans ?? [] }));
  const dirty = name !== item.name || JSON.stringify(hours) !== JSON.stringify(item.hours);
  const save = useSave(() => need(api.PUT("/api/v1/business_hours/{id}", { params: { path: { id: item.id } }, body: { name, hours } })), refresh);
  const holiday = (i: number, part: Partial<Holiday>) => setHours({ ...hours, holidays: (hours.holidays ?? []).map((h, j) => (j === i ? { ...h, ...part } : h)) });
  return (
    <Card title={item.name} actions={<Pill tone={item.open_now ? "ok" : "quiet"}>{item.open_now ? t.st.openNow : item.next_open_at ? t.st.opensAt(when(item.next_open_at)) : t.st.closedNow}</Pill>}>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t.name}>{(ids) => <input {...ids} className="field" value={name} maxLength={60} onChange={(e) => setName(e.target.value)} />}</Field>
        <ZoneField value={hours.time_zone} onChange={(time_zone) => setHours({ ...hours, time_zone })} />
      </div>
      <WeekEditor week={hours.week} onChange={(week) => setHours({ ...hours, week })} />
      <div>
        <h3 className="mb-2 text-13 font-medium">{t.st.holidays}</h3>
        <ul className="flex flex-col gap-2">
          {holidays.map((h, i) => (
            <li key={i} className="flex flex-wrap items-center gap-2">
              <input type="date" aria-label={t.st.holidayDate} className="field w-40 tnum" value={h.on} onChange={(e) => holiday(i, { on: e.target.value })} />
              <input aria-label={t.name} className="field w-auto min-w-32 flex-1" value={h.name} onChange={(e) => holiday(i, { name: e.target.value })} />
              <label className="flex items-center gap-1.5 text-13"><input type="checkbox" className="size-4 accent-brand" checked={h.spans.length > 0} onChange={(e) => holiday(i, { spans: e.target.checked ? [{ open: 540, close: 720 }] : [] })} />{t.st.halfDay}</label>
              {h.spans[0] && <span className="inline-flex items-center gap-1"><input type="time" aria-label={t.st.opens(h.name)} className="field w-32 tnum" value={toText(h.spans[0].open)} onChange={(e) => holiday(i, { spans: [{ open: toMinutes(e.target.value), close: h.spans[0]?.close ?? 720 }] })} />–<input type="time" aria-label={t.st.closes(h.name)} className="field w-32 tnum" value={toText(h.spans[0].close)} onChange={(e) => holiday(i, { spans: [{ open: h.spans[0]?.open ?? 540, close: toMinutes(e.target.value) }] })} /></span>}
              <IconButton size="s" label={t.st.removeSpan(h.name)} onClick={() => setHours({ ...hours, holidays: (hours.holidays ?? []).filter((_, j) => j !== i) })}><X size={14} aria-hidden /></IconButton>
            </li>
          ))}
        </ul>
        <Button size="s" className="mt-2" icon={<Plus size={14} aria-hidden />} onClick={() => setHours({ ...hours, holidays: [...(hours.holidays ?? []), { on: new Date().toISOString().slice(0, 10), name: "", spans: [] }] })}>{t.st.addHoliday}</Button>
      </div>
      {dirty && <div className="flex justify-end gap-2 border-t border-line pt-4"><Button onClick={() => { setName(item.name); setHours(item.hours); }}>{t.st.discard}</Button><Button look="primary" busy={save.isPending} onClick={() => save.mutate(undefined)}>{t.save}</Button></div>}
    </Card>
  );
}
