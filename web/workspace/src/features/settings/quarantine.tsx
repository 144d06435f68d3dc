import { ShieldCheck } from "lucide-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, need } from "../../app/api";
import { queryClient } from "../../app/query";
import { useInboxes } from "../../app/me";
import { age, bytes, full } from "../../app/time";
import { t } from "../../text";
import { Button } from "../../ui/button";
import { Empty, Failed } from "../../ui/state";
import { Card, Page, Pill, useSave } from "./parts";

const again = () => {
  void queryClient.invalidateQueries({ queryKey: ["quarantine"] });
  void queryClient.invalidateQueries({ queryKey: ["given_up"] });
  void queryClient.invalidateQueries({ queryKey: ["health"] });
};

/** Messages that did not reach the inbox, and why; work that was given up, and why. */
export function QuarantinePage() {
  const inboxes = useInboxes();
  const held = useInfiniteQuery({ queryKey: ["quarantine"], queryFn: ({ pageParam }) => need(api.GET("/api/v1/quarantine", { params: { query: { cursor: pageParam } } })), initialPageParam: undefined as string | undefined, getNextPageParam: (p) => p.next_cursor ?? undefined, staleTime: 0 });
  const jobs = useQuery({ queryKey: ["given_up"], queryFn: () => need(api.GET("/api/v1/jobs/given_up")), staleTime: 0 });
  const retry = useSave((id: string) => need(api.POST("/api/v1/quarantine/{id}/retry", { params: { path: { id } } })), again, t.st.retried);
  const dismiss = useSave((id: string) => need(api.POST("/api/v1/quarantine/{id}/dismiss", { params: { path: { id } } })), again, t.st.dismissed);
  const retryJob = useSave((id: string) => need(api.POST("/api/v1/jobs/{id}/retry", { params: { path: { id } } })), again, t.st.retried);
  const items = held.data?.pages.flatMap((p) => p.items) ?? [];
  return (
    <Page title={t.st.pages.quarantine} text={t.st.pageHints.quarantine}>
      <Card title={t.st.heldBack} actions={held.data && <Pill tone={items.length ? "warn" : "ok"}>{held.data.pages[0]?.total ?? 0}</Pill>} flush>
        {held.isError ? <Failed compact error={held.error} onRetry={() => void held.refetch()} /> : items.length === 0 ? <Empty icon={<ShieldCheck size={20} />} title={t.st.nothingHeld} text={t.st.nothingHeldText} /> : (
          <ul className="divide-y divide-line">
            {items.map((q) => (
              <li key={q.id} className="flex flex-wrap items-start gap-x-4 gap-y-2 px-5 py-3.5">
                <div className="min-w-0 flex-1 basis-72">
                  <p className="text-14 font-medium">{(t.st.quarantineReason as Record<string, string>)[q.reason] ?? q.reason.replace(/_/g, " ")}</p>
                  <p className="mt-0.5 break-words text-13 text-ink2" dir="auto">{q.detail}</p>
                  <p className="tnum mt-1 text-12 text-ink3"><time dateTime={q.received_at} title={full(q.received_at)}>{age(q.received_at)}</time> · {inboxes.find((i) => i.id === q.inbox_id)?.name ?? "–"} · {bytes(q.bytes)}{q.from && ` · ${q.from}`}</p>
                </div>
                <div className="flex gap-1.5">
                  <Button size="s" busy={retry.isPending} onClick={() => retry.mutate(q.id)}>{t.tryAgain}</Button>
                  <a href={`/api/v1/quarantine/${q.id}/raw`} download className="inline-flex h-7 items-center rounded-control px-2 text-13 text-ink2 hover:bg-fill">{t.st.rawMessage}</a>
                  <Button size="s" look="quiet" onClick={() => dismiss.mutate(q.id)}>{t.st.dismiss}</Button>
                </div>
              </li>
            ))}
          </ul>
        )}
        {held.hasNextPage && <div className="border-t border-line p-3 text-center"><Button busy={held.isFetchingNextPage} onClick={() => void held.fetchNextPage()}>{t.more}</Button></div>}
      </Card>
      <Card title={t.st.givenUp} text={t.st.givenUpText} flush>
        {jobs.isError ? <Failed compact error={jobs.error} onRetry={() => void jobs.refetch()} /> : jobs.data?.items.length === 0 ? <p className="px-5 py-4 text-13 text-ink3">{t.st.nothingGivenUp}</p> : (
          <ul className="divide-y divide-line">
            {jobs.data?.items.map((j) => (
              <li key={j.id} className="flex items-start gap-4 px-5 py-3.5">
                <div className="min-w-0 flex-1"><p className="text-14 font-medium">{j.name}</p><p className="mt-0.5 break-words text-13 text-ink2">{j.reason}</p><p className="tnum mt-1 text-12 text-ink3">{age(j.gave_up_at)} · {t.st.attempts(j.attempts)}</p></div>
                <Button size="s" onClick={() => retryJob.mutate(j.id)}>{t.tryAgain}</Button>
              </li>
            ))}
          </ul>
        )}
      </Card>
    </Page>
  );
}
