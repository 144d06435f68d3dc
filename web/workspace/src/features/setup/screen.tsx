import { ArrowRight, Check, CircleCheck, Clock3, Eye, EyeOff, LoaderCircle, Mail, MessagesSquare, type LucideIcon } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Problem, type BusinessHours, type ConversationRow, type Inbox, type Me, type Span, type WebchatSettingsPatch } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { startLive } from "../../app/live";
import { qk, queryClient } from "../../app/query";
import { applyPreferences, inboxesQuery, meQuery } from "../../app/me";
import { problemText, t } from "../../text";
import { Button, IconButton } from "../../ui/button";
import { cx } from "../../ui/cx";
import { TextField } from "../../ui/field";
import { Failed } from "../../ui/state";
import { ColourField, hoursQuery, SnippetBox } from "../settings/channels";
import { defaultWeek, WeekEditor, ZoneField } from "../settings/hours";
import { InviteForm } from "../settings/team";
import { useConversations } from "../list/queries";
import { Qr } from "./qr";

/** What was answered so far; kept in the browser, so a reload in the middle loses nothing. Passwords and codes never. */
interface Answers {
  step: number;
  name: string;
  email: string;
  business: string;
  colour: string;
  zone: string;
  week: Span[][];
  skipped: boolean;
}
const DISK = "continuo.setup";
const guessedZone = () => { try { return Intl.DateTimeFormat().resolvedOptions().timeZone; } catch { return "UTC"; } };

function useAnswers(): [Answers, (part: Partial<Answers>) => void] {
  const [a, setA] = useState<Answers>(() => {
    const first: Answers = { step: 0, name: "", email: "", business: "", colour: "#0b6b74", zone: guessedZone(), week: defaultWeek(), skipped: false };
    try {
      return { ...first, ...(JSON.parse(localStorage.getItem(DISK) ?? "{}") as Partial<Answers>) };
    } catch {
      return first;
    }
  });
  const change = (part: Partial<Answers>) =>
    setA((was) => {
      const next = { ...was, ...part };
      localStorage.setItem(DISK, JSON.stringify(next));
      return next;
    });
  return [a, change];
}

export function SetupScreen() {
  const state = useQuery({ queryKey: ["setup"], queryFn: () => need(api.GET("/api/v1/setup")), staleTime: 0 });
  const [a, change] = useAnswers();
  const me = useQuery({ ...meQuery, enabled: state.data?.needed === false, retry: false });
  const navigate = useNavigate();
  useEffect(() => {
    document.title = `${t.st.setup} · Continuo`;
  }, []);
  useEffect(() => {
    if (!me.data) return;
    applyPreferences(me.data.preferences);
    startLive();
    if (a.step === 0) change({ step: 1 });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once signed in
  }, [me.data]);
  useEffect(() => {
    // Set up by somebody already, and this browser is not signed in: /setup is over.
    if (state.data?.needed === false && me.error instanceof Problem && me.error.status === 401) location.replace("/login");
  }, [state.data, me.error]);
  const finish = () => {
    localStorage.removeItem(DISK);
    const done = new Set([...(me.data?.checklist.done ?? []), "setup"]);
    void need(api.PATCH("/api/v1/workspace", { body: { checklist_done: [...done] } })).catch(() => undefined).then(() => queryClient.invalidateQueries({ queryKey: qk.me }));
    void navigate({ to: "/inbox", search: { view: "unassigned" } });
  };
  if (state.isError) return <Failed error={state.error} onRetry={() => void state.refetch()} />;
  if (!state.data || (state.data.needed === false && !me.data && !me.isError)) return null;
  const step = state.data.needed ? 0 : Math.max(1, a.step);
  return (
    <main className="h-full overflow-y-auto bg-canvas">
      <header className="sticky top-0 z-10 flex h-14 items-center gap-3 border-b border-line bg-surface px-4 sm:px-6">
        <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden><rect width="32" height="32" rx="9" className="fill-brand" /><path d="M22.5 11.2a8 8 0 1 0 0 9.6" fill="none" className="stroke-on-brand" strokeWidth="3.2" strokeLinecap="round" /><circle cx="23.4" cy="16" r="2.1" className="fill-on-brand" /></svg>
        <ol className="flex min-w-0 flex-1 items-center gap-1 sm:gap-2" aria-label={t.st.steps}>
          {t.st.stepNames.map((name, i) => (
            <li key={name} aria-current={i === step ? "step" : undefined} className={cx("flex items-center gap-1.5 text-13", i === step ? "font-semibold text-ink" : "text-ink3")}>
              {i < step ? (
                <button type="button" disabled={i === 0} onClick={() => change({ step: i })} aria-label={t.st.backTo(name)} className="flex size-6 items-center justify-center rounded-full bg-ok-tint text-ok"><Check size={13} aria-hidden /></button>
              ) : <span className={cx("tnum flex size-6 items-center justify-center rounded-full text-12", i === step ? "bg-brand text-on-brand" : "bg-fill")}>{i + 1}</span>}
              <span className={cx("max-md:sr-only", i === step && "max-md:not-sr-only")}>{name}</span>
              {i < t.st.stepNames.length - 1 && <span aria-hidden className="h-px w-3 bg-line sm:w-6" />}
            </li>
          ))}
        </ol>
        {step > 0 && <Button size="s" look="quiet" onClick={finish}>{t.st.skipToInbox}</Button>}
      </header>
      <div className="mx-auto w-full max-w-[40rem] px-4 py-8 sm:py-14">
        {step === 0 && <OwnerStep a={a} change={change} serverZone={state.data.time_zone} onDone={(made) => { queryClient.setQueryData(qk.me, made); queryClient.setQueryData(["setup"], { ...state.data, needed: false }); change({ step: 1 }); }} />}
        {step === 1 && me.data && <BusinessStep a={a} change={change} me={me.data} onDone={() => change({ step: 2 })} />}
        {step === 2 && me.data && <WayInStep a={a} me={me.data} onDone={() => change({ step: 3 })} onSkip={() => change({ step: 4 })} />}
        {step === 3 && <TryStep onDone={() => change({ step: 4 })} />}
        {step >= 4 && <TeamStep onDone={finish} />}
      </div>
    </main>
  );
}

function Heading({ title, text }: { title: string; text: string }) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => ref.current?.focus(), []);
  return (
    <div className="mb-8">
      <h1 ref={ref} tabIndex={-1} className="text-28 font-semibold outline-none">{title}</h1>
      <p className="mt-2 text-15 text-ink2">{text}</p>
    </div>
  );
}

type StepProps = { a: Answers; change: (part: Partial<Answers>) => void };

function OwnerStep({ a, change, serverZone, onDone }: StepProps & { serverZone: string; onDone: (me: Me) => void }) {
  const [code, setCode] = useState(() => new URLSearchParams(location.search).get("code") ?? "");
  const [password, setPassword] = useState("");
  const [shown, setShown] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<{ field: string; text: string } | null>(null);
  const send = async () => {
    setBusy(true);
    setError(null);
    try {
      onDone(await need(api.POST("/api/v1/setup/owner", { body: { code: code.trim(), name: a.name.trim(), email: a.email.trim(), password, time_zone: a.zone || serverZone } })));
    } catch (e) {
      const p = e instanceof Problem ? e : null;
      if (p?.code === "setup_done") location.assign("/login");
      else if (p?.code === "wrong_code") setError({ field: "code", text: t.st.wrongCode(Number(p.args["left"] ?? 0)) });
      else if (p?.code === "invalid") setError({ field: String(p.args["field"] ?? "password"), text: p.args["field"] === "password" ? t.st.passwordHint : t.st.fieldWrong });
      else setError({ field: "form", text: problemText(p) });
    } finally {
      setBusy(false);
    }
  };
  const of = (f: string) => (error?.field === f ? error.text : null);
  return (
    <form onSubmit={(e) => { e.preventDefault(); void send(); }}>
      <Heading title={t.st.ownerTitle} text={t.st.ownerText} />
      <div className="flex flex-col gap-5 rounded-card border border-line bg-surface p-5 shadow-1 sm:p-7">
        <TextField label={t.st.code} hint={t.st.codeHint} error={of("code")} required autoComplete="one-time-code" spellCheck={false} value={code} onChange={(e) => setCode(e.target.value)} />
        <TextField label={t.st.yourName} error={of("name")} required autoComplete="name" maxLength={80} value={a.name} onChange={(e) => change({ name: e.target.value })} />
        <TextField label={t.st.email} error={of("email")} type="email" required autoComplete="username" value={a.email} onChange={(e) => change({ email: e.target.value })} />
        <div className="flex items-start gap-2">
          <TextField className="flex-1" label={t.st.password} hint={t.st.passwordHint} error={of("password")} type={shown ? "text" : "password"} required minLength={10} autoComplete="new-password" value={password} onChange={(e) => setPassword(e.target.value)} />
          <IconButton type="button" className="mt-[24px]" label={shown ? t.st.hidePassword : t.st.showPassword} onClick={() => setShown(!shown)}>{shown ? <EyeOff size={17} aria-hidden /> : <Eye size={17} aria-hidden />}</IconButton>
        </div>
        {of("form") && <p role="alert" className="text-13 text-danger">{of("form")}</p>}
        <div className="flex justify-end"><Button look="primary" type="submit" busy={busy}>{t.st.createOwner}<ArrowRight size={16} aria-hidden className="rtl:-scale-x-100" /></Button></div>
      </div>
    </form>
  );
}

function BusinessStep({ a, change, me, onDone }: StepProps & { me: Me; onDone: () => void }) {
  const hours = useQuery(hoursQuery);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const guess = me.agent.email.split("@")[1]?.split(".")[0] ?? "";
  const generic = ["gmail", "outlook", "hotmail", "yahoo", "icloud", "gmx", "web", "proton", "example"].includes(guess);
  const business = a.business || me.workspace.name;
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      await need(api.PATCH("/api/v1/workspace", { body: { name: (business || guess).trim(), colour: a.colour, time_zone: a.zone } }));
      const body = { name: hours.data?.items[0]?.name ?? t.st.hoursFirst, hours: { time_zone: a.zone, week: a.week, holidays: hours.data?.items[0]?.hours.holidays ?? [] } };
      const first: BusinessHours | undefined = hours.data?.items[0];
      if (first) await need(api.PUT("/api/v1/business_hours/{id}", { params: { path: { id: first.id } }, body }));
      else await need(api.POST("/api/v1/business_hours", { body }));
      void queryClient.invalidateQueries({ queryKey: qk.hours });
      void queryClient.invalidateQueries({ queryKey: qk.me });
      onDone();
    } catch (e) {
      setError(problemText(e instanceof Problem ? e : null));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(e) => { e.preventDefault(); void save(); }}>
      <Heading title={t.st.businessTitle} text={t.st.businessStepText} />
      <div className="flex flex-col gap-5 rounded-card border border-line bg-surface p-5 shadow-1 sm:p-7">
        <TextField label={t.st.businessName} required maxLength={80} autoComplete="organization" placeholder={generic ? "" : guess} value={business} onChange={(e) => change({ business: e.target.value })} />
        <div className="grid gap-5 sm:grid-cols-2">
          <ColourField label={t.st.colourPublic} value={a.colour} onChange={(colour) => change({ colour })} />
          <ZoneField value={a.zone} onChange={(zone) => change({ zone })} />
        </div>
        <div>
          <p className="mb-1 flex items-center gap-1.5 text-13 font-medium"><Clock3 size={14} className="text-ink3" aria-hidden />{t.st.hoursQuestion}</p>
          <WeekEditor week={a.week} onChange={(week) => change({ week })} />
        </div>
        {error && <p role="alert" className="text-13 text-danger">{error}</p>}
        <div className="flex justify-end"><Button look="primary" type="submit" busy={busy}>{t.nextWord}<ArrowRight size={16} aria-hidden className="rtl:-scale-x-100" /></Button></div>
      </div>
    </form>
  );
}

function WayInStep({ a, me, onDone, onSkip }: { a: Answers; me: Me; onDone: () => void; onSkip: () => void }) {
  const inboxes = useQuery(inboxesQuery);
  const hours = useQuery(hoursQuery);
  const [error, setError] = useState<unknown>(null);
  const made = useRef(false);
  const chat: Inbox | undefined = inboxes.data?.items.find((i) => i.channel === "webchat");
  useEffect(() => {
    // The chat inbox is made at once: the line below is then real and works.
    if (!inboxes.data || !hours.data || chat || made.current) return;
    made.current = true;
    need(api.POST("/api/v1/inboxes", { body: { channel: "webchat", name: t.st.firstInbox, webchat: { title: me.workspace.name || a.business, colour: a.colour, business_hours_id: hours.data.items[0]?.id ?? null } as WebchatSettingsPatch } })).then(
      () => queryClient.invalidateQueries({ queryKey: qk.inboxes }),
      (e: unknown) => {
        made.current = false;
        setError(e);
      },
    );
  }, [inboxes.data, hours.data, chat, me.workspace.name, a.business, a.colour]);
  const ways: [string, LucideIcon, string, boolean][] = [["chat", MessagesSquare, t.st.wayChat, true], ["email", Mail, t.st.wayEmail, false]];
  return (
    <div>
      <Heading title={t.st.wayTitle} text={t.st.wayText} />
      <div className="flex flex-col gap-5 rounded-card border border-line bg-surface p-5 shadow-1 sm:p-7">
        <div className="grid gap-3 sm:grid-cols-2">
          {ways.map(([key, Icon, name, on]) => (
            <div key={key} className={cx("flex items-center gap-3 rounded-card border p-3.5", on ? "border-brand bg-brand-tint" : "border-line")}>
              <Icon size={20} className={on ? "text-brand" : "text-ink3"} aria-hidden />
              <span className={cx("flex-1 text-14", on ? "font-medium" : "text-ink3")}>{name}</span>
              {on ? <CircleCheck size={18} className="text-brand" aria-hidden /> : <span className="text-12 text-ink3">{t.st.comesLater}</span>}
            </div>
          ))}
        </div>
        {error ? <Failed compact error={error} onRetry={() => { setError(null); void inboxes.refetch(); }} /> : chat ? (
          <div><p className="mb-2 text-14 text-ink2">{t.st.putOnSiteText}</p><SnippetBox inbox={chat} /></div>
        ) : <p className="flex items-center gap-2 py-6 text-13 text-ink3"><LoaderCircle size={15} className="animate-spin" aria-hidden />{t.st.making}</p>}
        <div className="flex justify-end gap-2"><Button look="quiet" onClick={onSkip}>{t.st.later}</Button><Button look="primary" disabled={!chat} onClick={onDone}>{t.st.tryIt}<ArrowRight size={16} aria-hidden className="rtl:-scale-x-100" /></Button></div>
      </div>
    </div>
  );
}

function TryStep({ onDone }: { onDone: () => void }) {
  const inboxes = useQuery(inboxesQuery);
  const navigate = useNavigate();
  const chat = inboxes.data?.items.find((i) => i.channel === "webchat");
  const list = useConversations({ view: "all", q: "", sort: "newest" });
  const row: ConversationRow | undefined = list.data?.pages[0]?.items.find((r) => r.inbox_id === chat?.id) ?? list.data?.pages[0]?.items[0];
  const url = new URL(chat?.test_url ?? `/w/${chat?.webchat?.site ?? ""}/test`, location.origin).href;
  useEffect(() => {
    // The live connection brings it; this is for a network that lets no socket through.
    if (row) return;
    const timer = setInterval(() => void queryClient.invalidateQueries({ queryKey: qk.lists }), 4_000);
    return () => clearInterval(timer);
  }, [row]);
  return (
    <div>
      <Heading title={t.st.tryTitle} text={t.st.tryText} />
      <div className="flex flex-col gap-6 rounded-card border border-line bg-surface p-5 shadow-1 sm:p-7">
        <div className="flex flex-wrap items-center gap-6">
          <Qr text={url} label={t.st.qrLabel} />
          <div className="min-w-48 flex-1">
            <a href={url} target="_blank" rel="noreferrer" className="inline-flex h-9 items-center rounded-control bg-brand px-3 text-14 font-medium text-on-brand hover:brightness-110">{t.st.openTest}</a>
            <p className="mt-3 text-13 text-ink3">{t.st.qrText}</p>
            <p className="mt-1 break-all font-mono text-12 text-ink3">{url}</p>
          </div>
        </div>
        <div role="status" className={cx("flex items-center gap-3 rounded-card p-4 text-14", row ? "bg-ok-tint text-ok" : "bg-fill text-ink2")}>
          {row ? <CircleCheck size={20} aria-hidden /> : <LoaderCircle size={18} className="animate-spin" aria-hidden />}
          <span className="min-w-0 flex-1">{row ? <><span className="font-medium">{t.st.helloCame}</span> <span className="break-words" dir="auto">{row.preview?.text && `“${row.preview.text}”`}</span></> : t.st.waitingHello}</span>
        </div>
        <div className="flex justify-end gap-2">
          {!row && <Button look="quiet" onClick={onDone}>{t.st.later}</Button>}
          {row && <Button onClick={() => void navigate({ to: "/inbox/c/$id", params: { id: row.id }, search: { view: "all" } })}>{t.st.answerIt}</Button>}
          <Button look="primary" onClick={onDone}>{t.nextWord}<ArrowRight size={16} aria-hidden className="rtl:-scale-x-100" /></Button>
        </div>
      </div>
    </div>
  );
}

function TeamStep({ onDone }: { onDone: () => void }) {
  return (
    <div>
      <Heading title={t.st.teamTitle} text={t.st.teamText} />
      <div className="flex flex-col gap-6 rounded-card border border-line bg-surface p-5 shadow-1 sm:p-7">
        <InviteForm />
        <div className="flex justify-end"><Button look="primary" onClick={onDone}>{t.st.toInbox}<ArrowRight size={16} aria-hidden className="rtl:-scale-x-100" /></Button></div>
      </div>
    </div>
  );
}
