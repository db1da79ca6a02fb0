/**
 * Seeded random numbers: the order of runs, Poisson arrivals, random address picks and the bootstrap all repeat exactly from
 * the experiment's seed. Pure; never `Math.random()`.
 */

/** Returns the next number in [0, 1), with 32 random bits. */
export type Random = () => number;

/**
 * A generator for one purpose: equal (seed, stream) give equal sequences, different streams are independent.
 * sfc32 (Chris Doty-Humphrey, PractRand), seeded through FNV-1a and 12 discarded rounds.
 * @param seed any 32-bit number
 * @param stream what the numbers are for, as `poisson/3`
 */
export function randomStream(seed: number, stream: string): Random {
  let a = fnv1a(stream, 0x811c9dc5);
  let b = fnv1a(stream, a ^ 0x9e3779b9);
  let c = seed | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 4294967296;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** Fisher–Yates. Returns a new array. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

function fnv1a(text: string, basis: number): number {
  let hash = basis;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}
