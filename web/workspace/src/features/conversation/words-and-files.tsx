import { Download, FileText } from "lucide-react";
import { Fragment, type ReactNode } from "react";
import type { Attachment } from "@continuo/api-client";
import { bytes } from "../../app/time";
import { t } from "../../text";
import { cx } from "../../ui/cx";

const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;
/** Plain text with its addresses made clickable; mentions in notes stand out. */
export function RichText({ text, mentions }: { text: string; mentions?: string[] }) {
  const out: ReactNode[] = [];
  let last = 0;
  const names = (mentions ?? []).map((m) => m.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = names.length ? new RegExp(`${LINK.source}|@(?:${names.join("|")})`, "g") : LINK;
  for (const m of text.matchAll(pattern)) {
    if (m.index > last) out.push(text.slice(last, m.index));
    if (m[0].startsWith("@")) out.push(<span key={m.index} className="rounded-chip bg-brand-tint px-0.5 font-medium text-brand">{m[0]}</span>);
    else out.push(<a key={m.index} href={m[0]} target="_blank" rel="noopener noreferrer nofollow" className="break-all text-info underline underline-offset-2">{m[0]}</a>);
    last = m.index + m[0].length;
  }
  out.push(text.slice(last));
  return <>{out.map((x, i) => <Fragment key={i}>{x}</Fragment>)}</>;
}

/** Files of an entry: pictures as pictures, the rest to be downloaded. */
export function Files({ files, end }: { files: Attachment[]; end: boolean }) {
  if (files.length === 0) return null;
  return (
    <ul className={cx("flex flex-wrap gap-2", end && "justify-end")} aria-label={t.filesLabel}>
      {files.map((f) =>
        f.inline && f.mime.startsWith("image/") ? (
          <li key={f.id}>
            <a href={f.url} target="_blank" rel="noopener noreferrer" className="block overflow-hidden rounded-control border border-line bg-fill" title={`${f.name}, ${bytes(f.bytes)}`}>
              {/* The box is reserved, so a late picture moves nothing. */}
              <img src={f.url} alt={f.name} loading="lazy" className="h-44 w-64 max-w-full object-cover" />
            </a>
          </li>
        ) : (
          <li key={f.id}>
            <a href={f.url} download={f.name} className="flex h-11 max-w-72 items-center gap-2 rounded-control border border-line bg-surface pe-3 ps-2 text-13 hover:bg-canvas">
              <FileText size={18} className="shrink-0 text-ink3" aria-hidden />
              <span className="min-w-0">
                <span className="block truncate font-medium">{f.name}</span>
                <span className="tnum block text-12 text-ink3">{bytes(f.bytes)}</span>
              </span>
              <Download size={15} className="shrink-0 text-ink3" aria-hidden />
            </a>
          </li>
        ),
      )}
    </ul>
  );
}
