/** The built widget in real Chromium against the mock server: what only a browser can show. */
import { chromium, type Browser, type BrowserContext, type FrameLocator, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createMock } from "../dev/mock.mjs";

type Mock = Awaited<ReturnType<typeof createMock>>;
let browser: Browser;
let mock: Mock;
let context: BrowserContext;
let page: Page;
let panel: FrameLocator;
let requests: string[];
let troubles: string[];
let count = 0;

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });
  mock = await createMock();
}, 60_000);
afterAll(async () => {
  await browser.close();
  await mock.close();
});
beforeEach(async () => {
  context = await browser.newContext({ locale: "en", reducedMotion: "reduce" });
  page = await context.newPage();
  requests = [];
  troubles = [];
  page.on("request", (request) => requests.push(new URL(request.url()).pathname));
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("console", (message) => /Content Security Policy|Refused to/.test(message.text()) && troubles.push(message.text()));
  panel = page.frameLocator("[data-continuo] iframe");
});
afterEach(async () => {
  expect(troubles).toEqual([]);
  await context.close();
});

const launcher = () => page.locator("[data-continuo] button");
const own = () => `demo-t${(count += 1)}`;
async function visit(site: string, query = "") {
  await page.goto(`${mock.url}/?site=${site}${query}`);
  await launcher().waitFor();
}
async function toChat(site: string) {
  await visit(site);
  await launcher().click();
  await panel.locator(".go").click();
  await panel.locator("textarea").waitFor();
}
async function write(text: string) {
  await panel.locator("textarea").fill(text);
  await panel.locator("textarea").press("Enter");
}
const sent = () => panel.locator(".mark", { hasText: /^Sent$/ }).last().waitFor();
const call = (...args: unknown[]) => page.evaluate((given) => (window as unknown as { continuo: (...given: unknown[]) => void }).continuo(...given), args);
const log = (site: string) => [...mock.site(site).visitors.values()].flatMap((visitor: { log: { text: string }[] }) => visitor.log.map((item) => item.text));

describe("loader", () => {
  it("fetches nothing but itself before the click and shifts nothing", async () => {
    const site = own();
    await page.clock.install();
    await visit(site);
    await page.clock.fastForward(60_000);
    expect(requests).toEqual(["/", `/w/${site}.js`]);
    const globals = await page.evaluate(() => Object.keys(window).filter((name) => /continuo/i.test(name)));
    expect(globals).toEqual(["continuo"]);
    const shift = await page.evaluate(
      () => new Promise((done) => new PerformanceObserver((list) => done(list.getEntries().length)).observe({ type: "layout-shift", buffered: true }) ?? setTimeout(() => done(0), 300)),
    );
    expect(shift).toBe(0);
  });
  it("answers calls that were made before it came", async () => {
    const site = own();
    await page.addInitScript(() => {
      const early = ((...args: unknown[]) => void (early.q = early.q || []).push(args)) as ((...args: unknown[]) => void) & { q?: unknown[][] };
      (window as unknown as { continuo: typeof early }).continuo = early;
      early("set", { plan: "pro" });
      early("open");
    });
    await visit(site);
    await panel.locator(".hero").waitFor();
    expect(await launcher().getAttribute("aria-expanded")).toBe("true");
  });
  it("opens by key, closes by Escape inside, and gives the focus back", async () => {
    await visit(own());
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await panel.locator("h1:focus").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter"); // "Write to us"
    await panel.locator("textarea:focus").waitFor();
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.querySelector("[data-continuo]")?.shadowRoot?.activeElement?.tagName === "BUTTON");
    expect(await launcher().getAttribute("aria-expanded")).toBe("false");
  });
  it("stays open in its tab over a page change, without taking the focus", async () => {
    const site = own();
    await visit(site);
    await launcher().click();
    await panel.locator(".hero").waitFor();
    await page.reload();
    await panel.locator(".hero").waitFor();
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("BODY");
    const other = await context.newPage();
    await other.goto(`${mock.url}/?site=${site}`);
    expect(await other.locator("[data-continuo] button").getAttribute("aria-expanded")).toBe("false");
  });
  it("obeys hide, show, toggle, on, off, locale and destroy", async () => {
    await visit(own());
    await call("hide");
    expect(await launcher().isVisible()).toBe(false);
    await call("show");
    expect(await launcher().isVisible()).toBe(true);
    await page.evaluate(() => {
      const all: string[] = ((window as unknown as { seen: string[] }).seen = []);
      const api = (window as unknown as { continuo: (...given: unknown[]) => void }).continuo;
      const onOpen = () => all.push("open");
      api("on", "open", onOpen);
      api("on", "close", () => all.push("close"));
      api("toggle");
      api("toggle");
      api("off", "open", onOpen);
      api("toggle");
    });
    expect(await page.evaluate(() => (window as unknown as { seen: string[] }).seen)).toEqual(["open", "close"]);
    await panel.locator(".hero").waitFor();
    await call("locale", "ar");
    await panel.getByText("راسلنا").waitFor();
    expect(await panel.locator("html").getAttribute("dir")).toBe("rtl");
    const left = await launcher().evaluate((button) => button.getBoundingClientRect().left);
    expect(left).toBeLessThan(40); // the end of a right-to-left line
    await call("destroy");
    expect(await page.locator("[data-continuo]").count()).toBe(0);
    expect(await page.evaluate(() => "continuo" in window)).toBe(false);
  });
  it("believes only its own panel", async () => {
    const site = own();
    await visit(site);
    await launcher().click();
    await panel.locator(".hero").waitFor();
    await page.evaluate((name) => window.postMessage({ continuo: name, kind: "state", unread: 7, news: "7", known: true }, "*"), site);
    await page.evaluate((name) => window.postMessage({ continuo: name, kind: "close" }, "*"), site);
    await page.evaluate(() => new Promise((done) => (addEventListener("message", done, { once: true }), window.postMessage("after them", "*"))));
    expect(await page.locator("[data-continuo] .b").textContent()).toBe("");
    expect(await launcher().getAttribute("aria-expanded")).toBe("true");
  });
  it("fills a phone and leaves room for nothing else", async () => {
    await page.setViewportSize({ width: 390, height: 700 });
    await visit(own());
    await launcher().click();
    await panel.locator(".hero").waitFor();
    const box = await page.locator("[data-continuo] iframe").boundingBox();
    expect(box).toEqual({ x: 0, y: 0, width: 390, height: 700 });
    expect(await launcher().isVisible()).toBe(false);
    const wide = await panel.locator("html").evaluate((html) => html.scrollWidth);
    expect(wide).toBeLessThanOrEqual(390);
  });
});

describe("panel", () => {
  it("asks the server only when the visitor begins to write", async () => {
    const site = own();
    await toChat(site);
    expect(requests.filter((path) => path.endsWith("/visitors"))).toEqual([]);
    await panel.locator("textarea").fill("H");
    await page.waitForResponse((response) => response.url().endsWith("/visitors"));
  });
  it("sends, shows the mark, and shows text as text", async () => {
    const site = own();
    await toChat(site);
    const nasty = `<img src=x onerror="parent.hit=1"><script>hit=1</script> '; DROP TABLE entry;-- https://a.example/?q="><b>`;
    await write(nasty);
    await sent();
    mock.site(site).say(nasty);
    await panel.locator(".theirs .bubble").waitFor();
    expect(await panel.locator(".mine .bubble").textContent()).toBe(nasty);
    expect(await panel.locator(".theirs .bubble").textContent()).toBe(nasty);
    expect(await panel.locator(".bubble img, .bubble script, .bubble b").count()).toBe(0);
    expect(await panel.locator(".theirs .bubble a").getAttribute("href")).toBe("https://a.example/?q=");
    expect(log(site)).toEqual([nasty, nasty]);
  });
  it("keeps draft and unsent messages over a reload, and sends each once", async () => {
    const site = own();
    await toChat(site);
    await write("Before.");
    await sent();
    mock.site(site).dropSockets = true;
    await page.route("**/frames", (route) => route.abort());
    await page.route("**/events*", (route) => route.abort());
    mock.cut();
    await write("In the tunnel.");
    await write("Still in it.");
    await panel.locator("textarea").fill("Half a sent");
    await page.reload();
    await panel.locator("textarea").waitFor();
    expect(await panel.locator("textarea").inputValue()).toBe("Half a sent");
    await panel.getByText("Still in it.").waitFor();
    mock.site(site).dropSockets = false;
    await page.unroute("**/frames");
    await page.unroute("**/events*");
    await page.evaluate(() => window.dispatchEvent(new Event("online")));
    for (const frame of page.frames()) await frame.evaluate(() => window.dispatchEvent(new Event("online")));
    await sent();
    await expect.poll(() => log(site)).toEqual(["Before.", "In the tunnel.", "Still in it."]);
    expect(await panel.locator(".mine .bubble").allTextContents()).toEqual(["Before.", "In the tunnel.", "Still in it."]);
  });
  it("goes on over events and POST when the socket is blocked", async () => {
    const site = own();
    mock.site(site).dropSockets = true;
    await toChat(site);
    await write("No socket here.");
    await sent();
    expect(requests.some((path) => path.endsWith("/events"))).toBe(true);
    mock.site(site).say("It works all the same.");
    await panel.getByText("It works all the same.").first().waitFor();
  });
  it("loses and doubles nothing over twenty cuts", async () => {
    const site = own();
    await toChat(site);
    const all: string[] = [];
    for (let n = 0; n < 20; n += 1) {
      await write(`mine ${n}`);
      all.push(`mine ${n}`);
      mock.cut();
    }
    await sent();
    for (let n = 0; n < 20; n += 1) {
      mock.site(site).say(`theirs ${n}`);
      all.push(`theirs ${n}`);
      if (n % 4 === 3) mock.cut();
    }
    await panel.locator(".theirs .bubble", { hasText: "theirs 19" }).waitFor({ timeout: 20_000 });
    expect(log(site)).toEqual(all);
    expect(await panel.locator(".bubble").allTextContents()).toEqual(all);
  }, 60_000);
  it("counts on the launcher while closed, and a returning visitor gets badge and history", async () => {
    const site = own();
    await toChat(site);
    await write("Hello");
    await sent();
    await panel.locator(".close").click();
    mock.site(site).say("Are you there?");
    await page.locator("[data-continuo] .b", { hasText: "1" }).waitFor();
    expect(await launcher().getAttribute("aria-label")).toContain("1 new message");
    for (const visitor of mock.site(site).visitors.values()) visitor.unread = 2;
    await page.reload();
    await page.locator("[data-continuo] .b", { hasText: "2" }).waitFor();
    await launcher().click();
    await panel.getByText("Are you there?").first().waitFor();
    await page.waitForFunction(() => document.querySelector("[data-continuo]")?.shadowRoot?.querySelector(".b")?.textContent === "");
  });
  it("starts anew when it is somebody else", async () => {
    const site = own();
    await toChat(site);
    await write("Mine alone");
    await sent();
    await panel.locator(".bar .bare").first().click();
    await panel.getByRole("button", { name: "Not you? Start new" }).click();
    await panel.getByRole("button", { name: "Start new", exact: true }).click();
    await panel.getByText("Write to us").waitFor();
    expect(await page.frames().at(-1)?.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("continuo:")).map((key) => key.split(":")[2]))).not.toContain("token");
    await panel.locator(".go").click();
    expect(await panel.locator(".bubble").count()).toBe(0);
  });
  it("uploads, shows a picture, and can be used by keys alone", async () => {
    const site = own();
    await toChat(site);
    await panel.locator("input[type=file]").setInputFiles([{ name: "leaf.png", mimeType: "image/png", buffer: Buffer.from("89504e470d0a1a0a", "hex") }]);
    await panel.locator(".up.done").waitFor();
    await panel.locator("textarea").press("Enter");
    await panel.locator(".picture img").waitFor();
    await panel.locator("textarea").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter"); // emoji
    await panel.locator(".emoji button:focus").waitFor();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await panel.locator("textarea:focus").waitFor();
    expect(await panel.locator("textarea").inputValue()).toMatch(/^\p{Extended_Pictographic}$/u);
  });
});
