import { ExternalLink, KeyRound, Plus, TriangleAlert, X } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import type { Inbox, PreChatField, WebchatSettings, WebchatSettingsPatch } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { qk, queryClient } from "../../app/query";
import { inboxesQuery, useAgents, useTeams } from "../../app/me";
import { age } from "../../app/time";
import { t } from "../../text";
import { Button, IconButton } from "../../ui/button";
import { ChannelTile, channelName } from "../../ui/channel";
import { cx } from "../../ui/cx";
import { Dialog } from "../../ui/dialog";
import { CopyButton, Field, SelectField, TextField, Toggle } from "../../ui/field";
import { Empty, Failed } from "../../ui/state";
import { AddMail } from "./mail-add";
import { MailInbox } from "./mail-inbox";
import { Card, Page, Pill, useSave } from "./parts";
import { WidgetPreview } from "./widget-preview";

const refresh = () => void queryClient.invalidateQueries({ queryKey: qk.inboxes });
export const hoursQuery = { queryKey: qk.hours, queryFn: () => need(api.GET("/api/v1/business_hours")) };

export function ChannelsPage() {
  const inboxes = useQuery(inboxesQuery);
  const navigate = useNavigate();
  const [adding, setAdding] = useState(false);
  const [addingMail, setAddingMail] = useState(false);
  const [name, setName] = useState("");
  const create = useSave((n: string) => need(api.POST("/api/v1/inboxes", { body: { channel: "webchat", name: n } })), (inbox) => {
    refresh();
    void navigate({ to: "/settings/$page/$item", params: { page: "channels", item: inbox.id } });
  }, null);
  const items = inboxes.data?.items ?? [];
  return (
    <Page title={t.st.pages.channels} text={t.st.pageHints.channels} actions={<><Button icon={<Plus size={16} aria-hidden />} onClick={() => setAddingMail(true)}>{t.ml.addMail}</Button><Button look="primary" icon={<Plus size={16} aria-hidden />} onClick={() => setAdding(true)}>{t.st.addChat}</Button></>}>
      {inboxes.isError ? <Failed error={inboxes.error} onRetry={() => void inboxes.refetch()} /> : inboxes.data && items.length === 0 ? (
        <Card><Empty title={t.noWayIn} text={t.noWayInText}><Button look="primary" onClick={() => setAdding(true)}>{t.addWebChat}</Button></Empty></Card>
      ) : (
        <ul className="flex flex-col gap-3">
          {items.map((i) => <li key={i.id}><InboxCard inbox={i} /></li>)}
        </ul>
      )}
      {addingMail && <AddMail onClose={() => setAddingMail(false)} />}
      {adding && (
        <Dialog title={t.st.addChat} onClose={() => setAdding(false)} width={420}>
          <form className="flex flex-col gap-4" onSubmit={(e) => { e.preventDefault(); create.mutate(name.trim()); }}>
            <TextField label={t.name} hint={t.st.inboxNameHint} required maxLength={60} value={name} onChange={(e) => setName(e.target.value)} />
            <div className="flex justify-end gap-2"><Button onClick={() => setAdding(false)}>{t.cancel}</Button><Button look="primary" type="submit" busy={create.isPending}>{t.st.create}</Button></div>
          </form>
        </Dialog>
      )}
    </Page>
  );
}

function InboxCard({ inbox: i }: { inbox: Inbox }) {
  const chat = i.channel === "webchat" || i.channel === "email";
  const body = (
    <>
      <ChannelTile channel={i.channel} size={36} />
      <span className="min-w-0 flex-1">
        <span className="block truncate text-15 font-medium">{i.name}</span>
        <span className="tnum block truncate text-12 text-ink3">{[channelName(i.channel), i.last_in_at ? t.st.lastIn(age(i.last_in_at)) : null, i.last_out_at ? t.st.lastOut(age(i.last_out_at)) : null].filter(Boolean).join(" · ")}</span>
      </span>
      <Pill tone={!i.enabled ? "quiet" : i.state === "ok" ? "ok" : "warn"}>{!i.enabled ? t.st.off : (t.st.inboxState as Record<string, string>)[i.state]}</Pill>
    </>
  );
  const look = "flex items-center gap-3.5 rounded-card border border-line bg-surface px-4 py-3.5 shadow-1";
  return chat ? <Link to="/settings/$page/$item" params={{ page: "channels", item: i.id }} className={cx(look, "hover:border-control")}>{body}</Link> : <div className={look}>{body}</div>;
}

export function ChannelPage({ id }: { id: string }) {
  const inboxes = useQuery(inboxesQuery);
  const inbox = inboxes.data?.items.find((i) => i.id === id);
  if (inboxes.isError) return <Failed error={inboxes.error} onRetry={() => void inboxes.refetch()} />;
  if (!inboxes.data) return null;
  if (inbox?.channel === "email") return <MailInbox key={id} inbox={inbox} />;
  if (!inbox?.webchat) return <Empty title={t.noSuchPage}><Link className="text-brand underline" to="/settings/$page" params={{ page: "channels" }}>{t.st.pages.channels}</Link></Empty>;
  return <ChatEditor key={id} inbox={inbox} saved={inbox.webchat} />;
}

const isLocal = (host: string) => /^(localhost|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|\[?::1|.*\.local$)/.test(host);

/** The line for the site, with the warning when its address works only in the own network. */
export function SnippetBox({ inbox }: { inbox: Inbox }) {
  const code = useRef<HTMLPreElement>(null);
  const snippet = inbox.snippet ?? `<script src="${location.origin}/w/${inbox.webchat?.site ?? ""}.js" async></script>`;
  const test = inbox.test_url ?? `/w/${inbox.webchat?.site ?? ""}/test`;
  const host = /src="https?:\/\/([^/:"]+)/.exec(snippet)?.[1] ?? location.hostname;
  return (
    <div className="flex flex-col gap-3">
      <pre ref={code} tabIndex={0} aria-label={t.st.snippet} className="overflow-x-auto whitespace-pre-wrap break-all rounded-control border border-line bg-canvas px-3.5 py-3 font-mono text-13">{snippet}</pre>
      {isLocal(host) && <p className="flex items-start gap-2 rounded-control bg-warn-tint px-3 py-2 text-13 text-warn"><TriangleAlert size={15} className="mt-0.5 shrink-0" aria-hidden />{t.st.localAddress}</p>}
      <div className="flex flex-wrap gap-2">
        <CopyButton text={snippet} look="primary" target={() => code.current} />
        <a href={`mailto:?subject=${encodeURIComponent(t.st.devMailSubject)}&body=${encodeURIComponent(t.st.devMailBody(snippet))}`} className="inline-flex h-9 items-center rounded-control border border-control/60 px-3 text-14 hover:bg-fill">{t.st.sendToDeveloper}</a>
        <a href={test} target="_blank" rel="noreferrer" className="inline-flex h-9 items-center gap-1.5 rounded-control border border-control/60 px-3 text-14 hover:bg-fill">{t.st.openTest}<ExternalLink size={14} aria-hidden /></a>
      </div>
    </div>
  );
}

function ChatEditor({ inbox, saved }: { inbox: Inbox; saved: WebchatSettings }) {
  const [w, setW] = useState(saved);
  const [name, setName] = useState(inbox.name);
  const [secret, setSecret] = useState<string | null>(null);
  const [team, setTeam] = useState(inbox.team_id ?? "");
  const [agentIds, setAgentIds] = useState(inbox.agent_ids);
  const hours = useQuery(hoursQuery).data?.items ?? [];
  const teams = useTeams();
  const agents = useAgents();
  const change = (part: Partial<WebchatSettings>) => setW((was) => ({ ...was, ...part }));
  const dirty = JSON.stringify([w, name, team, agentIds]) !== JSON.stringify([saved, inbox.name, inbox.team_id ?? "", inbox.agent_ids]);
  const save = useSave(() => {
    // Only what was changed goes over: two admins on two cards do not undo each other.
    const webchat = Object.fromEntries(Object.entries(w).filter(([k, v]) => JSON.stringify(v) !== JSON.stringify(saved[k as keyof WebchatSettings])));
    return need(api.PATCH("/api/v1/inboxes/{id}", { params: { path: { id: inbox.id } }, body: { ...(name.trim() !== inbox.name ? { name: name.trim() } : {}), ...(team !== (inbox.team_id ?? "") ? { team_id: team || null } : {}), ...(JSON.stringify(agentIds) !== JSON.stringify(inbox.agent_ids) ? { agent_ids: agentIds } : {}), ...(Object.keys(webchat).length ? { webchat: webchat as WebchatSettingsPatch } : {}) } }));
  }, (after) => {
    if (after.webchat) setW(after.webchat);
    refresh();
  });
  const enable = useSave((enabled: boolean) => need(api.PATCH("/api/v1/inboxes/{id}", { params: { path: { id: inbox.id } }, body: { enabled } })), refresh, null);
  const rotate = useSave(() => need(api.POST("/api/v1/inboxes/{id}/identity_secret", { params: { path: { id: inbox.id } } })), (made) => setSecret(made.secret), null);
  return (
    <Page wide title={inbox.name} text={<Link className="text-brand hover:underline" to="/settings/$page" params={{ page: "channels" }}>{t.st.pages.channels}</Link>} actions={<><Pill tone={inbox.enabled ? "ok" : "quiet"}>{inbox.enabled ? t.st.inboxState.ok : t.st.off}</Pill></>}>
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_360px]">
        <div className="flex min-w-0 flex-col gap-6">
          <Card title={t.st.putOnSite} text={t.st.putOnSiteText}><SnippetBox inbox={inbox} /></Card>
          <Card title={t.st.looks}>
            <div className="grid gap-4 sm:grid-cols-2">
              <TextField label={t.st.inboxName} hint={t.st.inboxNameHint} value={name} maxLength={60} onChange={(e) => setName(e.target.value)} />
              <TextField label={t.st.chatTitle} value={w.title} maxLength={60} onChange={(e) => change({ title: e.target.value })} />
            </div>
            <Field label={t.st.greeting}>{(ids) => <textarea {...ids} className="field min-h-16" maxLength={500} value={w.greeting} onChange={(e) => change({ greeting: e.target.value })} />}</Field>
            <div className="grid gap-4 sm:grid-cols-2">
              <ColourField label={t.st.colour} value={w.colour} onChange={(colour) => change({ colour })} />
              <Field label={t.st.radius(w.radius)}>{(ids) => <input {...ids} type="range" min={0} max={24} value={w.radius} onChange={(e) => change({ radius: Number(e.target.value) })} className="h-9 w-full accent-brand" />}</Field>
              <SelectField label={t.st.corner} value={w.corner} onChange={(v) => change({ corner: v as WebchatSettings["corner"] })} options={[{ value: "end", label: t.st.cornerEnd }, { value: "start", label: t.st.cornerStart }]} />
              <SelectField label={t.theme} value={w.theme} onChange={(v) => change({ theme: v as WebchatSettings["theme"] })} options={[{ value: "auto", label: t.themeName.system }, { value: "light", label: t.themeName.light }, { value: "dark", label: t.themeName.dark }]} />
              <SelectField label={t.st.language} value={w.locale} onChange={(v) => change({ locale: v as WebchatSettings["locale"] })} options={[{ value: "auto", label: t.st.languageAuto }, { value: "en", label: "English" }, { value: "de", label: "Deutsch" }, { value: "es", label: "Español" }, { value: "fr", label: "Français" }, { value: "ar", label: "العربية" }]} />
            </div>
            <Toggle label={t.st.showAgents} checked={w.show_agents} onChange={(show_agents) => change({ show_agents })} />
            <Toggle label={t.st.showWait} checked={w.show_wait} onChange={(show_wait) => change({ show_wait })} />
          </Card>
          <Card title={t.st.whenAway}>
            <SelectField label={t.st.pages.hours} value={w.business_hours_id ?? ""} onChange={(v) => change({ business_hours_id: v || null })} options={[{ value: "", label: t.st.alwaysOpen }, ...hours.map((h) => ({ value: h.id, label: h.name }))]} />
            <Field label={t.st.awayText}>{(ids) => <textarea {...ids} className="field min-h-16" maxLength={500} value={w.away_text} onChange={(e) => change({ away_text: e.target.value })} />}</Field>
            <Toggle label={t.st.askEmail} hint={t.st.askEmailHint} checked={w.ask_email_when_away} onChange={(ask_email_when_away) => change({ ask_email_when_away })} />
          </Card>
          <Card title={t.st.preChat} text={t.st.preChatText}>
            <Toggle label={t.st.preChatOn} checked={w.pre_chat.enabled} onChange={(enabled) => change({ pre_chat: { enabled, fields: enabled && w.pre_chat.fields.length === 0 ? [{ key: "name", label: t.name, kind: "text", required: false }, { key: "email", label: t.st.email, kind: "email", required: true }] : w.pre_chat.fields } })} />
            {w.pre_chat.enabled && <PreChatFields fields={w.pre_chat.fields} onChange={(fields) => change({ pre_chat: { ...w.pre_chat, fields } })} />}
            <Field label={t.st.consent} hint={t.st.consentHint}>{(ids) => <textarea {...ids} className="field min-h-16" maxLength={1000} value={w.consent_text ?? ""} onChange={(e) => change({ consent_text: e.target.value || null })} />}</Field>
          </Card>
          <Card title={t.st.files}>
            <Toggle label={t.st.filesOn} checked={w.attachments.enabled} onChange={(enabled) => change({ attachments: { ...w.attachments, enabled } })} />
            {w.attachments.enabled && (
              <div className="grid gap-4 sm:grid-cols-2">
                <TextField label={t.st.fileMb} type="number" min={1} max={100} value={Math.round(w.attachments.bytes_max / 1_048_576)} onChange={(e) => change({ attachments: { ...w.attachments, bytes_max: Math.max(1, Number(e.target.value)) * 1_048_576 } })} />
                <TextField label={t.st.fileCount} type="number" min={1} max={20} value={w.attachments.count_max} onChange={(e) => change({ attachments: { ...w.attachments, count_max: Math.max(1, Number(e.target.value)) } })} />
                <Lines className="sm:col-span-2" label={t.st.fileTypes} hint={t.st.fileTypesHint} value={w.attachments.types} onChange={(types) => change({ attachments: { ...w.attachments, types } })} />
              </div>
            )}
          </Card>
          <Card title={t.st.safety}>
            <Lines label={t.st.origins} hint={t.st.originsHint} value={w.allowed_origins} onChange={(allowed_origins) => change({ allowed_origins })} />
            <div className="grid gap-4 sm:grid-cols-2">
              <TextField label={t.st.rateMessages} type="number" min={1} value={w.rates.messages_per_minute} onChange={(e) => change({ rates: { ...w.rates, messages_per_minute: Math.max(1, Number(e.target.value)) } })} />
              <TextField label={t.st.rateVisitors} type="number" min={1} value={w.rates.visitors_per_address_per_hour} onChange={(e) => change({ rates: { ...w.rates, visitors_per_address_per_hour: Math.max(1, Number(e.target.value)) } })} />
            </div>
            <Lines label={t.st.banned} hint={t.st.bannedHint} value={w.banned_addresses} onChange={(banned_addresses) => change({ banned_addresses })} />
          </Card>
          <Card title={t.st.identity} text={t.st.identityText}>
            <Toggle label={t.st.identityRequired} hint={t.st.identityRequiredHint} checked={w.identity.required} onChange={(required) => change({ identity: { ...w.identity, required } })} />
            <SelectField label={t.st.jwt} value={w.identity.jwt_algorithm} onChange={(v) => change({ identity: { ...w.identity, jwt_algorithm: v as "HS256" | "EdDSA" } })} options={[{ value: "HS256", label: t.st.jwtShared }, { value: "EdDSA", label: t.st.jwtKey }]} />
            {w.identity.jwt_algorithm === "EdDSA" && <Field label={t.st.publicKey}>{(ids) => <textarea {...ids} className="field min-h-24 font-mono text-13" value={w.identity.jwt_public_key ?? ""} onChange={(e) => change({ identity: { ...w.identity, jwt_public_key: e.target.value || null } })} />}</Field>}
            {secret ? (
              <div className="rounded-control border border-warn/50 bg-warn-tint p-3">
                <p className="mb-2 text-13 text-warn">{t.st.secretOnce}</p>
                <div className="flex flex-wrap items-center gap-2"><code className="min-w-0 flex-1 select-all break-all rounded-chip bg-surface px-2 py-1.5 font-mono text-13">{secret}</code><CopyButton text={secret} /></div>
              </div>
            ) : <div><Button icon={<KeyRound size={15} aria-hidden />} busy={rotate.isPending} onClick={() => rotate.mutate(undefined)}>{t.st.newSecret}</Button><p className="mt-1 text-12 text-ink3">{t.st.newSecretHint}</p></div>}
            <CodeSamples algorithm={w.identity.jwt_algorithm} />
          </Card>
          <Card title={t.st.whoAnswers}>
            <SelectField label={t.team} value={team} onChange={setTeam} options={[{ value: "", label: t.st.noTeam }, ...teams.map((x) => ({ value: x.id, label: x.name }))]} />
            <fieldset>
              <legend className="mb-1 text-13 font-medium">{t.st.seesIt}</legend>
              <p className="mb-2 text-12 text-ink3">{t.st.seesItHint}</p>
              <div className="grid gap-1.5 sm:grid-cols-2">
                {agents.filter((a) => !a.archived).map((a) => <label key={a.id} className="flex min-h-8 items-center gap-2 text-14"><input type="checkbox" className="size-4 accent-brand" checked={agentIds.includes(a.id)} onChange={(e) => setAgentIds(e.target.checked ? [...agentIds, a.id] : agentIds.filter((x) => x !== a.id))} />{a.name}</label>)}
              </div>
            </fieldset>
          </Card>
          <Card title={t.st.offTitle}>
            <Toggle label={t.st.chatOn} hint={t.st.chatOnHint} checked={inbox.enabled} onChange={(on) => enable.mutate(on)} />
          </Card>
        </div>
        <div className="sticky top-6 max-xl:hidden"><WidgetPreview settings={w} /></div>
      </div>
      {dirty && (
        <div className="rise sticky bottom-4 z-10 mx-auto flex w-fit items-center gap-3 rounded-card border border-line bg-raised py-2 pe-2 ps-4 shadow-3">
          <span className="text-14">{t.st.notSaved}</span>
          <Button onClick={() => { setW(saved); setName(inbox.name); setTeam(inbox.team_id ?? ""); setAgentIds(inbox.agent_ids); }}>{t.st.discard}</Button>
          <Button look="primary" busy={save.isPending} onClick={() => save.mutate(undefined)}>{t.save}</Button>
        </div>
      )}
    </Page>
  );
}

/** A colour input cannot be empty; this is what it shows until one is chosen. */
const FALLBACK = "#0b6b74";

export function ColourField({ label, value, onChange }: { label: string; value: string; onChange: (v: string) => void }) {
  return (
    <Field label={label}>
      {(ids) => (
        <span className="flex gap-2">
          <input type="color" aria-label={label} value={/^#[0-9a-f]{6}$/i.test(value) ? value : FALLBACK} onChange={(e) => onChange(e.target.value)} className="h-9 w-12 shrink-0 cursor-pointer rounded-control border border-control bg-surface p-1" />
          <input {...ids} className="field font-mono text-13" value={value} maxLength={7} onChange={(e) => onChange(e.target.value)} />
        </span>
      )}
    </Field>
  );
}

function Lines({ label, hint, value, onChange, className }: { label: string; hint: string; value: string[]; onChange: (v: string[]) => void; className?: string }) {
  const [text, setText] = useState(value.join("\n"));
  return <Field label={label} hint={hint} className={className}>{(ids) => <textarea {...ids} className="field min-h-16 font-mono text-13" spellCheck={false} value={text} onChange={(e) => { setText(e.target.value); onChange(e.target.value.split("\n").map((x) => x.trim()).filter(Boolean)); }} />}</Field>;
}

function PreChatFields({ fields, onChange }: { fields: PreChatField[]; onChange: (fields: PreChatField[]) => void }) {
  const set = (i: number, part: Partial<PreChatField>) => onChange(fields.map((f, j) => (j === i ? { ...f, ...part } : f)));
  return (
    <div className="flex flex-col gap-2">
      {fields.map((f, i) => (
        <div key={i} className="flex flex-wrap items-center gap-2 rounded-control border border-line p-2">
          <input aria-label={t.st.fieldLabel} className="field w-auto min-w-32 flex-1" value={f.label} onChange={(e) => set(i, { label: e.target.value })} />
          <select aria-label={t.st.fieldKind} className="field w-auto" value={f.kind} onChange={(e) => set(i, { kind: e.target.value as PreChatField["kind"], options: e.target.value === "select" ? (f.options ?? []) : undefined })}>
            {(["text", "email", "select"] as const).map((k) => <option key={k} value={k}>{t.st.fieldKinds[k]}</option>)}
          </select>
          {f.kind === "select" && <input aria-label={t.st.fieldOptions} placeholder={t.st.fieldOptions} className="field w-auto min-w-40 flex-1" defaultValue={(f.options ?? []).join(", ")} onBlur={(e) => set(i, { options: e.target.value.split(",").map((x) => x.trim()).filter(Boolean) })} />}
          <label className="flex items-center gap-1.5 text-13"><input type="checkbox" className="size-4 accent-brand" checked={f.required} onChange={(e) => set(i, { required: e.target.checked })} />{t.st.required}</label>
          <IconButton size="s" label={t.st.removeField(f.label)} onClick={() => onChange(fields.filter((_, j) => j !== i))}><X size={15} aria-hidden /></IconButton>
        </div>
      ))}
      {fields.length < 8 && <div><Button size="s" icon={<Plus size={14} aria-hidden />} onClick={() => onChange([...fields, { key: `field_${Date.now().toString(36)}`, label: "", kind: "text", required: false }])}>{t.st.addField}</Button></div>}
    </div>
  );
}

function CodeSamples({ algorithm }: { algorithm: "HS256" | "EdDSA" }) {
  const [lang, setLang] = useState<"node" | "python" | "php" | "hmac">("node");
  const key = algorithm === "HS256" ? "CHAT_SECRET" : "CHAT_PRIVATE_KEY";
  const samples = {
    node: `import jwt from "jsonwebtoken";\n\nconst token = jwt.sign(\n  { sub: customer.id, name: customer.name, email: customer.email },\n  process.env.${key},\n  { algorithm: "${algorithm}", expiresIn: "1h" },\n);\n// in the page\ncontinuo("identify", { jwt: token });`,
    python: `import jwt, os, time\n\ntoken = jwt.encode(\n    {"sub": customer.id, "name": customer.name, "exp": int(time.time()) + 3600},\n    os.environ["${key}"],\n    algorithm="${algorithm}",\n)`,
    php: `use Firebase\\JWT\\JWT;\n\n$token = JWT::encode(\n    ["sub" => $customer->id, "name" => $customer->name, "exp" => time() + 3600],\n    getenv("${key}"),\n    "${algorithm}"\n);`,
    hmac: `import { createHmac } from "node:crypto";\n\nconst hash = createHmac("sha256", process.env.CHAT_SECRET).update(customer.id).digest("hex");\n// in the page\ncontinuo("identify", { id: customer.id, hash });`,
  };
  return (
    <div>
      <div className="mb-2 flex items-center justify-between gap-2">
      <div role="tablist" aria-label={t.st.samples} className="flex gap-1">
        {(["node", "python", "php", "hmac"] as const).map((k) => <button key={k} type="button" role="tab" id={`sample-${k}`} aria-controls="sample" aria-selected={lang === k} onClick={() => setLang(k)} className={cx("h-8 rounded-control px-2.5 text-13", lang === k ? "bg-fill font-medium" : "text-ink2 hover:bg-canvas")}>{{ node: "Node", python: "Python", php: "PHP", hmac: "HMAC" }[k]}</button>)}
      </div>
        <CopyButton text={samples[lang]} size="s" look="quiet" />
      </div>
      <pre id="sample" role="tabpanel" aria-labelledby={`sample-${lang}`} tabIndex={0} dir="ltr" className="overflow-x-auto rounded-control border border-line bg-canvas px-3.5 py-3 font-mono text-12 leading-5">{samples[lang]}</pre>
    </div>
  );
}
