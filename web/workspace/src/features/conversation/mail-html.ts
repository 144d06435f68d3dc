/** What happens to the `html_safe` of a mail before it is shown: pure, over an inert document, so that it can be tested. */
export interface MailHtml {
  /** Markup for the frame. Styles stand in `data-style`, since the workspace allows no inline ones; see `applyStyles`. */
  html: string;
  /** Pictures of the network that stay unloaded. */
  waiting: number;
  /** It brings colours of its own: it stands on white paper, whatever the theme. */
  paper: boolean;
}

export type FoldKind = "quote" | "forward" | "signature";

const NEUTRAL = 48;

/** `[r, g, b]` of a colour as mails write it; null for what only a browser can tell. */
function rgb(colour: string): [number, number, number] | null {
  const c = colour.trim().toLowerCase().replace(/\s*!important$/, "");
  if (c === "black" || c === "windowtext") return [0, 0, 0];
  if (c === "white" || c === "window") return [255, 255, 255];
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/.exec(c)?.[1];
  if (hex) {
    const full = hex.length === 3 ? [...hex].map((x) => x + x).join("") : hex;
    return [0, 2, 4].map((i) => parseInt(full.slice(i, i + 2), 16)) as [number, number, number];
  }
  const m = /^rgba?\((\d+)[ ,]+(\d+)[ ,]+(\d+)/.exec(c);
  return m ? [Number(m[1]), Number(m[2]), Number(m[3])] : null;
}
const nothing = (c: string) => /^\s*(transparent|inherit|initial|unset|none|currentcolor|auto|)\s*(!important)?$/i.test(c) || /^rgba\(.*,\s*0\)$/i.test(c.trim());
const dark = (c: string) => rgb(c)?.every((x) => x <= NEUTRAL) ?? false;
const light = (c: string) => rgb(c)?.every((x) => x >= 255 - NEUTRAL / 2) ?? false;

function declarations(style: string): [string, string][] {
  return style.split(";").flatMap((d) => {
    const at = d.indexOf(":");
    return at < 0 ? [] : [[d.slice(0, at).trim().toLowerCase(), d.slice(at + 1).trim()] as [string, string]];
  });
}

/** Nearly every mail program writes black on white; that is no wish for colours. Takes it off, and says whether others remain. */
function ownColours(doc: Document): boolean {
  let own = false;
  for (const el of doc.body.querySelectorAll<HTMLElement>("[data-style],[bgcolor],[color]")) {
    const kept = declarations(el.getAttribute("data-style") ?? "").filter(([name, value]) => {
      if (name === "color") {
        if (nothing(value) || dark(value)) return false;
        own = true;
      } else if (name === "background-color" || name === "background") {
        if (nothing(value) || light(value)) return false;
        own = true;
      }
      return true;
    });
    if (kept.length > 0) el.setAttribute("data-style", kept.map(([n, v]) => `${n}: ${v}`).join("; "));
    else el.removeAttribute("data-style");
    const bg = el.getAttribute("bgcolor");
    if (bg && light(bg)) el.removeAttribute("bgcolor");
    else if (bg && !nothing(bg)) own = true;
    const ink = el.getAttribute("color");
    if (ink && dark(ink)) el.removeAttribute("color");
    else if (ink) own = true;
  }
  return own;
}

/** Style attributes under another name, tag by tag: as they are, the content policy of the workspace would refuse and report each. */
function stylesAside(safe: string): string {
  return safe.replace(/<[a-z][a-z0-9]*(?:\s+[^\s=>"]+(?:="[^"]*")?)+\s*\/?>/gi, (tag) => tag.replace(/(\s+)([^\s=>"]+)(="[^"]*")?/g, (all, space: string, name: string, value: string | undefined) => (name.toLowerCase() === "style" ? `${space}data-style${value ?? ""}` : all)));
}

/** Whether anything can be seen outside of the folds. */
function somethingRemains(body: HTMLElement): boolean {
  const copy = body.cloneNode(true) as HTMLElement;
  for (const fold of copy.querySelectorAll("[data-fold]")) fold.remove();
  return (copy.textContent ?? "").replace(/[\s\u00a0\u200b-\u200d\ufeff]/g, "") !== "" || copy.querySelector("img") !== null;
}

/**
 * In: sanitised HTML, and how a fold is called. Out: the same with folds behind native buttons (no script runs in there), pictures
 * of the network unloaded and counted, links that open elsewhere.
 */
export function prepareMail(safe: string, foldName: (kind: FoldKind) => string, notLoaded: string): MailHtml {
  const doc = new DOMParser().parseFromString(stylesAside(safe), "text/html");
  // The server sends none of these; what is shown must not rest on one lock only.
  for (const el of doc.querySelectorAll("script,style,link,meta,base,iframe,frame,object,embed,form,svg,math,template")) el.remove();
  for (const el of doc.querySelectorAll("[style]")) el.removeAttribute("style");
  let waiting = 0;
  for (const img of doc.body.querySelectorAll("img")) {
    const remote = img.getAttribute("data-remote-src");
    const src = img.getAttribute("src") ?? "";
    img.removeAttribute("srcset");
    if (remote && /^data:image\/(png|jpe?g|gif|webp);base64,/i.test(remote)) {
      img.setAttribute("src", remote);
      img.removeAttribute("data-remote-src");
    } else if (remote) {
      const counts = Number(img.getAttribute("width") ?? 99) <= 2 || Number(img.getAttribute("height") ?? 99) <= 2;
      img.removeAttribute("src");
      if (counts) img.remove();
      else {
        const box = doc.createElement("span");
        box.className = "waits";
        box.textContent = img.getAttribute("alt")?.trim() || notLoaded;
        img.replaceWith(box);
      }
      waiting += 1;
    } else if (!src.startsWith("/") || src.startsWith("//")) {
      if (!src.startsWith("data:image/")) img.removeAttribute("src");
    }
  }
  for (const a of doc.body.querySelectorAll("a")) {
    if (!/^(https?:\/\/|mailto:|tel:)/i.test(a.getAttribute("href") ?? "")) a.removeAttribute("href");
    a.setAttribute("target", "_blank");
    a.setAttribute("rel", "noopener noreferrer nofollow");
  }
  const paper = ownColours(doc);
  if (somethingRemains(doc.body)) {
    for (const el of doc.body.querySelectorAll<HTMLElement>("[data-fold]")) {
      if (el.parentElement?.closest("[data-fold]")) continue;
      const kind = el.getAttribute("data-fold") as FoldKind;
      const box = doc.createElement("details");
      const button = doc.createElement("summary");
      button.textContent = foldName(kind);
      // Neighbouring folds of one kind (header block and quote) are one button.
      const before = el.previousElementSibling;
      if (before?.tagName === "DETAILS" && before.getAttribute("data-kind") === kind && blankBetween(before, el)) {
        before.append(el);
        continue;
      }
      box.setAttribute("data-kind", kind);
      el.replaceWith(box);
      box.append(button, el);
    }
  }
  return { html: doc.body.innerHTML, waiting, paper };
}

function blankBetween(a: Element, b: Element): boolean {
  for (let n = a.nextSibling; n && n !== b; n = n.nextSibling) if ((n.textContent ?? "").trim() !== "") return false;
  return true;
}

/** Styles by the object model: the content policy of the workspace refuses them as attributes, and so keeps its lock for everything else. */
export function applyStyles(root: Document): void {
  for (const el of root.querySelectorAll<HTMLElement>("[data-style]")) {
    el.style.cssText = el.getAttribute("data-style") ?? "";
    // Fonts of other machines fall back to ours, not to the browser's serif.
    if (el.style.fontFamily && !/\b(serif|sans-serif|monospace|cursive|system-ui)\b/.test(el.style.fontFamily)) el.style.fontFamily += ", system-ui, sans-serif";
  }
}
