import { Command as C } from "cmdk";
import { useNavigate } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useEffect, useState } from "react";
import type { SearchHit } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { commands, type Command } from "../../app/commands";
import { useStore } from "../../app/store";
import { age } from "../../app/time";
import { t } from "../../text";
import { Avatar } from "../../ui/avatar";
import { ChannelTile } from "../../ui/channel";
import { Dialog } from "../../ui/dialog";
import { Kbd } from "../../ui/kbd";

const RECENT = "continuo.palette";
const order: Command["group"][] = ["conversation", "list", "go", "me"];

/** Everything that can be done and everywhere one can go; each line teaches its key. */
export function Palette({ onClose }: { onClose: () => void }) {
  const all = useStore(commands);
  const [text, setText] = useState("");
  const [hits, setHits] = useState<SearchHit[]>([]);
  const navigate = useNavigate();
  const [recent] = useState<string[]>(() => {
    try {
      return JSON.parse(localStorage.getItem(RECENT) ?? "[]") as string[];
    } catch {
      return [];
    }
  });
  useEffect(() => {
    const q = text.trim();
    if (q.length < 2) return setHits([]);
    const timer = setTimeout(() => need(api.GET("/api/v1/search", { params: { query: { q } } })).then((p) => setHits(p.hits.slice(0, 8)), () => setHits([])), 150);
    return () => clearTimeout(timer);
  }, [text]);
  const byId = new Map(all.filter((c) => !c.hidden).map((c) => [c.id, c]));
  const list = [...byId.values()];
  const run = (c: Command) => {
    try {
      localStorage.setItem(RECENT, JSON.stringify([c.id, ...recent.filter((r) => r !== c.id)].slice(0, 6)));
    } catch {
      // Only the order of the list is lost.
    }
    onClose();
    // The dialog gives the focus back first; then the command may move it.
    setTimeout(() => c.run(), 0);
  };
  const item = (c: Command, prefix = "") => (
    <C.Item key={prefix + c.id} value={`${prefix}${c.label} ${c.id}`} onSelect={() => run(c)} className={line}>
      <span className="flex-1 truncate">{c.label}</span>
      {c.keys?.[0] && <Kbd keys={c.keys[0]} />}
    </C.Item>
  );
  const recents = text ? [] : recent.map((id) => byId.get(id)).filter((c) => c !== undefined);
  return (
    <Dialog title={t.palette} onClose={onClose} width={600} bare>
      <C label={t.palette} loop className="flex max-h-[min(480px,70dvh)] flex-col">
        <div className="flex items-center gap-2 border-b border-line px-4">
          <Search size={17} className="text-ink3" aria-hidden />
          <C.Input autoFocus value={text} onValueChange={setText} placeholder={t.palettePlaceholder} className="h-12 flex-1 bg-transparent text-16 outline-none" />
          <Kbd keys="Escape" />
        </div>
        <C.List className="min-h-0 flex-1 overflow-y-auto p-1.5">
          <C.Empty className="px-3 py-8 text-center text-13 text-ink3">{t.nothingFound}</C.Empty>
          {recents.length > 0 && <C.Group heading={t.recent} className={group}>{recents.map((c) => item(c, "recent "))}</C.Group>}
          {order.map((g) => {
            const of = list.filter((c) => c.group === g);
            return of.length > 0 && <C.Group key={g} heading={t.commandGroup[g]} className={group}>{of.map((c) => item(c))}</C.Group>;
          })}
          {hits.length > 0 && (
            <C.Group heading={t.found} className={group} forceMount>
              {hits.map((h) => h.kind === "contact" ? (
                <C.Item key={h.contact.id} forceMount value={`hit ${h.contact.id}`} onSelect={() => { onClose(); void navigate({ to: "/search", search: { q: h.contact.name } }); }} className={line}>
                  <Avatar name={h.contact.name} size={22} /><span className="flex-1 truncate">{h.contact.name}</span><span className="truncate text-12 text-ink3">{h.contact.points[0]}</span>
                </C.Item>
              ) : (
                <C.Item key={h.entry_id} forceMount value={`hit ${h.entry_id}`} onSelect={() => { onClose(); void navigate({ to: "/inbox/c/$id", params: { id: h.conversation.id }, search: (s: object) => s, hash: `e-${h.entry_id}` }); }} className={line}>
                  <ChannelTile channel={h.conversation.channel} /><span className="shrink-0">{h.conversation.contact.name}</span><span className="min-w-0 flex-1 truncate text-13 text-ink3">{h.snippet.map((s) => s.text).join("")}</span><span className="tnum text-12 text-ink3">{age(h.at)}</span>
                </C.Item>
              ))}
            </C.Group>
          )}
        </C.List>
      </C>
    </Dialog>
  );
}

const line = "flex min-h-9 cursor-pointer select-none items-center gap-2.5 rounded-control px-2.5 py-1 text-14 data-[selected=true]:bg-fill";
const group = "[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:pt-2.5 [&_[cmdk-group-heading]]:text-12 [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-ink3";
