import { ArrowRight, Bot, ChevronDown, Clock3, CircleAlert, CircleCheck, CheckCheck, Check, Ellipsis, Link2, Copy, Lock, MapPin, PhoneIncoming, PhoneMissed, PhoneOutgoing, Scissors, Undo2, Voicemail, CornerUpRight } from "lucide-react";
import { memo, useState, type ReactNode } from "react";
import { Problem, type Entry, type EntryKind, type Part } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { applyEntry } from "../../app/cache";
import { discard, retry, type Outgoing } from "../../app/outbox";
import { clock, duration, full, useNow } from "../../app/time";
import { toast } from "../../app/toasts";
import { problemText, t } from "../../text";
import { Button } from "../../ui/button";
import { ChannelTile, channelName } from "../../ui/channel";
import { cx } from "../../ui/cx";
import { Menu, MenuItem } from "../../ui/menu";
import { MailCard } from "./mail";
import { eventText, reasonText, statusWords, type Names } from "./words";
import { Files, RichText } from "./words-and-files";

export interface EntryActions {
  onMove: (entry: Entry) => void;
  onSplit: (entry: Entry) => void;
  onSendAnotherWay: (entry: Entry) => void;
}

interface LookProps {
  entry: Entry;
  first: boolean;
  tail: boolean;
  names: Names;
  actions: EntryActions;
}

function PartView({ part }: { part: Part }) {
  switch (part.kind) {
    case "location":
      return <p className="flex items-center gap-1.5"><MapPin size={15} aria-hidden /> {part.name ?? `${part.latitude.toFixed(5)}, ${part.longitude.toFixed(5)}`}</p>;
    case "choice":
      return <p className="w-fit rounded-control border border-line px-2 py-0.5">{part.label}</p>;
    case "unsupported":
      return <p className="text-ink3">{t.unsupported(part.what)}</p>;
    default:
      return <p className="text-ink3">{t.unsupported("")}</p>;
  }
}

/** Ticks of delivery; only a running hold looks at the clock each second. */
function Status({ entry, actions }: { entry: Entry; actions: EntryActions }) {
  const held = entry.status?.hold_until != null && entry.status.code === "queued";
  const now = useNow(held ? 500 : 3_600_000);
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(false);
  const s = entry.status;
  if (!s) return null;
  const { text, tone } = statusWords(s, held ? now : Date.now());
  const Icon = s.uncertain ? CircleAlert : s.code === "read" || s.code === "delivered" ? CheckCheck : s.code === "sent" || s.code === "accepted" ? Check : s.code === "failed" || s.code === "blocked" || s.code === "expired" ? CircleAlert : Clock3;
  const act = async (run: () => Promise<Entry>) => {
    setBusy(true);
    try {
      applyEntry(await run());
    } catch (error) {
      toast(problemText(error instanceof Problem ? error : null), { tone: "danger", code: error instanceof Problem ? error.code : undefined });
    } finally {
      setBusy(false);
    }
  };
  const path = { params: { path: { id: entry.id } } };
  return (
    <div className="flex flex-wrap items-center justify-end gap-x-2 gap-y-1 text-12">
      <span className={cx("tnum inline-flex items-center gap-1", tone === "danger" ? "font-medium text-danger" : tone === "warn" ? "font-medium text-warn" : "text-ink3")}>
        <Icon size={13} aria-hidden className={s.code === "read" ? "text-brand" : undefined} />
        {text}
        {s.parts_total > 1 && s.parts_sent < s.parts_total && ` (${s.parts_sent}/${s.parts_total})`}
      </span>
      {s.uncertain && !sure && (
        <>
          <Button size="s" busy={busy} onClick={() => void act(() => need(api.POST("/api/v1/entries/{id}/check", path)))}>{t.checkAgain}</Button>
          <Button size="s" onClick={() => setSure(true)}>{t.sendAgainAnyway}</Button>
        </>
      )}
      {s.uncertain && sure && (
        <span role="alert" className="inline-flex items-center gap-2 text-warn">
          {t.mayGetTwice}
          <Button size="s" look="danger" busy={busy} onClick={() => void act(() => need(api.POST("/api/v1/entries/{id}/retry", { ...path, body: { force: true } })))}>{t.sendAgain}</Button>
          <Button size="s" look="quiet" onClick={() => setSure(false)}>{t.cancel}</Button>
        </span>
      )}
      {!s.uncertain && (s.code === "failed" || s.code === "blocked" || s.code === "expired") && (
        <>
          <Button size="s" busy={busy} onClick={() => void act(() => need(api.POST("/api/v1/entries/{id}/retry", { ...path, body: { force: false } })))}>{t.retry}</Button>
          <Button size="s" look="quiet" onClick={() => actions.onSendAnotherWay(entry)}>{t.sendAnotherWay}</Button>
        </>
      )}
      {s.code === "queued" && s.send_at && <Button size="s" busy={busy} onClick={() => void act(() => need(api.DELETE("/api/v1/holds/{id}", path)))}>{t.takeBack}</Button>}
    </div>
  );
}

function EntryMenu({ entry, actions, className }: { entry: Entry; actions: EntryActions; className?: string }) {
  return (
    <div className={cx("opacity-0 transition-opacity focus-within:opacity-100 group-hover/entry:opacity-100 has-data-[state=open]:opacity-100 pointer-coarse:opacity-100", className)}>
      <Menu
        align="end"
        label={t.entryMenu}
        trigger={
          <button type="button" aria-label={t.entryMenuOf(entry.author.name, clock(entry.at))} className="inline-flex size-7 items-center justify-center rounded-control text-ink3 hover:bg-fill hover:text-ink data-[state=open]:bg-fill">
            <Ellipsis size={16} aria-hidden />
          </button>
        }
      >
        <MenuItem icon={<Copy size={15} />} onSelect={() => void navigator.clipboard?.writeText(entry.body.text)}>{t.copyText}</MenuItem>
        <MenuItem icon={<Link2 size={15} />} onSelect={() => void navigator.clipboard?.writeText(`${location.origin}/inbox/c/${entry.conversation_id}#e-${entry.id}`)}>{t.copyLink}</MenuItem>
        <MenuItem icon={<CornerUpRight size={15} />} onSelect={() => actions.onMove(entry)}>{t.moveEntry}</MenuItem>
        <MenuItem icon={<Scissors size={15} />} onSelect={() => actions.onSplit(entry)}>{t.splitHere}</MenuItem>
      </Menu>
    </div>
  );
}

function Head({ entry, end }: { entry: Entry; end: boolean }) {
  const flags = entry.via?.flags ?? [];
  return (
    <div className={cx("flex items-center gap-1.5 text-12 text-ink3", end && "flex-row-reverse")}>
      <ChannelTile channel={entry.channel} size={20} />
      <span className="font-medium text-ink2">{entry.author.name}</span>
      {entry.author.kind === "bot" && <Bot size={13} aria-label={t.robot} />}
      <span aria-hidden>·</span>
      <span>{channelName(entry.channel)}</span>
      <span aria-hidden>·</span>
      <time dateTime={entry.at} title={full(entry.at)} className="tnum">{clock(entry.at)}</time>
      {entry.imported && <span>· {t.imported}</span>}
      {entry.edited_at && <span>· {t.edited}</span>}
      {flags.includes("spoof_suspected") && <span className="font-medium text-danger">· {t.spoof}</span>}
    </div>
  );
}

function Removed({ entry }: { entry: Entry }) {
  return <p className="text-13 italic text-ink3">{t.removedAt(clock(entry.at))}</p>;
}

function MessageLook({ entry, first, tail, actions }: LookProps) {
  const end = entry.direction === "out";
  const mail = entry.channel === "email";
  const rich = mail && entry.body.html_safe != null;
  const off = entry.status?.code === "cancelled" || entry.status?.code === "expired";
  const waits = entry.status?.code === "queued" && (entry.status.hold_until != null || entry.status.send_at != null);
  return (
    <div className={cx("group/entry flex flex-col gap-1", end ? "items-end" : "items-start", first ? "pt-3" : "pt-1")}>
      {first && <Head entry={entry} end={end} />}
      <div className={cx("flex max-w-full items-start gap-1", rich && "w-full", end && "flex-row-reverse")}>
        <div className={cx("flex min-w-0 flex-col gap-1.5", end ? "items-end" : "items-start", mail ? cx("max-w-[46rem]", rich && "flex-1") : "max-w-[min(40rem,100%)]")}>
          {entry.redacted ? (
            <Removed entry={entry} />
          ) : mail ? (
            <MailCard entry={entry} />
          ) : (
            (entry.body.text || entry.parts.length > 0) && (
              <div dir="auto" className={cx("max-w-[72ch] whitespace-pre-wrap break-words rounded-card px-3 py-2 text-15", end ? "bg-brand-tint" : "bg-fill", end ? first && "rounded-se-chip" : first && "rounded-ss-chip", entry.audience === "outside" && "border-e-4 border-warn", off && "line-through opacity-60", waits && "border border-dashed border-brand/50 bg-transparent")}>
                <RichText text={entry.body.text} />
                {entry.parts.map((p, i) => <PartView key={i} part={p} />)}
              </div>
            )
          )}
          {!mail && !entry.redacted && <Files files={entry.attachments} end={end} />}
          {end && entry.status && (tail || (entry.status.code !== "read" && entry.status.code !== "delivered" && entry.status.code !== "sent" && entry.status.code !== "accepted") || entry.status.uncertain) && <Status entry={entry} actions={actions} />}
          {entry.audience === "outside" && <p className="text-12 text-warn">{t.customerCannotSee}</p>}
        </div>
        <EntryMenu entry={entry} actions={actions} />
      </div>
    </div>
  );
}

function NoteLook({ entry, first, names, actions }: LookProps) {
  return (
    <div className={cx("group/entry", first ? "pt-3" : "pt-1")}>
      <div className="relative rounded-card bg-note px-3 py-2.5 text-note-ink">
        {first && (
          <div className="mb-1 flex items-center gap-1.5 text-12">
            <Lock size={13} aria-hidden />
            <span className="font-semibold">{t.look.note}</span>
            <span aria-hidden>·</span>
            <span className="font-medium">{entry.author.name}</span>
            <time dateTime={entry.at} title={full(entry.at)} className="tnum opacity-85">{clock(entry.at)}</time>
            <span className="sr-only">{t.onlyTeamSees}</span>
          </div>
        )}
        {entry.redacted ? <Removed entry={entry} /> : <p dir="auto" className="max-w-[72ch] whitespace-pre-wrap break-words text-15"><RichText text={entry.body.text} mentions={[...names.agents.map((a) => a.name), ...names.agents.map((a) => a.name.split(" ")[0] ?? a.name)].filter(Boolean)} /></p>}
        {entry.attachments.length > 0 && <div className="pt-2"><Files files={entry.attachments} end={false} /></div>}
        <EntryMenu entry={entry} actions={actions} className="absolute end-1.5 top-1.5" />
      </div>
    </div>
  );
}

function CallLook({ entry, actions }: LookProps) {
  const call = entry.call;
  const missed = call?.state === "missed";
  const voicemail = call?.state === "voicemail";
  const Icon = voicemail ? Voicemail : missed ? PhoneMissed : entry.direction === "in" ? PhoneIncoming : PhoneOutgoing;
  return (
    <div className={cx("group/entry flex pt-3", entry.direction === "out" ? "justify-end" : "justify-start")}>
      <div data-channel="voice" className="w-full max-w-[32rem] rounded-card border border-line bg-surface shadow-1">
        <div className="flex items-center gap-3 px-3 py-2.5">
          <span className={cx("inline-flex size-9 shrink-0 items-center justify-center rounded-full", missed ? "bg-danger-tint text-danger" : "tone-tile")}><Icon size={17} aria-hidden /></span>
          <div className="min-w-0 flex-1">
            <p className="text-14 font-medium">{missed ? t.callMissed : voicemail ? t.callVoicemail : entry.direction === "in" ? t.callIn : t.callOut}</p>
            <p className="tnum truncate text-12 text-ink3">
              {entry.author.name} · <time dateTime={entry.at} title={full(entry.at)}>{clock(entry.at)}</time>
              {call && call.wait_ms > 0 && ` · ${t.waited(duration(call.wait_ms))}`}
            </p>
          </div>
          {call && call.duration_ms > 0 && <span className="tnum text-14 font-medium" title={t.length}>{duration(call.duration_ms)}</span>}
          <EntryMenu entry={entry} actions={actions} />
        </div>
        {entry.body.text && <p dir="auto" className="border-t border-line px-4 py-2.5 text-14 text-ink2">{entry.body.text}</p>}
      </div>
    </div>
  );
}

function EventLook({ entry, names }: LookProps) {
  const text = eventText(entry, names);
  const [undone, setUndone] = useState(false);
  const undo = async (id: string) => {
    try {
      await need(api.POST("/api/v1/undo/{id}", { params: { path: { id } } }));
      setUndone(true);
    } catch (error) {
      toast(problemText(error instanceof Problem ? error : null), { tone: "danger" });
    }
  };
  if (entry.event?.code === "channel_switched") {
    return (
      <div className="flex items-center gap-3 pt-4 pb-1 text-12 text-ink2">
        <span className="h-px flex-1 bg-line" aria-hidden />
        <ArrowRight size={13} aria-hidden className="rtl:-scale-x-100" />
        <span>{text}</span>
        <time className="tnum text-ink3" dateTime={entry.at}>{clock(entry.at)}</time>
        <span className="h-px flex-1 bg-line" aria-hidden />
      </div>
    );
  }
  return (
    <div className="group/entry flex min-h-6 flex-wrap items-center justify-center gap-x-1.5 pt-1.5 text-center text-12 text-ink3">
      {entry.event?.code === "identity_given" && <CircleCheck size={13} className="text-ok" aria-hidden />}
      <span>{text}</span>
      <time className="tnum" dateTime={entry.at} title={full(entry.at)}>{clock(entry.at)}</time>
      {entry.event?.undo_id && !undone && (
        <button type="button" onClick={() => void undo(entry.event?.undo_id ?? "")} className="inline-flex h-6 items-center gap-1 rounded-chip px-1.5 text-ink2 opacity-0 hover:bg-fill focus-visible:opacity-100 group-hover/entry:opacity-100 pointer-coarse:opacity-100">
          <Undo2 size={12} aria-hidden /> {t.undo}
        </button>
      )}
    </div>
  );
}

/** One look per kind: a forgotten kind does not compile. */
const looks: Record<EntryKind, (props: LookProps) => ReactNode> = { message: MessageLook, note: NoteLook, call: CallLook, event: EventLook };

export const EntryView = memo(function EntryView(props: LookProps) {
  const Look = looks[props.entry.kind] ?? EventLook;
  return <Look {...props} />;
});

/** Runs of events, one line until somebody wants to know. */
export function EventsFold({ count, onOpen }: { count: number; onOpen: () => void }) {
  return (
    <div className="flex justify-center pt-1.5">
      <button type="button" onClick={onOpen} className="inline-flex h-6 items-center gap-1 rounded-full px-2 text-12 text-ink3 hover:bg-fill hover:text-ink">
        {t.changes(count)} <ChevronDown size={12} aria-hidden />
      </button>
    </div>
  );
}

/** A reply of mine that the server has not confirmed yet: waiting, under way or refused. */
export function OutgoingView({ out, onEdit }: { out: Outgoing; onEdit: (out: Outgoing) => void }) {
  const note = out.body.kind === "note";
  const text = out.state === "refused" ? t.notSentBecause(out.problem?.code === "blocked" ? reasonText(String(out.problem.args["reason"] ?? "")) : problemText(new Problem(409, { code: out.problem?.code ?? "", args: out.problem?.args ?? {} }))) : out.state === "waiting" ? t.waitsHere : t.sending;
  return (
    <div className={cx("flex flex-col gap-1 pt-2", note ? "items-stretch" : "items-end")} aria-busy={out.state === "sending"}>
      <div dir="auto" className={cx("max-w-[min(40rem,100%)] whitespace-pre-wrap break-words rounded-card border border-dashed px-3 py-2 text-15", note ? "max-w-none border-note-ink/40 bg-note text-note-ink" : "border-brand/50", out.state === "refused" && "border-danger")}>
        {out.body.text}
        {out.attachments.length > 0 && <p className="text-12 text-ink3">{t.files(out.attachments.length)}</p>}
      </div>
      <div className="flex items-center gap-2 self-end text-12" role={out.state === "refused" ? "alert" : undefined}>
        <span className={cx("inline-flex items-center gap-1", out.state === "refused" ? "font-medium text-danger" : "text-ink3")}>
          {out.state === "refused" ? <CircleAlert size={13} aria-hidden /> : <Clock3 size={13} aria-hidden />}
          {text}
        </span>
        {out.state === "refused" && <Button size="s" onClick={() => retry(out.key, out.problem?.code === "newer_entries" ? { force: true } : undefined)}>{out.problem?.code === "newer_entries" ? t.sendAnyway : t.retry}</Button>}
        {out.state !== "sending" && <Button size="s" look="quiet" onClick={() => { discard(out.key); onEdit(out); }}>{t.edit}</Button>}
      </div>
    </div>
  );
}

