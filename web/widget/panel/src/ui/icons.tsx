/** One set of line icons, 24 units. Always beside a name, or on a button that has one. */
const paths = {
  close: "M6 6l12 12M18 6 6 18",
  back: "M15 5l-7 7 7 7",
  send: "M12 19V5M5.5 11.5 12 5l6.5 6.5",
  arrow: "M5 12h14M13 6l6 6-6 6",
  attach: "M19.5 11.5 12 19a5 5 0 0 1-7.1-7.1l8-8a3.3 3.3 0 0 1 4.7 4.7l-8 8a1.7 1.7 0 0 1-2.4-2.4l7.3-7.2",
  emoji: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M8.5 14s1.2 2 3.5 2 3.5-2 3.5-2M9 9.6v.2M15 9.6v.2",
  down: "M12 5v14M5.5 12.5 12 19l6.5-6.5",
  chevron: "m6 9.5 6 6 6-6",
  clock: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M12 7.5V12l3 2",
  file: "M13.5 3.5H7a1 1 0 0 0-1 1v15a1 1 0 0 0 1 1h10a1 1 0 0 0 1-1V8zM13.5 3.5V8H18",
  again: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 4v4h-4",
  lock: "M6.5 11h11v8.5h-11zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  warn: "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.2",
  check: "m5 12.5 4.5 4.5L19 7.5",
  checks: "m2.5 12.5 4.5 4.5L16.5 7.5M12 16.5l.5.5L22 7.5",
  mail: "M3.5 6h17v12h-17zM4 6.5l8 6.5 8-6.5",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4.5 20.5c.6-3.6 3.6-5.5 7.5-5.5s6.900 1.900 7.500 5.500",
  cloud: "M3 3l18 18M7 8.200A4.500 4.500 0 0 0 7 17.500h9M10 6.200a5.500 5.500 0 0 1 7.300 4 3.800 3.800 0 0 1 2.700 5.800",
} as const;

/** `flips`: points along the reading direction. */
const flips = new Set<Name>(["back", "arrow"]);
type Name = keyof typeof paths;

export function Icon({ name, small }: { name: Name; small?: boolean }) {
  return (
    <svg viewBox="0 0 24 24" class={`icon${small ? " small" : ""}${flips.has(name) ? " flips" : ""}`} aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
