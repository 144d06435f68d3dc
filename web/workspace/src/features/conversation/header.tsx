import { Archive, ArrowLeft, ChevronDown, CircleDot, Clock3, Ellipsis, Eye, Flag, Merge, PanelRight, PenLine, RotateCcw, Search, ShieldAlert, Tag as TagIcon, UserRound } from "lucide-react";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Problem, type ConversationRow, type Presence, type Priority, type Status } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { applyRow } from "../../app/cache";
import { useCommands } from "../../app/commands";
import { useAgents, useMe, useTags, useTeams } from "../../app/me";
import { when } from "../../app/time";
import { toast } from "../../app/toasts";
import { problemText, t } from "../../text";
import { Avatar } from "../../ui/avatar";
import { IconButton, Tip } from "../../ui/button";
import { cx } from "../../ui/cx";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../../ui/menu";
import { change } from "./change";
import { AgentPicker, SnoozePicker, TagPicker } from "./pickers";

const pill = "inline-flex h-8 min-w-0 items-center gap-1.5 rounded-control border border-control/50 px-2.5 text-13 text-ink hover:bg-fill data-[state=open]:bg-fill pointer-coarse:h-11";

export function Header({ row, presence, back, contextOpen, onContext, onMerge }: { row: ConversationRow; presence: Presence | undefined; back: boolean; contextOpen: boolean; onContext: () => void; onMerge: () => void }) {
  const me = useMe();
  const agents = useAgents();
  const teams = useTeams();
  const tags = useTags();
  const navigate = useNavigate();
  const [menu, setMenu] = useState<"assign" | "snooze" | "tags" | "status" | "more" | null>(null);
  const [naming, setNaming] = useState(false);
  const agent = agents.find((a) => a.id === row.agent_id);
  const team = teams.find((x) => x.id === row.team_id);
  const done = row.status === "resolved" || row.status === "closed";
  const pick = (key: typeof menu) => (open: boolean) => setMenu(open ? key : null);

  const close = () => void change(row, done ? { status: "open" } : { status: "resolved" }, done ? t.reopened : t.closedWord);
  const snooze = (until: string | null) => void change(row, { status: "snoozed", snoozed_until: until }, until ? t.snoozedUntil(when(until)) : t.snoozedUntilReply);
  const assign = (patch: { agent_id?: string | null; team_id?: string | null }) => void change(row, patch, t.assignedWord);
  const takeIt = async () => {
    try {
      applyRow(await need(api.POST("/api/v1/conversations/{id}/take", { params: { path: { id: row.id } } })));
      toast(t.assignedTo(me.agent.name));
    } catch (error) {
      if (error instanceof Problem && error.code === "taken") toast(t.takenBy(agents.find((a) => a.id === error.args["agent_id"])?.name ?? t.someone), { actions: [{ label: t.takeAnyway, run: () => assign({ agent_id: me.agent.id }) }] });
      else toast(problemText(error instanceof Problem ? error : null), { tone: "danger" });
    }
  };
  const setStatus = (status: Status) => void change(row, { status }, t.statusSet(t.statusName[status]));
  const setPriority = (priority: Priority) => void change(row, { priority }, t.prioritySet(t.priorityName[priority]));

  useCommands([
    { id: "conversation.close", label: done ? t.cmd.reopen : t.cmd.close, keys: ["e"], group: "conversation", run: close },
    { id: "conversation.snooze", label: t.cmd.snooze, keys: ["b"], group: "conversation", run: () => setMenu("snooze") },
    { id: "conversation.assign", label: t.cmd.assign, keys: ["a"], group: "conversation", run: () => setMenu("assign") },
    { id: "conversation.assignMe", label: t.cmd.assignMe, keys: ["shift+a"], group: "conversation", run: () => (row.agent_id == null ? void takeIt() : assign({ agent_id: me.agent.id })) },
    { id: "conversation.tags", label: t.cmd.tags, keys: ["t"], group: "conversation", run: () => setMenu("tags") },
    { id: "conversation.urgency", label: t.cmd.urgency, keys: ["g u"], group: "conversation", run: () => setMenu("more") },
    { id: "conversation.merge", label: t.cmd.merge, group: "conversation", run: onMerge },
    { id: "conversation.spam", label: row.spam ? t.notSpam : t.cmd.spam, group: "conversation", run: () => void change(row, { spam: !row.spam }, row.spam ? t.notSpam : t.markedSpam) },
    { id: "conversation.subject", label: t.cmd.subject, group: "conversation", run: () => setNaming(true) },
    ...(["open", "pending", "on_hold"] as const).filter((s) => s !== row.status).map((s) => ({ id: `conversation.status.${s}`, label: t.cmd.setStatus(t.statusName[s]), group: "conversation" as const, run: () => setStatus(s) })),
  ]);

  return (
    <header className="shrink-0 border-b border-line bg-surface">
      <div className="flex h-13 items-center gap-2 ps-3 pe-3 sm:ps-5">
        {back && <IconButton label={t.backToList} onClick={() => void navigate({ to: "/inbox", search: (s: object) => s })}><ArrowLeft size={18} aria-hidden className="rtl:-scale-x-100" /></IconButton>}
        <div className="flex min-w-0 flex-1 items-center gap-2">
          <h1 className="min-w-0 truncate text-16 font-semibold" dir="auto">{row.contact.name}</h1>
          <span className="tnum shrink-0 text-13 text-ink3 max-sm:hidden">#{row.number}</span>
          <span className="max-sm:hidden"><PresenceAvatars presence={presence} me={me.agent.id} /></span>
        </div>
        <AgentPicker open={menu === "assign"} onOpenChange={pick("assign")} agentId={row.agent_id ?? null} teamId={row.team_id ?? null} onPick={assign} trigger={
          <button type="button" className={cx(pill, "max-sm:border-0 max-sm:px-1")} aria-label={agent ? `${agent.id === me.agent.id ? t.meWord : agent.name.split(" ")[0]}: ${t.assignedTo(agent.name)}` : team ? `${team.name}: ${t.assignedTo(team.name)}` : t.assignWord}>
            {agent ? <Avatar name={agent.name} size={20} /> : <UserRound size={15} className="text-ink3" aria-hidden />}
            <span className="truncate max-lg:hidden">{agent ? (agent.id === me.agent.id ? t.meWord : agent.name.split(" ")[0]) : team ? team.name : t.assignWord}</span>
            <ChevronDown size={13} className="text-ink3 max-sm:hidden" aria-hidden />
          </button>
        } />
        <SnoozePicker open={menu === "snooze"} onOpenChange={pick("snooze")} onPick={snooze} trigger={<button type="button" aria-label={t.cmd.snooze} title={`${t.cmd.snooze} (B)`} className={cx(pill, "justify-center px-2 max-sm:hidden pointer-coarse:px-3")}><Clock3 size={15} aria-hidden /></button>} />
        <Tip label={done ? t.cmd.reopen : t.cmd.close} keys="e">
          <button type="button" onClick={close} aria-label={done ? t.cmd.reopen : t.cmd.close} className={cx(pill, "max-sm:w-9 max-sm:justify-center max-sm:border-0 max-sm:px-0", !done && "border-brand/50 text-brand hover:bg-brand-tint")}>
            {done ? <RotateCcw size={15} aria-hidden /> : <Archive size={15} aria-hidden />}
            <span className="max-sm:hidden">{done ? t.cmd.reopen : t.cmd.close}</span>
          </button>
        </Tip>
        <Menu align="end" label={t.more} open={menu === "more"} onOpenChange={pick("more")} width={230} trigger={<button type="button" aria-label={t.more} className="inline-flex size-8 shrink-0 items-center justify-center rounded-control text-ink2 hover:bg-fill data-[state=open]:bg-fill pointer-coarse:size-11"><Ellipsis size={17} aria-hidden /></button>}>
          <MenuLabel>{t.urgency}</MenuLabel>
          {(["urgent", "high", "normal", "low"] as const).map((p) => <MenuItem key={p} checked={row.priority === p} onSelect={() => setPriority(p)}>{t.priorityName[p]}</MenuItem>)}
          <MenuLine />
          <MenuItem icon={<Clock3 size={15} />} keys="b" onSelect={() => setTimeout(() => setMenu("snooze"), 50)}>{t.cmd.snooze}</MenuItem>
          <MenuItem icon={<Search size={15} />} keys="f" onSelect={() => dispatchEvent(new KeyboardEvent("keydown", { key: "f" }))}>{t.cmd.find}</MenuItem>
          <MenuItem icon={<PenLine size={15} />} onSelect={() => setNaming(true)}>{t.cmd.subject}</MenuItem>
          <MenuItem icon={<Merge size={15} />} onSelect={onMerge}>{t.cmd.merge}</MenuItem>
          <MenuItem icon={<ShieldAlert size={15} />} tone={row.spam ? undefined : "danger"} onSelect={() => void change(row, { spam: !row.spam }, row.spam ? t.notSpam : t.markedSpam)}>{row.spam ? t.notSpam : t.cmd.spam}</MenuItem>
        </Menu>
        <IconButton label={t.cmd.context} keys="i" aria-pressed={contextOpen} onClick={onContext}><PanelRight size={17} aria-hidden className="rtl:-scale-x-100" /></IconButton>
      </div>
      <div className="flex min-h-9 flex-wrap items-center gap-x-1.5 gap-y-1 px-3 pb-2 sm:px-5">
        <Menu open={menu === "status"} onOpenChange={pick("status")} label={t.status} trigger={
          <button type="button" className={cx("inline-flex h-6 items-center gap-1 rounded-full px-2 text-12 font-medium hover:brightness-95 pointer-coarse:h-9", row.status === "open" ? "bg-ok-tint text-ok" : done ? "bg-fill text-ink2" : "bg-info-tint text-info")}>
            <CircleDot size={12} aria-hidden />
            {row.status === "snoozed" ? (row.snoozed_until ? t.snoozedUntil(when(row.snoozed_until)) : t.snoozedUntilReply) : t.statusName[row.status]}
            <ChevronDown size={12} aria-hidden />
          </button>
        }>
          {(["open", "pending", "on_hold"] as const).map((s) => <MenuItem key={s} checked={row.status === s} onSelect={() => setStatus(s)}>{t.statusName[s]}</MenuItem>)}
          <MenuItem keys="b" checked={row.status === "snoozed"} onSelect={() => setTimeout(() => setMenu("snooze"), 50)}>{t.cmd.snooze}</MenuItem>
          <MenuItem keys="e" checked={row.status === "resolved"} onSelect={() => setStatus("resolved")}>{t.statusName.resolved}</MenuItem>
        </Menu>
        {naming ? <SubjectEdit value={row.subject ?? ""} onDone={(subject) => { setNaming(false); if (subject !== null && subject !== (row.subject ?? "")) void change(row, { subject: subject || null }, t.subjectSet); }} /> : <button type="button" onClick={() => setNaming(true)} title={t.cmd.subject} className="h-6 min-w-0 max-w-full truncate rounded-chip px-1 text-13 text-ink2 hover:bg-fill" dir="auto">{row.subject ?? <span className="text-ink3">{t.noSubject}</span>}</button>}
        {(row.priority === "high" || row.priority === "urgent") && <span className="inline-flex h-6 items-center gap-1 rounded-chip bg-danger-tint px-1.5 text-12 font-medium text-danger"><Flag size={12} aria-hidden />{t.priorityName[row.priority]}</span>}
        {row.tag_ids.map((id) => {
          const tag = tags.find((x) => x.id === id);
          return tag && <span key={id} className="inline-flex h-6 items-center gap-1.5 rounded-chip bg-fill px-1.5 text-12 text-ink2"><span className="size-2 rounded-full" style={{ background: tag.colour }} aria-hidden />{tag.name}</span>;
        })}
        <TagPicker open={menu === "tags"} onOpenChange={pick("tags")} has={(id) => row.tag_ids.includes(id)} onToggle={(id, on) => void change(row, { tag_ids: on ? [...row.tag_ids, id] : row.tag_ids.filter((x) => x !== id) }, null)} trigger={<button type="button" aria-label={t.cmd.tags} title={`${t.cmd.tags} (T)`} className="inline-flex h-6 min-w-6 items-center justify-center gap-1 rounded-chip px-1 text-12 text-ink3 hover:bg-fill hover:text-ink pointer-coarse:h-9"><TagIcon size={13} aria-hidden />{row.tag_ids.length === 0 && t.tagWord}</button>} />
        <span className="ms-auto sm:hidden"><PresenceAvatars presence={presence} me={me.agent.id} /></span>
      </div>
    </header>
  );
}

function SubjectEdit({ value, onDone }: { value: string; onDone: (subject: string | null) => void }) {
  const ref = useRef<HTMLInputElement>(null);
  const finished = useRef(false);
  useEffect(() => ref.current?.select(), []);
  const finish = (v: string | null) => {
    if (finished.current) return;
    finished.current = true;
    onDone(v);
  };
  return <input ref={ref} autoFocus aria-label={t.cmd.subject} defaultValue={value} maxLength={200} onBlur={(e) => finish(e.target.value.trim())} onKeyDown={(e) => { if (e.key === "Enter") finish(e.currentTarget.value.trim()); if (e.key === "Escape") finish(null); }} className="h-6 w-72 max-w-full rounded-chip border border-brand bg-surface px-1.5 text-13 outline-none" />;
}

function PresenceAvatars({ presence, me }: { presence: Presence | undefined; me: string }) {
  const agents = useAgents();
  const others = presence?.agents.filter((a) => a.agent_id !== me) ?? [];
  if (others.length === 0) return null;
  return (
    <span className="flex shrink-0 items-center">
      {others.slice(0, 4).map((a) => {
        const name = agents.find((x) => x.id === a.agent_id)?.name ?? t.someone;
        const label = a.doing === "viewing" ? t.isViewing(name) : a.doing === "typing_note" ? t.typesNote(name) : t.typesReply(name);
        return (
          <span key={a.agent_id} className="relative -ms-1 first:ms-0" title={label}>
            <Avatar name={name} size={24} solid />
            <span className={cx("absolute -bottom-0.5 -end-0.5 inline-flex size-3.5 items-center justify-center rounded-full ring-2 ring-surface", a.doing === "viewing" ? "bg-fill text-ink2" : "bg-info text-surface")}>
              {a.doing === "viewing" ? <Eye size={9} aria-hidden /> : <PenLine size={9} aria-hidden />}
            </span>
            <span className="sr-only">{label}</span>
          </span>
        );
      })}
    </span>
  );
}
