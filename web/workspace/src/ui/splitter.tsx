import { useRef } from "react";

/** Moves the edge of a pane by drag and by arrow keys. `side` says which pane it sizes: the one before or the one after it. */
export function Splitter({ label, value, min, max, side, onChange, onDone }: { label: string; value: number; min: number; max: number; side: "before" | "after"; onChange: (width: number) => void; onDone: (width: number) => void }) {
  const drag = useRef<{ x: number; from: number; last: number } | null>(null);
  const clamp = (n: number) => Math.round(Math.min(max, Math.max(min, n)));
  const sign = () => (side === "before" ? 1 : -1) * (document.documentElement.dir === "rtl" ? -1 : 1);
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      tabIndex={0}
      className="group relative z-10 -mx-1 w-2 shrink-0 cursor-col-resize touch-none outline-none"
      onPointerDown={(e) => {
        e.currentTarget.setPointerCapture(e.pointerId);
        drag.current = { x: e.clientX, from: value, last: value };
      }}
      onPointerMove={(e) => {
        if (!drag.current) return;
        drag.current.last = clamp(drag.current.from + (e.clientX - drag.current.x) * sign());
        onChange(drag.current.last);
      }}
      onPointerUp={() => {
        if (drag.current) onDone(drag.current.last);
        drag.current = null;
      }}
      onKeyDown={(e) => {
        const step = e.shiftKey ? 64 : 16;
        const by = e.key === "ArrowRight" ? step * sign() : e.key === "ArrowLeft" ? -step * sign() : 0;
        const next = e.key === "Home" ? min : e.key === "End" ? max : by ? clamp(value + by) : null;
        if (next === null) return;
        e.preventDefault();
        e.stopPropagation();
        onChange(next);
        onDone(next);
      }}
    >
      <div className="mx-auto h-full w-px bg-line transition-colors group-hover:w-0.5 group-hover:bg-brand group-focus-visible:w-0.5 group-focus-visible:bg-brand group-active:bg-brand" />
    </div>
  );
}
