/** Finds the addresses in plain text. The result is text and links, never markup. */
export type Piece = { text: string; href: string | null };

const pattern = /\b(?:https?:\/\/|www\.)[^\s<>"'`]+|[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}/g;

/** A closing bracket belongs to the address only when it was opened in it; a full stop at the end never does. */
function trim(found: string): string {
  for (;;) {
    const last = found[found.length - 1] ?? "";
    const opening = { ")": "(", "]": "[", "}": "{" }[last];
    if (opening ? found.split(last).length > found.split(opening).length : /[.,;:!?…،؟*_~]/.test(last)) found = found.slice(0, -1);
    else return found;
  }
}

export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const found = trim(match[0]);
    const wish = found.includes("@") && !/^(https?:|www\.)/i.test(found) ? `mailto:${found}` : /^www\./i.test(found) ? `https://${found}` : found;
    let href: string | null = null;
    try {
      const url = new URL(wish);
      if (["http:", "https:", "mailto:"].includes(url.protocol)) href = wish;
    } catch {
      /* not an address after all */
    }
    if (!href) continue;
    if (match.index > from) out.push({ text: text.slice(from, match.index), href: null });
    out.push({ text: found, href });
    from = match.index + found.length;
  }
  if (from < text.length) out.push({ text: text.slice(from), href: null });
  return out;
}
