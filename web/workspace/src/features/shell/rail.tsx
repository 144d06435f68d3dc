import { Inbox, Keyboard, SquarePen, LogOut, Moon, Search, Settings, Sun, SunMoon, CircleUserRound, ListChecks } from "lucide-react";
import { Link, useNavigate, useRouterState } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Availability } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { qk, queryClient } from "../../app/query";
import { useMe, usePreferences, useViews } from "../../app/me";
import { t } from "../../text";
import { Avatar } from "../../ui/avatar";
import { Tip } from "../../ui/button";
import { cx } from "../../ui/cx";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../../ui/menu";

const dots: Record<Availability, string> = { available: "bg-ok", busy: "bg-warn", away: "bg-control", offline: "border-2 border-control bg-surface" };

export async function signOut() {
  await need(api.DELETE("/api/v1/login_sessions/current")).catch(() => undefined);
  // Nothing of the customers may stay in a browser that somebody else may use next.
  for (const key of Object.keys(localStorage)) if (key.startsWith("continuo.draft.") || key === "continuo.outbox") localStorage.removeItem(key);
  queryClient.clear();
  location.assign("/login");
}

export function Rail({ bottom, onKeys, onPalette, onCompose, onChecklist }: { bottom?: boolean; onKeys: () => void; onPalette: () => void; onCompose: () => void; onChecklist: (() => void) | null }) {
  const me = useMe();
  const views = useViews();
  const path = useRouterState({ select: (s) => s.location.pathname });
  const unread = views.find((v) => v.key === "mine")?.unread ?? 0;
  const items: { to: string; on: boolean; label: string; keys?: string; icon: ReactNode; badge?: number }[] = [
    { to: "/inbox", on: path.startsWith("/inbox"), label: t.inbox, keys: "g h", icon: <Inbox size={20} aria-hidden />, badge: unread },
    { to: "/search", on: path.startsWith("/search"), label: t.search, keys: "/", icon: <Search size={20} aria-hidden /> },
    { to: "/settings", on: path.startsWith("/settings"), label: t.settings, icon: <Settings size={20} aria-hidden /> },
  ];
  const entry = (i: (typeof items)[number]) => (
    <Tip key={i.to} label={i.label} keys={i.keys} side={bottom ? "top" : "right"}>
      <Link to={i.to} aria-label={i.label} aria-current={i.on ? "page" : undefined} className={cx("relative inline-flex size-10 items-center justify-center rounded-control transition-colors pointer-coarse:size-11", i.on ? "bg-brand text-on-brand" : "text-ink2 hover:bg-line/70 hover:text-ink")}>
        {i.icon}
        {!!i.badge && !i.on && <span className="absolute end-1 top-1 size-2 rounded-full bg-brand ring-2 ring-canvas" />}
      </Link>
    </Tip>
  );
  return (
    <nav aria-label={t.mainNavigation} className={cx("flex shrink-0 items-center bg-canvas", bottom ? "h-14 justify-around border-t border-line px-2 pb-[env(safe-area-inset-bottom)]" : "w-14 flex-col gap-1 border-e border-line py-2.5")}>
      {!bottom && (
        <Tip label={me.workspace.name || "Continuo"} side="right">
          <button type="button" onClick={onPalette} aria-label={t.palette} className="mb-3 inline-flex size-9 items-center justify-center rounded-[10px] bg-brand text-on-brand shadow-1">
            <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden><path d="M22.5 11.2a8 8 0 1 0 0 9.6" fill="none" stroke="currentColor" strokeWidth="3.2" strokeLinecap="round" /><circle cx="23.6" cy="16" r="2.2" fill="currentColor" /></svg>
          </button>
        </Tip>
      )}
      {items.map(entry)}
      <Tip label={t.ml.compose} keys="g m" side={bottom ? "top" : "right"}>
        <button type="button" onClick={onCompose} aria-label={t.ml.compose} className="inline-flex size-10 items-center justify-center rounded-control text-ink2 transition-colors hover:bg-line/70 hover:text-ink pointer-coarse:size-11">
          <SquarePen size={20} aria-hidden />
        </button>
      </Tip>
      {!bottom && <span className="flex-1" />}
      {!bottom && onChecklist && (
        <Tip label={t.checklist} side="right">
          <button type="button" onClick={onChecklist} aria-label={t.checklist} className="relative inline-flex size-10 items-center justify-center rounded-control text-ink2 hover:bg-line/70">
            <ListChecks size={20} aria-hidden />
            <span className="absolute end-1.5 top-1.5 size-2 rounded-full bg-warn ring-2 ring-canvas" />
          </button>
        </Tip>
      )}
      {!bottom && (
        <Tip label={t.cmd.keys} keys="?" side="right">
          <button type="button" onClick={onKeys} aria-label={t.cmd.keys} className="inline-flex size-10 items-center justify-center rounded-control text-ink2 hover:bg-line/70 hover:text-ink">
            <Keyboard size={20} aria-hidden />
          </button>
        </Tip>
      )}
      <MeMenu onKeys={onKeys} />
    </nav>
  );
}

function MeMenu({ onKeys }: { onKeys: () => void }) {
  const me = useMe();
  const navigate = useNavigate();
  const { preferences, setPreferences } = usePreferences();
  const setAvailability = async (availability: Availability) => {
    queryClient.setQueryData(qk.me, { ...me, agent: { ...me.agent, availability } });
    await need(api.PATCH("/api/v1/me", { body: { availability } })).catch(() => queryClient.invalidateQueries({ queryKey: qk.me }));
  };
  return (
    <Menu
      align="end"
      label={t.me}
      width={232}
      trigger={
        <button type="button" aria-label={`${t.me}: ${me.agent.name}, ${t.availabilityName[me.agent.availability]}`} className="relative inline-flex size-10 items-center justify-center rounded-full hover:bg-line/70 pointer-coarse:size-11">
          <Avatar name={me.agent.name} size={30} />
          <span className={cx("absolute bottom-0.5 end-0.5 size-3 rounded-full ring-2 ring-canvas", dots[me.agent.availability])} />
        </button>
      }
    >
      <div className="px-2 py-1.5"><p className="truncate font-medium">{me.agent.name}</p><p className="truncate text-12 text-ink3">{me.agent.email}</p></div>
      <MenuLine />
      {(["available", "busy", "away", "offline"] as const).map((a) => (
        <MenuItem key={a} checked={me.agent.availability === a} icon={<span className={cx("size-2.5 rounded-full", dots[a])} />} onSelect={() => void setAvailability(a)}>{t.availabilityName[a]}</MenuItem>
      ))}
      <MenuLine />
      <MenuLabel>{t.theme}</MenuLabel>
      {([["system", SunMoon], ["light", Sun], ["dark", Moon]] as const).map(([key, Icon]) => <MenuItem key={key} icon={<Icon size={15} />} checked={preferences.theme === key} onSelect={() => setPreferences({ theme: key })}>{t.themeName[key]}</MenuItem>)}
      <MenuLine />
      <MenuItem icon={<Keyboard size={15} />} keys="?" onSelect={onKeys}>{t.cmd.keys}</MenuItem>
      <MenuItem icon={<CircleUserRound size={15} />} onSelect={() => void navigate({ to: "/settings/$page", params: { page: "me" } })}>{t.mySettings}</MenuItem>
      <MenuItem icon={<LogOut size={15} />} onSelect={() => void signOut()}>{t.signOut}</MenuItem>
    </Menu>
  );
}
