import { MailCheck } from "lucide-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, need } from "../../app/api";
import { queryClient } from "../../app/query";
import { useInboxes } from "../../app/me";
import { age, full } from "../../app/time";
import { t } from "../../text";
import { Button } from "../../ui/button";
import { Empty, Failed } from "../../ui/state";
import { Card, Page, Pill, useSave } from "./parts";

const again = () => {
  void queryClient.invalidateQueries({ queryKey: ["automatic"] });
  void queryClient.invalidateQueries({ queryKey: ["allowed_senders"] });
};

/** Mail of machines that a rule kept out of the inbox; let in once or for good. */
export function AutomaticPage() {
  const inboxes = useInboxes();
  const kept = useInfiniteQuery({ queryKey: ["automatic"], queryFn: ({ pageParam }) => need(api.GET("/api/v1/automatic", { params: { query: { cursor: pageParam } } })), initialPageParam: undefined as string | undefined, getNextPageParam: (p) => p.next_cursor ?? undefined, staleTime: 0 });
  const allowed = useQuery({ queryKey: ["allowed_senders"], queryFn: () => need(api.GET("/api/v1/allowed_senders")), staleTime: 0 });
  const letIn = useSave(({ id, always }: { id: string; always: boolean }) => need(api.POST("/api/v1/automatic/{id}/let_in", { params: { path: { id } }, body: { always } })), again, t.ml.letInDone);
  const keepOut = useSave((id: string) => need(api.DELETE("/api/v1/allowed_senders/{id}", { params: { path: { id } } })), again);
  const items = kept.data?.pages.flatMap((p) => p.items) ?? [];
  const busy = (id: string) => letIn.isPending && letIn.variables?.id === id;
  return (
    <Page title={t.ml.automaticMail} text={t.ml.automaticText}>
      <Card flush>
        {kept.isError ? <Failed compact error={kept.error} onRetry={() => void kept.refetch()} /> : kept.data && items.length === 0 ? <Empty icon={<MailCheck size={20} />} title={t.ml.noAutomatic} /> : (
          <ul className="divide-y divide-line">
            {items.map((m) => (
              <li key={m.id} className="flex flex-wrap items-start gap-x-4 gap-y-2 px-5 py-3.5">
                <div className="min-w-0 flex-1 basis-72" dir="auto">
                  <p className="text-14"><span className="font-medium">{m.name ?? m.from ?? "–"}</span>{m.name && m.from && <bdi className="ms-1.5 wrap-anywhere text-13 text-ink3">{m.from}</bdi>}</p>
                  <p className="mt-0.5 break-words text-14">{m.subject ?? t.noSubject}</p>
                  <p className="mt-0.5 line-clamp-2 break-words text-13 text-ink2">{m.text}</p>
                  <p className="tnum mt-1 text-12 text-ink3"><time dateTime={m.received_at} title={full(m.received_at)}>{age(m.received_at)}</time> · {inboxes.find((i) => i.id === m.inbox_id)?.name ?? "–"} · {t.ml.rule[m.rule] ?? m.rule}</p>
                </div>
                <div className="flex flex-wrap gap-1.5">
                  <Button size="s" busy={busy(m.id)} onClick={() => letIn.mutate({ id: m.id, always: false })}>{t.ml.letIn}</Button>
                  {m.from && <Button size="s" look="quiet" busy={busy(m.id)} onClick={() => letIn.mutate({ id: m.id, always: true })}>{t.ml.letInAlways}</Button>}
                </div>
              </li>
            ))}
          </ul>
        )}
        {kept.hasNextPage && <div className="border-t border-line p-3 text-center"><Button busy={kept.isFetchingNextPage} onClick={() => void kept.fetchNextPage()}>{t.more}</Button></div>}
      </Card>
      <Card title={t.ml.allowed} actions={allowed.data && <Pill tone="quiet">{allowed.data.items.length}</Pill>} flush>
        {allowed.isError ? <Failed compact error={allowed.error} onRetry={() => void allowed.refetch()} /> : allowed.data?.items.length === 0 ? <p className="px-5 py-4 text-13 text-ink3">{t.ml.allowedNone}</p> : (
          <ul className="divide-y divide-line">
            {allowed.data?.items.map((a) => <li key={a.id} className="flex items-center gap-3 px-5 py-2.5 text-14"><bdi className="min-w-0 flex-1 wrap-anywhere">{a.address}</bdi><Button size="s" aria-label={t.ml.remove(a.address)} onClick={() => keepOut.mutate(a.id)}>{t.st.remove}</Button></li>)}
          </ul>
        )}
      </Card>
    </Page>
  );
}
