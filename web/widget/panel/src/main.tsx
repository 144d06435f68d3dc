import { render } from "preact";
import { dir, pick } from "../../shared/locale";
import { Chat } from "./chat";
import { Text } from "./text/text";
import { applyTheme } from "./theme";
import { App } from "./ui/app";
import "../../../shared/tokens.css";
import "./styles/panel.css";
import { call, type WidgetConfig } from "./wire";

const query = new URLSearchParams(location.search);
const base = location.origin + location.pathname.replace(/\/+$/, "");

/** The server puts the config into the page; a page served without (a plain file server) fetches it. */
async function config(locale: string): Promise<WidgetConfig> {
  try {
    return JSON.parse(document.getElementById("continuo-config")?.textContent ?? "") as WidgetConfig;
  } catch {
    return call<WidgetConfig>(`${base}/config?locale=${locale}`, {});
  }
}

async function start() {
  const settings = await config(pick(query.get("locale"), navigator.language));
  const wish = pick(query.get("locale"), settings.locale, navigator.language);
  const text = await Text.of(wish);
  applyTheme(settings, query.get("theme") || settings.theme);
  document.documentElement.lang = wish;
  document.documentElement.dir = dir(wish);
  const chat = new Chat(base, settings, text, query.get("origin"));
  const root = document.getElementById("app");
  if (root) render(<App chat={chat} />, root);
}

void start();
