import { ArrowDown, Folder, Search, X } from "lucide-react";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { VList, type CacheSnapshot, type VListHandle } from "virtua";
import { Problem, type ConversationRow, type Entry, type TimelinePage } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { applyRow, findRow } from "../../app/cache";
import { useCommands } from "../../app/commands";
import { presences } from "../../app/live";
import { outbox, type Outgoing } from "../../app/outbox";
import { useStore } from "../../app/store";
import { dateYear, dayName } from "../../app/time";
import { toast } from "../../app/toasts";
import { problemText, t } from "../../text";
import { IconButton } from "../../ui/button";
import { cx } from "../../ui/cx";
import { channelName, ChannelTile } from "../../ui/channel";
import { EntryView, EventsFold, OutgoingView, type EntryActions } from "./entry";
import { jumpTimeline, loadMore } from "./queries";
import { buildRows, type Filter, type Row } from "./timeline-rows";
import { useNames } from "./words";

/** Where the reader was, per conversation, until the tab closes. */
const places = new Map<string, { offset: number; cache: CacheSnapshot; count: number }>();
const AT_END = 32;

export function Timeline({ row, page, goTo, me, actions, onEdit }: { row: ConversationRow; page: TimelinePage; goTo: string | null; me: string; actions: EntryActions; onEdit: (out: Outgoing) => void }) {
  const id = row.id;
  const names = useNames();
  const allOut = useStore(outbox);
  const outgoing = useMemo(() => allOut.filter((o) => o.conversationId === id), [allOut, id]);
  const typing = useStore(presences, (m) => m.get(id)?.customer.typing ?? false);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [filter, setFilter] = useState<Filter>("all");
  const [finding, setFinding] = useState(false);
  // The unread line stays where it was when the conversation was opened, though reading moves on.
  const [firstUnread] = useState(page.first_unread_id ?? null);
  const rows = useMemo(() => buildRows(page, { current: id, firstUnread, opened, filter, outgoing }), [page, id, firstUnread, opened, filter, outgoing]);
  const list = useRef<VListHandle>(null);
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(false);
  const atEndRef = useRef(false);
  const [shift, setShift] = useState(false);
  const loading = useRef(false);
  const placed = useRef(false);
  const lastKnown = useRef<string | null>(null);
  const [flash, setFlash] = useState<string | null>(null);
  const saved = places.get(id);
  const [cache] = useState(() => (saved && saved.count === rows.length && !goTo ? saved.cache : undefined));

  const measureEnd = useCallback(() => {
    const l = list.current;
    if (!l) return false;
    const end = l.scrollSize - l.scrollOffset - l.viewportSize < AT_END && page.after == null;
    atEndRef.current = end;
    setAtEnd(end);
    return end;
  }, [page.after]);

  const indexOf = useCallback((entryId: string) => rows.findIndex((r) => (r.kind === "entry" && r.entry.id === entryId) || ((r.kind === "fold" || r.kind === "events") && r.entries.some((e) => e.id === entryId))), [rows]);

  // First paint: the wanted entry, the place left behind, the first unread at a quarter of the height, else the end.
  useLayoutEffect(() => {
    const l = list.current;
    if (!l || placed.current || rows.length === 0) return;
    placed.current = true;
    lastKnown.current = page.entries.at(-1)?.id ?? null;
    const target = goTo ? indexOf(goTo) : -1;
    const unread = rows.findIndex((r) => r.kind === "unread");
    if (target >= 0) {
      l.scrollToIndex(target, { align: "center" });
      setFlash(goTo);
    } else if (saved && cache) l.scrollTo(saved.offset);
    else if (unread >= 0) l.scrollToIndex(unread, { align: "start", offset: -Math.round(l.viewportSize * 0.25) });
    else l.scrollToIndex(rows.length - 1, { align: "end" });
    requestAnimationFrame(() => requestAnimationFrame(measureEnd));
  }, [rows, goTo, indexOf, measureEnd, page.entries, saved, cache]);

  useEffect(() => {
    if (!flash) return;
    const timer = setTimeout(() => setFlash(null), 1_600);
    return () => clearTimeout(timer);
  }, [flash]);

  // A link to another entry of the conversation that is already open.
  const lastGoTo = useRef(goTo);
  useEffect(() => {
    if (!goTo || goTo === lastGoTo.current) return;
    lastGoTo.current = goTo;
    const at = indexOf(goTo);
    if (at >= 0) list.current?.scrollToIndex(at, { align: "center" });
    setFlash(goTo);
  }, [goTo, indexOf]);

  // At the end the view follows; elsewhere nothing moves.
  const lastRow = rows.at(-1)?.key;
  const mineLast = rows.at(-1)?.kind === "out";
  useLayoutEffect(() => {
    if (!placed.current) return;
    if (atEndRef.current || mineLast) {
      list.current?.scrollToIndex(rows.length - 1, { align: "end" });
      lastKnown.current = page.entries.at(-1)?.id ?? null;
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- follows only when the last line changes
  }, [lastRow, typing]);

  // The composer grows and shrinks: who reads the end keeps it.
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const seen = new ResizeObserver(() => {
      if (placed.current && atEndRef.current) list.current?.scrollToIndex(rows.length - 1, { align: "end" });
    });
    seen.observe(el);
    return () => seen.disconnect();
  }, [rows.length]);

  useEffect(
    () => () => {
      const l = list.current;
      if (l && !atEndRef.current) places.set(id, { offset: l.scrollOffset, cache: l.cache, count: rowCount.current });
      else places.delete(id);
    },
    [id],
  );
  const rowCount = useRef(rows.length);
  rowCount.current = rows.length;

  const fresh = useMemo(() => {
    if (atEnd) return 0;
    const from = page.entries.findIndex((e) => e.id === lastKnown.current);
    return from < 0 ? 0 : page.entries.slice(from + 1).filter((e) => e.kind !== "event" && e.author.id !== me).length;
  }, [page.entries, atEnd, me]);

  const toEnd = async () => {
    if (page.after != null) await jumpTimeline(id, "end");
    requestAnimationFrame(() => list.current?.scrollToIndex(rowCount.current - 1, { align: "end" }));
  };

  const onScroll = (offset: number) => {
    const l = list.current;
    if (!l || !placed.current) return;
    if (measureEnd()) lastKnown.current = page.entries.at(-1)?.id ?? null;
    const side = offset < 400 && page.before != null ? "before" : page.after != null && l.scrollSize - offset - l.viewportSize < 400 ? "after" : null;
    if (!side || loading.current) return;
    loading.current = true;
    if (side === "before") setShift(true);
    void loadMore(id, side)
      .catch((error: unknown) => toast(problemText(error instanceof Problem ? error : null), { tone: "danger" }))
      .finally(() => {
        requestAnimationFrame(() => {
          loading.current = false;
          setShift(false);
        });
      });
  };

  useMarkRead(row, rows, list);

  useCommands([
    { id: "timeline.end", label: t.cmd.toEnd, keys: ["End"], group: "conversation", run: () => void toEnd() },
    { id: "timeline.find", label: t.cmd.find, keys: ["f"], group: "conversation", run: () => setFinding(true) },
  ]);

  const open = (key: string) => setOpened((was) => new Set(was).add(key));
  const closeFind = () => {
    setFinding(false);
    setFilter("all");
  };

  return (
    <div ref={box} className="relative min-h-0 flex-1">
      {finding && <FindBar page={page} filter={filter} onFilter={setFilter} onClose={closeFind} onGo={(entryId) => { const at = indexOf(entryId); if (at >= 0) { list.current?.scrollToIndex(at, { align: "center" }); setFlash(entryId); } }} />}
      <VList ref={list} id="stream" tabIndex={0} role="list" aria-label={t.timelineOf(row.contact.name)} style={{ height: "100%" }} shift={shift} cache={cache} bufferSize={600} onScroll={onScroll} className="outline-offset-[-2px]">
        {rows.map((r, i) => (
          <div key={r.key} role="listitem" id={r.kind === "entry" ? `e-${r.entry.id}` : undefined} className={cx("mx-auto w-full max-w-[60rem] px-4 sm:px-6", i === 0 && "pt-3", i === rows.length - 1 && (typing ? "pb-11" : "pb-5"), flash && r.kind === "entry" && r.entry.id === flash && "rounded-card bg-info-tint")}>
            <RowView row={r} names={names} actions={actions} onOpen={open} onEdit={onEdit} />
          </div>
        ))}
      </VList>
      {typing && (
        <p role="status" className="fade absolute bottom-1.5 start-4 z-10 inline-flex items-center gap-2 rounded-full border border-line bg-raised px-3 py-1 text-12 text-ink2 shadow-1 sm:start-6">
          <Dots /> {t.customerTypes(row.contact.name, channelName(row.channel))}
        </p>
      )}
      {!atEnd && (
        <button type="button" onClick={() => void toEnd()} className={cx("rise absolute bottom-3 z-10 inline-flex items-center gap-1.5 rounded-full shadow-2", fresh > 0 ? "inset-x-0 mx-auto h-8 w-fit bg-brand px-3 text-13 font-medium text-on-brand" : "end-4 size-9 justify-center border border-line bg-raised text-ink2 hover:text-ink")} aria-label={fresh > 0 ? undefined : t.cmd.toEnd}>
          <ArrowDown size={15} aria-hidden /> {fresh > 0 && t.newCount(fresh)}
        </button>
      )}
      <Announcer entries={page.entries} me={me} current={id} />
    </div>
  );
}

function RowView({ row, names, actions, onOpen, onEdit }: { row: Row; names: ReturnType<typeof useNames>; actions: EntryActions; onOpen: (key: string) => void; onEdit: (out: Outgoing) => void }) {
  switch (row.kind) {
    case "entry":
      return <EntryView entry={row.entry} first={row.first} tail={row.tail} names={names} actions={actions} />;
    case "day":
      return (
        <div className="flex items-center gap-3 pb-1 pt-4">
          <span className="h-px flex-1 bg-line" aria-hidden />
          <h2 className="text-12 font-medium text-ink3">{dayName(row.at, Date.now(), { today: t.today, yesterday: t.yesterday })}</h2>
          <span className="h-px flex-1 bg-line" aria-hidden />
        </div>
      );
    case "unread":
      return (
        <div className="flex items-center gap-3 pt-3 text-12 font-medium text-brand">
          <span className="h-px flex-1 bg-brand/40" aria-hidden />
          {t.newHere}
          <span className="h-px flex-1 bg-brand/40" aria-hidden />
        </div>
      );
    case "events":
      return <EventsFold count={row.entries.length} onOpen={() => onOpen(row.key)} />;
    case "label":
      return (
        <p className="flex items-center justify-center gap-2 pt-5 text-12 text-ink3">
          <Folder size={13} aria-hidden /> {row.current ? t.conversationNumber(row.conversation.number) : t.otherConversation(row.conversation.number)}
          {row.conversation.subject && <span className="max-w-72 truncate text-ink2">{row.conversation.subject}</span>}
        </p>
      );
    case "fold":
      return (
        <div className="pt-2">
          <button type="button" onClick={() => onOpen(row.conversation.id)} className="flex min-h-9 w-full items-center gap-2 rounded-control border border-line bg-canvas px-3 py-1.5 text-start text-13 text-ink2 hover:bg-fill">
            <ChannelTile channel={row.entries.find((e) => e.channel !== "internal")?.channel ?? "internal"} size={18} />
            <span className="min-w-0 flex-1 truncate">{t.folded(row.conversation.number, dateYear(row.last), t.statusName[row.conversation.status] ?? row.conversation.status, row.entries.length)}{row.conversation.subject ? ` · ${row.conversation.subject}` : ""}</span>
            <span className="text-12 font-medium text-brand">{t.open}</span>
          </button>
        </div>
      );
    case "out":
      return <OutgoingView out={row.out} onEdit={onEdit} />;
  }
}

function Dots() {
  return (
    <span aria-hidden className="inline-flex gap-0.5">
      {[0, 1, 2].map((i) => (
        <span key={i} className="size-1.5 animate-pulse rounded-full bg-ink3" style={{ animationDelay: `${i * 160}ms` }} />
      ))}
    </span>
  );
}

/** Marked read after one second in view with the window focused. */
function useMarkRead(row: ConversationRow, rows: Row[], list: React.RefObject<VListHandle | null>) {
  const sent = useRef(0);
  useEffect(() => {
    const timer = setInterval(() => {
      const l = list.current;
      if (!l || !document.hasFocus() || document.visibilityState !== "visible") return;
      const now = findRow(row.id);
      if (!now || now.unread_count === 0) return;
      const last = l.findItemIndex(l.scrollOffset + l.viewportSize - 24);
      let upTo = 0;
      for (const r of rows.slice(0, last + 1)) {
        const entries: Entry[] = r.kind === "entry" ? [r.entry] : r.kind === "events" ? r.entries : [];
        for (const e of entries) if (e.conversation_id === row.id) upTo = Math.max(upTo, e.seq);
      }
      if (upTo <= sent.current) return;
      sent.current = upTo;
      const left = rows.filter((r) => r.kind === "entry" && r.entry.conversation_id === row.id && r.entry.direction === "in" && r.entry.seq > upTo).length;
      applyRow({ ...now, unread_count: left, unread: left > 0 }, true);
      need(api.POST("/api/v1/conversations/{id}/seen", { params: { path: { id: row.id } }, body: { seq: upTo } })).catch(() => (sent.current = 0));
    }, 1_000);
    return () => clearInterval(timer);
  }, [row.id, rows, list]);
}

/** The virtual list is no live region; this line says what is new, at most every two seconds, and never my own words. */
function Announcer({ entries, me, current }: { entries: Entry[]; me: string; current: string }) {
  const [text, setText] = useState("");
  const last = useRef(entries.at(-1)?.id ?? "");
  const waiting = useRef<string[]>([]);
  useEffect(() => {
    for (const e of entries) {
      if (e.id <= last.current || e.kind === "event" || e.author.id === me || e.conversation_id !== current) continue;
      waiting.current.push(t.announce(e.author.name, e.body.text.slice(0, 200) || t.files(e.attachments.length)));
    }
    const newest = entries.reduce((m, e) => (e.id > m ? e.id : m), last.current);
    last.current = newest;
  }, [entries, me, current]);
  useEffect(() => {
    const timer = setInterval(() => {
      if (waiting.current.length === 0) return;
      setText(waiting.current.length > 2 ? t.newCount(waiting.current.length) : waiting.current.join(" "));
      waiting.current = [];
    }, 2_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <div role="log" aria-live="polite" aria-label={t.newEntries} className="sr-only">
      {text}
    </div>
  );
}

function FindBar({ page, filter, onFilter, onClose, onGo }: { page: TimelinePage; filter: Filter; onFilter: (f: Filter) => void; onClose: () => void; onGo: (entryId: string) => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const needle = text.trim().toLowerCase();
  const hits = needle ? page.entries.filter((e) => e.body.text.toLowerCase().includes(needle)).reverse() : [];
  const go = (by: number) => {
    if (hits.length === 0) return;
    const next = (at + by + hits.length) % hits.length;
    setAt(next);
    const e = hits[next];
    if (e) onGo(e.id);
  };
  return (
    <div className="rise absolute inset-x-0 top-2 z-20 mx-auto flex w-fit max-w-[calc(100%-16px)] flex-wrap items-center gap-1 rounded-card border border-line bg-raised p-1 shadow-2" role="search">
      <Search size={15} className="ms-2 text-ink3" aria-hidden />
      <input autoFocus aria-label={t.cmd.find} placeholder={t.cmd.find} value={text} onChange={(e) => { setText(e.target.value); setAt(-1); }} onKeyDown={(e) => { if (e.key === "Escape") onClose(); if (e.key === "Enter") go(e.shiftKey ? -1 : 1); }} className="h-8 w-44 bg-transparent px-1 text-14 outline-none pointer-coarse:text-16" />
      {needle && <span className="tnum px-1 text-12 text-ink3" aria-live="polite">{hits.length === 0 ? t.nothingFound : `${Math.max(0, at) + 1}/${hits.length}`}</span>}
      <div role="radiogroup" aria-label={t.filter} className="flex gap-0.5">
        {(["all", "customer", "calls", "notes", "files"] as const).map((f) => (
          <button key={f} type="button" role="radio" aria-checked={filter === f} onClick={() => onFilter(f)} className={cx("h-7 rounded-control px-2 text-12", filter === f ? "bg-brand-tint font-medium text-brand" : "text-ink2 hover:bg-fill")}>{t.timelineFilter[f]}</button>
        ))}
      </div>
      <IconButton size="s" label={t.close} onClick={onClose}><X size={15} aria-hidden /></IconButton>
    </div>
  );
}

