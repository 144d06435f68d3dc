import { cx } from "./cx";

const mac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);
const names: Record<string, string> = { mod: mac ? "⌘" : "Ctrl", shift: "⇧", Enter: "↵", Escape: "Esc", ArrowUp: "↑", ArrowDown: "↓", space: "Space" };

/** How a key of the key map is drawn: "mod+Enter" as Ctrl ↵. */
export function keyNames(keys: string): string[] {
  return keys.split(/[+ ]/).map((k) => names[k] ?? (k.length === 1 ? k.toUpperCase() : k));
}

export function Kbd({ keys, inverse }: { keys: string; inverse?: boolean }) {
  return (
    <kbd className="inline-flex gap-0.5 font-sans" aria-hidden>
      {keyNames(keys).map((k, i) => (
        <span key={i} className={cx("inline-flex h-[18px] min-w-[18px] items-center justify-center rounded-chip px-1 text-[11px] leading-none", inverse ? "bg-surface/20" : "border border-line bg-fill text-ink2")}>
          {k}
        </span>
      ))}
    </kbd>
  );
}
