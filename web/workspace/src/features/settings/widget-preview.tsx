import { MessageCircle, SendHorizontal, X } from "lucide-react";
import type { WebchatSettings } from "@continuo/api-client";
import { useMe } from "../../app/me";
import { t } from "../../text";

/** Black or white, whichever reads better on the colour. */
export function textOn(colour: string): string {
  const m = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  if (!m) return "white";
  const lin = (h: string | undefined) => { const c = parseInt(h ?? "0", 16) / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const l = 0.2126 * lin(m[1]) + 0.7152 * lin(m[2]) + 0.0722 * lin(m[3]);
  return 1.05 / (l + 0.05) >= (l + 0.05) / 0.05 ? "white" : "black";
}

/** How the chat will look, as it is being changed. The real one is on the test page. */
export function WidgetPreview({ settings: w }: { settings: WebchatSettings }) {
  const me = useMe();
  const on = textOn(w.colour);
  return (
    <figure>
      <figcaption className="mb-2 text-12 font-medium text-ink3">{t.st.preview}</figcaption>
      <div data-theme={w.theme === "auto" ? undefined : w.theme} className="relative flex h-[540px] flex-col rounded-card border border-line bg-canvas p-4" aria-hidden>
        <div className="flex min-h-0 flex-1 flex-col overflow-hidden border border-line bg-surface text-ink shadow-2" style={{ borderRadius: w.radius }}>
          <div className="flex items-center gap-2 px-4 py-3.5" style={{ background: w.colour, color: on }}>
            <div className="min-w-0 flex-1">
              <p className="truncate text-15 font-semibold">{w.title || me.workspace.name}</p>
              {w.show_agents && <p className="truncate text-12">{t.st.isHere(me.agent.name.split(" ")[0] ?? me.agent.name)}{w.show_wait && `, ${t.st.waitSample}`}</p>}
            </div>
            <X size={17} />
          </div>
          <div className="flex flex-1 flex-col gap-2 overflow-hidden p-3.5 text-14">
            <p className="w-fit max-w-[85%] whitespace-pre-wrap break-words bg-fill px-3 py-2" style={{ borderRadius: Math.min(w.radius, 14) }} dir="auto">{w.greeting || "…"}</p>
            <p className="ms-auto w-fit max-w-[85%] px-3 py-2" style={{ background: w.colour, color: on, borderRadius: Math.min(w.radius, 14) }}>{t.st.sampleQuestion}</p>
            {w.pre_chat.enabled && <div className="mt-2 flex flex-col gap-1.5 border border-line p-3" style={{ borderRadius: Math.min(w.radius, 14) }}>{w.pre_chat.fields.map((f, i) => <p key={i} className="rounded-control border border-line px-2 py-1 text-12 text-ink3">{f.label || "…"}{f.required && " *"}</p>)}</div>}
          </div>
          {w.consent_text && <p className="line-clamp-2 px-3.5 pb-1 text-12 text-ink3">{w.consent_text}</p>}
          <div className="flex items-center gap-2 border-t border-line px-3.5 py-3 text-14 text-ink3"><span className="flex-1">{t.st.writeSample}</span><SendHorizontal size={17} style={{ color: w.colour }} /></div>
        </div>
        <div className={w.corner === "end" ? "mt-3 self-end" : "mt-3 self-start"}>
          <span className="flex size-12 items-center justify-center rounded-full shadow-2" style={{ background: w.colour, color: on }}><MessageCircle size={22} /></span>
        </div>
      </div>
    </figure>
  );
}
