/** Contrast arithmetic of WCAG 2 for the one colour that a business may choose. Used by the loader, so it stays tiny. */

export type Rgb = [number, number, number];

/** `#rgb` or `#rrggbb`; anything else becomes the product's own brand. */
export function parse(hex: string): Rgb {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(hex);
  const digits = short ? short.slice(1).map((d) => d + d).join("") : /^#[0-9a-f]{6}$/i.test(hex) ? hex.slice(1) : "0b6b74";
  return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16)) as Rgb;
}

export const css = (rgb: Rgb) => `rgb(${rgb.map(Math.round).join(" ")})`;

/** `share` of b in a. */
export const mix = (a: Rgb, b: Rgb, share: number) => a.map((part, i) => part + ((b[i] as number) - part) * share) as Rgb;

function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((part) => {
    const c = part / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: Rgb, b: Rgb): number {
  const x = luminance(a);
  const y = luminance(b);
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/** Moves `colour` towards `goal` in small steps until it stands out from `ground` by `least`. */
export function until(colour: Rgb, ground: Rgb, goal: Rgb, least: number): Rgb {
  for (let share = 0; share <= 1; share += 0.04) {
    const moved = mix(colour, goal, share).map(Math.round) as Rgb;
    if (contrast(moved, ground) >= least) return moved;
  }
  return goal;
}

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
const INK: Rgb = [22, 32, 43];

/** The fill for launcher, header and own messages, and a text colour that reads on it (at least 4.5). */
export function fill(hex: string): { fill: Rgb; on: Rgb } {
  const colour = parse(hex);
  // A clearly light brand (yellow, mint) keeps its character under dark text; every other one is darkened under white.
  if (contrast(colour, INK) >= 7) return { fill: colour, on: INK };
  return { fill: until(colour, WHITE, BLACK, 4.5), on: WHITE };
}
