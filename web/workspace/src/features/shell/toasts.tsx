import { X } from "lucide-react";
import { useEffect, useRef } from "react";
import { useCommands } from "../../app/commands";
import { useStore } from "../../app/store";
import { useNow } from "../../app/time";
import { dropToast, lastUndo, toasts, type Toast } from "../../app/toasts";
import { t } from "../../text";
import { cx } from "../../ui/cx";
import { Kbd } from "../../ui/kbd";

export function Toasts() {
  const list = useStore(toasts);
  useCommands([
    {
      id: "undo",
      label: t.cmd.undo,
      keys: ["z"],
      group: "me",
      run: () => {
        const u = lastUndo.get();
        if (u && u.until > Date.now()) u.run();
      },
    },
  ]);
  return (
    <div className="pointer-events-none fixed inset-x-0 bottom-4 z-[300] flex flex-col items-center gap-2 px-4 max-sm:bottom-18" role="region" aria-label={t.messages} aria-live="polite">
      {list.map((x) => (
        <ToastView key={x.id} item={x} />
      ))}
    </div>
  );
}

/** Waits while hovered or focused, so that nobody is too slow for it. */
function ToastView({ item }: { item: Toast }) {
  const held = useRef(false);
  const now = useNow(item.tick ? 250 : 1_000);
  useEffect(() => {
    if (item.until !== null && now >= item.until && (!held.current || item.tick)) dropToast(item.id);
  }, [now, item]);
  return (
    <div onPointerEnter={() => (held.current = true)} onPointerLeave={() => (held.current = false)} onFocus={() => (held.current = true)} onBlur={() => (held.current = false)} className={cx("rise pointer-events-auto flex max-w-[min(560px,100%)] items-center gap-3 rounded-card py-2 pe-2 ps-4 text-14 shadow-3", item.tone === "danger" ? "border border-danger/50 bg-danger-tint text-danger" : "bg-ink text-surface")}>
      <span className="tnum min-w-0 flex-1">{item.tick ? item.tick(now) : item.text}{item.code && <code className="ms-2 select-all font-mono text-12 opacity-80">{item.code}</code>}</span>
      {item.actions.map((a) => (
        <button key={a.label} type="button" onClick={() => { a.run(); dropToast(item.id); }} className="inline-flex h-8 shrink-0 items-center gap-1.5 rounded-control px-2 font-medium hover:bg-surface/15">
          {a.label}
          {a.key && <Kbd keys={a.key} inverse={item.tone !== "danger"} />}
        </button>
      ))}
      <button type="button" aria-label={t.close} onClick={() => dropToast(item.id)} className="inline-flex size-8 shrink-0 items-center justify-center rounded-control opacity-75 hover:bg-surface/15 hover:opacity-100">
        <X size={15} aria-hidden />
      </button>
    </div>
  );
}
