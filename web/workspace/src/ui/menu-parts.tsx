import { Check } from "lucide-react";
import { DropdownMenu as D, Popover as P } from "radix-ui";
import type { ReactNode } from "react";
import { cx } from "./cx";
import { Kbd } from "./kbd";

const panel = "fade z-[100] max-h-[var(--radix-popper-available-height)] overflow-y-auto rounded-card border border-line bg-raised p-1 text-14 text-ink shadow-2 outline-none";
const row = "flex min-h-8 cursor-pointer select-none items-center gap-2 rounded-control px-2 py-1 outline-none data-[highlighted]:bg-fill data-[disabled]:cursor-default data-[disabled]:text-ink3 pointer-coarse:min-h-11";

export function Menu({ trigger, children, align = "start", open, onOpenChange, width = 220, label }: { trigger: ReactNode; children: ReactNode; align?: "start" | "end" | "center"; open?: boolean; onOpenChange?: (open: boolean) => void; width?: number; label?: string }) {
  return (
    <D.Root modal={false} open={open} onOpenChange={onOpenChange}>
      <D.Trigger asChild>{trigger}</D.Trigger>
      <D.Portal container={document.getElementById("main")}>
        <D.Content aria-label={label} align={align} sideOffset={4} collisionPadding={8} className={panel} style={{ minWidth: width }}>
          {children}
        </D.Content>
      </D.Portal>
    </D.Root>
  );
}

export function MenuItem({ icon, keys, checked, hint, tone, disabled, onSelect, children }: { icon?: ReactNode; keys?: string; checked?: boolean; hint?: ReactNode; tone?: "danger"; disabled?: boolean; onSelect?: () => void; children: ReactNode }) {
  return (
    <D.Item disabled={disabled} onSelect={onSelect} className={cx(row, tone === "danger" && "text-danger")} aria-checked={checked} role={checked === undefined ? "menuitem" : "menuitemradio"}>
      {icon && <span className="flex size-5 shrink-0 items-center justify-center text-ink3">{icon}</span>}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {hint && <span className="tnum shrink-0 text-12 text-ink3">{hint}</span>}
      {keys && <Kbd keys={keys} />}
      {checked && <Check size={16} className="shrink-0 text-brand" aria-hidden />}
    </D.Item>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <D.Label className="px-2 pb-0.5 pt-2 text-12 font-medium text-ink3">{children}</D.Label>;
}
export const MenuLine = () => <D.Separator className="my-1 h-px bg-line" />;

/** A small window beside its button: pickers and short forms. */
export function Pop({ trigger, anchor, children, align = "start", open, onOpenChange, width = 280, label, side }: { trigger: ReactNode; children: ReactNode; align?: "start" | "end" | "center"; open?: boolean; onOpenChange?: (open: boolean) => void; width?: number; label: string; side?: "top" | "bottom"; anchor?: boolean }) {
  return (
    <P.Root open={open} onOpenChange={onOpenChange}>
      {anchor ? <P.Anchor asChild>{trigger}</P.Anchor> : <P.Trigger asChild>{trigger}</P.Trigger>}
      <P.Portal container={document.getElementById("main")}>
        <P.Content aria-label={label} align={align} side={side} sideOffset={4} collisionPadding={8} className={panel} style={{ width }}>
          {children}
        </P.Content>
      </P.Portal>
    </P.Root>
  );
}
