import { ArrowDownWideNarrow, CheckCheck, ChevronDown, CircleCheck, ListFilter, SearchX, X } from "lucide-react";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { VList, type VListHandle } from "virtua";
import type { ConversationRow, ViewCount } from "@continuo/api-client";
import { Problem } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { useCommands } from "../../app/commands";
import { connection, presences } from "../../app/live";
import { queryClient, type ListParams } from "../../app/query";
import { useAgents, useInboxes, useMe, useViews } from "../../app/me";
import { useStore } from "../../app/store";
import { clock, useNow } from "../../app/time";
import { toast } from "../../app/toasts";
import { problemText, t, viewName } from "../../text";
import { Button, IconButton } from "../../ui/button";
import { cx } from "../../ui/cx";
import { useLayout } from "../../ui/media";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../../ui/menu";
import { Bone, Empty, Failed, useSlow } from "../../ui/state";
import { prefetchConversation } from "../conversation";
import { useFrozen } from "./frozen";
import { useConversations } from "./queries";
import { ListRow } from "./row";

const BulkBar = lazy(() => import("./bulk").then((m) => ({ default: m.BulkBar })));
const FilterBox = lazy(() => import("./filter-box").then((m) => ({ default: m.FilterBox })));

const none: ConversationRow[] = [];

export function ListPane({ params, openId, className }: { params: ListParams; openId: string | null; className?: string }) {
  const me = useMe();
  const agents = useAgents();
  const views = useViews();
  const live = useStore(connection);
  const presence = useStore(presences);
  const now = useNow(30_000);
  const navigate = useNavigate();
  const query = useConversations(params);
  const slow = useSlow(query.isPending);
  const rows = useMemo(() => query.data?.pages.flatMap((p) => p.items) ?? none, [query.data]);
  const frozen = useFrozen(rows, JSON.stringify(params));
  const shown = frozen.shown;
  const total = query.data?.pages[0]?.total;
  const problems = query.data?.pages[0]?.problems ?? [];
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState(0);
  const lastChosen = useRef<string | null>(null);
  const list = useRef<VListHandle>(null);
  const grid = useRef<HTMLDivElement>(null);
  const [boxOpen, setBoxOpen] = useState(params.q !== "");
  const [byHand, setByHand] = useState(false);
  const layout = useLayout();
  const single = layout === "phone" || layout === "one";
  const compact = me.preferences.density === "compact";
  const place = JSON.stringify(params);

  useEffect(() => setChosen(new Set()), [place]);
  const openIndex = shown.findIndex((r) => r.id === openId);
  const lastIndex = useRef(0);
  useEffect(() => {
    if (openIndex >= 0) {
      lastIndex.current = openIndex;
      setActive(openIndex);
    }
  }, [openIndex]);

  const open = useCallback(
    (row: ConversationRow) => {
      void navigate({ to: "/inbox/c/$id", params: { id: row.id }, search: (s: object) => s, hash: "" });
    },
    [navigate],
  );
  const choose = useCallback(
    (row: ConversationRow, range: boolean) => {
      setChosen((was) => {
        const next = new Set(was);
        const from = shown.findIndex((r) => r.id === lastChosen.current);
        const to = shown.findIndex((r) => r.id === row.id);
        if (range && from >= 0 && to >= 0) for (let i = Math.min(from, to); i <= Math.max(from, to); i++) next.add(shown[i]?.id ?? row.id);
        else if (next.has(row.id)) next.delete(row.id);
        else next.add(row.id);
        return next;
      });
      lastChosen.current = row.id;
    },
    [shown],
  );

  const step = (by: number) => {
    const base = openIndex >= 0 ? openIndex : openId ? lastIndex.current - (by > 0 ? 1 : 0) : by > 0 ? -1 : shown.length;
    const next = shown[Math.min(shown.length - 1, Math.max(0, base + by))];
    if (!next) return;
    list.current?.scrollToIndex(shown.indexOf(next), { align: "nearest" });
    open(next);
    for (const at of [shown.indexOf(next) + 1, shown.indexOf(next) - 1]) if (shown[at]) prefetchConversation(shown[at].id);
  };
  const focusRow = (index: number) => {
    const to = Math.max(0, Math.min(shown.length - 1, index));
    setActive(to);
    list.current?.scrollToIndex(to, { align: "nearest" });
    requestAnimationFrame(() => grid.current?.querySelector<HTMLElement>(`[data-row="${shown[to]?.id}"] [data-open]`)?.focus());
  };
  const current = () => shown[openIndex >= 0 && !grid.current?.contains(document.activeElement) ? openIndex : active];
  const go = (view: string) => void navigate({ to: "/inbox", search: { view, q: undefined, sort: params.sort === "newest" ? undefined : params.sort } });

  useCommands([
    { id: "list.next", label: t.cmd.next, keys: ["j"], group: "list", run: () => step(1) },
    { id: "list.previous", label: t.cmd.previous, keys: ["k"], group: "list", run: () => step(-1) },
    { id: "list.choose", label: t.cmd.choose, keys: ["x"], group: "list", run: () => { const row = current(); if (row) choose(row, false); } },
    { id: "list.range", label: t.cmd.chooseRange, keys: ["shift+x"], group: "list", run: () => { const row = current(); if (row) choose(row, true); } },
    { id: "list.all", label: t.cmd.chooseAll, keys: ["mod+a"], group: "list", run: () => setChosen(new Set(shown.map((r) => r.id))) },
    { id: "list.new", label: t.cmd.showNew, keys: ["."], group: "list", run: frozen.showNew },
    { id: "list.filter", label: t.cmd.filter, keys: ["shift+f"], group: "list", run: () => { setByHand(true); setBoxOpen(true); } },
    { id: "list.takeNext", label: t.cmd.takeNext, keys: ["g n"], group: "list", run: () => void takeNext() },
    ...views.slice(0, 9).map((v, i) => ({ id: `view.${v.key}`, label: t.cmd.goTo(viewName(v)), keys: [String(i + 1)], group: "go" as const, run: () => go(v.key) })),
  ]);

  async function takeNext() {
    try {
      const row = await need(api.POST("/api/v1/conversations/next"));
      if (row) open(row);
      else toast(t.nothingToTake);
    } catch (error) {
      toast(problemText(error instanceof Problem ? error : null), { tone: "danger" });
    }
  }

  const tabs = ["mine", "unassigned"];
  if (!tabs.includes(params.view)) tabs.push(params.view);
  const byKey = new Map(views.map((v) => [v.key, v]));
  const loaded = !query.isPending;

  return (
    <section aria-label={t.conversations} className={cx("flex min-h-0 min-w-0 flex-col bg-surface", className)}>
      {single && <h1 className="sr-only">{viewName(byKey.get(params.view) ?? { key: params.view, name: null })}</h1>}
      <header className="shrink-0 border-b border-line">
        <div className="flex h-13 items-center gap-0.5 ps-3 pe-2">
          <nav aria-label={t.views} className="flex min-w-0 flex-1 items-center gap-0.5">
            {tabs.map((key) => {
              const v = byKey.get(key);
              return (
                <button key={key} type="button" onClick={() => go(key)} aria-current={params.view === key ? "page" : undefined} className={cx("flex h-8 items-center gap-1.5 rounded-control px-2 text-14 transition-colors", key.includes(":") || tabs.length === 3 && params.view === key ? "min-w-0" : "shrink-0", params.view === key ? "bg-fill font-semibold text-ink" : "font-medium text-ink2 hover:bg-canvas")}>
                  <span className="truncate">{viewName(v ?? { key, name: null })}</span>
                  {v && v.count > 0 && (tabs.length === 2 || params.view === key) && <span className="tnum text-12 font-normal text-ink3">{v.capped ? `${v.count}+` : v.count}</span>}
                </button>
              );
            })}
            <ViewMenu views={views} current={params.view} onGo={go} />
          </nav>
          <IconButton label={t.filter} keys="shift+f" aria-pressed={boxOpen} onClick={() => { setByHand(true); setBoxOpen((b) => !b || params.q !== ""); }}>
            <ListFilter size={17} aria-hidden />
          </IconButton>
          <Menu align="end" label={t.sort} trigger={<button type="button" aria-label={t.sort} title={t.sort} className="inline-flex size-8 items-center justify-center rounded-control text-ink2 hover:bg-fill pointer-coarse:size-11"><ArrowDownWideNarrow size={17} aria-hidden className={params.sort === "oldest" ? "-scale-y-100" : undefined} /></button>}>
            <MenuLabel>{t.sort}</MenuLabel>
            {(["newest", "oldest"] as const).map((s) => (
              <MenuItem key={s} checked={params.sort === s} onSelect={() => void navigate({ to: ".", search: (was: object) => ({ ...was, sort: s === "newest" ? undefined : s }) })}>
                {t.sortName[s]}
              </MenuItem>
            ))}
          </Menu>
        </div>
        {boxOpen && <Suspense fallback={<div className="h-11" />}><FilterBox focus={byHand} params={params} problems={problems} onClose={() => setBoxOpen(false)} onChange={(q) => void navigate({ to: ".", search: (was: object) => ({ ...was, q: q || undefined }), replace: true })} /></Suspense>}
      </header>
      {chosen.size > 0 && <Suspense fallback={<div className="h-11 bg-brand-tint" />}><BulkBar rows={shown.filter((r) => chosen.has(r.id))} shown={shown.length} total={total?.n ?? shown.length} onAll={() => setChosen(new Set(shown.map((r) => r.id)))} onClear={() => setChosen(new Set())} /></Suspense>}
      {live.state === "lost" && <p className="tnum shrink-0 bg-warn-tint px-4 py-1 text-12 text-warn">{t.asOf(clock(live.since))}</p>}
      <div className="relative min-h-0 flex-1" onPointerEnter={(e) => e.pointerType === "mouse" && frozen.hold()} onPointerLeave={frozen.letGo} onFocus={(e) => e.target.matches(":focus-visible") && frozen.hold()} onBlur={frozen.letGo}>
        {frozen.fresh > 0 && (
          <button type="button" onClick={() => { frozen.showNew(); list.current?.scrollToIndex(0); }} className="rise absolute inset-x-0 top-2 z-10 mx-auto w-fit rounded-full bg-brand px-3 py-1 text-13 font-medium text-on-brand shadow-2">
            {t.newPressDot(frozen.fresh)}
          </button>
        )}
        {query.isError && rows.length === 0 ? (
          <Failed error={query.error} onRetry={() => void query.refetch()} />
        ) : !loaded ? (
          slow && <ListBones compact={compact} />
        ) : shown.length === 0 ? (
          <EmptyList params={params} views={views} onTake={() => void takeNext()} onClear={() => void navigate({ to: ".", search: (was: object) => ({ ...was, q: undefined }) })} />
        ) : (
          <div
            ref={grid}
            role="grid"
            aria-label={viewName(byKey.get(params.view) ?? { key: params.view, name: null })}
            aria-rowcount={total?.n ?? shown.length}
            aria-multiselectable
            className="h-full"
            onKeyDown={(e) => {
              const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[e.key];
              if (by === undefined && e.key !== "Home" && e.key !== "End") return;
              e.preventDefault();
              focusRow(by !== undefined ? active + by : e.key === "Home" ? 0 : shown.length - 1);
            }}
          >
            <VList
              ref={list}
              style={{ height: "100%" }}
              itemSize={compact ? 56 : 76}
              onScroll={(offset) => {
                const l = list.current;
                if (l && query.hasNextPage && !query.isFetchingNextPage && offset + l.viewportSize > l.scrollSize - 1_200) void query.fetchNextPage();
              }}
            >
              {shown.map((row, i) => (
                <ListRow key={row.id} row={row} index={i} open={row.id === openId} chosen={chosen.has(row.id)} choosing={chosen.size > 0} active={i === active} showAgent={params.view !== "mine"} me={me.agent.id} meAgent={me.agent} agent={agents.find((a) => a.id === row.agent_id)} presence={presence.get(row.id)} now={now} compact={compact} onOpen={open} onChoose={choose} />
              ))}
              {query.isFetchingNextPage ? <div className="p-3"><Bone className="h-10" /></div> : null}
            </VList>
          </div>
        )}
      </div>
    </section>
  );
}

function ViewMenu({ views, current, onGo }: { views: ViewCount[]; current: string; onGo: (key: string) => void }) {
  const item = (v: ViewCount) => (
    <MenuItem key={v.key} checked={v.key === current} hint={v.count > 0 ? (v.capped ? `${v.count}+` : v.count) : undefined} onSelect={() => onGo(v.key)}>
      {viewName(v)}
    </MenuItem>
  );
  const own = views.filter((v) => v.key.startsWith("view:"));
  const teams = views.filter((v) => v.key.startsWith("team:"));
  return (
    <Menu
      label={t.views}
      width={240}
      trigger={
        <button type="button" aria-label={t.allViews} title={t.allViews} className="inline-flex size-8 shrink-0 items-center justify-center rounded-control text-ink2 hover:bg-fill data-[state=open]:bg-fill pointer-coarse:size-11">
          <ChevronDown size={17} aria-hidden />
        </button>
      }
    >
      {views.filter((v) => !v.key.includes(":")).map(item)}
      {own.length > 0 && <MenuLine />}
      {own.length > 0 && <MenuLabel>{t.savedViews}</MenuLabel>}
      {own.map(item)}
      {own.some((v) => v.key === current) && (
        <MenuItem icon={<X size={15} />} tone="danger" onSelect={() => { void need(api.DELETE("/api/v1/views/{id}", { params: { path: { id: current.slice(5) } } })).then(() => { void queryClient.invalidateQueries({ queryKey: ["views"] }); onGo("mine"); }); }}>
          {t.deleteView}
        </MenuItem>
      )}
      {teams.length > 0 && <MenuLine />}
      {teams.length > 0 && <MenuLabel>{t.teams}</MenuLabel>}
      {teams.map(item)}
    </Menu>
  );
}

function EmptyList({ params, views, onTake, onClear }: { params: ListParams; views: ViewCount[]; onTake: () => void; onClear: () => void }) {
  const inboxes = useInboxes();
  const navigate = useNavigate();
  const waiting = views.find((v) => v.key === "unassigned")?.count ?? 0;
  if (params.q) return <Empty icon={<SearchX size={22} />} title={t.nothingFor(params.q)}><Button onClick={onClear}>{t.clearFilter}</Button></Empty>;
  if (inboxes.length === 0 && views.every((v) => v.count === 0)) return <Empty icon={<CheckCheck size={22} />} title={t.noWayIn} text={t.noWayInText}><Button look="primary" onClick={() => void navigate({ to: "/settings/$page", params: { page: "channels" } })}>{t.addWebChat}</Button></Empty>;
  if (params.view === "mine") return <Empty icon={<CircleCheck size={22} />} title={t.allAnswered} text={waiting > 0 ? t.waitInUnassigned(waiting) : t.nothingWaits}>{waiting > 0 && <Button look="primary" onClick={onTake}>{t.takeNext}</Button>}</Empty>;
  return <Empty icon={<CircleCheck size={22} />} title={t.emptyView} text={params.view === "snoozed" ? t.emptySnoozed : params.view === "mentions" ? t.emptyMentions : undefined} />;
}

function ListBones({ compact }: { compact: boolean }) {
  return (
    <div aria-hidden className="fade">
      {Array.from({ length: 9 }, (_, i) => (
        <div key={i} className={cx("flex gap-3 border-b border-line/70 px-3", compact ? "h-14 py-2.5" : "h-[76px] py-3")}>
          <Bone className="size-5" />
          <div className="flex flex-1 flex-col gap-2">
            <Bone className="h-3 w-2/5" />
            <Bone className="h-3 w-4/5" />
            {!compact && <Bone className="h-3 w-3/5" />}
          </div>
        </div>
      ))}
    </div>
  );
}
