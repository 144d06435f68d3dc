/** Contrast arithmetic of WCAG 2 for the one colour that a business may choose. Used by the loader, so it stays tiny. */

export type Rgb = number[];

/** `#rrggbb`; anything else becomes the product's own brand. */
export const parse = (hex: string): Rgb => ((/^#[\da-f]{6}$/i.test(hex) ? hex : "#0b6b74").match(/[\da-f]{2}/gi) as string[]).map((part) => parseInt(part, 16));

export const css = (rgb: Rgb) => `rgb(${rgb})`;

export const luminance = (rgb: Rgb): number =>
  rgb.reduce((sum, part, at) => sum + ([0.2126, 0.7152, 0.0722][at] as number) * (part < 11 ? part / 3294 : ((part / 255 + 0.055) / 1.055) ** 2.4), 0);

/** The fill for launcher, header and own messages, and a text colour that reads on it (at least 4.5). */
export function fill(hex: string): { fill: Rgb; on: Rgb } {
  let colour = parse(hex);
  // A clearly light brand (yellow, mint) keeps its character under dark ink; every other one is darkened under white.
  if (luminance(colour) > 0.4) return { fill: colour, on: [22, 32, 43] };
  while (luminance(colour) > 0.18) colour = colour.map((part) => Math.floor(part * 0.96));
  return { fill: colour, on: [255, 255, 255] };
}
