// The widget as a visitor uses it, found by role and name. Words are the English catalogue's; other languages hand in theirs.

export const ENGLISH = {
  open: /^Open chat/,
  close: "Close chat",
  write: /^Write to us|^Go on with your conversation/,
  conversation: "Conversation",
  message: "Message",
  send: "Send",
  attach: "Attach files",
  back: "Back",
};

export class Panel {
  constructor(page, words = ENGLISH) {
    this.page = page;
    this.words = words;
  }

  get launcher() {
    return this.page.locator("[data-continuo]").getByRole("button");
  }
  get frame() {
    return this.page.frameLocator("[data-continuo] iframe");
  }
  get field() {
    return this.frame.getByRole("textbox", { name: this.words.message, exact: true });
  }
  get log() {
    return this.frame.getByRole("region", { name: this.words.conversation });
  }

  async open() {
    await this.launcher.click();
    await this.frame.getByRole("main").waitFor();
  }
  /** From wherever the panel stands to its message field. */
  async toChat() {
    const write = this.frame.getByRole("button", { name: this.words.write });
    await this.field.or(write).first().waitFor();
    if (!(await this.field.isVisible())) await write.click();
    await this.field.waitFor();
  }
  async say(text) {
    await this.field.fill(text);
    await this.frame.getByRole("button", { name: this.words.send, exact: true }).click();
  }
  /** A bubble with exactly these words. */
  bubble(text) {
    return this.log.getByText(text, { exact: true });
  }
  /** The texts of all bubbles, top to bottom. */
  bubbles() {
    return this.log.locator(".bubble, .big").filter({ hasNot: this.page.locator(".unseen") }).allInnerTexts();
  }
}

/** The frame of the panel, for axe and for looks inside. */
export async function panelFrame(page) {
  const handle = await page.locator("[data-continuo] iframe").elementHandle();
  return handle.contentFrame();
}
