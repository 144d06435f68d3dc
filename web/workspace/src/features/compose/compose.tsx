import { SendHorizontal, TriangleAlert } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Problem, type Schemas } from "@continuo/api-client";
import { readAddresses } from "../../app/addresses";
import { api, need } from "../../app/api";
import { useInboxes, useMe } from "../../app/me";
import { toast } from "../../app/toasts";
import { problemText, t } from "../../text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Field, SelectField, TextField, Toggle } from "../../ui/field";
import { composed, keepWords, readWords, type Trouble, type Words } from "./state";

const said = (x: Trouble) => (x.code === "bad_address" ? t.ml.badAddress(x.address) : x.code === "no_receiver" ? t.ml.noReceiverYet : x.code === "no_subject" ? t.ml.noSubjectYet : t.ml.noTextYet);

/** A new mail: to whom, through which mailbox, what is open with them already. Closing keeps the words. */
export function ComposeDialog({ onClose }: { onClose: () => void }) {
  const me = useMe();
  const navigate = useNavigate();
  const boxes = useInboxes().filter((i) => i.channel === "email" && i.enabled);
  const [words, setWords] = useState<Words>(() => readWords(me.agent.id));
  const [more, setMore] = useState(words.cc !== "" || words.bcc !== "");
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  // One key per mail: pressing again after a cut cannot send it twice. Other words are another mail.
  const key = useRef({ of: "", key: "" });
  const set = (part: Partial<Words>) => {
    setTrouble(null);
    setRefused(null);
    setWords((was) => ({ ...was, ...part }));
  };
  useEffect(() => keepWords(me.agent.id, words), [me.agent.id, words]);
  const inboxId = boxes.some((b) => b.id === words.inboxId) ? words.inboxId : (boxes[0]?.id ?? "");
  const send = async () => {
    const made = composed({ ...words, inboxId });
    setTrouble(made.trouble);
    if (!made.body || busy) return;
    const of = JSON.stringify(made.body);
    if (key.current.of !== of) key.current = { of, key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}` };
    setBusy(true);
    try {
      const { items } = await need(api.POST("/api/v1/compose", { params: { header: { "Idempotency-Key": key.current.key } }, body: { ...made.body, hold_seconds: me.preferences.undo_seconds } }));
      keepWords(me.agent.id, null);
      toast(t.ml.sent);
      onClose();
      const first = items[0];
      if (first) void navigate({ to: "/inbox/c/$id", params: { id: first.conversation_id } });
    } catch (error) {
      // A toast would lie behind the window.
      setRefused(problemText(error instanceof Problem ? error : null));
    } finally {
      setBusy(false);
    }
  };
  const to = readAddresses(words.to).list;
  return (
    <Dialog title={t.ml.compose} onClose={onClose} width={680}>
      {boxes.length === 0 ? <p className="text-14 text-ink2">{t.ml.noMailbox} <Link to="/settings/$page" params={{ page: "channels" }} className="text-brand underline" onClick={onClose}>{t.ml.addMail}</Link></p> : (
        <form
          noValidate
          className="flex flex-col gap-3"
          onSubmit={(e) => { e.preventDefault(); void send(); }}
          onKeyDown={(e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); void send(); } }}
        >
          {boxes.length > 1 && <SelectField label={t.ml.through} value={inboxId} onChange={(v) => set({ inboxId: v })} options={boxes.map((b) => ({ value: b.id, label: b.name }))} />}
          <TextField label={t.ml.composeTo} hint={t.ml.receiversHint} inputMode="email" spellCheck={false} autoFocus value={words.to} onChange={(e) => set({ to: e.target.value })} error={trouble && (trouble.code === "no_receiver" || trouble.code === "bad_address") ? said(trouble) : null} />
          <Known addresses={to.map((a) => a.address)} onOpen={onClose} />
          {more ? (
            <div className="grid gap-3 sm:grid-cols-2">
              <TextField label={t.ml.cc} inputMode="email" spellCheck={false} value={words.cc} onChange={(e) => set({ cc: e.target.value })} />
              <TextField label={t.ml.bcc} inputMode="email" spellCheck={false} value={words.bcc} onChange={(e) => set({ bcc: e.target.value })} />
            </div>
          ) : <div><button type="button" onClick={() => setMore(true)} className="text-13 text-info underline underline-offset-2">{t.ml.addCc}</button></div>}
          {to.length > 1 && <Toggle label={t.ml.each} checked={words.each} onChange={(each) => set({ each })} />}
          <TextField label={t.ml.subject} dir="auto" value={words.subject} onChange={(e) => set({ subject: e.target.value })} error={trouble?.code === "no_subject" ? said(trouble) : null} />
          <Field label={t.ml.words} error={trouble?.code === "no_text" ? said(trouble) : null}>{(ids) => <textarea {...ids} dir="auto" className="field min-h-56" value={words.text} onChange={(e) => set({ text: e.target.value })} />}</Field>
          {refused && <p role="alert" className="rounded-control bg-danger-tint px-3 py-2 text-13 text-danger">{refused}</p>}
          <div className="flex justify-end gap-2"><Button onClick={onClose}>{t.close}</Button><Button look="primary" type="submit" busy={busy} icon={<SendHorizontal size={15} aria-hidden className="rtl:-scale-x-100" />}>{t.send}</Button></div>
        </form>
      )}
    </Dialog>
  );
}

/** Who the receivers are, and what is open with them: an open conversation is a better place than a second one. */
function Known({ addresses, onOpen }: { addresses: string[]; onOpen: () => void }) {
  const [asked, setAsked] = useState<string[]>([]);
  const joined = addresses.join("\n");
  useEffect(() => {
    const timer = setTimeout(() => setAsked(joined === "" ? [] : joined.split("\n").slice(0, 50)), 300);
    return () => clearTimeout(timer);
  }, [joined]);
  const known = useQuery({ queryKey: ["receivers", asked], enabled: asked.length > 0, staleTime: 30_000, queryFn: () => need(api.POST("/api/v1/compose/receivers", { body: { addresses: asked } })) });
  const items = asked.length > 0 ? (known.data?.items ?? []) : [];
  const worth = items.filter((r) => r.reason || r.open.length > 0);
  if (worth.length === 0) return null;
  return (
    <ul className="flex flex-col gap-1 text-13" aria-live="polite">
      {worth.map((r) => <Hint key={r.address} r={r} onOpen={onOpen} />)}
    </ul>
  );
}

function Hint({ r, onOpen }: { r: Schemas["ComposeReceiver"]; onOpen: () => void }) {
  return (
    <>
      {r.reason && <li className="flex items-start gap-2 rounded-control bg-warn-tint px-3 py-1.5 text-warn"><TriangleAlert size={14} className="mt-0.5 shrink-0" aria-hidden /><span>{r.address}: {(t.reason as Record<string, string>)[r.reason] ?? r.reason}</span></li>}
      {r.open.slice(0, 2).map((c) => (
        <li key={c.id} className="flex flex-wrap items-center gap-x-2 rounded-control bg-info-tint px-3 py-1.5 text-info">
          <span className="min-w-0 flex-1 break-words">{t.ml.knownOpen(r.name ?? r.address, c.number)}{c.subject && ` (${c.subject})`}</span>
          <Link to="/inbox/c/$id" params={{ id: c.id }} onClick={onOpen} className="font-medium underline underline-offset-2">{t.ml.openIt}</Link>
        </li>
      ))}
    </>
  );
}
