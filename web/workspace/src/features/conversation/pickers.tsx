import { Check, Plus } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { api, need } from "../../app/api";
import { qk, queryClient } from "../../app/query";
import { useAgents, useMe, useTags, useTeams } from "../../app/me";
import { when } from "../../app/time";
import { t } from "../../text";
import { Avatar } from "../../ui/avatar";
import { cx } from "../../ui/cx";
import { Pop } from "../../ui/menu";
import { parseWhen, whenChoices } from "./snooze";

interface Choice {
  key: string;
  text: string;
  hint?: string;
  icon?: ReactNode;
  on?: boolean;
}

/** A list with a filter on top: type, arrows, Enter. The frame of all pickers. */
export function PickList({ label, choices, onPick, empty, onText, extra, stay }: { label: string; choices: Choice[]; onPick: (key: string) => void; empty?: string; onText?: (text: string) => void; extra?: ReactNode; stay?: boolean }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const shown = useMemo(() => (onText ? choices : choices.filter((c) => c.text.toLowerCase().includes(text.toLowerCase().trim()))), [choices, text, onText]);
  return (
    <div>
      <input
        autoFocus
        aria-label={label}
        placeholder={label}
        role="combobox"
        aria-expanded="true"
        aria-controls="picklist"
        aria-activedescendant={shown[at] ? `pick-${at}` : undefined}
        value={text}
        onChange={(e) => { setText(e.target.value); setAt(0); onText?.(e.target.value); }}
        onKeyDown={(e) => {
          if (e.key === "ArrowDown" || e.key === "ArrowUp") {
            e.preventDefault();
            setAt((n) => Math.max(0, Math.min(shown.length - 1, n + (e.key === "ArrowDown" ? 1 : -1))));
          }
          if (e.key === "Enter") {
            e.preventDefault();
            const c = shown[at];
            if (c) onPick(c.key);
            if (c && stay) setText("");
          }
        }}
        className="mb-1 h-9 w-full border-b border-line bg-transparent px-2 text-14 outline-none pointer-coarse:text-16"
      />
      <div id="picklist" role="listbox" aria-label={label} className="max-h-72 overflow-y-auto">
        {shown.map((c, i) => (
          <div key={c.key} id={`pick-${i}`} role="option" aria-selected={c.on ?? i === at} onPointerMove={() => setAt(i)} onClick={() => onPick(c.key)} className={cx("flex min-h-8 cursor-pointer items-center gap-2 rounded-control px-2 py-1 pointer-coarse:min-h-11", i === at && "bg-fill")}>
            {c.icon && <span className="flex size-5 shrink-0 items-center justify-center text-ink3">{c.icon}</span>}
            <span className="min-w-0 flex-1 truncate">{c.text}</span>
            {c.hint && <span className="tnum shrink-0 text-12 text-ink3">{c.hint}</span>}
            {c.on && <Check size={16} className="shrink-0 text-brand" aria-hidden />}
          </div>
        ))}
        {shown.length === 0 && !extra && <p className="px-2 py-3 text-13 text-ink3">{empty ?? t.nothingFound}</p>}
      </div>
      {extra}
    </div>
  );
}

interface PickerProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  trigger: ReactNode;
  /** The trigger only marks the place; something else opens it. */
  anchor?: boolean;
}

export function AgentPicker({ open, onOpenChange, trigger, agentId, teamId, onPick }: PickerProps & { agentId: string | null | undefined; teamId: string | null | undefined; onPick: (patch: { agent_id?: string | null; team_id?: string | null }) => void }) {
  const agents = useAgents();
  const teams = useTeams();
  const me = useMe();
  const sorted = [...agents.filter((a) => a.id === me.agent.id), ...agents.filter((a) => a.id !== me.agent.id && !a.archived)];
  const choices: Choice[] = [
    ...sorted.map((a) => ({ key: a.id, text: a.id === me.agent.id ? t.meName(a.name) : a.name, hint: a.availability === "available" ? undefined : t.availabilityName[a.availability], icon: <Avatar name={a.name} size={20} />, on: a.id === agentId })),
    ...(agentId !== null ? [{ key: "none", text: t.nobody, icon: <span className="size-5 rounded-full border border-dashed border-control" /> }] : []),
    ...teams.map((x) => ({ key: x.id, text: x.name, hint: t.team, icon: <Avatar name={x.name} size={20} />, on: x.id === teamId })),
  ];
  return (
    <Pop open={open} onOpenChange={onOpenChange} label={t.cmd.assign} trigger={trigger} align="end" width={260}>
      <PickList label={t.assignTo} choices={choices} onPick={(key) => { onOpenChange(false); onPick(key === "none" ? { agent_id: null } : key.startsWith("tem_") ? { team_id: key === teamId ? null : key } : { agent_id: key }); }} />
    </Pop>
  );
}

export function WhenPicker({ open, onOpenChange, trigger, anchor, onPick, label, reply, side }: PickerProps & { onPick: (until: string | null) => void; label: string; reply?: boolean; side?: "top" | "bottom" }) {
  const [text, setText] = useState("");
  const [custom, setCustom] = useState("");
  const now = new Date();
  const parsed = parseWhen(text, now, t.weekdaysShort, t.tomorrowWord);
  const choices: Choice[] = parsed ? [{ key: parsed.toISOString(), text: when(parsed.getTime()) }] : text ? [] : [...whenChoices(now).map((c) => ({ key: c.at.toISOString(), text: t.whenName[c.key], hint: when(c.at.getTime()) })), ...(reply ? [{ key: "reply", text: t.untilReply }] : [])];
  const pick = (key: string) => {
    onOpenChange(false);
    setText("");
    onPick(key === "reply" ? null : key);
  };
  return (
    <Pop open={open} onOpenChange={onOpenChange} label={label} trigger={trigger} anchor={anchor} align="end" width={270} side={side}>
      <PickList
        label={t.whenPlaceholder}
        choices={choices}
        onText={setText}
        onPick={pick}
        empty={t.whenNotUnderstood}
        extra={
          <form className="mt-1 flex items-center gap-2 border-t border-line p-2" onSubmit={(e) => { e.preventDefault(); const at = new Date(custom); if (at > new Date()) pick(at.toISOString()); }}>
            <input type="datetime-local" aria-label={t.exactTime} value={custom} onChange={(e) => setCustom(e.target.value)} className="field h-8 min-h-8 flex-1 py-0 text-13" />
            <button type="submit" className="h-8 rounded-control px-2 text-13 font-medium text-brand hover:bg-fill">{t.set}</button>
          </form>
        }
      />
    </Pop>
  );
}

export const SnoozePicker = (props: PickerProps & { onPick: (until: string | null) => void }) => <WhenPicker {...props} label={t.cmd.snooze} reply />;

export function TagPicker({ open, onOpenChange, trigger, has, onToggle }: PickerProps & { has: (id: string) => boolean; onToggle: (id: string, on: boolean) => void }) {
  const tags = useTags();
  const [name, setName] = useState("");
  const make = async () => {
    const tag = await need(api.POST("/api/v1/tags", { body: { name: name.trim() } }));
    await queryClient.invalidateQueries({ queryKey: qk.tags });
    onToggle(tag.id, true);
  };
  const shown = tags.filter((x) => x.name.toLowerCase().includes(name.toLowerCase().trim()));
  const fresh = name.trim() !== "" && !tags.some((x) => x.name.toLowerCase() === name.trim().toLowerCase());
  return (
    <Pop open={open} onOpenChange={onOpenChange} label={t.cmd.tags} trigger={trigger} align="end" width={240}>
      <PickList stay label={t.tagPlaceholder} onText={setName} choices={[...shown.map((x) => ({ key: x.id, text: x.name, on: has(x.id), icon: <span className="size-2.5 rounded-full" style={{ background: x.colour }} /> })), ...(fresh ? [{ key: "new", text: t.newTag(name.trim()), icon: <Plus size={15} /> }] : [])]} onPick={(key) => (key === "new" ? void make() : onToggle(key, !has(key)))} empty={t.noTagsYet} />
    </Pop>
  );
}
