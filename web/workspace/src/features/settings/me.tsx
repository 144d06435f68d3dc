import { useState } from "react";
import { Problem } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { qk, queryClient } from "../../app/query";
import { useMe, usePreferences } from "../../app/me";
import { toast } from "../../app/toasts";
import { locales, problemText, t } from "../../text";
import { Button } from "../../ui/button";
import { cx } from "../../ui/cx";
import { Field, SelectField, TextField, Toggle } from "../../ui/field";
import { Card, Page, useSave } from "./parts";

export function MePage() {
  const me = useMe();
  const { preferences: p, setPreferences } = usePreferences();
  const [name, setName] = useState(me.agent.name);
  const save = useSave(() => need(api.PATCH("/api/v1/me", { body: { name: name.trim() } })), (after) => {
    queryClient.setQueryData(qk.me, after);
    void queryClient.invalidateQueries({ queryKey: qk.agents });
  });
  return (
    <Page title={t.st.pages.me}>
      <Card title={t.st.profile}>
        <form className="flex flex-wrap items-end gap-3" onSubmit={(e) => { e.preventDefault(); save.mutate(undefined); }}>
          <TextField className="min-w-52 flex-1" label={t.name} hint={t.st.nameHint} autoComplete="name" required maxLength={80} value={name} onChange={(e) => setName(e.target.value)} />
          <Button type="submit" className="mb-5" disabled={name.trim() === me.agent.name} busy={save.isPending}>{t.save}</Button>
        </form>
        <p className="text-13 text-ink3">{me.agent.email} · {t.roleName[me.agent.role]}</p>
      </Card>
      <Card title={t.st.screen}>
        <Choice label={t.theme} value={p.theme} options={[["system", t.themeName.system], ["light", t.themeName.light], ["dark", t.themeName.dark]]} onChange={(theme) => setPreferences({ theme })} />
        <Choice label={t.st.density} value={p.density} options={[["comfortable", t.st.comfortable], ["compact", t.st.compact]]} onChange={(density) => setPreferences({ density })} />
        <SelectField className="max-w-64" label={t.st.language} value={p.locale.slice(0, 2)} onChange={(locale) => setPreferences({ locale })} options={locales.map((l) => ({ value: l.key, label: l.name }))} />
      </Card>
      <Card title={t.st.sending}>
        <Field label={t.st.undoSeconds(p.undo_seconds)} hint={t.st.undoHint}>{(ids) => <input {...ids} type="range" min={0} max={30} value={p.undo_seconds} onChange={(e) => setPreferences({ undo_seconds: Number(e.target.value) })} className="h-9 w-full max-w-80 accent-brand" />}</Field>
      </Card>
      <Card title={t.cmd.keys}>
        <Toggle label={t.singleKeys} hint={t.singleKeysHint} checked={p.single_keys} onChange={(single_keys) => setPreferences({ single_keys })} />
      </Card>
      <Password />
    </Page>
  );
}

function Choice<T extends string>({ label, value, options, onChange }: { label: string; value: T; options: [T, string][]; onChange: (v: T) => void }) {
  return (
    <fieldset>
      <legend className="mb-1.5 text-13 font-medium">{label}</legend>
      <div className="inline-flex rounded-control border border-control/60 p-0.5">
        {options.map(([key, name]) => (
          <label key={key} className={cx("flex h-8 cursor-pointer items-center rounded-[6px] px-3 text-13 has-focus-visible:outline-2 has-focus-visible:outline-brand pointer-coarse:h-10", value === key ? "bg-brand text-on-brand" : "text-ink2 hover:bg-fill")}>
            <input type="radio" className="sr-only" name={label} checked={value === key} onChange={() => onChange(key)} />
            {name}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Password() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [error, setError] = useState<{ field: "current" | "new"; text: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setError(null);
    setBusy(true);
    try {
      await need(api.PUT("/api/v1/me/password", { body: { current, new: next } }));
      setCurrent("");
      setNext("");
      toast(t.st.passwordSet);
    } catch (e) {
      const p = e instanceof Problem ? e : null;
      setError(p?.code === "wrong_password" ? { field: "current", text: t.problem["wrong_password"] ?? "" } : p?.code === "invalid" ? { field: "new", text: t.st.passwordHint } : { field: "new", text: problemText(p) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card title={t.st.password}>
      <form className="flex flex-col gap-4 sm:max-w-96" onSubmit={(e) => { e.preventDefault(); void save(); }}>
        <TextField label={t.st.passwordNow} type="password" autoComplete="current-password" required value={current} error={error?.field === "current" ? error.text : null} onChange={(e) => setCurrent(e.target.value)} />
        <TextField label={t.st.passwordNew} type="password" autoComplete="new-password" required minLength={10} hint={t.st.passwordHint} value={next} error={error?.field === "new" ? error.text : null} onChange={(e) => setNext(e.target.value)} />
        <div><Button type="submit" busy={busy}>{t.st.passwordChange}</Button></div>
      </form>
    </Card>
  );
}
