import { GitMerge, MessagesSquare } from "lucide-react";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Problem, type Entry } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { applyEntry, findRow } from "../../app/cache";
import { useCommands } from "../../app/commands";
import { presences } from "../../app/live";
import { onSent, type Outgoing } from "../../app/outbox";
import { useMe } from "../../app/me";
import { useStore } from "../../app/store";
import { dropToast, toast, toastUndo } from "../../app/toasts";
import { problemText, t } from "../../text";
import { Button } from "../../ui/button";
import { Bone, Empty, Failed, useSlow } from "../../ui/state";
import { Composer, type ComposerHandle } from "./composer";
import { Header } from "./header";
import { LabelDialog, type LabelAct } from "./label-dialogs";
import { useDetail, useTimeline } from "./queries";
import { Timeline } from "./timeline";

export function ConversationPane({ id, hash, back, contextOpen, onContext }: { id: string; hash: string; back: boolean; contextOpen: boolean; onContext: () => void }) {
  const goTo = hash.startsWith("e-") ? hash.slice(2) : null;
  const me = useMe();
  const detail = useDetail(id);
  const timeline = useTimeline(id, goTo ?? "first_unread");
  const waiting = detail.isPending || timeline.isPending;
  const slow = useSlow(waiting);
  const presence = useStore(presences, (m) => m.get(id)) ?? detail.data?.presence;
  const composer = useRef<ComposerHandle>(null);
  const [act, setAct] = useState<LabelAct | null>(null);
  const navigate = useNavigate();
  const row = detail.data?.conversation ?? findRow(id);

  useEffect(() => {
    document.title = row ? `${row.contact.name} #${row.number} · Continuo` : "Continuo";
    return () => void (document.title = "Continuo");
  }, [row?.contact.name, row?.number]); // eslint-disable-line react-hooks/exhaustive-deps -- only the shown words matter

  useHolds(id, composer);
  useCommands([
    { id: "conversation.context", label: t.cmd.context, keys: ["i"], group: "conversation", run: onContext },
    { id: "conversation.focus", label: t.cmd.focusStream, keys: ["Enter", "o"], group: "conversation", run: () => document.getElementById("stream")?.focus(), hidden: true },
    { id: "conversation.back", label: t.backToList, keys: ["u"], group: "conversation", run: () => void navigate({ to: "/inbox", search: (s: object) => s }) },
  ]);

  if (detail.isError) {
    if (detail.error instanceof Problem && detail.error.status === 404) return <Empty icon={<MessagesSquare size={22} />} title={t.conversationGone} text={t.conversationGoneText}><Button onClick={() => void navigate({ to: "/inbox", search: (s: object) => s })}>{t.backToList}</Button></Empty>;
    return <Failed error={detail.error} onRetry={() => void detail.refetch()} />;
  }
  const actions = {
    onMove: (entry: Entry) => setAct({ kind: "move", entry }),
    onSplit: (entry: Entry) => setAct({ kind: "split", entry }),
    onSendAnotherWay: (entry: Entry) => {
      composer.current?.restore(entry.body.text, "reply", []);
      setTimeout(() => composer.current?.via(), 60);
    },
  };
  const onEdit = (out: Outgoing) => composer.current?.restore(out.body.text, out.body.kind === "note" ? "note" : "reply", out.attachments);
  return (
    <section aria-label={row ? t.conversationWith(row.contact.name) : t.conversation} className="flex min-h-0 min-w-0 flex-1 flex-col bg-surface">
      {row ? <Header row={row} presence={presence} back={back} contextOpen={contextOpen} onContext={onContext} onMerge={() => setAct({ kind: "merge" })} /> : <div className="h-[101px] shrink-0 border-b border-line" />}
      {row?.merged_into && <MergedAway number={row.number} into={row.merged_into} />}
      {timeline.isError ? (
        <Failed error={timeline.error} onRetry={() => void timeline.refetch()} />
      ) : waiting || !row || !detail.data || !timeline.data ? (
        <div className="min-h-0 flex-1">{slow && <TimelineBones />}</div>
      ) : (
        <>
          <Timeline key={id} row={row} page={timeline.data} goTo={goTo} me={me.agent.id} actions={actions} onEdit={onEdit} />
          {!row.merged_into && <Composer key={`c-${id}`} ref={composer} detail={detail.data} />}
        </>
      )}
      {act && row && detail.data && <LabelDialog act={act} row={row} others={detail.data.others} page={timeline.data} onClose={() => setAct(null)} />}
    </section>
  );
}

/** A held reply: counts down, can be taken back or sent at once. The server holds it, so closing the tab still sends. */
function useHolds(id: string, composer: React.RefObject<ComposerHandle | null>) {
  useEffect(
    () =>
      onSent((entry, out) => {
        const until = entry.status?.hold_until ? Date.parse(entry.status.hold_until) : 0;
        if (until <= Date.now()) return;
        const path = { params: { path: { id: entry.id } } };
        const toastId = toastUndo(t.sendsIn(Math.ceil((until - Date.now()) / 1000)), t.undo, () => {
          need(api.DELETE("/api/v1/holds/{id}", path)).then(
            (back) => {
              applyEntry(back);
              if (out.conversationId === id) composer.current?.restore(out.body.text, "reply", out.attachments);
              toast(t.takenBack);
            },
            (error: unknown) => toast(problemText(error instanceof Problem ? error : null), { tone: "danger" }),
          );
        }, {
          until,
          tick: (now) => t.sendsIn(Math.max(0, Math.ceil((until - now) / 1000))),
          actions: [{ label: t.sendNow, run: () => { dropToast(toastId); need(api.POST("/api/v1/holds/{id}/send_now", path)).then(applyEntry, (error: unknown) => toast(problemText(error instanceof Problem ? error : null), { tone: "danger" })); } }],
        });
      }),
    [id, composer],
  );
}

function MergedAway({ number, into }: { number: number; into: string }) {
  const navigate = useNavigate();
  const target = useDetail(into).data?.conversation;
  return (
    <div role="status" className="flex shrink-0 items-center gap-3 bg-info-tint px-5 py-2 text-13 text-info">
      <GitMerge size={15} aria-hidden />
      <span className="flex-1">{t.nowPartOf(number, target?.number ?? null)}</span>
      <Button size="s" onClick={() => void navigate({ to: "/inbox/c/$id", params: { id: into }, search: (s: object) => s })}>{t.open}</Button>
    </div>
  );
}

function TimelineBones() {
  return (
    <div aria-hidden className="fade mx-auto flex max-w-[60rem] flex-col gap-5 p-6">
      {[40, 56, 30, 48].map((w, i) => (
        <div key={i} className={i % 2 ? "flex flex-col items-end gap-2" : "flex flex-col gap-2"}>
          <Bone className="h-3 w-40" />
          <div className="shimmer h-14 rounded-card" style={{ width: `${w}%` }} />
        </div>
      ))}
    </div>
  );
}
