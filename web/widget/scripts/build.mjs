// Builds dist/loader.js (one classic script), dist/panel.html and dist/assets/*. Run by `npm run build -w widget`.
import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = fileURLToPath(new URL("..", import.meta.url));
const dist = `${here}dist`;
const target = ["chrome100", "firefox100", "safari16.4"];
const common = { configFile: false, logLevel: "warn", publicDir: false, envDir: false };

await rm(dist, { recursive: true, force: true });
await build({
  ...common,
  root: `${here}panel`,
  base: "/w/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target,
    outDir: dist,
    emptyOutDir: false,
    assetsDir: "assets",
    modulePreload: { polyfill: false },
    rolldownOptions: { input: `${here}panel/panel.html` },
  },
});
await build({
  ...common,
  root: `${here}loader`,
  build: {
    target,
    outDir: dist,
    emptyOutDir: false,
    minify: "oxc",
    lib: { entry: `${here}loader/loader.ts`, formats: ["iife"], name: "unused", fileName: () => "loader.js" },
  },
});

// A free name until now, so that no minifier could fold the placeholder into something else.
const code = (await readFile(`${dist}/loader.js`, "utf8")).trim();
const parts = code.split("CONTINUO_CONFIG");
if (parts.length !== 2) throw new Error(`the loader must use its config exactly once, found ${parts.length - 1}`);
await writeFile(`${dist}/loader.js`, `${parts.join('"__CONTINUO_CONFIG__"')}\n`);
