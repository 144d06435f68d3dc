import { CalendarClock, ChevronRight, CircleUserRound, HeartPulse, MailX, MessagesSquare, ShieldAlert, Tag, Users, type LucideIcon, ArrowLeft } from "lucide-react";
import { Link, useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { isAdmin, useMe } from "../../app/me";
import { t } from "../../text";
import { cx } from "../../ui/cx";
import { useLayout } from "../../ui/media";
import { Empty } from "../../ui/state";
import { AutomaticPage } from "./automatic";
import { ChannelPage, ChannelsPage } from "./channels";
import { HealthPage } from "./health";
import { HoursPage } from "./hours";
import { MePage } from "./me";
import { QuarantinePage } from "./quarantine";
import { TagsPage } from "./tags";
import { TeamPage } from "./team";

interface PageDef {
  key: string;
  icon: LucideIcon;
  admin?: boolean;
  page: () => React.ReactNode;
}
const pages: PageDef[] = [
  { key: "channels", icon: MessagesSquare, admin: true, page: () => <ChannelsPage /> },
  { key: "hours", icon: CalendarClock, admin: true, page: () => <HoursPage /> },
  { key: "team", icon: Users, page: () => <TeamPage /> },
  { key: "tags", icon: Tag, page: () => <TagsPage /> },
  { key: "automatic", icon: MailX, admin: true, page: () => <AutomaticPage /> },
  { key: "quarantine", icon: ShieldAlert, admin: true, page: () => <QuarantinePage /> },
  { key: "health", icon: HeartPulse, admin: true, page: () => <HealthPage /> },
  { key: "me", icon: CircleUserRound, page: () => <MePage /> },
];

export function SettingsScreen() {
  const me = useMe();
  const { page, item } = useParams({ strict: false }) as { page?: string; item?: string };
  const layout = useLayout();
  const allowed = pages.filter((p) => !p.admin || isAdmin(me));
  const small = layout === "phone" || layout === "one";
  const key = page ?? (small ? null : (allowed[0]?.key ?? "me"));
  const current = allowed.find((p) => p.key === key);
  const names: Record<string, string> = { ...t.st.pages, automatic: t.ml.automaticMail };
  const hints: Record<string, string> = { ...t.st.pageHints, automatic: t.ml.automaticText };
  const title = (key && names[key]) || t.settings;
  useEffect(() => {
    document.title = `${title} · Continuo`;
  }, [title]);
  return (
    <div className="flex min-h-0 min-w-0 flex-1">
      {(!small || !key) && (
        <nav aria-label={t.settings} className={cx("min-h-0 shrink-0 overflow-y-auto border-e border-line bg-surface p-3", small ? "w-full" : "w-60")}>
          {key ? <p className="px-2.5 pb-3 pt-1.5 text-18 font-semibold">{t.settings}</p> : <h1 className="px-2.5 pb-3 pt-1.5 text-18 font-semibold">{t.settings}</h1>}
          <ul className="flex flex-col gap-0.5">
            {allowed.map((p) => (
              <li key={p.key} className={p.key === "me" ? "mt-2 border-t border-line pt-2" : undefined}>
                <Link to="/settings/$page" params={{ page: p.key }} aria-current={p.key === key ? "page" : undefined} className={cx("flex items-center gap-2.5 rounded-control px-2.5", small ? "min-h-12 text-15" : "h-9 text-14", p.key === key ? "bg-fill font-medium" : "text-ink2 hover:bg-canvas")}>
                  <p.icon size={17} className={p.key === key ? "text-brand" : "text-ink3"} aria-hidden />
                  <span className="flex-1">{names[p.key]}</span>
                  {small && <ChevronRight size={16} className="text-ink3 rtl:-scale-x-100" aria-hidden />}
                </Link>
                {small && <p className="sr-only">{hints[p.key]}</p>}
              </li>
            ))}
          </ul>
        </nav>
      )}
      {key && (
        <div className="min-h-0 min-w-0 flex-1 overflow-y-auto bg-canvas" key={`${key}/${item ?? ""}`}>
          {small && <Link to="/settings" className="inline-flex h-11 items-center gap-1.5 px-4 text-13 text-ink2"><ArrowLeft size={16} aria-hidden className="rtl:-scale-x-100" />{t.settings}</Link>}
          {current ? (key === "channels" && item ? <ChannelPage id={item} /> : current.page()) : <Empty title={t.noSuchPage} />}
        </div>
      )}
    </div>
  );
}
