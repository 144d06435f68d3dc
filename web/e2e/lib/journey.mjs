// What every browser journey starts with: a server that is set up, a browser, and both gone afterwards. When a journey
// fails, pictures of all pages are in shots/.
import { after, before, test } from "node:test";
import { removeFolder, startContinuo } from "./binary.mjs";
import { openBrowser } from "./browser.mjs";
import { firstRun, liftRates } from "./client.mjs";

/** With `chain`, each step stands on the one before: after a failure the rest is skipped instead of failing slowly. */
export function journeys(options = {}) {
  /** @type {any} */
  const world = { closers: [] };
  before(async () => {
    world.server = await startContinuo();
    if (options.setUp !== false) {
      Object.assign(world, await firstRun(world.server, options));
      await liftRates(world.owner, world.inbox);
      // The three marks of a first visit are the first run's own journey.
      await world.owner.patch("/workspace", { checklist_done: ["setup", "coach"] });
    }
    world.chrome = await openBrowser();
  });
  after(async () => {
    for (const close of world.closers.reverse()) await close();
    await world.chrome?.close();
    await world.server?.stop();
    if (world.server) removeFolder(world.server.folder);
  });
  /** A step of the journey; its pages must stay quiet. */
  world.step = (name, run, more = {}) =>
    test(name, { timeout: 120_000, ...more }, async (t) => {
      if (options.chain && world.failed) return t.skip(`"${world.failed}" failed before it`);
      const said = world.server.errors.length;
      try {
        await run(t);
        world.chrome.assertQuiet();
      } catch (error) {
        world.failed ??= name;
        await world.chrome.shootAll(name.replace(/[^a-z0-9]+/gi, "-").slice(0, 60));
        world.chrome.complaints.splice(0).forEach(({ where, text }) => console.log(`  browser: ${where}: ${text}`));
        console.log(world.server.errors.slice(said).slice(-3_000));
        throw error;
      }
    });
  return world;
}
