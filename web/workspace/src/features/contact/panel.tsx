import { Ban, BadgeCheck, CircleDashed, Copy, Globe, Mail, MessagesSquare, Pencil, Phone, ShieldCheck, ShieldQuestion, Unlink, UserRound, Users, type LucideIcon } from "lucide-react";
import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { Problem, type Contact, type ContactPoint, type ConversationDetail, type MergePreview } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { qk, queryClient } from "../../app/query";
import { age, dateYear, full, useNow } from "../../app/time";
import { toast, toastUndo } from "../../app/toasts";
import { locale, problemText, t } from "../../text";
import { Avatar } from "../../ui/avatar";
import { Button, IconButton } from "../../ui/button";
import { ChannelTile } from "../../ui/channel";
import { cx } from "../../ui/cx";
import { Dialog } from "../../ui/dialog";
import { Field, TextField } from "../../ui/field";

const pointIcons: Partial<Record<ContactPoint["kind"], LucideIcon>> = { phone: Phone, email: Mail, visitor: MessagesSquare, account: UserRound };
const proofIcons: LucideIcon[] = [CircleDashed, ShieldQuestion, BadgeCheck, ShieldCheck];

async function patchContact(id: string, conversationId: string, body: Partial<Pick<Contact, "name" | "company" | "notes" | "blocked">>): Promise<boolean> {
  try {
    const contact = await need(api.PATCH("/api/v1/contacts/{id}", { params: { path: { id } }, body }));
    queryClient.setQueryData<ConversationDetail>(qk.conversation(conversationId), (was) => was && { ...was, contact, conversation: { ...was.conversation, contact: { id: was.conversation.contact.id, name: contact.name } } });
    return true;
  } catch (error) {
    toast(`${t.notChanged} ${problemText(error instanceof Problem ? error : null)}`, { tone: "danger" });
    return false;
  }
}

/** Who this is, how sure we are, and what else we know. */
export function ContactPanel({ detail }: { detail: ConversationDetail }) {
  const c = detail.contact;
  const id = detail.conversation.id;
  const [editing, setEditing] = useState(false);
  const [separate, setSeparate] = useState<{ mergeId: string; preview: MergePreview } | null>(null);
  const [moreOthers, setMoreOthers] = useState(false);
  const now = useNow(60_000);
  const local = c.time_zone ? timeIn(c.time_zone, now) : null;
  const claimed = Object.entries(c.claimed ?? {}).map(([k, v]): [string, string] => [k, readable(v)]);
  const online = c.points.some((p) => p.online);
  const block = async () => {
    const to = !c.blocked;
    if (await patchContact(c.id, id, { blocked: to })) toastUndo(to ? t.blockedToast(c.name) : t.unblockedToast(c.name), t.undo, () => void patchContact(c.id, id, { blocked: !to }));
  };
  const askSeparate = async (mergeId: string) => {
    try {
      setSeparate({ mergeId, preview: await need(api.POST("/api/v1/contact_merges/{id}/undo", { params: { path: { id: mergeId }, query: { dry_run: true } } })) });
    } catch (error) {
      toast(problemText(error instanceof Problem ? error : null), { tone: "danger" });
    }
  };
  return (
    <div className="flex flex-col">
      <div className="flex items-start gap-3 px-4 pb-4 pt-4">
        <span className="relative">
          <Avatar name={c.name} size={44} />
          {online && <span className="absolute bottom-0 end-0 size-3 rounded-full bg-ok ring-2 ring-surface" title={t.onSiteNow} />}
        </span>
        <div className="min-w-0 flex-1">
          <h2 className="truncate text-16 font-semibold" dir="auto">{c.name}</h2>
          <p className="truncate text-13 text-ink2">{c.company ?? (online ? t.onSiteNow : t.seenAgo(c.last_seen_at ? age(c.last_seen_at, now) : "?"))}</p>
          {(local || c.locale) && <p className="tnum mt-0.5 flex items-center gap-1 text-12 text-ink3"><Globe size={12} aria-hidden />{[local, c.locale ? languageName(c.locale) : null].filter(Boolean).join(" · ")}</p>}
        </div>
        <IconButton label={t.editCustomer} onClick={() => setEditing(true)}><Pencil size={15} aria-hidden /></IconButton>
      </div>
      {c.blocked && <p className="mx-4 mb-3 flex items-center gap-2 rounded-control bg-danger-tint px-3 py-2 text-13 text-danger"><Ban size={14} aria-hidden />{t.isBlocked}</p>}
      <Section title={t.reach}>
        <ul className="flex flex-col">
          {c.points.map((p) => <Point key={p.id} point={p} now={now} />)}
        </ul>
      </Section>
      {claimed.length > 0 && (
        <Section title={t.saidByPage} hint={t.saidByPageHint}>
          <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-13">
            {claimed.map(([k, v]) => (
              <div key={k} className="contents">
                <dt className="text-ink3">{k.replace(/_/g, " ")}</dt>
                <dd className="min-w-0 break-words" dir="auto">{v}</dd>
              </div>
            ))}
          </dl>
        </Section>
      )}
      {c.notes && <Section title={t.notes}><p dir="auto" className="whitespace-pre-wrap break-words text-13 text-ink2">{c.notes}</p></Section>}
      <Section title={t.otherConversations} count={detail.others.length}>
        {detail.others.length === 0 ? <p className="text-13 text-ink3">{t.firstConversation}</p> : (
          <ul className="-mx-2 flex flex-col">
            {detail.others.slice(0, moreOthers ? undefined : 4).map((o) => (
              <li key={o.id}>
                <Link to="/inbox/c/$id" params={{ id: o.id }} search={(s: object) => s} className="flex items-start gap-2.5 rounded-control px-2 py-1.5 hover:bg-canvas">
                  <ChannelTile channel={o.channel} size={18} className="mt-0.5" />
                  <span className="min-w-0 flex-1">
                    <span className="block truncate text-13">{o.subject ?? o.preview?.text ?? t.noSubject}</span>
                    <span className="tnum block text-12 text-ink3">#{o.number} · {t.statusName[o.status]} · {age(o.last_activity_at, now)}</span>
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        )}
        {detail.others.length > 4 && !moreOthers && <button type="button" onClick={() => setMoreOthers(true)} className="mt-1 rounded-chip text-13 text-brand hover:underline">{t.showAll(detail.others.length)}</button>}
      </Section>
      {c.merged.length > 0 && (
        <Section title={t.mergedFrom}>
          <ul className="flex flex-col gap-2">
            {c.merged.map((m) => (
              <li key={m.merge_id} className="flex items-center gap-2 text-13">
                <Users size={15} className="shrink-0 text-ink3" aria-hidden />
                <span className="min-w-0 flex-1">
                  <span className="block truncate">{m.name}</span>
                  <span className="block truncate text-12 text-ink3">{t.mergedBy(m.by ?? t.robot, dateYear(m.at))}</span>
                </span>
                <Button size="s" look="quiet" icon={<Unlink size={13} aria-hidden />} onClick={() => void askSeparate(m.merge_id)}>{t.separateAgain}</Button>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Section title={t.knownSince}>
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-13">
          <dt className="text-ink3">{t.firstSeen}</dt>
          <dd className="tnum">{c.first_seen_at ? dateYear(c.first_seen_at) : "–"}</dd>
          <dt className="text-ink3">{t.lastSeen}</dt>
          <dd className="tnum" title={c.last_seen_at ? full(c.last_seen_at) : undefined}>{c.last_seen_at ? age(c.last_seen_at, now) : "–"}</dd>
        </dl>
      </Section>
      <div className="px-4 py-4">
        <Button size="s" look="quiet" icon={<Ban size={14} aria-hidden />} onClick={() => void block()}>{c.blocked ? t.unblock : t.blockCustomer}</Button>
      </div>
      {editing && <EditDialog contact={c} conversationId={id} onClose={() => setEditing(false)} />}
      {separate && <SeparateDialog conversationId={id} {...separate} onClose={() => setSeparate(null)} />}
    </div>
  );
}

function Section({ title, hint, count, children }: { title: string; hint?: string; count?: number; children: ReactNode }) {
  return (
    <section className="border-t border-line px-4 py-3.5">
      <h3 className="mb-2 flex items-baseline gap-2 text-12 font-semibold text-ink2">
        {title}
        {count !== undefined && count > 0 && <span className="tnum font-normal text-ink3">{count}</span>}
      </h3>
      {children}
      {hint && <p className="mt-2 text-12 text-ink3">{hint}</p>}
    </section>
  );
}

function Point({ point: p, now }: { point: ContactPoint; now: number }) {
  const Icon = pointIcons[p.kind] ?? MessagesSquare;
  const level = Math.min(3, Math.max(0, p.proof_level)) as 0 | 1 | 2 | 3;
  const Proof = proofIcons[level] ?? CircleDashed;
  const bad = p.health !== "ok" || p.blocked;
  return (
    <li className="group flex items-start gap-2.5 py-1.5">
      <Icon size={15} className="mt-0.5 shrink-0 text-ink3" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className={cx("truncate text-13", bad && "text-ink3 line-through")} dir="auto" title={p.address}>{p.kind === "visitor" ? t.pointKind.visitor : p.address}</p>
        <p className={cx("flex items-start gap-1 text-12 [&>svg]:mt-0.5 [&>svg]:shrink-0", level >= 2 ? "text-ok" : level === 1 ? "text-warn" : "text-ink3")} title={p.proof_source ? (t.proofSource as Record<string, string>)[p.proof_source] ?? p.proof_source : undefined}>
          <Proof size={12} aria-hidden />
          <span>{t.proof[level]}{p.proof_source && <span className="text-ink3">: {(t.proofSource as Record<string, string>)[p.proof_source] ?? p.proof_source}</span>}{p.online ? <span className="text-ok"> · {t.onSiteNow}</span> : p.last_seen_at && <span className="tnum text-ink3"> · {age(p.last_seen_at, now)}</span>}</span>
        </p>
        {p.shared && <p className="text-12 text-warn">{t.sharedPoint}</p>}
        {p.health !== "ok" && <p className="text-12 text-danger">{t.health[p.health]}</p>}
      </div>
      {p.kind !== "visitor" && <IconButton size="s" label={t.copyThis(p.address)} className="opacity-0 focus-visible:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100" onClick={() => void navigator.clipboard?.writeText(p.address).then(() => toast(t.copied))}><Copy size={13} aria-hidden /></IconButton>}
    </li>
  );
}

function EditDialog({ contact, conversationId, onClose }: { contact: Contact; conversationId: string; onClose: () => void }) {
  const [name, setName] = useState(contact.name);
  const [company, setCompany] = useState(contact.company ?? "");
  const [notes, setNotes] = useState(contact.notes ?? "");
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    const ok = await patchContact(contact.id, conversationId, { name: name.trim() || contact.name, company: company.trim() || null, notes: notes.trim() || null });
    setBusy(false);
    if (ok) onClose();
  };
  return (
    <Dialog title={t.editCustomer} onClose={onClose} width={440}>
      <form className="flex flex-col gap-4" onSubmit={(e) => { e.preventDefault(); void save(); }}>
        <TextField label={t.name} value={name} required maxLength={120} onChange={(e) => setName(e.target.value)} />
        <TextField label={t.company} value={company} maxLength={120} onChange={(e) => setCompany(e.target.value)} />
        <Field label={t.notes} hint={t.notesHint}>{(ids) => <textarea {...ids} className="field min-h-28" dir="auto" maxLength={5000} value={notes} onChange={(e) => setNotes(e.target.value)} />}</Field>
        <div className="flex justify-end gap-2"><Button onClick={onClose}>{t.cancel}</Button><Button look="primary" type="submit" busy={busy}>{t.save}</Button></div>
      </form>
    </Dialog>
  );
}

function SeparateDialog({ mergeId, preview, conversationId, onClose }: { mergeId: string; preview: MergePreview; conversationId: string; onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      await need(api.POST("/api/v1/contact_merges/{id}/undo", { params: { path: { id: mergeId } } }));
      await queryClient.invalidateQueries({ queryKey: qk.conversation(conversationId) });
      await queryClient.invalidateQueries({ queryKey: ["timeline"] });
      toast(t.separatedToast(preview.other.name));
      onClose();
    } catch (error) {
      toast(problemText(error instanceof Problem ? error : null), { tone: "danger" });
      setBusy(false);
    }
  };
  return (
    <Dialog title={t.separateTitle(preview.other.name)} onClose={onClose} width={440}>
      <div className="flex flex-col gap-3">
        <p className="text-14 text-ink2">{t.separateText(preview.keep.name, preview.other.name, preview.conversations, preview.entries)}</p>
        {preview.conflicts.map((x) => <p key={x} className="text-13 text-warn">{x}</p>)}
        <p className="text-12 text-ink3">{t.nothingSent}</p>
        <div className="flex justify-end gap-2"><Button onClick={onClose}>{t.cancel}</Button><Button look="primary" busy={busy} onClick={() => void run()}>{t.separateAgain}</Button></div>
      </div>
    </Dialog>
  );
}

/** The page sends structured values as JSON text; people get the words in them. */
function readable(value: string): string {
  if (!value.startsWith("{")) return value;
  try {
    return Object.values(JSON.parse(value) as Record<string, unknown>).filter((v) => typeof v === "string" || typeof v === "number").join(" · ");
  } catch {
    return value;
  }
}

function timeIn(zone: string, now: number): string | null {
  try {
    return `${zone.split("/").at(-1)?.replace(/_/g, " ")}, ${new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone }).format(now)}`;
  } catch {
    return null;
  }
}
function languageName(code: string): string | null {
  try {
    return new Intl.DisplayNames([locale()], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}
