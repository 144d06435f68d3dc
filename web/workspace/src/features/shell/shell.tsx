import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { singleKeys, useCommands } from "../../app/commands";
import { startLive } from "../../app/live";
import { startOutbox } from "../../app/outbox";
import { applyPreferences, isAdmin, meQuery } from "../../app/me";
import { setLocale, t } from "../../text";
import { useLayout } from "../../ui/media";
import { Failed } from "../../ui/state";
import { LiveBanner } from "./banner";
import { Coach } from "./coach";
import { Rail } from "./rail";
import { Toasts } from "./toasts";

const Palette = lazy(() => import("./palette").then((m) => ({ default: m.Palette })));
const ComposeDialog = lazy(() => import("../compose").then((m) => ({ default: m.ComposeDialog })));
const KeySheet = lazy(() => import("./key-sheet").then((m) => ({ default: m.KeySheet })));

export function Shell() {
  const me = useQuery(meQuery);
  const layout = useLayout();
  const [over, setOver] = useState<"palette" | "keys" | "compose" | null>(null);
  const navigate = useNavigate();
  useEffect(() => {
    if (!me.data) return;
    applyPreferences(me.data.preferences);
    startLive();
    startOutbox(me.data.agent.id);
    void setLocale(me.data.preferences.locale);
  }, [me.data]);
  useCommands([
    { id: "app.palette", label: t.palette, keys: ["mod+k"], group: "me", run: () => setOver("palette"), hidden: true },
    { id: "app.keys", label: t.cmd.keys, keys: ["?"], group: "me", run: () => setOver("keys") },
    { id: "app.compose", label: t.ml.compose, keys: ["g m"], group: "go", run: () => setOver("compose") },
    { id: "app.inbox", label: t.cmd.goTo(t.inbox), keys: ["g h"], group: "go", run: () => void navigate({ to: "/inbox" }) },
    { id: "app.search", label: t.cmd.search, keys: ["/"], group: "go", run: () => void navigate({ to: "/search" }) },
    { id: "app.settings", label: t.cmd.goTo(t.settings), keys: ["g s"], group: "go", run: () => void navigate({ to: "/settings" }) },
    { id: "app.me", label: t.cmd.goTo(t.mySettings), group: "go", run: () => void navigate({ to: "/settings/$page", params: { page: "me" } }) },
    { id: "app.singleKeys", label: t.cmd.toggleKeys, group: "me", run: () => singleKeys.set((on) => !on) },
    { id: "app.panes", label: t.cmd.panes, keys: ["F6", "]"], group: "go", run: (e) => cyclePanes(e?.shiftKey ? -1 : 1), hidden: true },
    { id: "app.panesBack", label: t.cmd.panesBack, keys: ["shift+F6", "["], group: "go", run: () => cyclePanes(-1), hidden: true },
  ]);
  if (me.isError) return <Failed error={me.error} onRetry={() => void me.refetch()} />;
  if (!me.data) return null;
  const phone = layout === "phone";
  const open = isAdmin(me.data) && ["inbox", "team", "hours"].some((x) => !me.data.checklist.done.includes(x)) && me.data.checklist.done.includes("setup");
  const rail = <Rail bottom={phone} onKeys={() => setOver("keys")} onPalette={() => setOver("palette")} onCompose={() => setOver("compose")} onChecklist={open ? () => void navigate({ to: "/setup" }) : null} />;
  return (
      <div className="flex h-full flex-col">
        <a href="#main" className="sr-only focus:not-sr-only focus:absolute focus:start-2 focus:top-2 focus:z-[400] focus:rounded-control focus:bg-brand focus:px-3 focus:py-2 focus:text-on-brand">{t.skipToConversation}</a>
        <LiveBanner />
        <div className="flex min-h-0 flex-1">
          {!phone && rail}
          <main id="main" tabIndex={-1} className="flex min-h-0 min-w-0 flex-1">
            <Outlet />
          </main>
        </div>
        {phone && rail}
        <Toasts />
        <Coach />
        <Suspense fallback={null}>
          {over === "palette" && <Palette onClose={() => setOver(null)} />}
          {over === "compose" && <ComposeDialog onClose={() => setOver(null)} />}
          {over === "keys" && <KeySheet onClose={() => setOver(null)} />}
        </Suspense>
      </div>
  );
}

/** F6 and the brackets walk through the panes: list, stream, composer, context. */
function cyclePanes(by: number) {
  const stops = [...document.querySelectorAll<HTMLElement>("[role=grid] [data-open][tabindex='0'], #stream, footer textarea, #context")].filter((el) => el.offsetParent !== null);
  const at = stops.findIndex((el) => el === document.activeElement || el.contains(document.activeElement));
  stops[(at + by + stops.length) % stops.length]?.focus();
}
