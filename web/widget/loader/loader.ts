/** The one script of the host page: launcher, badge and the door to the panel. Nothing else is fetched before the visitor's click. */
import { MARK, type Identity, type Page, type ToHost, type ToPanel } from "../shared/bridge";
import { css, fill } from "../shared/colour";
import { dir, pick } from "../shared/locale";
import { labels } from "./labels";
import { style } from "./style";

interface Config {
  site: string;
  title: string;
  colour: string;
  corner: "start" | "end";
  radius: number;
  theme: "auto" | "light" | "dark";
  locale: string;
}
type Listener = (data?: unknown) => void;
type Api = ((...call: unknown[]) => void) & { q?: ArrayLike<unknown>[]; v?: 1 };

/** Put in by the build's wrapper; the server replaces the placeholder by the config object. */
declare const CONTINUO_CONFIG: Config;

const win = window as unknown as { continuo?: Api };
const doc = document;
const script = doc.currentScript as HTMLScriptElement | null;

/** Storage of the host page may be forbidden; the widget then only forgets. */
function keep(store: () => Storage, key: string, value?: string | null): string | null {
  try {
    if (value === undefined) return store().getItem(key);
    if (value === null) store().removeItem(key);
    else store().setItem(key, value);
  } catch {
    /* forbidden */
  }
  return null;
}

function texts(from: Record<string, unknown>): Record<string, string> {
  const to: Record<string, string> = {};
  for (const key in from) if (from[key] != null && typeof from[key] !== "object") to[key] = String(from[key]);
  return to;
}

function start(config: Config) {
  if (win.continuo?.v) return;
  const src = new URL(script ? script.src : `/w/${config.site}.js`, location.href);
  const base = src.origin + src.pathname.replace(/\.js$/, "");
  const key = `${MARK}:${config.site}`;
  const tab = () => sessionStorage;
  const browser = () => localStorage;

  let open = false;
  let ready = false;
  let unread = 0;
  let wish = config.locale === "auto" ? "" : config.locale;
  let identity: Identity | null = null;
  let values: Record<string, string> = {};
  let frame: HTMLIFrameElement | null = null;
  let focus = true;
  const listeners: Record<string, Listener[]> = {};

  const make = <K extends keyof HTMLElementTagNameMap>(tag: K, name: string, into: Node): HTMLElementTagNameMap[K] => {
    const made = doc.createElement(tag);
    made.className = name;
    into.appendChild(made);
    return made;
  };
  const icon = (name: string, path: string) => {
    const svg = doc.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", name);
    svg.setAttribute("aria-hidden", "true");
    svg.appendChild(doc.createElementNS(svg.namespaceURI, "path")).setAttribute("d", path);
    launcher.appendChild(svg);
  };

  const host = doc.createElement("div");
  host.setAttribute("data-continuo", config.site);
  const shadow = host.attachShadow({ mode: "open" });
  try {
    // Not a <style> element: that would need 'unsafe-inline' in the host page's policy.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    shadow.adoptedStyleSheets = [sheet];
  } catch {
    make("style", "", shadow).textContent = style;
  }
  const root = make("div", config.corner === "start" ? "s" : "", shadow);
  const panel = make("div", "p", root);
  const launcher = make("button", "l", root);
  launcher.type = "button";
  icon("c", "M4 5.5h16v11h-8.5L7 20v-3.5H4zM8 9.5h8M8 12.5h5");
  icon("x", "m6 9.5 6 6 6-6");
  const badge = make("span", "b", launcher);
  badge.setAttribute("aria-hidden", "true");
  const status = make("span", "v", root);
  status.setAttribute("role", "status");

  const paint = fill(config.colour);
  const radius = Math.max(0, Math.min(24, config.radius));
  const dark = config.theme === "dark" || (config.theme === "auto" && matchMedia("(prefers-color-scheme:dark)").matches);
  const vars: Record<string, string> = { f: css(paint.fill), o: css(paint.on), r: radius < 16 ? `${radius}px` : "50%", q: `${radius}px`, g: dark ? "#161e26" : "#fff" };
  for (const name in vars) root.style.setProperty(`--${name}`, vars[name] as string);

  const locale = () => pick(wish, doc.documentElement.lang, navigator.language);
  const emit = (name: string, data?: unknown) => (listeners[name] || []).slice().forEach((listener) => listener(data));
  const page = (): Page => ({ url: location.href, title: doc.title, referrer: doc.referrer });
  const tell = (message: ToPanel) => ready && frame?.contentWindow?.postMessage({ [MARK]: config.site, ...message }, src.origin);

  function show() {
    const words = labels[locale()];
    const news = words[2].replace("{n}", String(unread));
    root.dir = dir(locale());
    root.lang = locale();
    root.classList.toggle("o", open);
    badge.textContent = unread ? (unread > 99 ? "99+" : String(unread)) : "";
    launcher.setAttribute("aria-label", words[open ? 1 : 0] + (unread && !open ? `. ${news}` : ""));
    launcher.setAttribute("aria-expanded", String(open));
    launcher.title = words[open ? 1 : 0];
    status.textContent = unread && !open ? news : "";
    if (frame) frame.title = config.title || "Chat";
  }

  /** The panel; hidden at first when it is only there for the badge. */
  function load() {
    if (frame) return;
    frame = make("iframe", "", panel);
    frame.allow = "clipboard-write";
    frame.src = `${base}?locale=${locale()}&theme=${config.theme}&origin=${encodeURIComponent(location.origin)}`;
  }

  function setOpen(next: boolean, take = true) {
    if (next === open) return;
    open = next;
    focus = take;
    keep(tab, key, next ? "1" : null);
    if (next) load();
    const inside = shadow.activeElement === frame;
    show();
    tell(next ? { kind: "open", focus: take, page: page() } : { kind: "close" });
    if (next && take) frame?.focus();
    if (!next && (inside || shadow.activeElement)) launcher.focus();
    fit();
    emit(next ? "open" : "close");
  }

  /** On a phone the keyboard shrinks only the visual viewport; the composer must stay above it. */
  function fit() {
    const view = window.visualViewport;
    if (!view || !open) return;
    root.style.setProperty("--h", `${view.height}px`);
    root.style.setProperty("--t", `${view.offsetTop}px`);
  }

  function onMessage(event: MessageEvent) {
    const message = event.data as ToHost & Record<string, unknown>;
    if (!frame || event.source !== frame.contentWindow || event.origin !== src.origin || !message || message[MARK] !== config.site) return;
    if (message.kind === "ready") {
      ready = true;
      root.classList.add("y");
      tell({ kind: "init", page: page(), locale: locale(), open, focus, identity, values });
      emit("ready");
    } else if (message.kind === "close") setOpen(false);
    else if (message.kind === "event") emit(message.name, message.data);
    else if (message.kind === "state") {
      keep(browser, key, message.known ? "1" : null);
      if (message.unread !== unread) {
        unread = message.unread;
        show();
        emit("unread", unread);
      }
    }
  }
  const onKey = (event: KeyboardEvent) => event.key === "Escape" && setOpen(false);
  const onPage = () => tell({ kind: "page", page: page() });

  const commands: Record<string, (first: never, second: never) => void> = {
    open: () => setOpen(true),
    close: () => setOpen(false),
    toggle: () => setOpen(!open),
    identify(given: Record<string, unknown> | null) {
      const { jwt, id, hash, ...rest } = texts(given || {}) as Record<string, string | undefined>;
      identity = given ? { jwt, id: hash && id, hash, claimed: texts(hash || !id ? rest : { id, ...rest }) } : null;
      tell({ kind: "identify", identity });
    },
    set(given: Record<string, unknown>) {
      values = { ...values, ...texts(given || {}) };
      tell({ kind: "set", values });
    },
    on: (name: string, listener: Listener) => void (listeners[name] = listeners[name] || []).push(listener),
    off: (name: string, listener?: Listener) => void (listeners[name] = listener ? (listeners[name] || []).filter((other) => other !== listener) : []),
    hide: () => void (host.hidden = true),
    show: () => void (host.hidden = false),
    locale(next: string) {
      wish = next === "auto" ? "" : next;
      show();
      tell({ kind: "locale", locale: locale() });
    },
    destroy() {
      host.remove();
      removeEventListener("message", onMessage);
      for (const name of ["popstate", "hashchange"]) removeEventListener(name, onPage);
      keep(tab, key, null);
      delete win.continuo;
    },
  };

  const waiting = (win.continuo && win.continuo.q) || [];
  const api: Api = (...call) => (commands[call[0] as string] as undefined | ((...rest: unknown[]) => void))?.(...call.slice(1));
  api.v = 1;
  win.continuo = api;

  launcher.onclick = () => setOpen(!open);
  root.onkeydown = onKey;
  addEventListener("message", onMessage);
  for (const name of ["popstate", "hashchange"]) addEventListener(name, onPage);
  for (const name of ["resize", "scroll"]) window.visualViewport?.addEventListener(name, fit);

  show();
  doc.body.appendChild(host);
  for (const call of Array.from(waiting)) api(...Array.from(call));
  const small = matchMedia("(max-width:520px)").matches;
  // A page change on a phone must not be covered by a full screen that nobody asked for.
  if (keep(tab, key) && !small) setOpen(true, false);
  else if (keep(browser, key)) (window.requestIdleCallback || setTimeout)(load);
}

if (doc.body) start(CONTINUO_CONFIG);
else doc.addEventListener("DOMContentLoaded", () => start(CONTINUO_CONFIG));
