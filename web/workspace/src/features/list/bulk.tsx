import { Archive, Clock3, Tag as TagIcon, UserRound, X, ShieldAlert } from "lucide-react";
import { useState } from "react";
import { Problem, type ConversationPatch, type ConversationRow } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { applyRow } from "../../app/cache";
import { useCommands } from "../../app/commands";
import { qk, queryClient } from "../../app/query";
import { toast, toastUndo } from "../../app/toasts";
import { problemText, t } from "../../text";
import { IconButton } from "../../ui/button";
import { AgentPicker, SnoozePicker, TagPicker } from "../conversation/pickers";

/** What can be done to several conversations at once; each act has one undo. */
export function BulkBar({ rows, shown, total, onAll, onClear }: { rows: ConversationRow[]; shown: number; total: number; onAll: () => void; onClear: () => void }) {
  const [busy, setBusy] = useState(false);
  const [menu, setMenu] = useState<"assign" | "snooze" | "tags" | null>(null);

  /** One call per distinct patch (tags differ per conversation), one undo for all. */
  async function change(patches: Map<string, { ids: string[]; patch: ConversationPatch }>, said: string) {
    setBusy(true);
    setMenu(null);
    const before = rows.map((r) => ({ ...r }));
    for (const { ids, patch } of patches.values()) for (const row of before) if (ids.includes(row.id)) applyRow({ ...row, ...plain(patch) }, true);
    const undos: string[] = [];
    try {
      for (const { ids, patch } of patches.values()) {
        for (let i = 0; i < ids.length; i += 500) {
          const done = await need(api.POST("/api/v1/conversations/bulk", { body: { ids: ids.slice(i, i + 500), patch } }));
          if (done.undo_id) undos.push(done.undo_id);
        }
      }
      toastUndo(said, t.undo, () => {
        void Promise.all(undos.map((id) => need(api.POST("/api/v1/undo/{id}", { params: { path: { id } } })))).then(
          () => void queryClient.invalidateQueries({ queryKey: qk.lists }),
          (error: unknown) => toast(problemText(error instanceof Problem ? error : null), { tone: "danger" }),
        );
      });
      onClear();
    } catch (error) {
      for (const row of before) applyRow(row, true);
      toast(`${t.notChanged} ${problemText(error instanceof Problem ? error : null)}`, { tone: "danger" });
    } finally {
      setBusy(false);
    }
  }
  const all = (patch: ConversationPatch, said: string) => void change(new Map([["all", { ids: rows.map((r) => r.id), patch }]]), said);
  const close = () => all({ status: "resolved" }, t.bulkClosed(rows.length));
  const retag = (tagId: string, on: boolean) => {
    const groups = new Map<string, { ids: string[]; patch: ConversationPatch }>();
    for (const r of rows) {
      const tag_ids = on ? [...new Set([...r.tag_ids, tagId])] : r.tag_ids.filter((x) => x !== tagId);
      const key = tag_ids.join();
      const group = groups.get(key) ?? { ids: [], patch: { tag_ids } };
      group.ids.push(r.id);
      groups.set(key, group);
    }
    void change(groups, t.bulkTagged(rows.length));
  };
  useCommands([
    { id: "bulk.close", label: t.cmd.close, keys: ["e"], group: "list", run: close },
    { id: "bulk.assign", label: t.cmd.assign, keys: ["a"], group: "list", run: () => setMenu("assign") },
    { id: "bulk.snooze", label: t.cmd.snooze, keys: ["b"], group: "list", run: () => setMenu("snooze") },
    { id: "bulk.tags", label: t.cmd.tags, keys: ["t"], group: "list", run: () => setMenu("tags") },
    { id: "bulk.clear", label: t.clearChoice, keys: ["Escape"], group: "list", run: onClear, hidden: true },
  ]);
  const common = (tagId: string) => rows.every((r) => r.tag_ids.includes(tagId));
  return (
    <div role="toolbar" aria-label={t.chosenActions} aria-busy={busy} className="fade flex shrink-0 items-center gap-0.5 border-b border-line bg-brand-tint py-1.5 pe-2 ps-4">
      <p className="tnum flex min-w-0 flex-1 flex-col text-13" aria-live="polite">
        <span className="font-medium">{t.chosen(rows.length)}</span>
        {rows.length < shown && (
          <button type="button" className="w-fit truncate rounded-chip text-12 text-brand underline-offset-2 hover:underline" onClick={onAll}>
            {total > shown ? t.chooseShown(shown) : t.chooseAllOf(total)}
          </button>
        )}
      </p>
      <AgentPicker open={menu === "assign"} onOpenChange={(o) => setMenu(o ? "assign" : null)} agentId={undefined} teamId={undefined} onPick={(patch) => all(patch, t.bulkAssigned(rows.length))} trigger={<button type="button" aria-label={t.cmd.assign} title={t.cmd.assign} className={tool}><UserRound size={16} aria-hidden /></button>} />
      <IconButton label={t.cmd.close} keys="e" onClick={close}><Archive size={16} aria-hidden /></IconButton>
      <SnoozePicker open={menu === "snooze"} onOpenChange={(o) => setMenu(o ? "snooze" : null)} onPick={(until) => all({ status: "snoozed", snoozed_until: until }, t.bulkSnoozed(rows.length))} trigger={<button type="button" aria-label={t.cmd.snooze} title={t.cmd.snooze} className={tool}><Clock3 size={16} aria-hidden /></button>} />
      <TagPicker open={menu === "tags"} onOpenChange={(o) => setMenu(o ? "tags" : null)} has={common} onToggle={retag} trigger={<button type="button" aria-label={t.cmd.tags} title={t.cmd.tags} className={tool}><TagIcon size={16} aria-hidden /></button>} />
      <IconButton label={rows.every((r) => r.spam) ? t.notSpam : t.cmd.spam} onClick={() => all({ spam: !rows.every((r) => r.spam) }, t.bulkSpam(rows.length))}><ShieldAlert size={16} aria-hidden /></IconButton>
      <IconButton label={t.clearChoice} keys="Escape" onClick={onClear}><X size={16} aria-hidden /></IconButton>
    </div>
  );
}

const tool = "inline-flex size-8 items-center justify-center rounded-control text-ink2 hover:bg-surface data-[state=open]:bg-surface pointer-coarse:size-11";

/** The part of a patch that a row shows. */
function plain(patch: ConversationPatch): Partial<ConversationRow> {
  const { expected_seq: _expected, ...rest } = patch;
  return rest as Partial<ConversationRow>;
}
