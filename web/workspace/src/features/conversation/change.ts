import { Problem, type ConversationPatch, type ConversationRow } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { applyRow } from "../../app/cache";
import { toast, toastUndo } from "../../app/toasts";
import { problemText, t } from "../../text";

/** Changes a conversation: shown at once, put back visibly when the server refuses, and with one press to take it back. */
export async function change(row: ConversationRow, patch: ConversationPatch, said: string | null): Promise<boolean> {
  const before = { ...row };
  applyRow({ ...row, ...(patch as Partial<ConversationRow>) }, true);
  try {
    const after = await need(api.PATCH("/api/v1/conversations/{id}", { params: { path: { id: row.id } }, body: patch }));
    applyRow(after);
    if (said) {
      const back: ConversationPatch = {};
      for (const key of Object.keys(patch) as (keyof ConversationPatch)[]) if (key !== "expected_seq") Object.assign(back, { [key]: before[key as keyof ConversationRow] ?? null });
      toastUndo(said, t.undo, () => void change({ ...after }, back, null));
    }
    return true;
  } catch (error) {
    applyRow(before, true);
    toast(`${t.notChanged} ${problemText(error instanceof Problem ? error : null)}`, { tone: "danger", code: error instanceof Problem ? `${error.code} ${error.requestId}`.trim() : undefined });
    return false;
  }
}
