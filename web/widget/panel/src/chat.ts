/** The visitor's side of one chat: what was begun, what is waiting to be sent, what has come. Screens read its state and call its verbs. */
import type { Identity, Page, ToPanel } from "../../shared/bridge";
import { pick, type Locale } from "../../shared/locale";
import { check, isPicture, type FileTrouble, type Upload } from "./files";
import { Host } from "./host";
import { identityOf, texts } from "./identity";
import { Link } from "./link";
import { merge } from "./log";
import { Memory, type Kept } from "./memory";
import { isBlock, Store, type OutRow, type State } from "./state";
import { Text } from "./text/text";
import type { Effect } from "./transport";
import { call, Problem, type Begin, type Begun, type WidgetConfig, type WidgetFile, type WidgetItem } from "./wire";

const TYPING_AGAIN_MS = 4_000;
const TYPING_OVER_MS = 6_000;
/** So many characters before the limit it is shown. */
export const NEARLY_FULL = 200;
const CIRCLE_MS = 5_000;
const THEIR_TYPING_MS = 9_000;

/** 22 characters of [A-Za-z0-9_-]. Not randomUUID: that is missing on a page without https. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export class Chat {
  readonly store: Store;
  private readonly memory: Memory;
  private readonly host: Host;
  private readonly link: Link;
  private token: string | null;
  private visitor: string | null = null;
  private identity: Identity | null = null;
  private values: Record<string, string> = {};
  private page: Page = { url: "", title: "", referrer: "" };
  private beginning: Promise<boolean> | null = null;
  private beginTries = 0;
  private beginTimer = 0;
  private begunAt = 0;
  private circles = 0;
  private startNew = false;
  private navigated = false;
  /** Highest number that came from the other side in this conversation. */
  private theirs = 0;
  private typingSaid = 0;
  private typingTimer = 0;
  private theirTypingTimer = 0;

  constructor(
    private readonly base: string,
    config: WidgetConfig,
    text: Text,
    expectedOrigin: string | null,
  ) {
    this.memory = new Memory(config.site);
    this.host = new Host(config.site, expectedOrigin, (message) => this.fromHost(message));
    this.link = new Link(base, (effect) => this.effect(effect));
    this.token = this.memory.get("token");
    const kept = this.memory.get("out") ?? [];
    const draft = this.memory.get("draft");
    const state: State = {
      text,
      config,
      framed: this.host.framed,
      open: !this.host.framed,
      view: kept.length || draft?.text || draft?.files.length ? "chat" : "home",
      focus: 0,
      block: null,
      link: "off",
      wasUp: false,
      network: navigator.onLine,
      beginning: false,
      conversation: null,
      log: [],
      before: null,
      loadingOlder: false,
      outbox: kept.map((message) => ({ message, state: "queued", code: null })),
      held: null,
      uploads: (draft?.files ?? []).map(asUpload),
      draft: draft?.text ?? "",
      typing: null,
      unread: 0,
      verified: null,
      email: this.memory.get("email"),
      emailWish: "",
      emailDismissed: false,
      form: this.memory.get("form"),
      news: [],
    };
    this.store = new Store(state);
    for (const row of state.outbox) this.link.give({ on: "enqueue", message: wire(row.message) });
    const email = this.memory.get("email");
    if (email && !email.told) this.link.give({ on: "email", address: email.address, may_mail: email.may_mail });
    addEventListener("online", () => {
      this.store.set({ network: true });
      if (this.beginTimer) void this.begin();
    });
    addEventListener("offline", () => this.store.set({ network: false }));
    if (this.host.framed) this.host.tell({ kind: "ready" });
    else {
      this.page = { url: location.href, title: document.title, referrer: document.referrer };
      this.arrive();
    }
  }

  private get state() {
    return this.store.state;
  }

  // --- the host page --------------------------------------------------------------------------------------------------

  private fromHost(message: ToPanel) {
    switch (message.kind) {
      case "init":
        this.page = message.page;
        this.identity = identityOf(message.identity);
        this.values = texts(message.values);
        this.claim();
        this.store.set({ open: message.open, focus: message.open && message.focus ? this.state.focus + 1 : this.state.focus });
        if (message.locale !== this.state.text.locale) void this.speak(pick(message.locale));
        return this.arrive();
      case "open":
        this.page = message.page;
        this.store.set({ open: true, focus: message.focus ? this.state.focus + 1 : this.state.focus });
        this.link.give({ on: "page", url: this.page.url, title: this.page.title });
        return this.link.give({ on: "wake" });
      case "close":
        this.stopTyping();
        return this.store.set({ open: false });
      case "page":
        this.page = message.page;
        return this.link.give({ on: "page", url: this.page.url, title: this.page.title });
      case "identify":
        return this.identify(identityOf(message.identity));
      case "set":
        this.values = texts(message.values);
        return this.claim();
      case "locale":
        return void this.speak(pick(message.locale));
    }
  }

  /** With a token, a signed identity or something unsent there is reason to ask the server; without, nothing is fetched. */
  private arrive() {
    if (this.state.config.identity_required && !this.signed) this.store.set({ block: { code: "identity_required", until: null } });
    else if (this.token || this.signed || this.state.outbox.length) void this.begin();
  }

  private get signed() {
    return Boolean(this.identity?.jwt || (this.identity?.id && this.identity.hash));
  }

  private identify(next: Identity | null) {
    const signedBefore = this.signed;
    const same = next?.jwt === this.identity?.jwt && next?.id === this.identity?.id && next?.hash === this.identity?.hash;
    this.identity = next;
    this.claim();
    if (!next && signedBefore) return this.forget(); // signed out on the page: the next person must not see this one's chat
    if (same && !this.state.block) return;
    if (this.signed) void this.begin(true);
  }

  private claim() {
    const claimed = { ...this.identity?.claimed, ...this.values };
    const email = claimed["email"];
    if (email) this.store.set({ emailWish: email });
    if (Object.keys(claimed).length && this.visitor) this.link.give({ on: "claim", values: claimed });
  }

  private async speak(locale: Locale) {
    const text = await Text.of(locale);
    this.store.set({ text });
  }

  private tellHost() {
    const { unread, text, conversation, outbox } = this.state;
    this.host.tell({ kind: "state", unread, news: unread ? text.n("new_messages", unread) : "", known: Boolean(conversation) || outbox.length > 0 });
  }

  // --- beginning ------------------------------------------------------------------------------------------------------

  /** True when a conversation can be had. One at a time; `again` starts another one after the one that runs. */
  async begin(again = false): Promise<boolean> {
    if (this.beginning && !again) return this.beginning;
    const before = this.beginning;
    const mine = (async () => {
      if (before) await before;
      return this.tryToBegin();
    })();
    this.beginning = mine;
    this.store.set({ beginning: true });
    try {
      return await mine;
    } finally {
      if (this.beginning === mine) {
        this.beginning = null;
        this.store.set({ beginning: false });
      }
    }
  }

  private async tryToBegin(): Promise<boolean> {
    clearTimeout(this.beginTimer);
    this.beginTimer = 0;
    if (this.host.origin === null) return false; // `init` calls again
    const { jwt, id, hash, claimed } = this.identity ?? {};
    const body: Begin = {
      locale: this.state.text.locale,
      host_origin: this.host.origin,
      page: this.page,
      ...(this.token ? { visitor_token: this.token } : {}),
      ...(jwt ? { jwt } : id && hash ? { identify_id: id, identify_hash: hash } : {}),
      ...(Object.keys({ ...claimed, ...this.values }).length ? { claimed: { ...claimed, ...this.values } } : {}),
      ...(this.startNew ? { new: true } : {}),
    };
    try {
      this.begun(await call<Begun>(`${this.base}/visitors`, { method: "POST", body: JSON.stringify(body) }));
      return true;
    } catch (error) {
      return this.beginFailed(error instanceof Problem ? error : new Problem("network"));
    }
  }

  private beginFailed(error: Problem): Promise<boolean> | boolean {
    if (error.code === "bad_token" && this.token) {
      this.token = null;
      this.memory.set("token", null);
      return this.tryToBegin();
    }
    if (isBlock(error.code)) {
      this.link.give({ on: "stop" });
      const wait = error.code === "rate_limited" ? (error.retryAfter ?? 60) * 1000 : null;
      this.store.set({ block: { code: error.code, until: wait && Date.now() + wait } });
      if (error.code === "expired_identity" || error.code === "forged_identity") this.host.tell({ kind: "event", name: "identity", data: error.code });
      if (wait) this.beginLater(wait);
      return false;
    }
    if (error.status === 404) this.store.set({ block: { code: "no_such_site", until: null } });
    else this.beginLater(Math.min(30_000, 1000 * 2 ** this.beginTries++) * (0.75 + Math.random() / 2));
    if (this.state.link !== "waiting") this.store.set({ link: "waiting" });
    return false;
  }

  private beginLater(ms: number) {
    clearTimeout(this.beginTimer);
    this.beginTimer = window.setTimeout(() => void this.begin(), ms);
  }

  private begun(begun: Begun) {
    const other = this.visitor !== null && this.visitor !== begun.visitor_id;
    this.visitor = begun.visitor_id;
    this.token = begun.visitor_token;
    this.startNew = false;
    this.beginTries = 0;
    this.begunAt = Date.now();
    this.memory.set("token", begun.visitor_token);
    const arrived = new Set(begun.items.map((item) => item.client_msg_id));
    this.settle((row) => arrived.has(row.message.client_msg_id));
    const outbox = this.state.outbox.map((row): OutRow => {
      if (row.state !== "queued" || !row.message.visitor || row.message.visitor === begun.visitor_id) return row;
      this.link.give({ on: "withdraw", client_msg_id: row.message.client_msg_id });
      return { ...row, state: "failed", code: "other_identity" };
    });
    const known = new Set(this.state.log.map((item) => item.id));
    const joins = !other && begun.items.some((item) => known.has(item.id));
    const conversation = begun.conversation?.id ?? null;
    this.theirs = begun.items.reduce((most, item) => (item.from === "me" ? most : Math.max(most, item.seq)), 0);
    this.store.set({
      block: null,
      config: begun.config,
      verified: begun.verified,
      conversation,
      outbox,
      log: joins ? merge(this.state.log, begun.items) : merge([], begun.items),
      before: joins ? this.state.before : begun.before,
      unread: begun.unread,
      // A returning visitor lands where the conversation is, unless they are on their way already.
      view: conversation && !this.navigated ? "chat" : this.state.view,
    });
    this.link.give({ on: "start", token: begun.visitor_token, conversation, seq: begun.conversation?.seq ?? 0 });
    if (this.theirs) this.link.give({ on: "seen", delivered: this.theirs, read: 0 });
    this.tellHost();
  }

  /** "Not you? Start new", or signed out on the host page. */
  forget() {
    this.link.give({ on: "stop" });
    for (const row of this.state.outbox) this.link.give({ on: "withdraw", client_msg_id: row.message.client_msg_id });
    this.memory.clear();
    this.token = null;
    this.visitor = null;
    this.startNew = true;
    this.theirs = 0;
    this.navigated = false;
    this.store.set({
      view: "home",
      block: null,
      link: "off",
      wasUp: false,
      conversation: null,
      log: [],
      before: null,
      outbox: [],
      held: null,
      uploads: [],
      draft: "",
      typing: null,
      unread: 0,
      verified: null,
      email: null,
      emailDismissed: false,
      form: null,
      news: [],
      focus: this.state.focus + 1,
    });
    this.tellHost();
    this.arrive();
  }

  withoutSignIn() {
    this.identity = this.identity?.claimed ? { claimed: this.identity.claimed } : null;
    this.store.set({ block: null });
    void this.begin(true);
  }

  // --- what comes -----------------------------------------------------------------------------------------------------

  private effect(effect: Effect) {
    switch (effect.do) {
      case "items":
        return this.came(effect.items, effect.current);
      case "acked":
        this.memory.changeOut((out) => out.filter((message) => message.client_msg_id !== effect.client_msg_id));
        return this.store.set({ held: null, outbox: this.change(effect.client_msg_id, { state: "sent", code: null }) });
      case "refused":
        this.memory.changeOut((out) => out.filter((message) => message.client_msg_id !== effect.client_msg_id));
        return this.store.set({ outbox: this.change(effect.client_msg_id, { state: "failed", code: effect.code }) });
      case "held":
        return this.store.set({ held: effect.code });
      case "typing":
        clearTimeout(this.theirTypingTimer);
        if (effect.on) this.theirTypingTimer = window.setTimeout(() => this.store.set({ typing: null }), THEIR_TYPING_MS);
        return this.store.set({ typing: effect.on ? { name: effect.name } : null });
      case "availability":
        return this.store.set({ config: { ...this.state.config, ...effect.value } });
      case "conversation":
        this.theirs = 0;
        this.store.set({ conversation: effect.id });
        return this.tellHost();
      case "state":
        return this.store.set({ link: effect.state, wasUp: this.state.wasUp || effect.state === "up" });
      case "email_known":
        if (this.state.email) this.memory.set("email", { ...this.state.email, told: true });
        return;
      case "begin_again":
        // A server that says so again and again (a token that only one of its doors takes) must not be asked in a circle.
        this.circles = Date.now() - this.begunAt < CIRCLE_MS ? this.circles + 1 : 0;
        return this.circles ? this.beginLater(Math.min(60_000, 500 * 2 ** this.circles)) : void this.begin(true);
      case "bye":
        if (effect.code === "banned") this.store.set({ block: { code: "banned", until: null } });
        return;
    }
  }

  private came(items: WidgetItem[], current: boolean) {
    const known = new Set(this.state.log.map((item) => item.id));
    const fresh = items.filter((item) => !known.has(item.id) && item.from !== "me");
    const said = fresh.filter((item) => item.from !== "system");
    const mine = new Set(items.map((item) => item.client_msg_id));
    this.settle((row) => mine.has(row.message.client_msg_id));
    this.store.set({
      log: merge(this.state.log, items),
      unread: this.state.unread + said.length,
      typing: said.length ? null : this.state.typing,
      news: said.length ? said : this.state.news,
    });
    if (current && fresh.length) {
      this.theirs = fresh.reduce((most, item) => Math.max(most, item.seq), this.theirs);
      this.link.give({ on: "seen", delivered: this.theirs, read: 0 });
    }
    if (said.length) this.tellHost();
  }

  /** The screen shows the newest item to somebody. */
  seen() {
    if (!this.state.open || document.visibilityState !== "visible") return;
    if (this.theirs) this.link.give({ on: "seen", delivered: this.theirs, read: this.theirs });
    if (!this.state.unread) return;
    this.store.set({ unread: 0 });
    this.tellHost();
  }

  async older() {
    const { before, loadingOlder } = this.state;
    if (!before || loadingOlder || !this.token) return;
    this.store.set({ loadingOlder: true });
    try {
      const page = await call<{ items: WidgetItem[]; before: string | null }>(`${this.base}/history?before=${encodeURIComponent(before)}`, {}, this.token);
      this.store.set({ log: merge(this.state.log, page.items), before: page.before });
    } catch {
      /* the button stays, scrolling up tries again */
    }
    this.store.set({ loadingOlder: false });
  }

  // --- what is written ------------------------------------------------------------------------------------------------

  go(view: State["view"]) {
    this.navigated = true;
    const { config, form, conversation, outbox } = this.state;
    const ask = view === "chat" && config.pre_chat.enabled && config.pre_chat.fields.length > 0 && !form && !conversation && !outbox.length;
    this.store.set({ view: ask ? "form" : view, focus: this.state.focus + 1 });
  }

  get begunForm(): Record<string, string> {
    return this.memory.get("form_draft") ?? {};
  }

  keepForm(values: Record<string, string>) {
    this.memory.set("form_draft", values);
  }

  submitForm(form: Record<string, string>) {
    this.memory.set("form", form);
    this.memory.set("form_draft", null);
    this.store.set({ form });
    if (form["email"] && this.state.config.ask_email_when_away && !this.state.config.online) this.setEmail(form["email"], true);
    this.go("chat");
  }

  write(draft: string) {
    this.store.set({ draft });
    this.saveDraft();
    if (!draft.trim()) return this.stopTyping();
    // The first letter is the time to introduce ourselves: by the time the sentence is done, the connection stands.
    if (!this.visitor && !this.state.block && !this.beginTimer) void this.begin();
    const now = Date.now();
    if (now - this.typingSaid > TYPING_AGAIN_MS) {
      this.typingSaid = now;
      this.link.give({ on: "typing", value: true });
    }
    clearTimeout(this.typingTimer);
    this.typingTimer = window.setTimeout(() => this.stopTyping(), TYPING_OVER_MS);
  }

  private stopTyping() {
    clearTimeout(this.typingTimer);
    if (!this.typingSaid) return;
    this.typingSaid = 0;
    this.link.give({ on: "typing", value: false });
  }

  private saveDraft() {
    const files = this.state.uploads.flatMap((one) => (one.file ? [one.file] : []));
    this.memory.set("draft", this.state.draft || files.length ? { text: this.state.draft, files } : null);
  }

  /** Characters that still fit, counted as the server does: an emoji is one. */
  get room() {
    const { draft, config } = this.state;
    const most = config.text_max;
    return draft.length < most - NEARLY_FULL ? NEARLY_FULL : most - Array.from(draft).length;
  }

  get canSend() {
    const { draft, uploads } = this.state;
    const files = uploads.filter((one) => one.state === "done").length;
    return (draft.trim() !== "" || files > 0) && this.room >= 0 && !uploads.some((one) => one.state === "going");
  }

  send() {
    if (!this.canSend) return;
    const { draft, uploads, form, conversation, outbox, verified } = this.state;
    const files = uploads.flatMap((one) => (one.state === "done" && one.file ? [one.file] : []));
    const message: Kept = {
      client_msg_id: newId(),
      text: draft.trim(),
      at: new Date().toISOString(),
      visitor: verified ? this.visitor : null,
      ...(files.length ? { file_ids: files.map((file) => file.id), files } : {}),
      ...(form && !conversation && !outbox.length ? { form } : {}),
      ...(this.page.url ? { page: { url: this.page.url, title: this.page.title } } : {}),
    };
    for (const one of uploads) if (one.preview && one.state === "done") URL.revokeObjectURL(one.preview);
    this.store.set({ draft: "", uploads: uploads.filter((one) => one.state !== "done") });
    this.stopTyping();
    this.queue(message);
    this.saveDraft();
  }

  /** On disk before anything else: from here on the message survives a reload. */
  private queue(message: Kept) {
    this.memory.changeOut((out) => [...out, message]);
    this.store.set({ outbox: [...this.state.outbox, { message, state: "queued", code: null }] });
    this.link.give({ on: "enqueue", message: wire(message) });
    this.tellHost();
    if (!this.visitor) void this.begin();
  }

  /** A refused message once more, under a new id (the old one has had its answer). */
  again(id: string) {
    const row = this.state.outbox.find((one) => one.message.client_msg_id === id);
    if (!row) return;
    this.discard(id);
    this.queue({ ...row.message, client_msg_id: newId(), at: new Date().toISOString(), visitor: this.state.verified ? this.visitor : null });
  }

  /** A refused message back into the composer. */
  edit(id: string) {
    const row = this.state.outbox.find((one) => one.message.client_msg_id === id);
    if (!row) return;
    this.discard(id);
    this.store.set({ draft: [row.message.text, this.state.draft].filter(Boolean).join("\n"), focus: this.state.focus + 1 });
    this.saveDraft();
  }

  discard(id: string) {
    this.memory.changeOut((out) => out.filter((message) => message.client_msg_id !== id));
    this.link.give({ on: "withdraw", client_msg_id: id });
    this.settle((row) => row.message.client_msg_id === id);
  }

  private settle(is: (row: OutRow) => boolean) {
    const gone = this.state.outbox.filter(is);
    if (!gone.length) return;
    const ids = new Set(gone.map((row) => row.message.client_msg_id));
    for (const id of ids) this.link.give({ on: "withdraw", client_msg_id: id });
    this.memory.changeOut((out) => out.filter((message) => !ids.has(message.client_msg_id)));
    this.store.set({ outbox: this.state.outbox.filter((row) => !ids.has(row.message.client_msg_id)) });
  }

  private change(id: string, patch: Partial<OutRow>) {
    return this.state.outbox.map((row) => (row.message.client_msg_id === id ? { ...row, ...patch } : row));
  }

  setEmail(address: string, mayMail: boolean) {
    const email = { address, may_mail: mayMail };
    this.memory.set("email", email);
    this.store.set({ email });
    this.link.give({ on: "email", ...email });
  }

  dismissEmail() {
    this.store.set({ emailDismissed: true });
  }

  close() {
    this.host.tell({ kind: "close" });
  }

  // --- files ----------------------------------------------------------------------------------------------------------

  addFiles(files: Iterable<File>) {
    const limits = this.state.config.attachments;
    if (!limits.enabled) return;
    for (const file of files) {
      const good = this.state.uploads.filter((one) => one.state !== "refused").length;
      const trouble = check(limits, file, good);
      const preview = !trouble && isPicture(file.type) ? URL.createObjectURL(file) : null;
      const one: Upload = { key: newId(), name: file.name, bytes: file.size, preview, share: 0, state: trouble ? "refused" : "going", trouble, file: null, source: file };
      this.store.set({ uploads: [...this.state.uploads, one] });
      if (!trouble) void this.upload(one.key);
    }
  }

  async upload(key: string) {
    const one = this.state.uploads.find((other) => other.key === key);
    if (!one?.source) return;
    this.patch(key, { state: "going", trouble: null, share: 0 });
    try {
      const [{ upload }] = await Promise.all([import("./upload"), this.visitor ? true : this.begin()]);
      if (!this.visitor) throw new Problem("network");
      const file: WidgetFile = await upload(this.base, this.token ?? "", one.source, (share) => this.patch(key, { share }));
      this.patch(key, { state: "done", share: 1, file });
      this.saveDraft();
    } catch (error) {
      const code = error instanceof Problem ? error.code : "network";
      const troubles: Record<string, FileTrouble> = { too_large: "file_too_large", attachment_type: "file_type" };
      const trouble = troubles[code];
      this.patch(key, trouble ? { state: "refused", trouble } : { state: "failed", trouble: "file_failed" });
    }
  }

  private patch(key: string, patch: Partial<Upload>) {
    this.store.set({ uploads: this.state.uploads.map((one) => (one.key === key ? { ...one, ...patch } : one)) });
  }

  dropFile(key: string) {
    const one = this.state.uploads.find((other) => other.key === key);
    if (one?.preview) URL.revokeObjectURL(one.preview);
    this.store.set({ uploads: this.state.uploads.filter((other) => other.key !== key) });
    this.saveDraft();
  }
}

const wire = ({ client_msg_id, text, file_ids, form, page }: Kept) => ({ client_msg_id, text, file_ids, form, page });

const asUpload = (file: WidgetFile): Upload => ({
  key: file.id,
  name: file.name,
  bytes: file.bytes,
  preview: isPicture(file.mime) ? file.url : null,
  share: 1,
  state: "done",
  trouble: null,
  file,
  source: null,
});
