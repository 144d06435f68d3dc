import { useMutation, type UseMutationResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Problem } from "@continuo/api-client";
import { toast } from "../../app/toasts";
import { problemText, t } from "../../text";
import { cx } from "../../ui/cx";

/** A page of settings: title, what it affects, its cards. */
export function Page({ title, text, actions, wide, children }: { title: string; text?: ReactNode; actions?: ReactNode; wide?: boolean; children: ReactNode }) {
  return (
    <div className={cx("mx-auto w-full px-4 py-6 sm:px-8 sm:py-8", wide ? "max-w-[72rem]" : "max-w-[50rem]")}>
      <div className="mb-6 flex flex-wrap items-start gap-4">
        <div className="min-w-0 flex-1 basis-64">
          <h1 className="text-22 font-semibold">{title}</h1>
          {text && <p className="mt-1 max-w-[60ch] text-14 text-ink2">{text}</p>}
        </div>
        {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
      </div>
      <div className="flex flex-col gap-6">{children}</div>
    </div>
  );
}

export function Card({ title, text, actions, children, flush }: { title?: string; text?: ReactNode; actions?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <section className="overflow-hidden rounded-card border border-line bg-surface shadow-1">
      {title && (
        <div className="flex items-start gap-3 border-b border-line px-5 py-3.5">
          <div className="min-w-0 flex-1">
            <h2 className="text-15 font-semibold">{title}</h2>
            {text && <p className="mt-0.5 text-13 text-ink3">{text}</p>}
          </div>
          {actions}
        </div>
      )}
      <div className={flush ? undefined : "flex flex-col gap-4 p-5"}>{children}</div>
    </section>
  );
}

/** A change that says when it is saved and why it is not. */
export function useSave<In, Out>(run: (input: In) => Promise<Out>, done?: (out: Out, input: In) => void, said: string | null = t.st.saved): UseMutationResult<Out, Error, In> {
  return useMutation({
    mutationFn: run,
    onSuccess: (out, input) => {
      if (said) toast(said);
      done?.(out, input);
    },
    onError: (error) => {
      const p = error instanceof Problem ? error : null;
      const field = p?.code === "invalid" && typeof p.args["field"] === "string" ? ` (${p.args["field"]})` : "";
      toast(`${problemText(p)}${field}`, { tone: "danger", code: p ? `${p.code} ${p.requestId}`.trim() : undefined });
    },
  });
}

export function Pill({ tone, children }: { tone: "ok" | "warn" | "danger" | "quiet"; children: ReactNode }) {
  return <span className={cx("inline-flex h-6 shrink-0 items-center gap-1 rounded-full px-2 text-12 font-medium", tone === "ok" ? "bg-ok-tint text-ok" : tone === "warn" ? "bg-warn-tint text-warn" : tone === "danger" ? "bg-danger-tint text-danger" : "bg-fill text-ink2")}>{children}</span>;
}
