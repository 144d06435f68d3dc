import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("../../shared/tokens.css", import.meta.url), "utf8");
const block = (start: string) => {
  const from = css.indexOf("{", css.indexOf(start)) + 1;
  return css.slice(from, css.indexOf("}", from)).split("\n").map((line) => line.trim().replace(/\s*\/\*.*\*\//, "")).filter(Boolean);
};

describe("tokens", () => {
  it("the two dark lists are the same", () => {
    const system = block(":root:not([data-theme=\"light\"])");
    expect(system.length).toBeGreaterThan(30);
    expect(block('[data-theme="dark"] {')).toEqual(system);
  });
  it("dark has every colour that light has", () => {
    const names = (lines: string[]) => lines.map((line) => line.split(":")[0]);
    expect(names(block('[data-theme="dark"] {'))).toEqual(names(block('[data-theme="light"] {')));
  });
});
