// Chromium, and what every page of ours is held to: no script error, no refused resource, no console error.
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const SHOTS = join(dirname(fileURLToPath(import.meta.url)), "../shots");

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--font-render-hinting=none",
  // The driver switches off storage partitioning, which every visitor's browser has: without it a frame from another site
  // may not keep anything at all. The last switch of a name counts, so this one takes its list's place.
  "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,MediaRouter,PaintHolding,OptimizationHints,NetworkTimeServiceQuerying,PreconnectToSearch",
];

function chromePath() {
  const places = [process.env.CHROME_PATH, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = places.find((place) => place && existsSync(place));
  if (!found) throw new Error("No Chromium found: run scripts/install-test-deps.sh, or name one in CHROME_PATH.");
  return found;
}

export async function openBrowser() {
  const browser = await chromium.launch({ executablePath: chromePath(), args: FLAGS, headless: true });
  /** @type {{ where: string, text: string }[]} */
  const complaints = [];
  const contexts = [];
  return {
    browser,
    complaints,
    /** A person with a browser of their own: cookies and storage apart from everybody else's. */
    async person(name, options = {}) {
      const { dark = false, phone = false, locale = "en-GB", tolerate = [], ...rest } = options;
      const context = await browser.newContext({
        locale,
        colorScheme: dark ? "dark" : "light",
        reducedMotion: "reduce",
        viewport: phone ? { width: 390, height: 844 } : { width: 1440, height: 900 },
        hasTouch: phone,
        timezoneId: "Europe/Berlin",
        ...rest,
      });
      context.setDefaultTimeout(15_000);
      contexts.push(context);
      context.on("page", (page) => watch(page, name, tolerate));
      const page = await context.newPage();
      return { context, page };
    },
    /** Pages that complained, in one assertion message. `tolerate` on a person takes known ones out. */
    assertQuiet() {
      const list = complaints.splice(0).map(({ where, text }) => `  ${where}: ${text}`);
      if (list.length > 0) throw new Error(`the browser complained:\n${list.join("\n")}`);
    },
    async shot(page, name) {
      mkdirSync(SHOTS, { recursive: true });
      await page.screenshot({ path: join(SHOTS, `${name}.png`) });
    },
    /** Pictures of all pages, for a journey that failed. */
    async shootAll(name) {
      mkdirSync(SHOTS, { recursive: true });
      let number = 0;
      for (const context of contexts) {
        for (const page of context.pages()) {
          number += 1;
          await page.screenshot({ path: join(SHOTS, `failed-${name}-${number}.png`), timeout: 5_000 }).catch(() => {});
        }
      }
    },
    async close() {
      await browser.close();
    },
  };

  function watch(page, name, tolerate) {
    const note = (text) => {
      if (!tolerate.some((pattern) => pattern.test(text))) complaints.push({ where: `${name} at ${page.url()}`, text });
    };
    page.on("pageerror", (error) => note(`script error: ${error.message}`));
    page.on("console", (message) => message.type() === "error" && note(`console: ${message.text()} (${message.location().url})`));
    // The console does not name the address of a failed fetch.
    page.on("response", (response) => response.status() >= 500 && note(`${response.request().method()} ${response.url()} answered ${response.status()}`));
    page.on("crash", () => note("the page crashed"));
    page.on("dialog", (dialog) => {
      note(`opened a dialog: ${dialog.message()}`);
      dialog.dismiss().catch(() => {});
    });
  }
}
