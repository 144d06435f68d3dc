import { MessagesSquare, X } from "lucide-react";
import { getRouteApi, useParams, useRouterState } from "@tanstack/react-router";
import { Suspense, useEffect, useMemo, useRef, useState } from "react";
import type { ListParams } from "../../app/query";
import { usePreferences } from "../../app/me";
import { t } from "../../text";
import { IconButton } from "../../ui/button";
import { Kbd } from "../../ui/kbd";
import { useLayout } from "../../ui/media";
import { Splitter } from "../../ui/splitter";
import { ContactPanel } from "../contact";
import { ConversationPane, preloadConversation, useDetail } from "../conversation";
import { ListPane } from "../list";

const route = getRouteApi("/app/inbox");
const CONTEXT = "continuo.context";

export function InboxScreen() {
  const search = route.useSearch();
  const id = (useParams({ strict: false }) as { id?: string }).id ?? null;
  const hash = useRouterState({ select: (s) => s.location.hash });
  const layout = useLayout();
  const { preferences, setPreferences } = usePreferences();
  const [listWidth, setListWidth] = useState(clamp(preferences.list_width, 280, 520, 352));
  const [contextWidth, setContextWidth] = useState(clamp(preferences.context_width, 260, 480, 320));
  const [wide, setWide] = useState(() => localStorage.getItem(CONTEXT) !== "closed");
  const [drawer, setDrawer] = useState(false);
  const params = useMemo<ListParams>(() => ({ view: search.view ?? "mine", q: search.q ?? "", sort: search.sort ?? "newest" }), [search.view, search.q, search.sort]);
  useEffect(() => setDrawer(false), [id, layout]);
  useEffect(preloadConversation, []);
  const single = layout === "one" || layout === "phone";
  const contextOpen = layout === "three" ? wide : drawer;
  const toggle = () => {
    if (layout === "three") {
      localStorage.setItem(CONTEXT, wide ? "closed" : "open");
      setWide(!wide);
    } else setDrawer(!drawer);
  };
  return (
    <>
      {(!single || !id) && (
        <div className={single ? "flex min-h-0 min-w-0 flex-1" : "flex min-h-0 shrink-0"} style={single ? undefined : { width: listWidth }}>
          <ListPane params={params} openId={id} className="flex-1" />
        </div>
      )}
      {!single && <Splitter label={t.listWidth} side="before" value={listWidth} min={280} max={520} onChange={setListWidth} onDone={(list_width) => setPreferences({ list_width })} />}
      {id ? <Suspense fallback={<div className="flex-1 bg-surface" />}><ConversationPane id={id} hash={hash} back={single} contextOpen={contextOpen} onContext={toggle} /></Suspense> : !single && <NothingOpen />}
      {id && layout === "three" && wide && (
        <>
          <Splitter label={t.contextWidth} side="after" value={contextWidth} min={260} max={480} onChange={setContextWidth} onDone={(context_width) => setPreferences({ context_width })} />
          <aside id="context" tabIndex={-1} aria-label={t.customerWord} className="min-h-0 shrink-0 overflow-y-auto bg-surface outline-offset-[-2px]" style={{ width: contextWidth }}>
            <Context id={id} />
          </aside>
        </>
      )}
      {id && layout !== "three" && drawer && <Drawer onClose={() => setDrawer(false)}><Context id={id} /></Drawer>}
    </>
  );
}

function Context({ id }: { id: string }) {
  const detail = useDetail(id);
  return detail.data ? <Suspense fallback={null}><ContactPanel detail={detail.data} /></Suspense> : null;
}

function Drawer({ onClose, children }: { onClose: () => void; children: React.ReactNode }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const d = ref.current;
    if (d && !d.open) d.showModal();
    return () => d?.close();
  }, []);
  return (
    <dialog ref={ref} aria-label={t.customerWord} onCancel={(e) => { e.preventDefault(); onClose(); }} onMouseDown={(e) => e.target === e.currentTarget && onClose()} className="fade fixed inset-y-0 m-0 ms-auto h-dvh max-h-none w-[min(360px,calc(100vw-40px))] max-w-none overflow-y-auto border-s border-line bg-surface p-0 text-ink shadow-3">
      <div className="absolute end-2 top-2 z-10"><IconButton label={t.close} onClick={onClose}><X size={17} aria-hidden /></IconButton></div>
      <div className="pe-8">{children}</div>
    </dialog>
  );
}

function NothingOpen() {
  return (
    <div className="flex flex-1 flex-col items-center justify-center gap-5 bg-surface text-center">
      <span className="flex size-14 items-center justify-center rounded-full bg-fill text-ink3"><MessagesSquare size={26} aria-hidden /></span>
      <div>
        <h1 className="text-16 font-medium">{t.pickConversation}</h1>
        <p className="mt-1 text-13 text-ink3">{t.pickHint}</p>
      </div>
      <dl className="grid grid-cols-[auto_auto] gap-x-3 gap-y-1.5 text-start text-13 text-ink2">
        <dt className="text-end"><Kbd keys="j" /> <Kbd keys="k" /></dt><dd>{t.keysMove}</dd>
        <dt className="text-end"><Kbd keys="mod+k" /></dt><dd>{t.palette}</dd>
        <dt className="text-end"><Kbd keys="?" /></dt><dd>{t.cmd.keys}</dd>
      </dl>
    </div>
  );
}

function clamp(n: number, min: number, max: number, fallback: number): number {
  return Number.isFinite(n) && n > 0 ? Math.min(max, Math.max(min, n)) : fallback;
}
