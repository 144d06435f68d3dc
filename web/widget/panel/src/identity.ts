import type { Given, Identity } from "../../shared/bridge";

/** Plain values only, as text: a page may put anything into `identify` and `set`. */
export function texts(given: Given | undefined): Record<string, string> {
  const plain = Object.entries(given ?? {}).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  return Object.fromEntries(plain.map(([key, value]) => [key, String(value)]));
}

/** Signed by `jwt`, or by `id` and `hash` together; everything else is a claim, also an `id` without a hash. */
export function identityOf(given: Given): Identity | null {
  if (!given) return null;
  const { jwt, hash, ...claimed } = texts(given);
  const id = hash ? claimed["id"] : undefined;
  if (id) delete claimed["id"];
  return { ...(jwt ? { jwt } : {}), ...(id && hash ? { id, hash } : {}), claimed };
}

export const emailLooksRight = (address: string) => /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(address.trim());
