import { useEffect, useState } from "react";
import { useNavigate } from "@tanstack/react-router";
import { Problem, type ConversationRow, type Entry, type LabelChange, type TimelinePage } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { qk, queryClient } from "../../app/query";
import { toast, toastUndo } from "../../app/toasts";
import { age } from "../../app/time";
import { problemText, t } from "../../text";
import { Button } from "../../ui/button";
import { ChannelTile } from "../../ui/channel";
import { cx } from "../../ui/cx";
import { Dialog } from "../../ui/dialog";

export type LabelAct = { kind: "merge" } | { kind: "move"; entry: Entry } | { kind: "split"; entry: Entry };

/** Merge, move and split share one question: to which conversation? The preview says what would happen before it does. */
export function LabelDialog({ act, row, others, page, onClose }: { act: LabelAct; row: ConversationRow; others: ConversationRow[]; page: TimelinePage | undefined; onClose: () => void }) {
  const [to, setTo] = useState<ConversationRow | null>(null);
  const [preview, setPreview] = useState<LabelChange | null>(null);
  const [number, setNumber] = useState("");
  const [found, setFound] = useState<ConversationRow[]>([]);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const navigate = useNavigate();
  const from = act.kind === "merge" ? row.id : act.entry.conversation_id;
  const splitIds = act.kind === "split" && page ? page.entries.slice(page.entries.findIndex((e) => e.id === act.entry.id)).filter((e) => e.conversation_id === from).map((e) => e.id) : [];
  const ready = act.kind === "split" ? splitIds.length > 0 : to !== null;

  const run = (dry: boolean): Promise<LabelChange> => {
    const query = { dry_run: dry };
    if (act.kind === "merge") return need(api.POST("/api/v1/conversations/{id}/merge", { params: { path: { id: from }, query }, body: { into: to?.id ?? "" } }));
    if (act.kind === "move") return need(api.POST("/api/v1/entries/{id}/move", { params: { path: { id: act.entry.id }, query }, body: { to: to?.id ?? "" } }));
    return need(api.POST("/api/v1/conversations/{id}/split", { params: { path: { id: from }, query }, body: { entry_ids: splitIds } }));
  };
  const said = (e: unknown) => setError(problemText(e instanceof Problem ? e : null));
  useEffect(() => {
    setPreview(null);
    setError(null);
    if (ready) run(true).then(setPreview, said);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- asks again only for another target
  }, [to?.id, act.kind]);
  useEffect(() => {
    const q = number.trim();
    if (q.length < 2) return setFound([]);
    const timer = setTimeout(() => {
      need(api.GET("/api/v1/conversations", { params: { query: { view: "all", q: q.replace(/^#/, ""), limit: 6 } } })).then((p) => setFound(p.items), () => setFound([]));
    }, 200);
    return () => clearTimeout(timer);
  }, [number]);

  const confirm = async () => {
    setBusy(true);
    try {
      const done = await run(false);
      const refresh = () => {
        void queryClient.invalidateQueries({ queryKey: ["timeline"] });
        void queryClient.invalidateQueries({ queryKey: ["conversation"] });
        void queryClient.invalidateQueries({ queryKey: qk.lists });
      };
      refresh();
      const text = act.kind === "merge" ? t.mergedToast(row.number, to?.number ?? 0) : act.kind === "move" ? t.movedToast(to?.number ?? 0) : t.splitToast;
      const undoId = done.undo_id;
      if (undoId) toastUndo(text, t.undo, () => void need(api.POST("/api/v1/undo/{id}", { params: { path: { id: undoId } } })).then(refresh, (e: unknown) => toast(problemText(e instanceof Problem ? e : null), { tone: "danger" })));
      else toast(text);
      onClose();
      if (act.kind === "merge" && to) void navigate({ to: "/inbox/c/$id", params: { id: to.id }, search: (s: object) => s });
    } catch (e) {
      said(e);
    } finally {
      setBusy(false);
    }
  };

  const seen = new Set<string>();
  const choices = [...others, ...found].filter((c) => c.id !== from && c.merged_into == null && !seen.has(c.id) && seen.add(c.id));
  const title = act.kind === "merge" ? t.mergeTitle(row.number) : act.kind === "move" ? t.moveTitle : t.splitTitle;
  return (
    <Dialog title={title} onClose={onClose} width={520}>
      <div className="flex flex-col gap-4">
        {act.kind !== "merge" && <blockquote dir="auto" className="line-clamp-3 rounded-control border-s-2 border-brand bg-canvas px-3 py-2 text-13 text-ink2">{act.entry.body.text || t.look[act.entry.kind]}</blockquote>}
        {act.kind !== "split" && (
          <>
            <input className="field" autoFocus aria-label={t.findConversation} placeholder={t.findConversation} value={number} onChange={(e) => setNumber(e.target.value)} />
            <ul className="flex max-h-64 flex-col gap-1 overflow-y-auto" aria-label={t.conversations}>
              {choices.map((c) => (
                <li key={c.id}>
                  <button type="button" aria-pressed={to?.id === c.id} onClick={() => setTo(c)} className={cx("flex w-full items-center gap-2.5 rounded-control border px-3 py-2 text-start", to?.id === c.id ? "border-brand bg-brand-tint" : "border-line hover:bg-canvas")}>
                    <ChannelTile channel={c.channel} />
                    <span className="min-w-0 flex-1">
                      <span className="block truncate text-14"><span className="tnum text-ink3">#{c.number}</span> {c.subject ?? t.noSubject}</span>
                      <span className="block truncate text-12 text-ink3">{c.contact.name} · {t.statusName[c.status]} · {age(c.last_activity_at)}</span>
                    </span>
                  </button>
                </li>
              ))}
              {choices.length === 0 && <li className="py-3 text-13 text-ink3">{t.noOtherConversation}</li>}
            </ul>
          </>
        )}
        {preview && (
          <div className="rounded-control bg-info-tint px-3 py-2 text-13 text-info" role="status">
            {act.kind === "merge" ? t.mergePreview(preview.entries, to?.number ?? 0) : act.kind === "move" ? t.movePreview(to?.number ?? 0) : t.splitPreview(preview.entries)}
            {preview.warnings.map((w) => <p key={w}>{w}</p>)}
          </div>
        )}
        {error && <p role="alert" className="text-13 text-danger">{error}</p>}
        <p className="text-12 text-ink3">{t.labelSafe}</p>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="primary" disabled={!ready} busy={busy} onClick={() => void confirm()}>{act.kind === "merge" ? t.merge : act.kind === "move" ? t.move : t.split}</Button>
        </div>
      </div>
    </Dialog>
  );
}
