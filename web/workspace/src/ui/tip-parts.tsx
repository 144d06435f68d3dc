import { Tooltip } from "radix-ui";
import type { ReactNode } from "react";
import { Kbd } from "./kbd";

/** A name that shows on hover and focus, with the key that does the same. */
export function Tip({ label, keys, side = "bottom", children }: { label: ReactNode; keys?: string; side?: "bottom" | "top" | "right" | "left"; children: ReactNode }) {
  return (
    <Tooltip.Provider delayDuration={400} skipDelayDuration={200}>
      <Tooltip.Root>
        <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
        <Tooltip.Portal>
          <Tooltip.Content side={side} sideOffset={6} collisionPadding={8} className="fade z-[100] flex max-w-72 items-center gap-2 rounded-control bg-ink px-2 py-1 text-12 text-surface shadow-2">
            {label}
            {keys && <Kbd keys={keys} inverse />}
          </Tooltip.Content>
        </Tooltip.Portal>
      </Tooltip.Root>
    </Tooltip.Provider>
  );
}
