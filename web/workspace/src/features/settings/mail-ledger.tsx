import { CircleCheck, RefreshCw, TriangleAlert } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { Problem, type Schemas } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { queryClient } from "../../app/query";
import { age, bytes, when } from "../../app/time";
import { t } from "../../text";
import { Button } from "../../ui/button";
import { cx } from "../../ui/cx";
import { balances, ignored, part, type Folder, type Import } from "./mail-state";
import { Card, Pill, useSave } from "./parts";

type Ledger = Schemas["MailLedger"];
const key = (id: string) => ["mail_ledger", id] as const;

/** Null while an inbox fetches nothing and so has no ledger. Looked at again while the page is open. */
export const ledgerQuery = (id: string) => ({
  queryKey: key(id),
  queryFn: (): Promise<Ledger | null> => need(api.GET("/api/v1/inboxes/{id}/ledger", { params: { path: { id } } })).catch((e: unknown) => { if (e instanceof Problem && e.status === 404) return null; throw e; }),
  staleTime: 0,
  refetchInterval: 5_000,
});

/** Whether everything that lies at the server is here: folder by folder, with the sum. */
export function LedgerCard({ id, ledger }: { id: string; ledger: Ledger }) {
  const path = { params: { path: { id } } };
  const again = () => void queryClient.invalidateQueries({ queryKey: key(id) });
  const count = useSave(() => need(api.POST("/api/v1/inboxes/{id}/ledger/count", path)), again, t.ml.counting);
  const refetch = useSave(() => need(api.POST("/api/v1/inboxes/{id}/refetch", path)), again, t.ml.refetching);
  const missing = ledger.folders.reduce((sum, f) => sum + f.missing, 0);
  const good = ledger.balanced && ledger.folders.every(balances);
  const counted = ledger.counted_at !== null;
  const gone = ledger.folders.reduce((sum, f) => sum + f.gone, 0);
  return (
    <Card title={t.ml.ledger} text={t.ml.ledgerText} actions={<Button size="s" icon={<RefreshCw size={14} aria-hidden />} busy={count.isPending} onClick={() => count.mutate(undefined)}>{t.ml.countNow}</Button>} flush>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-5 py-3.5">
        {!counted ? <p className="text-14 text-ink3">{t.ml.neverCounted}</p> : good ? (
          <p className="flex items-center gap-2 text-15 font-medium text-ok"><CircleCheck size={18} aria-hidden />{t.ml.balanced}</p>
        ) : (
          <div role="alert" className="flex w-full flex-wrap items-center gap-3 rounded-control bg-danger-tint px-3 py-2.5 text-danger">
            <TriangleAlert size={18} className="shrink-0" aria-hidden />
            <div className="min-w-0 flex-1 basis-60"><p className="text-15 font-semibold">{t.ml.missing(missing)}</p><p className="text-13">{t.ml.missingHint}</p></div>
            <Button look="danger" busy={refetch.isPending} onClick={() => refetch.mutate(undefined)}>{t.ml.refetch}</Button>
          </div>
        )}
        <p className="tnum text-12 text-ink3">{[ledger.counted_at ? t.ml.counted(age(ledger.counted_at)) : null, ledger.alive_at ? t.ml.alive(age(ledger.alive_at)) : null, ledger.push ? t.ml.push : t.ml.noPush].filter(Boolean).join(" · ")}</p>
      </div>
      {ledger.folders.length > 0 && (
        <div className="overflow-x-auto border-t border-line max-sm:hidden" tabIndex={0} role="region" aria-label={t.ml.folders}>
          <table className="tnum w-full min-w-[40rem] text-13">
            <thead>
              <tr className="text-12 text-ink3">
                <th scope="col" className="py-2 pe-3 ps-5 text-start font-medium">{t.ml.folder}</th>
                {[t.ml.onServer, t.ml.here, t.ml.quarantined, t.ml.ignored, t.ml.waits, t.ml.isMissing].map((w) => <th key={w} scope="col" className="px-3 py-2 text-end font-medium last:pe-5">{w}</th>)}
              </tr>
            </thead>
            <tbody className="divide-y divide-line border-t border-line">
              {ledger.folders.map((f) => <FolderRow key={f.id} folder={f} />)}
            </tbody>
          </table>
        </div>
      )}
      <ul className="divide-y divide-line border-t border-line sm:hidden" aria-label={t.ml.folders}>{ledger.folders.map((f) => <FolderLines key={f.id} folder={f} />)}</ul>
      {gone > 0 && <p className="border-t border-line px-5 py-2.5 text-12 text-ink3">{t.ml.gone(gone)}</p>}
      {missing > 0 && (
        <details className="border-t border-line px-5 py-2.5 text-13">
          <summary className="cursor-pointer text-ink2">{t.ml.missingList}</summary>
          <ul className="tnum mt-2 flex flex-col gap-1 text-12 text-ink2">{ledger.folders.flatMap((f) => f.missing_items.map((m) => <li key={m.key} className="flex flex-wrap gap-x-3"><code className="font-mono">{m.key}</code><span>{bytes(m.bytes)}</span>{m.at && <span>{when(m.at)}</span>}</li>))}</ul>
        </details>
      )}
    </Card>
  );
}

function FolderRow({ folder: f }: { folder: Folder }) {
  const bad = !balances(f);
  const rules = Object.entries(f.ignored as Record<string, number>).filter(([, n]) => n > 0);
  return (
    <tr className={cx("align-top", bad && "bg-danger-tint")}>
      <th scope="row" className="py-2.5 pe-3 ps-5 text-start font-medium"><span className="break-words">{f.name}</span>{t.ml.role[f.role] && t.ml.role[f.role] !== f.name && <span className="block text-12 font-normal text-ink3">{t.ml.role[f.role]}</span>}</th>
      <td className="px-3 py-2.5 text-end font-medium">{f.on_server}</td>
      <td className="px-3 py-2.5 text-end">{f.here}</td>
      <td className="px-3 py-2.5 text-end">{f.quarantined}</td>
      <td className="px-3 py-2.5 text-end">{ignored(f)}{rules.map(([rule, n]) => <span key={rule} className="block text-12 text-ink3">{n} {t.ml.rule[rule] ?? rule}</span>)}</td>
      <td className="px-3 py-2.5 text-end">{f.waiting}</td>
      <td className={cx("py-2.5 pe-5 ps-3 text-end", f.missing > 0 && "font-semibold text-danger")}>{f.missing}</td>
    </tr>
  );
}

/** The same on a phone: one sum per folder, downwards. */
function FolderLines({ folder: f }: { folder: Folder }) {
  const rules = Object.entries(f.ignored as Record<string, number>).filter(([, n]) => n > 0);
  const line = (word: string, n: number, look?: string) => <div className={cx("flex justify-between gap-3", look)}><dt>{word}</dt><dd>{n}</dd></div>;
  return (
    <li className={cx("px-5 py-3 text-13", !balances(f) && "bg-danger-tint")}>
      <p className="break-words font-medium">{f.name}</p>
      <dl className="tnum mt-1 flex flex-col gap-0.5 text-ink2">
        {line(t.ml.onServer, f.on_server, "font-medium text-ink")}
        {line(t.ml.here, f.here)}
        {f.quarantined > 0 && line(t.ml.quarantined, f.quarantined)}
        {rules.map(([rule, n]) => <div key={rule} className="flex justify-between gap-3"><dt>{t.ml.ignored}: {t.ml.rule[rule] ?? rule}</dt><dd>{n}</dd></div>)}
        {f.waiting > 0 && line(t.ml.waits, f.waiting)}
        {f.missing > 0 && line(t.ml.isMissing, f.missing, "font-semibold text-danger")}
      </dl>
    </li>
  );
}

/** Mail from before the inbox was connected: begin, how far, stop, go on. */
export function HistoryCard({ id, seen }: { id: string; seen: Import | null }) {
  const path = { params: { path: { id } } };
  const again = () => void queryClient.invalidateQueries({ queryKey: key(id) });
  const own = useQuery({ queryKey: ["mail_import", id], queryFn: () => need(api.GET("/api/v1/inboxes/{id}/import", path)).catch((e: unknown) => { if (e instanceof Problem && e.status === 404) return null; throw e; }), staleTime: 0, refetchInterval: (q) => (q.state.data?.state === "running" || q.state.data?.state === "waiting" ? 1_500 : false) });
  const now = own.data ?? seen;
  const put = (i: Import) => { queryClient.setQueryData(["mail_import", id], i); again(); };
  const begin = useSave((days: number | null) => need(api.POST("/api/v1/inboxes/{id}/import", { ...path, body: { days } })), put, null);
  const stop = useSave(() => need(api.DELETE("/api/v1/inboxes/{id}/import", path)), put, null);
  const runs = now?.state === "running" || now?.state === "waiting";
  const done = now ? part(now) : null;
  return (
    <Card title={t.ml.history} text={t.ml.historyText}>
      {now && (
        <div>
          <div role="progressbar" aria-label={t.ml.history} aria-valuemin={0} aria-valuemax={100} aria-valuenow={done === null ? undefined : Math.round(done * 100)} className="h-2 overflow-hidden rounded-full bg-fill">
            <div className={cx("h-full rounded-full bg-brand transition-[width]", done === null && "shimmer w-full")} style={done === null ? undefined : { width: `${done * 100}%` }} />
          </div>
          <p className={cx("tnum mt-1.5 text-13", now.state === "failed" ? "text-danger" : "text-ink2")}>
            {now.state === "waiting" ? t.ml.historyWaits : now.state === "running" ? t.ml.historyRuns(now.done, now.total) : now.state === "done" ? t.ml.historyDone(now.done) : `${t.ml.historyRuns(now.done, now.total)}. ${t.ml.historyStopped}`}
            {now.reason && ` ${now.reason}`}
          </p>
        </div>
      )}
      <div className="flex flex-wrap gap-2">
        {runs ? <Button busy={stop.isPending} onClick={() => stop.mutate(undefined)}>{t.ml.stop}</Button> : now?.state === "stopped" || now?.state === "failed" ? (
          <Button busy={begin.isPending} onClick={() => begin.mutate(now.since ? Math.max(1, Math.ceil((Date.parse(now.started_at) - Date.parse(now.since)) / 86_400_000)) : null)}>{t.ml.goOn}</Button>
        ) : (
          <>
            <Button busy={begin.isPending} onClick={() => begin.mutate(90)}>{t.ml.last90}</Button>
            <Button look="quiet" busy={begin.isPending} onClick={() => begin.mutate(null)}>{t.ml.everything}</Button>
          </>
        )}
      </div>
    </Card>
  );
}

/** When there was no connection, when the server renumbered, what was fetched again. */
export function TroublesCard({ ledger }: { ledger: Ledger }) {
  return (
    <Card title={t.ml.troubles} flush>
      {ledger.troubles.length === 0 ? <p className="px-5 py-4 text-13 text-ink3">{t.ml.noTroubles}</p> : (
        <ul className="divide-y divide-line">
          {ledger.troubles.slice(0, 20).map((x, i) => (
            <li key={`${x.began_at}${i}`} className="flex flex-wrap items-start gap-x-3 gap-y-1 px-5 py-2.5 text-13">
              <Pill tone={x.ended_at || x.kind === "refetched" || x.kind === "renumbered" ? "quiet" : "warn"}>{t.ml.trouble[x.kind] ?? x.kind}</Pill>
              <span className="min-w-0 flex-1 break-words text-ink2">{x.detail}</span>
              <span className="tnum text-12 text-ink3"><time dateTime={x.began_at}>{when(x.began_at)}</time>{x.ended_at && x.ended_at !== x.began_at && <> – <time dateTime={x.ended_at}>{when(x.ended_at)}</time></>}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
