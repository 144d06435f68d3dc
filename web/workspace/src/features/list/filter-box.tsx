import { BookmarkPlus, Search, X } from "lucide-react";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Problem } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { qk, queryClient, type ListParams } from "../../app/query";
import { useTags } from "../../app/me";
import { toast } from "../../app/toasts";
import { problemText, t } from "../../text";
import { Button, IconButton } from "../../ui/button";
import { cx } from "../../ui/cx";
import { Field, Toggle } from "../../ui/field";
import { Menu, MenuItem, MenuLabel, Pop } from "../../ui/menu";

const TOKEN = /-?[\p{L}_]+:(?:"[^"]*"|\S+)|"[^"]*"|\S+/gu;
/** Takes a filter text apart into its pieces; "is:open tag:VIP ada" gives three. */
export function tokens(q: string): string[] {
  return q.match(TOKEN) ?? [];
}
const isFilter = (token: string) => /^-?[\p{L}_]+:./u.test(token);

/** Text and chips at once: filters turn into chips, words stay text. */
export function FilterBox({ params, problems, focus, onChange, onClose }: { params: ListParams; focus: boolean; problems: { token: string; text: string }[]; onChange: (q: string) => void; onClose: () => void }) {
  const all = tokens(params.q);
  const chips = all.filter(isFilter);
  const words = all.filter((x) => !isFilter(x)).join(" ");
  const [text, setText] = useState(words);
  const input = useRef<HTMLInputElement>(null);
  const tags = useTags();
  useEffect(() => setText(words), [words]);
  useEffect(() => {
    // Opened by hand, not by an address that already holds a filter: then the keys of the list stay free.
    if (focus) input.current?.focus({ preventScroll: true });
  }, [focus]);
  useEffect(() => {
    const next = [...chips, ...tokens(text)].join(" ");
    if (next === params.q.trim()) return;
    // Typing waits for a pause; a finished filter (ends in a space) goes at once.
    const timer = setTimeout(() => onChange(next), text.endsWith(" ") && tokens(text).some(isFilter) ? 0 : 250);
    return () => clearTimeout(timer);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only typing starts the pause; chips change through onChange themselves
  }, [text]);
  const add = (token: string) => onChange([...all.filter((x) => x !== token), token].join(" "));
  const quote = (v: string) => (/\s/.test(v) ? `"${v}"` : v);
  return (
    <div className="px-2 pb-2">
      <div className="flex min-h-9 flex-wrap items-center gap-1 rounded-control border border-control/70 bg-surface px-2 py-1 focus-within:border-brand focus-within:outline-2 focus-within:outline-brand">
        <Search size={15} className="shrink-0 text-ink3" aria-hidden />
        {chips.map((chip) => {
          const problem = problems.find((p) => p.token === chip);
          return (
            <span key={chip} title={problem ? t.notUnderstood : undefined} className={cx("inline-flex h-6 max-w-full items-center gap-0.5 rounded-chip ps-1.5 text-12 font-medium", problem ? "bg-warn-tint text-warn" : "bg-brand-tint text-brand")}>
              <span className="truncate">{chip}</span>
              <button type="button" aria-label={t.removeFilter(chip)} onClick={() => onChange(all.filter((x) => x !== chip).join(" "))} className="inline-flex size-6 items-center justify-center rounded-chip hover:bg-fill">
                <X size={12} aria-hidden />
              </button>
            </span>
          );
        })}
        <input
          ref={input}
          aria-label={t.filterList}
          placeholder={chips.length ? "" : t.filterPlaceholder}
          value={text}
          onChange={(e) => setText(e.target.value)}
          onKeyDown={(e) => {
            if (e.key === "Backspace" && text === "" && chips.length) onChange(all.filter((x) => x !== chips.at(-1)).join(" "));
            if (e.key === "Escape") {
              if (text || chips.length) onChange("");
              else onClose();
              setText("");
            }
          }}
          className="h-6 min-w-14 flex-1 bg-transparent text-14 outline-none pointer-coarse:text-16"
        />
        <Menu align="end" label={t.addFilter} trigger={<button type="button" className="inline-flex h-6 items-center rounded-chip px-1.5 text-12 text-ink2 hover:bg-fill">{t.addFilter}</button>}>
          {["is:unread", "is:open", "is:waiting", "is:snoozed", "is:closed", "agent:me", "agent:none", "has:attachment", "priority:high"].map((f) => (
            <MenuItem key={f} onSelect={() => add(f)} hint={f}>{t.filterName[f] ?? f}</MenuItem>
          ))}
          {tags.length > 0 && <MenuLabel>{t.tags}</MenuLabel>}
          {tags.slice(0, 12).map((tag) => (
            <MenuItem key={tag.id} onSelect={() => add(`tag:${quote(tag.name)}`)} icon={<span className="size-2.5 rounded-full" style={{ background: tag.colour }} />}>{tag.name}</MenuItem>
          ))}
        </Menu>
        {params.q !== "" && <SaveView query={params.q} />}
        <IconButton size="s" label={t.close} onClick={() => { onChange(""); onClose(); }}><X size={14} aria-hidden /></IconButton>
      </div>
      {problems.length > 0 && <p className="px-1 pt-1 text-12 text-warn">{t.filterNotUnderstood(problems.map((p) => p.token).join(", "))}</p>}
    </div>
  );
}

function SaveView({ query }: { query: string }) {
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const navigate = useNavigate();
  const save = async () => {
    try {
      const view = await need(api.POST("/api/v1/views", { body: { name, query, shared, pinned: true } }));
      setOpen(false);
      await queryClient.invalidateQueries({ queryKey: qk.views });
      void navigate({ to: "/inbox", search: { view: `view:${view.id}` } });
    } catch (error) {
      toast(problemText(error instanceof Problem ? error : null), { tone: "danger" });
    }
  };
  return (
    <Pop open={open} onOpenChange={setOpen} align="end" label={t.saveView} trigger={<button type="button" aria-label={t.saveView} title={t.saveView} className="inline-flex size-6 items-center justify-center rounded-control text-ink2 hover:bg-fill"><BookmarkPlus size={15} aria-hidden /></button>}>
      <form className="flex flex-col gap-3 p-3" onSubmit={(e) => { e.preventDefault(); void save(); }}>
        <Field label={t.viewNameLabel} hint={query}>{(ids) => <input {...ids} className="field" required maxLength={60} value={name} onChange={(e) => setName(e.target.value)} />}</Field>
        <Toggle label={t.shareWithTeam} checked={shared} onChange={setShared} />
        <Button look="primary" type="submit">{t.saveView}</Button>
      </form>
    </Pop>
  );
}
