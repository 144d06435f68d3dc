// Builds dist/loader.js (one classic script), dist/panel.html and dist/assets/*. Run by `npm run build -w widget`.
import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = fileURLToPath(new URL("..", import.meta.url));
const dist = `${here}dist`;
const target = ["chrome100", "firefox100", "safari15.4"];
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

// The config comes in as an argument, so that no minifier can fold the placeholder into something else.
const code = (await readFile(`${dist}/loader.js`, "utf8")).trim().replace(/^var unused\s*=\s*/, "").replace(/;$/, "");
await writeFile(`${dist}/loader.js`, `(function(CONTINUO_CONFIG){${code}})("__CONTINUO_CONFIG__");\n`);
