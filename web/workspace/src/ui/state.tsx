import { CircleAlert } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { Problem } from "@continuo/api-client";
import { problemText, t } from "../text";
import { Button } from "./button";
import { cx } from "./cx";
import { CopyButton } from "./copy-button";

/** True once something has taken longer than 150 ms: before that, nothing is shown rather than a flash. */
export function useSlow(waiting: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!waiting) return;
    const timer = setTimeout(() => setSlow(true), 150);
    return () => {
      clearTimeout(timer);
      setSlow(false);
    };
  }, [waiting]);
  return waiting && slow;
}

export function Bone({ className }: { className?: string }) {
  return <div className={cx("shimmer rounded-chip", className)} />;
}

/** Nothing here: what that means and the one useful next step. */
export function Empty({ icon, title, text, children }: { icon?: ReactNode; title: string; text?: ReactNode; children?: ReactNode }) {
  return (
    <div className="flex h-full min-h-60 flex-col items-center justify-center gap-1 px-8 py-12 text-center">
      {icon && <div className="mb-3 flex size-12 items-center justify-center rounded-full bg-brand-tint text-brand">{icon}</div>}
      <p className="text-15 font-medium">{title}</p>
      {text && <p className="max-w-80 text-13 text-ink3">{text}</p>}
      {children && <div className="mt-4 flex flex-wrap justify-center gap-2">{children}</div>}
    </div>
  );
}

/** What happened, that nothing is lost, what to do, and a code to copy. */
export function Failed({ error, onRetry, compact }: { error: unknown; onRetry?: () => void; compact?: boolean }) {
  const problem = error instanceof Problem ? error : null;
  const code = [problem?.code ?? "client_error", problem?.requestId || (error instanceof Error && !problem ? error.message : "")].filter(Boolean).join(" ");
  return (
    <div role="alert" className={cx("flex flex-col items-center justify-center gap-2 px-8 text-center", compact ? "py-6" : "h-full min-h-60 py-12")}>
      <CircleAlert size={22} className="text-danger" aria-hidden />
      <p className="max-w-96 text-14 font-medium">{problemText(problem)}</p>
      <p className="text-12 text-ink3">
        {t.errorCode} <code className="select-all font-mono">{code}</code>
      </p>
      <div className="mt-2 flex gap-2">
        {onRetry && <Button onClick={onRetry}>{t.tryAgain}</Button>}
        <CopyButton text={code} label={t.copyCode} look="quiet" />
      </div>
    </div>
  );
}
