// Builds dist/loader.js (one classic script), dist/panel.html and dist/assets/*. Run by `npm run build -w widget`.
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = fileURLToPath(new URL("..", import.meta.url));
// Built beside and put in place in one step: a server or a test that reads dist/ meanwhile finds the old files or the new ones.
const dist = `${here}.dist-${process.pid}`;
const target = ["chrome105", "firefox115", "safari16.4"];
const common = { configFile: false, logLevel: "warn", publicDir: false, envDir: false };

/** Chunks of one folder, each a single request: the helper that would preload their styles and imports is a kilobyte for nothing. */
const plainImports = {
  name: "plain-imports",
  enforce: "pre",
  load: { filter: { id: /vite\/preload-helper/ }, handler: () => "export const __vitePreload = (load) => load();" },
};

/** The shared tokens, without those that no file of the panel names (channel colours, table sizes and the like). */
const onlyUsedTokens = {
  name: "only-used-tokens",
  enforce: "pre",
  async transform(code, id) {
    if (!id.endsWith("shared/tokens.css")) return undefined;
    const needed = await sources(`${here}panel/src`);
    let kept = code;
    for (let before = ""; before !== kept; ) {
      before = kept;
      const text = needed + kept;
      kept = kept.replace(/--([\w-]+):[^;]+;/g, (all, name) => (text.includes(`var(--${name})`) ? all : ""));
    }
    return { code: kept, map: null };
  },
};
async function sources(folder) {
  const names = await readdir(folder, { recursive: true });
  const files = names.filter((name) => /\.(css|tsx?)$/.test(name));
  return (await Promise.all(files.map((name) => readFile(`${folder}/${name}`, "utf8")))).join("\n");
}

await build({
  ...common,
  root: `${here}panel`,
  base: "/w/",
  plugins: [plainImports, onlyUsedTokens],
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

await rm(`${here}dist`, { recursive: true, force: true });
await rename(dist, `${here}dist`);
