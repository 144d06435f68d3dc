/** What the screens show, in one value; `Chat` is the only one that changes it. */
import type { Kept } from "./memory";
import type { Upload } from "./files";
import type { Text } from "./text/text";
import type { LinkState } from "./transport";
import type { WidgetConfig, WidgetItem } from "./wire";

/** A message of this browser that is not in the log yet. */
export interface OutRow {
  message: Kept;
  state: "queued" | "sent" | "failed";
  code: string | null;
}

export const blocks = ["banned", "wrong_origin", "identity_required", "no_such_site", "expired_identity", "forged_identity", "rate_limited"] as const;
export type Block = (typeof blocks)[number];
export const isBlock = (code: string): code is Block => (blocks as readonly string[]).includes(code);

export interface State {
  text: Text;
  config: WidgetConfig;
  framed: boolean;
  /** The visitor can see the panel. */
  open: boolean;
  view: "home" | "form" | "chat";
  /** Counts up whenever the keyboard focus should go to the view's first thing. */
  focus: number;
  block: { code: Block; until: number | null } | null;
  link: LinkState;
  /** Connected at least once: only then is a lost connection news. */
  wasUp: boolean;
  network: boolean;
  beginning: boolean;
  conversation: string | null;
  log: WidgetItem[];
  before: string | null;
  loadingOlder: boolean;
  outbox: OutRow[];
  held: string | null;
  uploads: Upload[];
  draft: string;
  typing: { name: string | null } | null;
  unread: number;
  verified: { level: 2 | 3; name?: string } | null;
  email: { address: string; may_mail: boolean } | null;
  emailWish: string;
  emailDismissed: boolean;
  form: Record<string, string> | null;
  /** Items of the other side that came while we looked, for the screen reader. */
  news: WidgetItem[];
}

export class Store {
  private readonly listeners = new Set<() => void>();
  private due = false;
  constructor(public state: State) {}

  set(patch: Partial<State>) {
    this.state = { ...this.state, ...patch };
    if (this.due) return;
    this.due = true;
    queueMicrotask(() => {
      this.due = false;
      for (const listener of this.listeners) listener();
    });
  }

  listen(listener: () => void) {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}
