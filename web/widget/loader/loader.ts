/** The one script of the host page: launcher, badge and the door to the panel. Nothing else is fetched before the visitor's click. */
import { MARK, type Given, type Page, type ToHost, type ToPanel } from "../shared/bridge";
import { css, fill } from "../shared/colour";
import { dir, pick } from "../shared/locale";
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

/** Becomes the placeholder `"__CONTINUO_CONFIG__"` in the built file, and that the config object when the server serves it. */
declare const CONTINUO_CONFIG: Config;

const win = window as unknown as { continuo?: Api };
const doc = document;
const script = doc.currentScript as HTMLScriptElement | null;

/** Reads, or writes "" and "1". Storage of the host page may be forbidden; the widget then only forgets. */
function keep(store: "localStorage" | "sessionStorage", key: string, value?: boolean) {
  try {
    const there = window[store];
    if (value === undefined) return there.getItem(key);
    there.setItem(key, value ? "1" : "");
  } catch {
    /* forbidden */
  }
}

function start(config: Config) {
  if (win.continuo?.v) return;
  const src = new URL(script ? script.src : `/w/${config.site}.js`, location.href);
  const key = `${MARK}:${config.site}`;
  let open = false;
  let ready = false;
  let drawn = "";
  let unread = 0;
  /** "2 new messages", in the panel's words: plural rules would not fit here. */
  let news = "";
  let wish = config.locale;
  let identity: Given = null;
  let values: Given = {};
  let frame: HTMLIFrameElement | undefined;
  let focus = true;
  let listeners: [string, Listener][] = [];

  const make = <E extends Element>(into: Node, tag: string, attributes: Record<string, string> = {}): E => {
    const made = doc.createElementNS(`http://www.w3.org/${/svg|path/.test(tag) ? "2000/svg" : "1999/xhtml"}`, tag);
    for (const name in attributes) made.setAttribute(name, attributes[name] as string);
    return into.appendChild(made) as Element as E;
  };
  const host = doc.createElement("div");
  host.dataset[MARK] = config.site;
  const shadow = host.attachShadow({ mode: "open" });
  // Not a <style> element: that would need 'unsafe-inline' in the host page's policy.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  shadow.adoptedStyleSheets = [sheet];
  const root = make<HTMLElement>(shadow, "div");
  const launcher = make<HTMLElement>(root, "button", { class: "l" });
  const svg = make(launcher, "svg", { viewBox: "0 0 24 24" });
  const path = make(svg, "path");
  const badge = make(launcher, "span", { class: "b" });
  const status = make(root, "span", { class: "v", role: "status" });
  const panel = make(root, "div", { class: "p" });

  const paint = fill(config.colour);
  const { radius, theme } = config;
  const vars: Record<string, string> = {
    f: css(paint.fill),
    o: css(paint.on),
    r: radius < 16 ? `${radius}px` : "50%",
    q: `${radius}px`,
    g: theme === "auto" ? "light dark" : theme,
    i: config.corner === "start" ? "20px auto" : "auto 20px",
  };
  const put = (name: string, value: string) => root.style.setProperty(`--${name}`, value);
  for (const name in vars) put(name, vars[name] as string);

  const locale = () => pick(wish, doc.documentElement.lang, navigator.language);
  const emit = (name: string, data?: unknown) => listeners.forEach(([wanted, listener]) => wanted === name && listener(data));
  const page = (): Page => ({ url: location.href, title: doc.title, referrer: doc.referrer });
  const tell = (message: ToPanel) => ready && frame?.contentWindow?.postMessage(JSON.stringify({ [MARK]: config.site, ...message }), src.origin);

  function show() {
    const words = open ? "" : news;
    root.dir = dir(locale());
    root.lang = locale();
    root.className = (open ? "o" : "") + drawn;
    badge.textContent = unread > 99 ? "99+" : `${unread || ""}`;
    launcher.setAttribute("aria-label", `${locale() === "ar" ? "الدردشة" : "Chat"}: ${config.title}. ${words}`);
    launcher.setAttribute("aria-expanded", `${open}`);
    path.setAttribute("d", open ? "m6 9 6 6 6-6" : "M4 5h16v11h-9l-4 4v-4H4zM8 9h8M8 12h5");
    status.textContent = words;
  }

  const draw = () => {
    drawn = " y";
    show();
  };

  /** The panel; hidden at first when it is only there for the badge. */
  function load() {
    frame ||= make(panel, "iframe", {
      title: config.title,
      allow: "clipboard-write",
      src: `${src.origin}${src.pathname.slice(0, -3)}?locale=${locale()}&theme=${theme}&origin=${location.origin}`,
    });
    // Also when it is not our page that came: the browser's own words are better than nothing.
    frame.onload = draw;
  }

  function setOpen(next: boolean, take = true) {
    if (next === open) return;
    const inside = shadow.activeElement;
    open = next;
    focus = take;
    keep("sessionStorage", key, open);
    if (open) load();
    show();
    fit();
    tell(open ? { kind: "open", focus, page: page() } : { kind: "close" });
    if (open && focus) frame?.focus();
    if (!open && inside) launcher.focus();
    emit(open ? "open" : "close");
  }

  /** On a phone the keyboard shrinks only the visual viewport; the composer must stay above it. */
  const view = window.visualViewport;
  function fit() {
    if (!view || !open) return;
    put("h", `${view.height}px`);
    put("t", `${view.offsetTop}px`);
  }

  function onMessage(event: MessageEvent) {
    const message = event.data as ToHost & Record<string, unknown>;
    if (!frame || event.source !== frame.contentWindow || event.origin !== src.origin || message?.[MARK] !== config.site) return;
    if (message.kind === "ready") {
      ready = true;
      draw();
      tell({ kind: "init", page: page(), locale: locale(), open, focus, identity, values });
      emit("ready");
    }
    if (message.kind === "close") setOpen(false);
    if (message.kind === "event") emit(message.name, message.data);
    if (message.kind === "state") {
      keep("localStorage", key, message.known);
      if (message.unread === unread) return;
      unread = message.unread;
      news = message.news;
      show();
      emit("unread", unread);
    }
  }
  const over = new AbortController();
  const listen = (target: EventTarget | null, name: string, listener: (event: never) => void) => target?.addEventListener(name, listener as EventListener, over);

  const commands: Record<string, (first: never, second: never) => void> = {
    open: () => setOpen(true),
    close: () => setOpen(false),
    toggle: () => setOpen(!open),
    identify(given: Given) {
      identity = given;
      tell({ kind: "identify", identity });
    },
    set(given: Given) {
      values = { ...values, ...given };
      tell({ kind: "set", values });
    },
    on: (name: string, listener: Listener) => listeners.push([name, listener]),
    off(name: string, listener?: Listener) {
      listeners = listeners.filter((one) => one[0] !== name || (listener && one[1] !== listener));
    },
    hide: () => (root.hidden = true),
    show: () => (root.hidden = false),
    locale(next: string) {
      wish = next;
      show();
      tell({ kind: "locale", locale: locale() });
    },
    destroy() {
      host.remove();
      over.abort();
      keep("sessionStorage", key, false);
      delete win.continuo;
    },
  };

  const waiting = win.continuo?.q || [];
  const api: Api = (...call) => (commands[call[0] as string] as undefined | ((...rest: unknown[]) => void))?.(...call.slice(1));
  api.v = 1;
  win.continuo = api;

  launcher.onclick = () => setOpen(!open);
  // An on-handler that returns false cancels the key: no Tab, no Enter.
  root.onkeydown = (event) => void (event.key === "Escape" && setOpen(false));
  listen(window, "message", onMessage);
  listen(window, "popstate", () => tell({ kind: "page", page: page() }));
  listen(view, "resize", fit);
  listen(view, "scroll", fit);

  show();
  doc.body.append(host);
  for (const call of waiting) api(...Array.from(call));
  // A page change on a phone must not be covered by a full screen that nobody asked for.
  if (keep("sessionStorage", key) && !matchMedia("(max-width:520px)").matches) setOpen(true, false);
  else if (keep("localStorage", key)) setTimeout(load, 999);
}

const boot = () => start(CONTINUO_CONFIG);
if (doc.body) boot();
else doc.addEventListener("DOMContentLoaded", boot);
