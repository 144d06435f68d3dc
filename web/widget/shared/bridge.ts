/** What the loader (in the host page) and the panel (in our iframe) say to each other. Both sides check origin and source. */

export interface Page {
  url: string;
  title: string;
  referrer: string;
}

/** Signed (`jwt`, or `id` + `hash`) or merely claimed. */
export interface Identity {
  jwt?: string;
  id?: string;
  hash?: string;
  claimed?: Record<string, string>;
}

/** What the host page gave to `identify` or `set`, as it is; the panel takes from it what it can use. */
export type Given = Record<string, unknown> | null;

/** Sent as JSON text, since a page may hand over what cannot be cloned. */
export type ToPanel =
  | { kind: "init"; page: Page; locale: string; open: boolean; focus: boolean; identity: Given; values: Given }
  | { kind: "open"; focus: boolean; page: Page }
  | { kind: "close" }
  | { kind: "page"; page: Page }
  | { kind: "identify"; identity: Given }
  | { kind: "set"; values: Given }
  | { kind: "locale"; locale: string };

export type ToHost =
  | { kind: "ready" }
  | { kind: "close" }
  /** `known`: a conversation exists, so later pages may keep a connection for the badge. */
  | { kind: "state"; unread: number; news: string; known: boolean }
  | { kind: "event"; name: string; data?: unknown };

/** Marks our messages among those of other frames. */
export const MARK = "continuo";
