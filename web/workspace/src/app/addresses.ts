import type { Schemas } from "@continuo/api-client";

export type Address = Schemas["MailAddress"];

const SHAPE = /^[^\s@<>"(),;:]+@[^\s@<>"(),;:]+\.[^\s@<>"(),;:]+$/;

/** Reads what somebody typed as receivers: addresses with or without names, parted by commas, semicolons or lines. */
export function readAddresses(text: string): { list: Address[]; bad: string[] } {
  const list: Address[] = [];
  const bad: string[] = [];
  const seen = new Set<string>();
  let part = "";
  let quoted = false;
  const take = () => {
    const one = part.trim();
    part = "";
    if (one === "") return;
    const m = /^(.*?)<([^<>]*)>$/.exec(one);
    const address = (m ? (m[2] ?? "") : one).trim();
    if (!SHAPE.test(address)) {
      bad.push(one);
      return;
    }
    const key = address.toLowerCase();
    if (seen.has(key)) return;
    seen.add(key);
    list.push({ address, name: m?.[1]?.trim().replace(/^"(.*)"$/, "$1").replace(/\\(.)/g, "$1").trim() || null });
  };
  for (const c of text) {
    if (c === '"') quoted = !quoted;
    if (!quoted && (c === "," || c === ";" || c === "\n")) take();
    else part += c;
  }
  take();
  return { list, bad };
}

/** The same as text, so that it can be typed on. */
export function writeAddresses(list: Address[]): string {
  return list.map((a) => (a.name ? `${/[",;<>@]/.test(a.name) ? `"${a.name.replace(/["\\]/g, "\\$&")}"` : a.name} <${a.address}>` : a.address)).join(", ");
}
