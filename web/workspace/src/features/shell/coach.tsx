import { X } from "lucide-react";
import { useRouterState } from "@tanstack/react-router";
import { useState } from "react";
import { api, need } from "../../app/api";
import { qk, queryClient } from "../../app/query";
import { isAdmin, useMe } from "../../app/me";
import { t } from "../../text";
import { Button, IconButton } from "../../ui/button";
import { cx } from "../../ui/cx";

/** Three marks on the first conversation: answer, note, close. Skippable, repeatable from the checklist. */
export function Coach() {
  const me = useMe();
  const [step, setStep] = useState(0);
  const path = useRouterState({ select: (s) => s.location.pathname });
  const [gone, setGone] = useState(me.checklist.done.includes("coach") || localStorage.getItem("continuo.coach") === "done");
  if (gone) return null;
  const steps = t.coach;
  const finish = () => {
    setGone(true);
    localStorage.setItem("continuo.coach", "done");
    if (isAdmin(me)) void need(api.PATCH("/api/v1/workspace", { body: { checklist_done: [...me.checklist.done, "coach"] } })).then(() => queryClient.invalidateQueries({ queryKey: qk.me }), () => undefined);
  };
  const now = steps[step];
  if (!now || !path.startsWith("/inbox")) return null;
  return (
    <aside aria-label={t.firstSteps} className={cx("rise fixed bottom-6 start-[72px] z-[90] w-80 max-w-[calc(100vw-32px)] rounded-card border border-line bg-raised p-4 shadow-3 max-lg:end-4 max-lg:start-auto", path.startsWith("/inbox/c/") ? "max-lg:bottom-auto max-lg:top-28" : "max-lg:bottom-20")}>
      <div className="flex items-start justify-between gap-2">
        <p className="text-12 font-medium text-brand">{t.stepOf(step + 1, steps.length)}</p>
        <IconButton size="s" label={t.skip} onClick={finish}><X size={14} aria-hidden /></IconButton>
      </div>
      <p className="text-15 font-semibold">{now.title}</p>
      <p className="mt-1 text-13 text-ink2">{now.text}</p>
      <div className="mt-3 flex justify-end gap-2">
        {step > 0 && <Button size="s" look="quiet" onClick={() => setStep(step - 1)}>{t.backWord}</Button>}
        <Button size="s" look="primary" onClick={() => (step + 1 < steps.length ? setStep(step + 1) : finish())}>{step + 1 < steps.length ? t.nextWord : t.done}</Button>
      </div>
    </aside>
  );
}
