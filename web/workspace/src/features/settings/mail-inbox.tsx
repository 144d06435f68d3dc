import { CircleAlert, CircleCheck, ExternalLink, LoaderCircle, TriangleAlert } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Problem, type Inbox, type Schemas } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { qk, queryClient } from "../../app/query";
import { age } from "../../app/time";
import { t } from "../../text";
import { Button } from "../../ui/button";
import { cx } from "../../ui/cx";
import { TextField, Toggle } from "../../ui/field";
import { Redirect } from "./mail-add";
import { HistoryCard, LedgerCard, ledgerQuery, TroublesCard } from "./mail-ledger";
import { signInWay, verdict, type Check } from "./mail-state";
import { Card, Page, Pill, useSave } from "./parts";

const refresh = () => void queryClient.invalidateQueries({ queryKey: qk.inboxes });
const checkKey = (id: string) => ["mail_check", id] as const;

/** One mail inbox: sign-in, check, whether everything is here, mail from before. */
export function MailInbox({ inbox }: { inbox: Inbox }) {
  const id = inbox.id;
  const path = { params: { path: { id } } };
  const email = inbox.email as Record<string, unknown> | null | undefined;
  const address = typeof email?.["address"] === "string" ? email["address"] : inbox.name;
  const check = useQuery({
    queryKey: checkKey(id),
    // Never checked is an answer, too.
    queryFn: () => need(api.GET("/api/v1/inboxes/{id}/check", path)).catch((e: unknown) => { if (e instanceof Problem && e.status === 404) return null; throw e; }),
    staleTime: 0,
    refetchInterval: (q) => (verdict(q.state.data) === "running" ? 1_000 : false),
  });
  const ledger = useQuery(ledgerQuery(id));
  const start = useSave(() => need(api.POST("/api/v1/inboxes/{id}/check", path)), (c) => queryClient.setQueryData(checkKey(id), c), null);
  const enable = useSave((enabled: boolean) => need(api.PATCH("/api/v1/inboxes/{id}", { ...path, body: { enabled } })), () => { refresh(); void ledger.refetch(); }, null);
  const result = verdict(check.data);
  const health = ledger.data?.state;
  const missing = ledger.data?.folders.reduce((sum, f) => sum + f.missing, 0) ?? 0;
  const needsSignIn = inbox.state === "needs_sign_in" || health === "needs_sign_in";
  const signedIn = new URLSearchParams(location.search).has("signed_in");
  // Back from the provider's page: the next question is whether it works.
  useEffect(() => {
    if (!signedIn) return;
    history.replaceState(history.state, "", location.pathname);
    start.mutate(undefined);
    // Once, on arrival.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  return (
    <Page
      title={inbox.name}
      text={<><Link className="text-brand hover:underline" to="/settings/$page" params={{ page: "channels" }}>{t.st.pages.channels}</Link>{address !== inbox.name && <> · <bdi>{address}</bdi></>}</>}
      actions={<Pill tone={needsSignIn || health === "wrong_settings" || missing > 0 ? "danger" : !inbox.enabled ? "quiet" : health === "trouble" ? "warn" : "ok"}>{needsSignIn ? t.ml.health["needs_sign_in"] : missing > 0 ? t.ml.missing(missing) : !inbox.enabled ? t.st.off : (t.ml.health[health ?? "ok"] ?? health)}</Pill>}
    >
      {needsSignIn && <Alarm title={t.st.inboxState.needs_sign_in} text={t.ml.needsSignIn} detail={ledger.data?.reason} />}
      {!needsSignIn && inbox.enabled && (health === "trouble" || health === "wrong_settings") && <Alarm soft={health === "trouble" && !ledger.data?.banner} title={t.ml.health[health] ?? health} text={ledger.data?.reason ?? ""} detail={ledger.data?.trouble_since ? t.ml.since(age(ledger.data.trouble_since)) : null} />}
      {(needsSignIn || !inbox.enabled) && <SignInCard inbox={inbox} again={needsSignIn} onSignedIn={() => { refresh(); start.mutate(undefined); }} />}
      <Card title={t.ml.check} text={t.ml.checkText} actions={<Button size="s" busy={start.isPending || result === "running"} onClick={() => start.mutate(undefined)}>{result === "none" ? t.ml.check : t.ml.checkAgain}</Button>}>
        <Steps check={check.data ?? null} />
        {!inbox.enabled && (
          <div className="flex flex-wrap items-center gap-3 border-t border-line pt-4">
            <p className="min-w-0 flex-1 text-13 text-ink2">{t.ml.finishHint}</p>
            <Button look={result === "ok" || result === "warn" ? "primary" : "plain"} busy={enable.isPending} onClick={() => enable.mutate(true)}>{t.ml.finish}</Button>
          </div>
        )}
      </Card>
      {ledger.data && (inbox.enabled || ledger.data.folders.length > 0) && <LedgerCard id={id} ledger={ledger.data} />}
      {inbox.enabled && <HistoryCard id={id} seen={ledger.data?.import ?? null} />}
      {ledger.data && (inbox.enabled || ledger.data.troubles.length > 0) && <TroublesCard ledger={ledger.data} />}
      {inbox.enabled && !needsSignIn && <SignInCard inbox={inbox} again onSignedIn={() => start.mutate(undefined)} quiet />}
      <NameCard inbox={inbox} />
      {inbox.enabled && <Card title={t.st.offTitle}><Toggle label={t.ml.mailOn} hint={t.ml.mailOnHint} checked={inbox.enabled} onChange={(on) => enable.mutate(on)} /></Card>}
    </Page>
  );
}

function Alarm({ title, text, detail, soft }: { title: string; text: string; detail?: string | null; soft?: boolean }) {
  return (
    <div role="alert" className={cx("flex items-start gap-3 rounded-card border px-4 py-3", soft ? "border-warn/50 bg-warn-tint text-warn" : "border-danger/50 bg-danger-tint text-danger")}>
      <TriangleAlert size={18} className="mt-0.5 shrink-0" aria-hidden />
      <div className="min-w-0 text-13"><p className="text-14 font-semibold">{title}</p>{text && <p className="mt-0.5 break-words">{text}</p>}{detail && <p className="mt-0.5 break-words opacity-90">{detail}</p>}</div>
    </div>
  );
}

function Steps({ check }: { check: Check | null }) {
  const result = verdict(check);
  if (!check) return <p className="text-13 text-ink3">{t.ml.notChecked}</p>;
  return (
    <div aria-live="polite">
      <ol className="flex flex-col gap-3">
        {check.steps.map((s, i) => (
          <li key={`${s.code}${i}`} className="flex items-start gap-3">
            {s.state === "ok" ? <CircleCheck size={17} className="mt-0.5 shrink-0 text-ok" aria-label={t.ml.stepState["ok"]} /> : s.state === "warn" ? <TriangleAlert size={17} className="mt-0.5 shrink-0 text-warn" aria-label={t.ml.stepState["warn"]} /> : <CircleAlert size={17} className="mt-0.5 shrink-0 text-danger" aria-label={t.ml.stepState["failed"]} />}
            <div className="min-w-0"><p className="text-14 font-medium">{t.ml.step[s.code] ?? s.code.replace(/_/g, " ")}</p><p className="break-words text-13 text-ink2">{s.text}</p></div>
          </li>
        ))}
        {result === "running" && <li className="flex items-center gap-3 text-13 text-ink3"><LoaderCircle size={17} className="animate-spin motion-reduce:animate-none" aria-hidden />{t.ml.checking}</li>}
      </ol>
      {result !== "running" && <p className={cx("mt-3 text-14 font-medium", result === "ok" ? "text-ok" : result === "warn" ? "text-warn" : "text-danger")}>{result === "ok" ? t.ml.checkOk : result === "warn" ? t.ml.checkWarn : t.ml.checkFailed}</p>}
    </div>
  );
}

function SignInCard({ inbox, again, onSignedIn, quiet }: { inbox: Inbox; again: boolean; onSignedIn: () => void; quiet?: boolean }) {
  const { way, device } = signInWay(inbox.email as Record<string, unknown> | null);
  const path = { params: { path: { id: inbox.id } } };
  const [password, setPassword] = useState("");
  const save = useSave(() => need(api.PUT("/api/v1/inboxes/{id}/secrets", { ...path, body: { secrets: { password } } })), () => { setPassword(""); onSignedIn(); });
  const page = useSave(() => need(api.POST("/api/v1/inboxes/{id}/sign_in", path)), (p) => location.assign(p.url), null);
  const [code, setCode] = useState<Schemas["SignInCode"] | null>(null);
  const begin = useSave(() => need(api.POST("/api/v1/inboxes/{id}/sign_in/device", path)), setCode, null);
  return (
    <Card title={again ? t.ml.signInAgain : t.ml.signIn}>
      {way === "password" ? (
        <form className="flex flex-wrap items-end gap-3" onSubmit={(e) => { e.preventDefault(); save.mutate(undefined); }}>
          <TextField className="min-w-56 flex-1" label={again ? t.ml.newPassword : t.ml.password} hint={t.ml.passwordHint} type="password" required autoComplete="new-password" value={password} onChange={(e) => setPassword(e.target.value)} />
          <Button type="submit" look={quiet ? "plain" : "primary"} busy={save.isPending} className="mb-5">{t.save}</Button>
        </form>
      ) : code ? (
        <DeviceCode id={inbox.id} code={code} onDone={() => { setCode(null); onSignedIn(); }} onNew={() => begin.mutate(undefined)} />
      ) : (
        <>
          <div className="flex flex-wrap items-center gap-2">
            <Button look={quiet ? "plain" : "primary"} icon={<ExternalLink size={15} aria-hidden />} busy={page.isPending} onClick={() => page.mutate(undefined)}>{t.ml.openPage}</Button>
            {device && <Button busy={begin.isPending} onClick={() => begin.mutate(undefined)}>{t.ml.withCode}</Button>}
            <span className="text-12 text-ink3">{t.ml.backHere}</span>
          </div>
          {!quiet && <Redirect />}
        </>
      )}
    </Card>
  );
}

/** A code that is typed elsewhere; asks as often as the provider allows until it was. */
function DeviceCode({ id, code, onDone, onNew }: { id: string; code: Schemas["SignInCode"]; onDone: () => void; onNew: () => void }) {
  const [over, setOver] = useState<string | null>(null);
  useEffect(() => {
    let stopped = false;
    let timer: ReturnType<typeof setTimeout>;
    const ask = (seconds: number) => {
      timer = setTimeout(() => {
        need(api.POST("/api/v1/inboxes/{id}/sign_in/device/poll", { params: { path: { id } } })).then(
          (p) => { if (stopped) return; if (p.done) onDone(); else ask(p.interval_seconds ?? seconds); },
          (e: unknown) => { if (stopped) return; if (e instanceof Problem && (e.offline || e.status >= 500)) ask(seconds * 2); else setOver(t.ml.codeOver); },
        );
      }, Math.max(1, seconds) * 1000);
    };
    setOver(null);
    ask(code.interval_seconds);
    return () => { stopped = true; clearTimeout(timer); };
    // One wait per code; what is called at its end is the caller's latest anyway.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [id, code]);
  return (
    <div className="flex flex-col items-start gap-2" role="status">
      <p className="text-14">{t.ml.codeType(code.url)}</p>
      <p className="select-all rounded-control bg-fill px-4 py-2 font-mono text-22 tracking-widest" dir="ltr">{code.code}</p>
      {over ? <div className="flex items-center gap-2 text-13 text-danger">{over}<Button size="s" onClick={onNew}>{t.ml.newCode}</Button></div> : <p className="text-13 text-ink3">{t.ml.codeWaits}</p>}
      <a className="text-13 text-info underline" href={code.url} target="_blank" rel="noopener noreferrer">{t.ml.openPage}</a>
    </div>
  );
}

function NameCard({ inbox }: { inbox: Inbox }) {
  const email = inbox.email as Record<string, unknown> | null | undefined;
  const from = typeof email?.["from_name"] === "string" ? email["from_name"] : "";
  const [name, setName] = useState(inbox.name);
  const [fromName, setFromName] = useState(from);
  const save = useSave(() => need(api.PATCH("/api/v1/inboxes/{id}", { params: { path: { id: inbox.id } }, body: { ...(name.trim() !== inbox.name ? { name: name.trim() } : {}), ...(fromName.trim() !== from ? { email: { from_name: fromName.trim() || null } } : {}) } })), refresh);
  const dirty = name.trim() !== inbox.name || fromName.trim() !== from;
  return (
    <Card title={t.name}>
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField label={t.st.inboxName} hint={t.st.inboxNameHint} value={name} maxLength={60} onChange={(e) => setName(e.target.value)} />
        <TextField label={t.ml.yourName} hint={t.ml.yourNameHint} value={fromName} maxLength={100} onChange={(e) => setFromName(e.target.value)} />
      </div>
      {dirty && <div><Button look="primary" busy={save.isPending} disabled={name.trim() === ""} onClick={() => save.mutate(undefined)}>{t.save}</Button></div>}
    </Card>
  );
}
