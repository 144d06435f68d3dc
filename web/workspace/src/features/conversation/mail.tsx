import { Bot, ImageOff, ShieldAlert, ShieldQuestion, UserPlus, type LucideIcon } from "lucide-react";
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import type { Entry } from "@continuo/api-client";
import { t } from "../../text";
import { cx } from "../../ui/cx";
import { useMedia } from "../../ui/media";
import { applyStyles, prepareMail } from "./mail-html";
import { splitQuote } from "./timeline-rows";
import { Files, RichText } from "./words-and-files";

type Address = NonNullable<NonNullable<Entry["body"]["mail"]>["from"]>;

/** One mail: who wrote it to whom, what to mind, its words as they were meant, its files. */
export function MailCard({ entry }: { entry: Entry }) {
  const mail = entry.body.mail;
  const out = entry.direction === "out";
  const flags = entry.via?.flags ?? [];
  const html = entry.body.html_safe;
  return (
    <div className={cx("w-full overflow-hidden rounded-card border bg-surface shadow-1", !html && "min-w-[min(22rem,100%)]", entry.audience === "outside" ? "border-warn" : "border-line")}>
      {(entry.body.subject || mail) && (
        <div className={cx("border-b border-line px-4 py-2", out ? "bg-brand-tint" : "bg-canvas")}>
          {entry.body.subject && (
            <p dir="auto" className="flex items-baseline gap-2 text-13 font-medium">
              <span className="min-w-0 truncate" title={entry.body.subject}>{entry.body.subject}</span>
              {out && mail?.mode && mail.mode !== "reply" && <span className="shrink-0 rounded-chip bg-surface px-1.5 text-12 font-normal text-ink2">{t.ml.mode[mail.mode] ?? mail.mode}</span>}
            </p>
          )}
          {mail && <People entry={entry} />}
        </div>
      )}
      {flags.includes("spoof_suspected") ? <Mind icon={ShieldAlert} tone="danger">{t.ml.spoof}</Mind> : !out && entry.via && entry.via.proof_level < 2 && mail && <Mind icon={ShieldQuestion} tone="quiet">{t.ml.unverified}</Mind>}
      {flags.includes("junk") && <Mind icon={ShieldAlert} tone="warn">{t.ml.junk}</Mind>}
      {flags.includes("new_participant") && <Mind icon={UserPlus} tone="info">{t.ml.newParticipant}</Mind>}
      {mail?.automatic && <Mind icon={Bot} tone="quiet">{t.ml.automatic}</Mind>}
      {html ? <Rich key={entry.id} entry={entry} html={html} /> : <Plain entry={entry} />}
      {out && mail?.signature && <Signature text={mail.signature} />}
      {entry.attachments.length > 0 && <div className="border-t border-line px-4 py-3"><Files files={entry.attachments} end={false} /></div>}
    </div>
  );
}

function Mind({ icon: Icon, tone, children }: { icon: LucideIcon; tone: "danger" | "warn" | "info" | "quiet"; children: ReactNode }) {
  return (
    <p className={cx("flex items-start gap-2 border-b border-line px-4 py-1.5 text-12", tone === "danger" ? "bg-danger-tint font-medium text-danger" : tone === "warn" ? "bg-warn-tint text-warn" : tone === "info" ? "bg-info-tint text-info" : "text-ink3")}>
      <Icon size={14} className="mt-0.5 shrink-0" aria-hidden />
      <span>{children}</span>
    </p>
  );
}

const SHOWN = 3;

function People({ entry }: { entry: Entry }) {
  const [all, setAll] = useState(false);
  const mail = entry.body.mail;
  if (!mail) return null;
  const from = mail.from;
  const asks = mail.reply_to.filter((r) => r.address.toLowerCase() !== from?.address.toLowerCase());
  const lines: [string, Address[]][] = [[t.ml.from, from ? [from] : []], [t.ml.to, mail.to], [t.ml.cc, mail.cc], [t.ml.bcc, mail.bcc], [t.ml.replyTo, asks]];
  const many = mail.to.length > SHOWN || mail.cc.length > SHOWN || mail.bcc.length > SHOWN;
  return (
    <>
      <dl className="mt-0.5 grid grid-cols-[auto_minmax(0,1fr)] gap-x-2 text-12">
        {lines.map(([word, list]) => list.length > 0 && (
          <div key={word} className="contents">
            <dt className="text-ink3">{word}</dt>
            <dd className="min-w-0 text-ink2" dir="auto">
              {(all ? list : list.slice(0, SHOWN)).map((a, i) => (
                <span key={`${a.address}${i}`} className="break-words">
                  {i > 0 && ", "}
                  {a.name ? <>{a.name} <bdi className="wrap-anywhere text-ink3">{a.address}</bdi></> : <bdi className="wrap-anywhere">{a.address}</bdi>}
                </span>
              ))}
              {!all && list.length > SHOWN && <> {t.ml.and(list.length - SHOWN)}</>}
            </dd>
          </div>
        ))}
      </dl>
      {many && !all && <button type="button" onClick={() => setAll(true)} className="text-12 text-info underline underline-offset-2">{t.ml.showAll}</button>}
    </>
  );
}

function Plain({ entry }: { entry: Entry }) {
  const [open, setOpen] = useState(false);
  const { body, quote } = splitQuote(entry.body.text);
  return (
    <div dir="auto" className="max-w-[76ch] whitespace-pre-wrap break-words px-4 py-3 text-15">
      <RichText text={body} />
      {quote && (
        <div className="pt-2">
          <button type="button" aria-expanded={open} onClick={() => setOpen(!open)} className="rounded-chip bg-fill px-2 text-12 text-ink2 hover:text-ink">
            {open ? t.hideEarlier : t.earlierMail(quote.split("\n").length)}
          </button>
          {open && <blockquote className="mt-2 border-s-2 border-line ps-3 text-13 text-ink3">{quote}</blockquote>}
        </div>
      )}
    </div>
  );
}

function Signature({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  return (
    <div className="border-t border-line px-4 py-2 text-13">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)} className="rounded-chip bg-fill px-2 text-12 text-ink2 hover:text-ink">{t.ml.withSignature}</button>
      {open && <p dir="auto" className="mt-1.5 whitespace-pre-wrap break-words text-ink3">{text}</p>}
    </div>
  );
}

/** Heights once measured: a mail that scrolls back into view has its place at once. */
const heights = new Map<string, number>();

// Tokens of the workspace do not reach into the frame: their values are handed over when it loads.
const TOKENS = ["--ink", "--ink2", "--ink3", "--line", "--sunken", "--info", "--surface"];
const LOOK = `
html { overflow: auto hidden; }
body { margin: 0; padding: 12px 16px; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--surface); overflow-wrap: break-word; display: flow-root; }
html.paper { color-scheme: only light; }
html.paper body { color: CanvasText; background: Canvas; }
a { color: var(--info); }
html.paper a { color: LinkText; }
img { max-width: 100%; height: auto; }
p { margin-block: 0 .8em; }
pre { white-space: pre-wrap; }
table { max-width: 100%; }
blockquote { margin-block: 4px; margin-inline: 0; padding-inline-start: 12px; border-inline-start: 2px solid var(--line); }
.waits { display: inline-block; min-width: 24px; padding: 2px 8px; border: 1px dashed currentColor; border-radius: 6px; font-size: 12px; opacity: .7; }
details { margin-block: 8px; }
summary { display: inline-block; cursor: pointer; list-style: none; padding: 1px 8px; border-radius: 6px; font: 12px/20px system-ui, sans-serif; color: var(--ink2); background: var(--sunken); }
html.paper summary { color: ButtonText; background: ButtonFace; }
summary::-webkit-details-marker { display: none; }
summary:focus-visible { outline: 2px solid var(--info); outline-offset: 1px; }
details[open] > summary { margin-block-end: 6px; }
details > :not(summary) { color: var(--ink3); }
html.paper details > :not(summary) { color: inherit; }
`;
// Beside the policy of the workspace, which a frame like this inherits: whatever that one becomes, a mail may load pictures of ours and nothing else.
const POLICY = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/**
 * Mail as its sender laid it out. No script can run in the frame (no `allow-scripts`); `allow-same-origin` is there so that
 * this page may style and measure it, and attached pictures load.
 */
function Rich({ entry, html }: { entry: Entry; html: string }) {
  const ref = useRef<HTMLIFrameElement>(null);
  const [loaded, setLoaded] = useState(0);
  const system = useMedia("(prefers-color-scheme: dark)");
  const mail = useMemo(() => prepareMail(html, (kind) => t.ml.fold[kind] ?? t.ml.fold.quote, t.ml.picture), [html]);
  const doc = useMemo(() => `<!doctype html><html${mail.paper ? ' class="paper"' : ""}><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><meta name="referrer" content="no-referrer"></head><body dir="auto">${mail.html}</body></html>`, [mail]);
  useEffect(() => {
    const frame = ref.current;
    const inner = frame?.contentDocument;
    const view = frame?.contentWindow as (Window & typeof globalThis) | null | undefined;
    if (!frame || !inner?.body || !view || loaded === 0) return;
    const sheet = new view.CSSStyleSheet();
    sheet.replaceSync(LOOK);
    inner.adoptedStyleSheets = [sheet];
    applyStyles(inner);
    const colour = () => {
      const now = getComputedStyle(frame);
      for (const name of TOKENS) inner.documentElement.style.setProperty(name, now.getPropertyValue(name));
    };
    const measure = () => {
      const bar = inner.documentElement.scrollWidth > inner.documentElement.clientWidth ? 16 : 0;
      const high = Math.ceil(inner.body.getBoundingClientRect().height) + bar;
      heights.set(entry.id, high);
      frame.style.height = `${high}px`;
    };
    colour();
    measure();
    const grown = new ResizeObserver(measure);
    grown.observe(inner.body);
    const themed = new MutationObserver(colour);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    // Keys pressed in a mail are for the workspace too.
    const pass = (e: KeyboardEvent) => {
      if (e.key === "Tab" || e.key === "Enter" || e.key === " " || e.ctrlKey || e.metaKey) return;
      frame.dispatchEvent(new KeyboardEvent("keydown", { key: e.key, code: e.code, shiftKey: e.shiftKey, altKey: e.altKey, bubbles: true, cancelable: true }));
    };
    inner.addEventListener("keydown", pass);
    return () => {
      grown.disconnect();
      themed.disconnect();
      inner.removeEventListener("keydown", pass);
    };
  }, [loaded, entry.id, system]);
  return (
    <>
      {mail.waiting > 0 && (
        <p className="flex items-start gap-2 border-b border-line px-4 py-1.5 text-12 text-ink3">
          <ImageOff size={14} className="mt-0.5 shrink-0" aria-hidden />
          <span>{t.ml.picturesWait(mail.waiting)}</span>
        </p>
      )}
      <iframe
        ref={ref}
        title={t.ml.frame(entry.author.name)}
        sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
        referrerPolicy="no-referrer"
        srcDoc={doc}
        onLoad={() => setLoaded((was) => was + 1)}
        className={cx("block w-full", loaded === 0 && "invisible")}
        style={{ height: heights.get(entry.id) ?? 96 }}
      />
    </>
  );
}
