import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState, type Dispatch, type SetStateAction } from "react";
import { Problem } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { qk, queryClient } from "../../app/query";
import { problemText, t } from "../../text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { CopyButton, SelectField, TextField } from "../../ui/field";
import { newSettings, serversOf, type MailForm, type Server, type SignInWay, type Tls } from "./mail-state";
import { useSave } from "./parts";

interface Known { name: string; note: string; ways: SignInWay[]; settings: Record<string, unknown>; complete: boolean; preset: string | null }
const WAYS: SignInWay[] = ["password", "oauth"];
const ways = (list: string[]): SignInWay[] => list.filter((x): x is SignInWay => x === "oauth" || x === "password");

/** Connects a mailbox: the address, what is known of its provider, how to sign in. The check follows on the inbox's own page. */
export function AddMail({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const presets = useQuery({ queryKey: ["mail_presets"], queryFn: () => need(api.GET("/api/v1/mail/presets")) });
  const [known, setKnown] = useState<Known | null>(null);
  const [secret, setSecret] = useState("");
  const [form, setForm] = useState<MailForm>({ address: "", fromName: "", way: "password", clientId: "", ...serversOf({}) });
  const set = (part: Partial<MailForm>) => setForm((was) => ({ ...was, ...part }));
  const take = (k: Known) => {
    setKnown(k);
    setSecret("");
    set({ way: k.ways[0] ?? "password", ...serversOf(k.settings) });
  };
  const pick = (id: string) => {
    const p = presets.data?.items.find((x) => x.id === id);
    take(p ? { name: p.name, note: p.note, ways: ways(p.sign_in), settings: p.settings as Record<string, unknown>, complete: serversOf(p.settings as Record<string, unknown>).imap.host !== "", preset: p.id } : { name: "", note: "", ways: WAYS, settings: {}, complete: false, preset: null });
  };
  const find = useSave((address: string) => need(api.POST("/api/v1/mail/discover", { body: { address } })), (d) => {
    if (d.preset && presets.data?.items.some((p) => p.id === d.preset)) pick(d.preset);
    else take({ name: d.found ? d.name : "", note: "", ways: d.sign_in.length ? ways(d.sign_in) : WAYS, settings: d.settings as Record<string, unknown>, complete: d.found, preset: d.preset });
  }, null);
  const connect = useSave(async () => {
    const inbox = await need(api.POST("/api/v1/inboxes", { body: { channel: "email", name: form.address.trim(), email: newSettings(known?.settings ?? {}, form) } }));
    // From here on the inbox exists, switched off: whatever fails next can be put right on its page.
    const path = { params: { path: { id: inbox.id } } };
    try {
      if (secret) await need(api.PUT("/api/v1/inboxes/{id}/secrets", { ...path, body: { secrets: { [form.way === "password" ? "password" : "oauth_client_secret"]: secret } } }));
      if (form.way === "password") await need(api.POST("/api/v1/inboxes/{id}/check", path));
    } finally {
      await queryClient.invalidateQueries({ queryKey: qk.inboxes });
      void navigate({ to: "/settings/$page/$item", params: { page: "channels", item: inbox.id } });
    }
  }, onClose, null);
  // Said here as well: a toast lies behind the window.
  const error = find.error ?? connect.error;
  const failed = error instanceof Problem ? error : null;
  return (
    <Dialog title={t.ml.addTitle} onClose={onClose} width={560}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(e) => {
          e.preventDefault();
          if (known) connect.mutate(undefined);
          else find.mutate(form.address.trim());
        }}
      >
        <TextField label={t.ml.own} hint={t.ml.addressHint} type="email" required autoComplete="off" value={form.address} onChange={(e) => { set({ address: e.target.value }); setKnown(null); }} />
        {known && (
          <>
            <SelectField label={t.ml.provider} value={known.preset ?? ""} onChange={pick} options={[...(presets.data?.items ?? []).map((p) => ({ value: p.id, label: p.name })), { value: "", label: known.preset === null && known.name ? known.name : t.ml.otherProvider }]} hint={known.name ? t.ml.foundBy(known.name) : t.ml.notFound} />
            {known.note && <p className="rounded-control bg-info-tint px-3 py-2 text-13 text-info">{known.note}</p>}
            {known.ways.length > 1 && <SelectField label={t.ml.howSignIn} value={form.way} onChange={(v) => { set({ way: v as SignInWay }); setSecret(""); }} options={known.ways.map((w) => ({ value: w, label: w === "password" ? t.ml.withPassword : t.ml.withOauth }))} />}
            {form.way === "password" ? (
              <TextField label={t.ml.password} hint={t.ml.passwordHint} type="password" required autoComplete="new-password" value={secret} onChange={(e) => setSecret(e.target.value)} />
            ) : (
              <>
                <TextField label={t.ml.clientId} hint={t.ml.clientHint} required value={form.clientId} onChange={(e) => set({ clientId: e.target.value })} />
                <TextField label={t.ml.clientSecret} hint={t.ml.secretHint} type="password" autoComplete="new-password" value={secret} onChange={(e) => setSecret(e.target.value)} />
                <Redirect />
              </>
            )}
            <TextField label={t.ml.yourName} hint={t.ml.yourNameHint} maxLength={100} value={form.fromName} onChange={(e) => set({ fromName: e.target.value })} />
            {known.complete ? (
              <details className="text-13"><summary className="cursor-pointer text-ink2">{form.imap.host} · {form.smtp.host}</summary><div className="mt-3 flex flex-col gap-4"><Servers form={form} setForm={setForm} /></div></details>
            ) : <Servers form={form} setForm={setForm} />}
          </>
        )}
        {failed && <p role="alert" className="rounded-control bg-danger-tint px-3 py-2 text-13 text-danger">{failed.args["field"] === "address" ? t.ml.addressTaken : `${problemText(failed)}${typeof failed.args["field"] === "string" ? ` (${failed.args["field"]})` : ""}`}</p>}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="primary" type="submit" busy={find.isPending || connect.isPending}>{known ? t.ml.connect : find.isPending ? t.ml.finding : t.ml.find}</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** What an own app at the provider must be told. */
export function Redirect() {
  const url = `${location.origin}/oauth/callback`;
  return (
    <div className="text-13">
      <p className="mb-1 font-medium">{t.ml.redirect}</p>
      <div className="flex flex-wrap items-center gap-2"><code className="min-w-0 flex-1 select-all break-all rounded-chip bg-fill px-2 py-1.5 font-mono text-12">{url}</code><CopyButton text={url} size="s" /></div>
    </div>
  );
}

function Servers({ form, setForm }: { form: MailForm; setForm: Dispatch<SetStateAction<MailForm>> }) {
  const change = (name: "imap" | "smtp", part: Partial<Server>) => setForm((was) => ({ ...was, [name]: { ...was[name], ...part } }));
  return (
    <>
      {(["imap", "smtp"] as const).map((name) => (
        <fieldset key={name} className="grid grid-cols-[minmax(0,1fr)_5.5rem] gap-3 sm:grid-cols-[minmax(0,1fr)_5.5rem_9rem]">
          <legend className="mb-1.5 text-13 font-semibold">{name === "imap" ? t.ml.incoming : t.ml.outgoing}</legend>
          <TextField label={t.ml.host} required spellCheck={false} value={form[name].host} onChange={(e) => change(name, { host: e.target.value })} />
          <TextField label={t.ml.port} required type="number" min={1} max={65535} value={form[name].port} onChange={(e) => change(name, { port: Number(e.target.value) })} />
          <SelectField label={t.ml.protection} className="max-sm:col-span-2" value={form[name].tls} onChange={(v) => change(name, { tls: v as Tls })} options={(["implicit", "starttls", "none"] as const).map((k) => ({ value: k, label: t.ml.tls[k] }))} />
        </fieldset>
      ))}
    </>
  );
}
