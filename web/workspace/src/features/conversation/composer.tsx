import { ChevronUp, FileText, Lock, Paperclip, SendHorizontal, Smile, TriangleAlert, X } from "lucide-react";
import { useEffect, useImperativeHandle, useLayoutEffect, useRef, useState, type Ref } from "react";
import { Problem, type Attachment, type ConversationDetail, type ReplyOption, type SendEntry } from "@continuo/api-client";
import { useCommands } from "../../app/commands";
import { connection, doing, presences } from "../../app/live";
import { outbox, post } from "../../app/outbox";
import { useAgents, useMe } from "../../app/me";
import { useStore } from "../../app/store";
import { bytes, clock, when } from "../../app/time";
import { toast } from "../../app/toasts";
import { problemText, t } from "../../text";
import { Avatar } from "../../ui/avatar";
import { Button, IconButton } from "../../ui/button";
import { cx } from "../../ui/cx";
import { Menu, MenuItem, Pop } from "../../ui/menu";
import { useDraft, type Mode } from "./drafts";
import { PlanBar, usePlan, wishOf, type Wish } from "./mail-plan";
import { SnoozePicker, WhenPicker } from "./pickers";
import { ReplyVia } from "./reply-via";
import { refuseFile, upload } from "./upload";
import { reasonText } from "./words";

export interface ComposerHandle {
  restore: (text: string, mode: Mode, attachments: Attachment[]) => void;
  via: () => void;
}

interface Pending {
  id: string;
  name: string;
  bytes: number;
  part: number;
  error: string | null;
  file: File;
  cancel: () => void;
}

const EMOJI = "😀 😊 🙂 😉 😄 😅 😂 🤔 😮 😢 😬 🙏 👍 👎 👌 👏 💪 🤝 👋 ✌️ ❤️ 💚 💙 🎉 ✨ ⭐ 🔥 ☀️ ☕ 🎁 📦 🚚 ✅ ❌ ⚠️ ⏳ 📞 ✉️ 📎 🧾 💳 🔑 🔧 🏠 🌱 🍀 🐶 🐱".split(" ");

export function Composer({ detail, ref }: { detail: ConversationDetail; ref?: Ref<ComposerHandle> }) {
  const row = detail.conversation;
  const me = useMe();
  const agents = useAgents();
  const [mode, setMode] = useState<Mode>("reply");
  const reply = useDraft(me.agent.id, row.id, "reply", detail.drafts.find((d) => d.mode === "reply"));
  const note = useDraft(me.agent.id, row.id, "note", detail.drafts.find((d) => d.mode === "note"));
  const box = mode === "reply" ? reply : note;
  const draft = box.draft;
  const area = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const [focused, setFocused] = useState(false);
  const [pending, setPending] = useState<Pending[]>([]);
  const [viaOpen, setViaOpen] = useState(false);
  const [later, setLater] = useState<"snooze" | "send" | null>(null);
  const [wish, setWish] = useState<Wish>({});
  const [badReceivers, setBadReceivers] = useState<Record<string, string>>({});
  const [emoji, setEmoji] = useState(false);
  const [over, setOver] = useState(false);
  const [mention, setMention] = useState<{ from: number; text: string; at: number } | null>(null);
  const live = useStore(connection);
  const waiting = useStore(outbox, (list) => list.filter((o) => o.state === "waiting" && o.agentId === me.agent.id).length);
  const here = useStore(presences, (m) => m.get(row.id)) ?? detail.presence;
  const options = detail.reply_options;
  const chosen: ReplyOption | null = options.find((o) => o.inbox_id === draft.inboxId && o.state !== "blocked") ?? options.find((o) => o.default && o.state !== "blocked") ?? options.find((o) => o.state === "ok") ?? options.find((o) => o.state !== "blocked") ?? null;
  const preferred = options.find((o) => o.default);
  const limits = mode === "reply" ? (chosen?.limits ?? null) : null;
  const over_text = limits?.text_max != null && draft.text.length > limits.text_max;
  const byMail = mode === "reply" && chosen?.channel === "email" && row.status !== "closed";
  const planned = usePlan(byMail, row.id, row.customer_seq, chosen?.inbox_id ?? null, chosen?.contact_point_id ?? null, wish);
  const plan = byMail ? (planned.data ?? null) : null;
  // Passing on needs somebody; everything else has the sender.
  const nobody = plan !== null && plan.to.length + plan.cc.length + plan.bcc.length === 0;
  const empty = draft.text.trim() === "" && draft.attachments.length === 0;
  const newer = mode === "reply" && !empty && draft.baseSeq !== null && row.customer_seq > draft.baseSeq;
  const others = here.agents.filter((a) => a.agent_id !== me.agent.id && a.doing === "typing_reply").map((a) => agents.find((x) => x.id === a.agent_id)?.name ?? t.someone);
  const locked = row.status === "closed";
  const uploading = pending.some((p) => p.error === null);

  useLayoutEffect(() => {
    const el = area.current;
    if (!el) return;
    el.style.height = "auto";
    el.style.height = `${Math.min(el.scrollHeight, Math.round(innerHeight * 0.4))}px`;
  }, [draft.text, mode, focused]);

  const focus = (next: Mode) => {
    setMode(next);
    requestAnimationFrame(() => {
      const el = area.current;
      el?.focus();
      el?.setSelectionRange(el.value.length, el.value.length);
    });
  };
  useImperativeHandle(ref, () => ({
    restore: (text, into, attachments) => {
      const target = into === "reply" ? reply : note;
      target.change({ text: target.draft.text ? `${text}\n\n${target.draft.text}` : text, attachments: [...attachments, ...target.draft.attachments] }, row.seq);
      focus(into);
    },
    via: () => setViaOpen(true),
  }));

  // Presence: typing for five seconds after a key, else viewing.
  const typingTimer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const tellTyping = () => {
    doing(row.id, mode === "reply" ? "typing_reply" : "typing_note");
    clearTimeout(typingTimer.current);
    typingTimer.current = setTimeout(() => doing(row.id, "viewing"), 5_000);
  };
  useEffect(() => {
    doing(row.id, "viewing");
    return () => {
      clearTimeout(typingTimer.current);
      doing(null, null);
    };
  }, [row.id]);

  const write = (text: string) => {
    box.change({ text }, row.seq);
    if (text !== "") tellTyping();
    const caret = area.current?.selectionStart ?? text.length;
    const m = /(^|\s)@([\p{L}]*)$/u.exec(text.slice(0, caret));
    setMention(mode === "note" && m ? { from: caret - (m[2]?.length ?? 0) - 1, text: (m[2] ?? "").toLowerCase(), at: 0 } : null);
  };
  const people = mention ? agents.filter((a) => !a.archived && a.id !== me.agent.id && a.name.toLowerCase().split(" ").some((w) => w.startsWith(mention.text))).slice(0, 6) : [];
  const insert = (text: string, from?: number) => {
    const el = area.current;
    const start = from ?? el?.selectionStart ?? draft.text.length;
    const end = el?.selectionEnd ?? draft.text.length;
    box.change({ text: draft.text.slice(0, start) + text + draft.text.slice(end) }, row.seq);
    requestAnimationFrame(() => {
      el?.focus();
      el?.setSelectionRange(start + text.length, start + text.length);
    });
  };
  const pickPerson = (name: string) => {
    insert(`@${name} `, mention?.from);
    setMention(null);
  };

  const current = useRef(draft);
  current.current = draft;
  const addFiles = (list: Iterable<File>) => {
    let count = draft.attachments.length + pending.length;
    for (const file of list) {
      const no = refuseFile(file, count, limits);
      const id = `${Date.now()}-${count}-${file.name}`;
      if (no) {
        toast(t.fileRefused(file.name, no.code === "too_large" ? t.fileTooLarge(bytes(no.max ?? 0)) : no.code === "too_many" ? t.fileTooMany(no.max ?? 0) : t.fileType), { tone: "danger" });
        continue;
      }
      count += 1;
      start({ id, name: file.name, bytes: file.size, part: 0, error: null, file, cancel: () => undefined });
    }
  };
  const start = (p: Pending) => {
    const { done, cancel } = upload(p.file, row.id, (part) => setPending((was) => was.map((x) => (x.id === p.id ? { ...x, part } : x))));
    setPending((was) => [...was.filter((x) => x.id !== p.id), { ...p, cancel, error: null }]);
    done.then(
      (attachment) => {
        setPending((was) => was.filter((x) => x.id !== p.id));
        box.change({ attachments: [...current.current.attachments, attachment] }, row.seq);
      },
      (error: unknown) => {
        if (error instanceof DOMException) setPending((was) => was.filter((x) => x.id !== p.id));
        else setPending((was) => was.map((x) => (x.id === p.id ? { ...x, error: problemText(error instanceof Problem ? error : null) } : x)));
      },
    );
  };

  const send = (extra: Pick<SendEntry, "then" | "send_at"> = {}) => {
    if (empty || over_text || uploading || locked) return;
    if (nobody) {
      toast(t.ml.noReceiverYet, { tone: "danger" });
      return;
    }
    const bad = byMail ? Object.values(badReceivers)[0] : undefined;
    if (bad) {
      toast(t.ml.badAddress(bad), { tone: "danger" });
      return;
    }
    if (mode === "reply" && !chosen) {
      setViaOpen(true);
      return;
    }
    if (newer) {
      // The first press shows what came; the second one sends, knowing it.
      box.change({ baseSeq: row.seq }, row.seq);
      document.querySelector<HTMLElement>("#stream")?.scrollTo({ top: 1e9 });
      toast(t.readNewer);
      return;
    }
    const present = chosen?.channel === "webchat" && here.customer.online;
    const hold = mode === "note" || extra.send_at || present ? 0 : me.preferences.undo_seconds;
    const mention_ids = mode === "note" ? agents.filter((a) => draft.text.includes(`@${a.name}`) || new RegExp(`@${(a.name.split(" ")[0] ?? a.name).replace(/[^\p{L}]/gu, "")}(?!\\p{L})`, "u").test(draft.text)).map((a) => a.id) : [];
    post({
      agentId: me.agent.id,
      conversationId: row.id,
      name: row.contact.name,
      attachments: draft.attachments,
      body: {
        kind: mode === "note" ? "note" : "message",
        text: draft.text.trim(),
        attachment_ids: draft.attachments.map((a) => a.id),
        ...(mode === "note" ? { mention_ids } : { inbox_id: chosen?.inbox_id, contact_point_id: chosen?.contact_point_id, hold_seconds: hold, ...(byMail ? { mail: plan && !planned.isPlaceholderData ? wishOf(plan) : wish } : {}) }),
        base_seq: draft.baseSeq ?? row.seq,
        ...extra,
      },
    });
    box.clear();
    setWish({});
    setBadReceivers({});
    setMention(null);
    doing(row.id, "viewing");
    if (mode === "note") setMode("reply");
  };

  useCommands([
    { id: "compose.reply", label: t.cmd.reply, keys: ["r"], group: "conversation", run: () => focus("reply") },
    { id: "compose.note", label: t.cmd.note, keys: ["n"], group: "conversation", run: () => focus("note") },
    { id: "compose.send", label: t.cmd.send, keys: ["mod+Enter"], group: "conversation", run: () => send() },
    { id: "compose.sendClose", label: t.cmd.sendClose, keys: ["mod+shift+Enter"], group: "conversation", run: () => send({ then: { status: "resolved" } }) },
    { id: "compose.via", label: t.replyVia, keys: ["v"], group: "conversation", run: () => setViaOpen(true) },
    { id: "compose.attach", label: t.cmd.attach, group: "conversation", run: () => files.current?.click() },
    { id: "compose.later", label: t.cmd.sendLater, group: "conversation", run: () => setLater("send") },
  ]);

  const isNote = mode === "note";
  const offline = live.state === "lost";
  return (
    <footer
      className={cx("relative shrink-0 px-3 pb-3 pt-1 sm:px-5 sm:pb-4", over && "bg-brand-tint")}
      onDragOver={(e) => { if (e.dataTransfer.types.includes("Files")) { e.preventDefault(); setOver(true); } }}
      onDragLeave={() => setOver(false)}
      onDrop={(e) => { e.preventDefault(); setOver(false); addFiles(e.dataTransfer.files); }}
    >
      <div className="mx-auto w-full max-w-[58rem]">
        {others.length > 0 && (
          <p className="fade mb-1.5 flex items-center gap-2 rounded-control bg-info-tint px-3 py-1.5 text-13 text-info" role="status">
            <Avatar name={others[0] ?? ""} size={18} /> {t.typesReply(others.join(", "))}
          </p>
        )}
        {(offline || waiting > 0) && (
          <p className="tnum mb-1.5 flex items-center gap-2 rounded-control bg-warn-tint px-3 py-1.5 text-13 text-warn" role="status">
            <TriangleAlert size={14} aria-hidden /> {waiting > 0 ? t.offlineWaiting(waiting) : t.offlineWrite}
          </p>
        )}
        {!isNote && preferred?.state === "blocked" && chosen && !empty && (
          <p className="mb-1.5 flex items-center gap-2 rounded-control bg-warn-tint px-3 py-1.5 text-13 text-warn" role="status">
            <TriangleAlert size={14} aria-hidden /> {reasonText(preferred.reason)} {t.goesVia(chosen.inbox_name)}
          </p>
        )}
        <div className={cx("rounded-card border shadow-1 transition-colors", isNote ? "border-note-ink/30 bg-note" : "border-control/60 bg-surface", focused && (isNote ? "border-note-ink/70" : "border-brand outline-1 outline-brand"))}>
          <div className="flex items-center gap-1 px-2 pt-1.5">
            <div role="radiogroup" aria-label={t.mode} className="flex gap-0.5">
              {(["reply", "note"] as const).map((m) => (
                <button key={m} type="button" role="radio" aria-checked={mode === m} onClick={() => focus(m)} className={cx("inline-flex h-7 items-center gap-1.5 rounded-control px-2 text-13 transition-colors pointer-coarse:h-10", mode === m ? (isNote ? "bg-note-ink/12 font-semibold text-note-ink" : "bg-fill font-semibold text-ink") : isNote ? "text-note-ink hover:bg-note-ink/8" : "text-ink2 hover:bg-fill")}>
                  {m === "note" && <Lock size={12} aria-hidden />}
                  {m === "reply" ? t.reply : t.look.note}
                  {(m === "reply" ? reply : note).draft.text.trim() !== "" && mode !== m && <span className="size-1.5 rounded-full bg-warn" title={t.hasDraft} />}
                </button>
              ))}
            </div>
            <span className="flex-1" />
            {isNote ? <span className="truncate text-12 text-note-ink">{t.onlyTeamSees}</span> : <ReplyVia options={options} chosen={chosen} open={viaOpen} onOpenChange={setViaOpen} onPick={(o) => { box.change({ inboxId: o.inbox_id }, row.seq); area.current?.focus(); }} />}
          </div>
          {plan && <PlanBar key={row.id} plan={plan} wish={wish} onWish={setWish} onBad={(field, bad) => setBadReceivers((was) => (field === null ? {} : bad ? { ...was, [field]: bad } : Object.fromEntries(Object.entries(was).filter(([k]) => k !== field))))} />}
          {mention && people.length > 0 && (
            <ul role="listbox" aria-label={t.mentionSomebody} className="mx-2 mt-1 rounded-control border border-line bg-raised p-1 text-ink shadow-1">
              {people.map((a, i) => (
                <li key={a.id} role="option" aria-selected={i === mention.at} onMouseDown={(e) => { e.preventDefault(); pickPerson(a.name); }} className={cx("flex h-8 cursor-pointer items-center gap-2 rounded-control px-2 text-13", i === mention.at && "bg-fill")}>
                  <Avatar name={a.name} size={20} /> {a.name}
                </li>
              ))}
            </ul>
          )}
          <textarea
            ref={area}
            aria-label={isNote ? t.writeNote : t.writeReply(row.contact.name)}
            placeholder={locked ? t.lockedHint : isNote ? t.notePlaceholder : chosen ? t.replyPlaceholder(row.contact.name) : t.noWay}
            value={draft.text}
            disabled={locked && !isNote}
            rows={2}
            dir="auto"
            onFocus={() => setFocused(true)}
            onBlur={() => setFocused(false)}
            onChange={(e) => write(e.target.value)}
            onPaste={(e) => { if (e.clipboardData.files.length > 0) { e.preventDefault(); addFiles(e.clipboardData.files); } }}
            onKeyDown={(e) => {
              if (mention && people.length > 0) {
                if (e.key === "ArrowDown" || e.key === "ArrowUp") { e.preventDefault(); setMention({ ...mention, at: (mention.at + (e.key === "ArrowDown" ? 1 : people.length - 1)) % people.length }); return; }
                if ((e.key === "Enter" || e.key === "Tab") && !e.ctrlKey && !e.metaKey) { e.preventDefault(); const p = people[mention.at]; if (p) pickPerson(p.name); return; }
                if (e.key === "Escape") { e.stopPropagation(); setMention(null); return; }
              }
              if (e.key === "Escape") { e.currentTarget.blur(); document.getElementById("stream")?.focus(); }
            }}
            className={cx("block max-h-[40dvh] min-h-[56px] w-full resize-none bg-transparent px-3.5 py-2 text-16 outline-none sm:text-15", isNote && "text-note-ink placeholder:text-note-ink/80")}
          />
          {(draft.attachments.length > 0 || pending.length > 0) && (
            <ul className="flex flex-wrap gap-1.5 px-3 pb-1" aria-label={t.filesLabel}>
              {draft.attachments.map((a) => (
                <li key={a.id} className="flex h-8 items-center gap-1.5 rounded-control border border-line bg-canvas ps-2 text-13 text-ink">
                  <FileText size={14} className="text-ink3" aria-hidden />
                  <span className="max-w-44 truncate">{a.name}</span>
                  <span className="tnum text-12 text-ink3">{bytes(a.bytes)}</span>
                  <IconButton size="s" label={t.removeFile(a.name)} onClick={() => box.change({ attachments: draft.attachments.filter((x) => x.id !== a.id) }, row.seq)}><X size={13} aria-hidden /></IconButton>
                </li>
              ))}
              {pending.map((p) => (
                <li key={p.id} className={cx("relative flex h-8 items-center gap-1.5 overflow-hidden rounded-control border ps-2 text-13", p.error ? "border-danger bg-danger-tint text-danger" : "border-line bg-canvas text-ink")}>
                  <span className="max-w-40 truncate">{p.name}</span>
                  {p.error ? <><span className="max-w-52 truncate text-12">{p.error}</span><button type="button" className="px-1 text-12 font-medium underline" onClick={() => start(p)}>{t.retry}</button></> : <span className="tnum text-12 text-ink3">{Math.round(p.part * 100)}%</span>}
                  <IconButton size="s" label={t.removeFile(p.name)} onClick={() => { p.cancel(); setPending((was) => was.filter((x) => x.id !== p.id)); }}><X size={13} aria-hidden /></IconButton>
                  {!p.error && <progress value={p.part} max={1} aria-label={t.uploading(p.name)} className="absolute inset-x-0 bottom-0 h-0.5 w-full appearance-none [&::-webkit-progress-bar]:bg-transparent [&::-webkit-progress-value]:bg-brand" />}
                </li>
              ))}
            </ul>
          )}
          <div className="flex items-center gap-0.5 px-2 pb-2">
            <IconButton label={t.cmd.attach} onClick={() => files.current?.click()} disabled={limits?.attachments_max === 0} className={isNote ? "text-note-ink" : undefined}><Paperclip size={17} aria-hidden /></IconButton>
            <input ref={files} type="file" multiple tabIndex={-1} aria-hidden className="hidden" onChange={(e) => { addFiles(e.target.files ?? []); e.target.value = ""; }} />
            <Pop open={emoji} onOpenChange={setEmoji} label={t.emoji} side="top" width={296} trigger={<button type="button" aria-label={t.emoji} title={t.emoji} className={cx("inline-flex size-8 items-center justify-center rounded-control hover:bg-fill pointer-coarse:size-11", isNote ? "text-note-ink" : "text-ink2 hover:text-ink")}><Smile size={17} aria-hidden /></button>}>
              <div className="grid grid-cols-8 gap-0.5 p-1">
                {EMOJI.map((x) => <button key={x} type="button" className="flex size-8 items-center justify-center rounded-control text-18 hover:bg-fill" onClick={() => { setEmoji(false); insert(x); }}>{x}</button>)}
              </div>
            </Pop>
            {isNote && <button type="button" aria-label={t.mentionSomebody} title={t.mentionSomebody} className="inline-flex size-8 items-center justify-center rounded-control text-16 text-note-ink hover:bg-note-ink/8" onClick={() => { insert(draft.text === "" || /\s$/.test(draft.text) ? "@" : " @"); requestAnimationFrame(() => write(area.current?.value ?? "")); }}>@</button>}
            <span className={cx("ms-2 min-w-0 flex-1 truncate text-12", over_text ? "text-danger" : isNote ? "text-note-ink" : "text-ink3")} aria-live="polite">
              {over_text && limits?.text_max != null ? t.tooLong(draft.text.length, limits.text_max) : box.savedAt && !empty ? t.savedAt(clock(box.savedAt)) : ""}
            </span>
            <div className="relative flex">
              <Button look="primary" aria-disabled={empty || over_text || uploading || undefined} disabled={locked && !isNote} onClick={() => send()} className={cx("rounded-e-none pe-2.5", newer && "bg-warn", (empty || over_text || uploading) && "opacity-60", isNote && "bg-note-ink text-note")} icon={newer ? <TriangleAlert size={15} aria-hidden /> : <SendHorizontal size={15} aria-hidden className="rtl:-scale-x-100" />}>
                {newer ? t.readNewFirst(1) : isNote ? t.addNote : t.send}
              </Button>
              <Menu
                align="end"
                label={t.sendOptions}
                width={230}
                trigger={<button type="button" aria-label={t.sendOptions} disabled={locked && !isNote} className={cx("inline-flex h-9 w-8 items-center justify-center rounded-e-control border-s border-on-brand/25 bg-brand text-on-brand hover:brightness-110 disabled:opacity-55 pointer-coarse:h-11", newer && "bg-warn", empty && "opacity-60", isNote && "border-note/40 bg-note-ink text-note")}><ChevronUp size={15} aria-hidden /></button>}
              >
                <MenuItem keys="mod+Enter" disabled={empty} onSelect={() => send()}>{isNote ? t.addNote : t.send}</MenuItem>
                <MenuItem keys="mod+shift+Enter" disabled={empty} onSelect={() => send({ then: { status: "resolved" } })}>{isNote ? t.noteClose : t.cmd.sendClose}</MenuItem>
                <MenuItem disabled={empty} onSelect={() => setTimeout(() => setLater("snooze"), 50)}>{isNote ? t.noteSnooze : t.sendSnooze}</MenuItem>
                <MenuItem disabled={empty} onSelect={() => send({ then: { status: "pending" } })}>{t.sendWaiting}</MenuItem>
                {!isNote && <MenuItem disabled={empty} onSelect={() => setTimeout(() => setLater("send"), 50)}>{t.cmd.sendLater}</MenuItem>}
              </Menu>
              <SnoozePicker anchor open={later === "snooze"} onOpenChange={(o) => setLater(o ? "snooze" : null)} onPick={(until) => send({ then: { status: "snoozed", snoozed_until: until } })} trigger={<span className="pointer-events-none absolute inset-0" />} />
              <WhenPicker anchor side="top" open={later === "send"} onOpenChange={(o) => setLater(o ? "send" : null)} label={t.cmd.sendLater} onPick={(at) => { if (at) { send({ send_at: at }); toast(t.sendsAt(when(at))); } }} trigger={<span className="pointer-events-none absolute inset-0" />} />
            </div>
          </div>
        </div>
        {box.other && (
          <div className="fade mt-2 rounded-card border border-warn/50 bg-warn-tint p-3 text-13" role="status">
            <p className="font-medium text-warn">{t.otherDraft(clock(box.other.updated_at))}</p>
            <p dir="auto" className="mt-1 line-clamp-4 whitespace-pre-wrap text-ink">{box.other.text}</p>
            <div className="mt-2 flex gap-2">
              <Button size="s" onClick={box.takeOther}>{t.swapDraft}</Button>
              <Button size="s" look="quiet" onClick={box.dropOther}>{t.keepMine}</Button>
            </div>
          </div>
        )}
      </div>
      <span className="sr-only" role="status">{isNote ? t.modeNote : t.modeReply}</span>
    </footer>
  );
}
