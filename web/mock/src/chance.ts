/** A seeded source of chance: the same world on every start. */
export function chance(seed: number) {
  let a = seed >>> 0;
  const next = () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    next,
    below: (n: number) => Math.floor(next() * n),
    pick: <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T,
    yes: (p: number) => next() < p,
  };
}
export type Chance = ReturnType<typeof chance>;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
/** Ids as the server makes them: 13 characters, ordered by time. */
export function makeId(prefix: string, atMs: number, n: number): string {
  let value = (BigInt(Math.floor(atMs) - 1577836800000) << 21n) + BigInt(n & 0x1fffff);
  let out = "";
  for (let i = 0; i < 13; i++) {
    out = ALPHABET[Number(value & 31n)] + out;
    value >>= 5n;
  }
  return `${prefix}_${out}`;
}
