/** What this browser remembers. Storage may be forbidden in a third-party frame: then it lasts as long as the page. */
import type { Outgoing, WidgetFile } from "./wire";

/** A queued message. `visitor` is whose it is, once known: it must not be sent under another identity. */
export interface Kept extends Outgoing {
  at: string;
  visitor: string | null;
  files?: WidgetFile[];
}
export interface Draft {
  text: string;
  files: WidgetFile[];
}
interface Shapes {
  token: string;
  out: Kept[];
  draft: Draft;
  form: Record<string, string>;
  /** The pre-chat form as far as it has been filled in. */
  form_draft: Record<string, string>;
  email: { address: string; may_mail: boolean; told?: boolean };
}

export class Memory {
  private readonly spare = new Map<string, string>();
  constructor(private readonly site: string) {}

  get<K extends keyof Shapes>(name: K): Shapes[K] | null {
    const key = `continuo:${this.site}:${name}`;
    let text: string | null | undefined;
    try {
      text = localStorage.getItem(key);
    } catch {
      /* forbidden */
    }
    text ??= this.spare.get(key);
    if (!text) return null;
    try {
      return JSON.parse(text) as Shapes[K];
    } catch {
      return null;
    }
  }

  set<K extends keyof Shapes>(name: K, value: Shapes[K] | null) {
    const key = `continuo:${this.site}:${name}`;
    const text = value === null ? null : JSON.stringify(value);
    this.spare.delete(key);
    try {
      if (text === null) localStorage.removeItem(key);
      else localStorage.setItem(key, text);
    } catch {
      if (text !== null) this.spare.set(key, text);
    }
  }

  /** Read, change, write in one turn, so that two tabs do not overwrite each other's waiting messages. */
  changeOut(change: (out: Kept[]) => Kept[]) {
    const out = change(this.get("out") ?? []);
    this.set("out", out.length ? out : null);
  }

  clear() {
    for (const name of ["token", "out", "draft", "form", "form_draft", "email"] as const) this.set(name, null);
  }
}
