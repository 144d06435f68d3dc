import { useEffect, useRef, useState } from "preact/hooks";

/** Enough for a conversation with a business. Screen readers know the names of emoji in every language, so no words are needed. */
const all = [..."😀😄😁😅😂🙂😉😊😍🥰😘😎🤩🤔😐😕🙁😢😭😤😠😱😬🙄😴🤒🤗🤝👍👎👌🙏👏💪👋✌🤞👀🎉🎁🎂🌸☀⭐🔥💡✅❌❗❓💯❤🧡💛💚💙💜💔🚗🚚✈🏠🏢📦🛒💳💶📱💻📞📧📅⏰📍🔑🔧🐶🐱🍕🍰☕🍷"];
const COLUMNS = 8;

/** A grid with one stop in the tab order; arrows move, Enter picks, Escape closes. */
export function Emoji({ label, onPick, onClose }: { label: string; onPick: (emoji: string) => void; onClose: () => void }) {
  const grid = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(0);
  useEffect(() => {
    grid.current?.querySelector<HTMLElement>(`[data-at="${at}"]`)?.focus();
  }, [at]);

  function onKeyDown(event: KeyboardEvent) {
    const rtl = document.documentElement.dir === "rtl" ? -1 : 1;
    const steps: Record<string, number> = { ArrowRight: rtl, ArrowLeft: -rtl, ArrowDown: COLUMNS, ArrowUp: -COLUMNS };
    const step = steps[event.key];
    if (step) setAt((old) => (all[old + step] ? old + step : old));
    else if (event.key === "Home") setAt(0);
    else if (event.key === "End") setAt(all.length - 1);
    else if (event.key === "Escape") onClose();
    else return;
    event.preventDefault();
  }
  const rows = Array.from({ length: Math.ceil(all.length / COLUMNS) }, (_, row) => all.slice(row * COLUMNS, (row + 1) * COLUMNS));
  return (
    <div class="emoji" role="grid" aria-label={label} ref={grid} onKeyDown={onKeyDown}>
      {rows.map((row, y) => (
        <div role="row" key={y} class="emoji-row">
          {row.map((emoji, x) => {
            const index = y * COLUMNS + x;
            return (
              <span role="gridcell" key={emoji}>
                <button type="button" data-at={index} tabIndex={index === at ? 0 : -1} onClick={() => onPick(emoji)}>
                  {emoji}
                </button>
              </span>
            );
          })}
        </div>
      ))}
    </div>
  );
}
