/** The business's colour and radius, made readable on our surfaces, as CSS variables. */
import { css, fill, luminance, parse, type Rgb } from "../../shared/colour";

/** `share` of b in a. */
const mix = (a: Rgb, b: Rgb, share: number): Rgb => a.map((part, at) => Math.round(part + ((b[at] ?? 0) - part) * share));

export function contrast(a: Rgb, b: Rgb): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** Moves `colour` towards `goal` in small steps until it stands out from `ground` by 4.5. */
function until(colour: Rgb, ground: Rgb, goal: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.04) {
    const moved = mix(colour, goal, share);
    if (contrast(moved, ground) >= 4.5) return moved;
  }
  return goal;
}

const LIGHT = { surface: [255, 255, 255], well: [235, 237, 240], goal: [0, 0, 0], tint: 0.1 };
const DARK = { surface: [30, 40, 50], well: [42, 53, 64], goal: [255, 255, 255], tint: 0.18 };

export function brand(colour: string, dark: boolean): Record<string, string> {
  const { surface, well, goal, tint } = dark ? DARK : LIGHT;
  const base = fill(colour);
  const ground = mix(surface, parse(colour), tint);
  return {
    "--fill": css(base.fill),
    "--on-fill": css(base.on),
    // For words, icons and focus; measured on its own tint and on the other side's messages, the hardest grounds there are.
    "--accent": css(until(until(parse(colour), ground, goal), well, goal)),
    "--accent-tint": css(ground),
    "--well": css(well),
  };
}

export function applyTheme(config: { colour: string; radius: number }, theme: string) {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  if (theme === "light" || theme === "dark") root.dataset["theme"] = theme;
  const radius = Math.max(0, Math.min(24, config.radius));
  root.style.setProperty("--r-bubble", `${Math.min(radius, 14)}px`);
  root.style.setProperty("--r-card", `${Math.min(radius, 12)}px`);
  root.style.setProperty("--r-control", `${Math.min(radius, 8)}px`);
  const paint = () => {
    const vars = brand(config.colour, theme === "dark" || (theme !== "light" && system.matches));
    for (const name in vars) root.style.setProperty(name, vars[name] as string);
  };
  paint();
  system.addEventListener("change", paint);
}
