import { Forward, Reply, ReplyAll, TriangleAlert, UserPlus } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Schemas, SendEntry } from "@continuo/api-client";
import { readAddresses, writeAddresses, type Address } from "../../app/addresses";
import { api, need } from "../../app/api";
import { t } from "../../text";
import { cx } from "../../ui/cx";

export type Plan = Schemas["MailPlan"];
export type Wish = Schemas["MailWish"];
type Mode = Plan["mode"];

/** What goes over when a mail is sent: exactly what was shown, so that nobody gets it whom the agent did not see. */
export function wishOf(plan: Plan | null | undefined): SendEntry["mail"] {
  if (!plan) return undefined;
  return { mode: plan.mode, answers: plan.answers, to: plan.to, cc: plan.cc, bcc: plan.bcc, subject: plan.subject };
}

/** The plan of an answer by mail; asked again when the wish or the conversation changes. */
export function usePlan(on: boolean, conversation: string, seq: number, inbox: string | null, point: string | null, wish: Wish) {
  return useQuery({
    queryKey: ["mail_plan", conversation, seq, inbox, point, wish],
    enabled: on,
    staleTime: 0,
    gcTime: 60_000,
    // Never the receivers of another conversation.
    placeholderData: (was: Plan | undefined, query) => (query?.queryKey[1] === conversation ? was : undefined),
    queryFn: () => need(api.POST("/api/v1/conversations/{id}/mail_plan", { params: { path: { id: conversation } }, body: { inbox_id: inbox, contact_point_id: point, mail: wish } })),
  });
}

const modes: { key: Mode; icon: typeof Reply }[] = [{ key: "reply", icon: Reply }, { key: "reply_all", icon: ReplyAll }, { key: "forward", icon: Forward }];

/** Who gets this mail, before it is sent. */
export function PlanBar({ plan, wish, onWish, onBad }: { plan: Plan; wish: Wish; onWish: (wish: Wish) => void; onBad: (field: "to" | "cc" | "bcc" | null, bad: string | null) => void }) {
  const [edit, setEdit] = useState(false);
  const open = edit || plan.mode === "forward";
  const shown = modes.filter((m) => m.key !== "reply_all" || plan.had_others);
  const names = (list: Address[]) => list.map((a) => a.name ?? a.address).join(", ");
  return (
    <div className="mx-2 mt-1 rounded-control bg-canvas px-2.5 py-1.5 text-12 text-ink2" role="group" aria-label={t.ml.plan}>
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <div role="radiogroup" aria-label={t.ml.planMode} className="flex gap-0.5">
          {shown.map(({ key, icon: Icon }) => (
            <button key={key} type="button" role="radio" aria-checked={plan.mode === key} aria-label={t.ml.mode[key]} title={t.ml.mode[key]} onClick={() => { onBad(null, null); onWish({ mode: key }); }} className={cx("inline-flex h-6 items-center gap-1 rounded-chip px-1.5 pointer-coarse:h-9", plan.mode === key ? "bg-surface font-medium text-ink shadow-1" : "hover:bg-fill")}>
              <Icon size={13} aria-hidden className="rtl:-scale-x-100" />{plan.mode === key && t.ml.mode[key]}
            </button>
          ))}
        </div>
        {!open && (
          <p className="min-w-0 flex-1 truncate" title={[plan.to, plan.cc, plan.bcc].map(writeAddresses).filter(Boolean).join("; ")}>
            <span className="text-ink3">{t.ml.to}</span> {names(plan.to)}
            {plan.cc.length > 0 && <> <span className="text-ink3">{t.ml.cc}</span> {names(plan.cc)}</>}
            {plan.bcc.length > 0 && <> <span className="text-ink3">{t.ml.bcc}</span> {names(plan.bcc)}</>}
          </p>
        )}
        {!open && <button type="button" onClick={() => setEdit(true)} className="h-6 shrink-0 rounded-chip px-1.5 text-info underline underline-offset-2 pointer-coarse:h-9">{t.ml.planChange}</button>}
      </div>
      {open && (
        // A new mode begins with its own receivers.
        <div key={plan.mode} className="mt-1 flex flex-col gap-1">
          {(["to", "cc", "bcc"] as const).map((k) => <Receivers key={k} label={t.ml[k]} value={plan[k]} onChange={(list, bad) => { onBad(k, bad); if (!bad) onWish({ mode: plan.mode, to: wish.to ?? plan.to, cc: wish.cc ?? plan.cc, bcc: wish.bcc ?? plan.bcc, [k]: list }); }} />)}
        </div>
      )}
      {plan.mode === "forward" && <p className="mt-1 text-warn">{t.ml.forwardNote}</p>}
      {plan.from_reply_to && <p className="mt-1">{t.ml.planReplyTo}</p>}
      {plan.new.map((a) => <p key={a} className="mt-1 flex items-center gap-1.5 text-info"><UserPlus size={12} aria-hidden />{t.ml.planNew(a)}</p>)}
    </div>
  );
}

function Receivers({ label, value, onChange }: { label: string; value: Address[]; onChange: (list: Address[], bad: string | null) => void }) {
  const [text, setText] = useState(() => writeAddresses(value));
  const [left, setLeft] = useState(false);
  const { bad } = readAddresses(text);
  return (
    <label className="grid grid-cols-[2.5rem_minmax(0,1fr)] items-center gap-2">
      <span className="text-ink3">{label}</span>
      <input
        className="field h-8 text-13"
        aria-invalid={(left && bad.length > 0) || undefined}
        inputMode="email"
        spellCheck={false}
        value={text}
        onFocus={() => setLeft(false)}
        onBlur={() => setLeft(true)}
        onChange={(e) => { setText(e.target.value); const read = readAddresses(e.target.value); onChange(read.list, read.bad[0] ?? null); }}
      />
      {left && bad.length > 0 && <span role="alert" className="col-start-2 flex items-center gap-1 text-danger"><TriangleAlert size={12} aria-hidden />{t.ml.badAddress(bad[0] ?? "")}</span>}
    </label>
  );
}
