import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import { InboxScreen, Shell } from "../features/shell";
import { t } from "../text";
import { Empty, Failed } from "../ui/state";

interface ListSearch {
  view?: string;
  q?: string;
  sort?: "oldest";
}
const text = (v: unknown) => (typeof v === "string" && v !== "" ? v : typeof v === "number" ? String(v) : undefined);

const root = createRootRoute({ component: Outlet, notFoundComponent: () => <Empty title={t.noSuchPage}><a className="text-brand underline" href="/inbox">{t.inbox}</a></Empty>, errorComponent: ({ error }) => <Failed error={error} onRetry={() => location.reload()} /> });
const setup = createRoute({ getParentRoute: () => root, path: "/setup", component: lazyRouteComponent(() => import("../features/setup"), "SetupScreen") });
const app = createRoute({ getParentRoute: () => root, id: "app", component: Shell });
const home = createRoute({
  getParentRoute: () => app,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/inbox" });
  },
});
const inbox = createRoute({
  getParentRoute: () => app,
  path: "/inbox",
  component: InboxScreen,
  validateSearch: (s: Record<string, unknown>): ListSearch => ({ view: text(s["view"]), q: text(s["q"]), sort: s["sort"] === "oldest" ? "oldest" : undefined }),
});
const conversation = createRoute({ getParentRoute: () => inbox, path: "/c/$id", component: () => null });
const search = createRoute({ getParentRoute: () => app, path: "/search", component: lazyRouteComponent(() => import("../features/search"), "SearchScreen"), validateSearch: (s: Record<string, unknown>): { q?: string } => ({ q: text(s["q"]) }) });
const settings = createRoute({ getParentRoute: () => app, path: "/settings", component: lazyRouteComponent(() => import("../features/settings"), "SettingsScreen") });
const settingsPage = createRoute({ getParentRoute: () => settings, path: "/$page", component: () => null });
const settingsItem = createRoute({ getParentRoute: () => settings, path: "/$page/$item", component: () => null });

export const router = createRouter({
  routeTree: root.addChildren([setup, app.addChildren([home, inbox.addChildren([conversation]), search, settings.addChildren([settingsPage, settingsItem])])]),
  defaultPreload: "intent",
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
