// The workspace's own catalogue of texts, so that journeys find buttons by the words that people read, and a changed
// wording is no broken test.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

const workspace = join(dirname(fileURLToPath(import.meta.url)), "../../workspace");

export async function loadWords() {
  const vite = await createServer({
    root: workspace,
    configFile: false,
    logLevel: "silent",
    appType: "custom",
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true, include: [] },
  });
  try {
    return (await vite.ssrLoadModule("/src/text/index.ts")).t;
  } finally {
    await vite.close();
  }
}
