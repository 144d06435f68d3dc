// The workspace as an agent uses it, found by role and name.

export class Desk {
  /** `t` is the workspace's own catalogue (words.mjs). */
  constructor(page, base, t, { rtl = false } = {}) {
    Object.assign(this, { page, base, t, rtl });
  }

  /** The workspace's layout must not care about direction; `dir=rtl` turns it without another language. */
  address(path) {
    return `${this.base}${path}${this.rtl ? `${path.includes("?") ? "&" : "?"}dir=rtl` : ""}`;
  }

  /** Through the sign-in page, as a person does. */
  async signIn(email, password) {
    await this.page.goto(`${this.base}/login`);
    await this.page.getByRole("textbox", { name: "Email" }).fill(email);
    await this.page.getByLabel("Password", { exact: true }).fill(password);
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await this.list.waitFor();
  }

  get list() {
    return this.page.getByRole("region", { name: this.t.conversations, exact: true });
  }
  async view(key) {
    await this.page.goto(this.address(`/inbox?view=${key}`));
    await this.list.waitFor();
  }
  /** The row whose preview or name holds these words. */
  row(text) {
    return this.list.getByRole("row").filter({ hasText: text });
  }
  async open(text) {
    await this.row(text).getByRole("button").first().click();
    await this.stream.waitFor();
  }
  async openById(id) {
    await this.page.goto(this.address(`/inbox/c/${id}`));
    await this.stream.waitFor();
  }

  get stream() {
    return this.page.locator("#stream");
  }
  entry(text) {
    return this.stream.getByRole("listitem").filter({ hasText: text });
  }
  get composer() {
    return this.page.getByRole("contentinfo").or(this.page.locator("footer")).filter({ has: this.page.getByRole("textbox") }).first();
  }
  get field() {
    return this.composer.getByRole("textbox");
  }
  async mode(mode) {
    await this.composer.getByRole("radio", { name: mode === "note" ? this.t.look.note : this.t.reply }).click();
  }
  async send(text) {
    await this.field.fill(text);
    await this.composer.getByRole("button", { name: this.t.send, exact: true }).click();
  }
  async note(text) {
    await this.mode("note");
    await this.field.fill(text);
    await this.composer.getByRole("button", { name: this.t.addNote, exact: true }).click();
  }
}
