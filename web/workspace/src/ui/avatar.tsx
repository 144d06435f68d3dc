import { cx } from "./cx";

export function initials(name: string): string {
  const parts = name.trim().split(/\s+/).filter(Boolean);
  return ((parts[0]?.[0] ?? "") + (parts.length > 1 ? (parts.at(-1)?.[0] ?? "") : "")).toUpperCase();
}

const tones = ["webchat", "email", "sms", "whatsapp", "voice", "instagram", "messenger", "viber"];

/** Initials on a quiet tint that stays the same for the same person. */
export function Avatar({ name, size = 32, className, solid }: { name: string; size?: number; className?: string; solid?: boolean }) {
  let n = 0;
  for (const c of name) n = (n * 31 + (c.codePointAt(0) ?? 0)) >>> 0;
  return (
    <span aria-hidden data-initials={initials(name)} data-channel={tones[n % tones.length]} className={cx("before:content-[attr(data-initials)] tone-tile inline-flex shrink-0 select-none items-center justify-center rounded-full font-semibold", solid && "ring-2 ring-surface", className)} style={{ width: size, height: size, fontSize: Math.max(9, Math.round(size * 0.38)) }} />
  );
}
