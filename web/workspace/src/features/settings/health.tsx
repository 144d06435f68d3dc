import { CircleCheck, TriangleAlert } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, need } from "../../app/api";
import { connection } from "../../app/live";
import { qk, queryClient } from "../../app/query";
import { useMe } from "../../app/me";
import { useStore } from "../../app/store";
import { bytes, duration } from "../../app/time";
import { t } from "../../text";
import { Button } from "../../ui/button";
import { TextField } from "../../ui/field";
import { Failed } from "../../ui/state";
import { ColourField } from "./channels";
import { ZoneField } from "./hours";
import { Card, Page, useSave } from "./parts";

export function HealthPage() {
  const health = useQuery({ queryKey: ["health"], queryFn: () => need(api.GET("/api/v1/health")), refetchInterval: 10_000, staleTime: 0 });
  const live = useStore(connection);
  const h = health.data;
  const rows: { name: string; value: string; good: boolean; to?: string }[] = h ? [
    { name: t.st.hLive, value: live.state === "live" ? t.st.connected : t.st.notConnected, good: live.state === "live" },
    { name: t.st.hDatabase, value: h.database === "sqlite" ? "SQLite" : "PostgreSQL", good: true },
    { name: t.st.hQueue, value: h.oldest_ready_job_ms == null ? t.st.empty : t.st.waits(duration(h.oldest_ready_job_ms)), good: (h.oldest_ready_job_ms ?? 0) < 60_000 },
    { name: t.st.hSearch, value: h.search_lag === 0 ? t.st.upToDate : t.st.behind(h.search_lag), good: h.search_lag < 1_000 },
    { name: t.st.hGivenUp, value: String(h.given_up_jobs), good: h.given_up_jobs === 0, to: "quarantine" },
    { name: t.st.hQuarantine, value: String(h.quarantined), good: h.quarantined === 0, to: "quarantine" },
    { name: t.st.hDisk, value: h.disk_free_bytes == null ? "–" : bytes(h.disk_free_bytes), good: h.disk_free_bytes == null || h.disk_free_bytes > 1024 ** 3 },
    { name: t.st.hVersion, value: h.version, good: true },
  ] : [];
  return (
    <Page title={t.st.pages.health} text={t.st.pageHints.health}>
      <Card title={t.st.now} flush>
        {health.isError && <Failed compact error={health.error} onRetry={() => void health.refetch()} />}
        <dl className="divide-y divide-line">
          {rows.map((r) => (
            <div key={r.name} className="flex min-h-11 items-center gap-3 px-5 py-2">
              <dt className="flex flex-1 items-center gap-3 text-14">{r.good ? <CircleCheck size={16} className="shrink-0 text-ok" aria-label={t.st.good} /> : <TriangleAlert size={16} className="shrink-0 text-warn" aria-label={t.st.look} />}{r.name}</dt>
              <dd className="tnum text-14 text-ink2">{r.to ? <Link to="/settings/$page" params={{ page: r.to }} className="text-brand hover:underline">{r.value}</Link> : r.value}</dd>
            </div>
          ))}
        </dl>
      </Card>
      <Business />
    </Page>
  );
}

function Business() {
  const me = useMe();
  const [name, setName] = useState(me.workspace.name);
  const [colour, setColour] = useState(me.workspace.colour);
  const [zone, setZone] = useState(me.workspace.time_zone);
  const save = useSave(() => need(api.PATCH("/api/v1/workspace", { body: { name: name.trim(), colour, time_zone: zone } })), () => void queryClient.invalidateQueries({ queryKey: qk.me }));
  const dirty = name !== me.workspace.name || colour !== me.workspace.colour || zone !== me.workspace.time_zone;
  return (
    <Card title={t.st.business} text={t.st.businessText}>
      <TextField label={t.st.businessName} value={name} maxLength={80} onChange={(e) => setName(e.target.value)} />
      <div className="grid gap-4 sm:grid-cols-2"><ColourField label={t.st.colour} value={colour} onChange={setColour} /><ZoneField value={zone} onChange={setZone} /></div>
      <div className="flex justify-end"><Button look="primary" disabled={!dirty || !name.trim()} busy={save.isPending} onClick={() => save.mutate(undefined)}>{t.save}</Button></div>
    </Card>
  );
}
