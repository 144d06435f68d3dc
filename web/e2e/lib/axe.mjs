// axe over a page and all its frames. The source goes in by the debugger, so no content security policy has to give way.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Throws with everything that axe found in this state. `within` narrows it to our own part of a stranger's page. */
export async function assertAccessible(page, state, { frames = "all", within = null } = {}) {
  const findings = [];
  const chosen = frames === "all" ? page.frames() : page.frames().filter((frame) => frame !== page.mainFrame());
  for (const frame of chosen) {
    if (frame.isDetached() || frame.url() === "about:blank") continue;
    await frame.evaluate(source);
    const violations = await frame.evaluate(
      async ([tags, include]) => {
        // Each frame is looked at by itself; axe's own way into frames needs the script in each, too.
        const context = include ? { include: [include] } : document;
        const result = await window.axe.run(context, { iframes: false, resultTypes: ["violations"], runOnly: { type: "tag", values: tags } });
        return result.violations.map((violation) => ({
          id: violation.id,
          help: violation.help,
          nodes: violation.nodes.slice(0, 5).map((node) => `${node.target.join(" ")}  ${node.html.slice(0, 160)}  ${node.any[0]?.message ?? ""}`),
        }));
      },
      [TAGS, within],
    );
    for (const violation of violations) findings.push(`${violation.id} (${violation.help}) in ${frame.url()}\n      ${violation.nodes.join("\n      ")}`);
  }
  if (findings.length > 0) throw new Error(`axe on "${state}":\n    ${findings.join("\n    ")}`);
}
