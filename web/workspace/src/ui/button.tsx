import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";
import { Tip } from "./tip";

type Look = "primary" | "plain" | "quiet" | "danger";
const looks: Record<Look, string> = {
  primary: "bg-brand text-on-brand hover:brightness-110 active:brightness-95 shadow-1 font-medium",
  plain: "border border-control/60 bg-surface text-ink hover:bg-fill active:bg-line",
  quiet: "text-ink2 hover:bg-fill hover:text-ink active:bg-line",
  danger: "border border-danger/60 text-danger bg-surface hover:bg-danger-tint",
};

export interface ButtonProps extends ComponentProps<"button"> {
  look?: Look;
  size?: "s" | "m";
  icon?: ReactNode;
  busy?: boolean;
}

export function Button({ look = "plain", size = "m", icon, busy, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button type="button" {...rest} disabled={disabled || busy} aria-busy={busy || undefined} className={cx("inline-flex shrink-0 select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-control transition-[background-color,filter] duration-100 disabled:opacity-55", size === "m" ? "h-9 px-3 text-14 pointer-coarse:h-11" : "h-7 px-2 text-13 pointer-coarse:h-9", looks[look], className)}>
      {icon}
      {children}
    </button>
  );
}

/** A square button with an icon; its name is its tooltip. */
export function IconButton({ label, keys, className, size = "m", children, ...rest }: Omit<ComponentProps<"button">, "aria-label"> & { label: string; keys?: string; size?: "s" | "m" }) {
  return (
    <Tip label={label} keys={keys}>
      <button type="button" aria-label={label} {...rest} className={cx("inline-flex shrink-0 items-center justify-center rounded-control text-ink2 transition-colors duration-100 hover:bg-fill hover:text-ink disabled:opacity-40 aria-pressed:bg-brand-tint aria-pressed:text-brand data-[state=open]:bg-fill", size === "m" ? "size-8 pointer-coarse:size-11" : "size-6 pointer-coarse:size-9", className)}>
        {children}
      </button>
    </Tip>
  );
}

export { Tip };
