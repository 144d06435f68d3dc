import { X } from "lucide-react";
import { useEffect, useRef, type ReactNode } from "react";
import { t } from "../text";
import { IconButton } from "./button";
import { cx } from "./cx";

/** The browser's own modal dialog: focus stays in, Esc closes, focus returns, and it needs no style element (strict CSP). */
export function Dialog({ title, onClose, children, width = 480, bare }: { title: string; onClose: () => void; children: ReactNode; width?: number; bare?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog || dialog.open) return;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      aria-label={title}
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
      onMouseDown={(e) => e.target === e.currentTarget && onClose()}
      className="rise m-auto max-h-[min(720px,calc(100dvh-32px))] w-[calc(100vw-32px)] overflow-hidden rounded-dialog border border-line bg-raised p-0 text-14 text-ink shadow-3"
      style={{ maxWidth: width }}
    >
      <div className="flex max-h-[inherit] flex-col">
        {!bare && (
          <header className="flex items-center justify-between gap-4 border-b border-line py-3 pe-3 ps-5">
            <h2 className="text-16 font-semibold">{title}</h2>
            <IconButton label={t.close} onClick={onClose}>
              <X size={18} aria-hidden />
            </IconButton>
          </header>
        )}
        <div className={cx("min-h-0 flex-1 overflow-y-auto", !bare && "p-5")}>{children}</div>
      </div>
    </dialog>
  );
}
