/**
 * What the kinds of attack have in common that `npm run fuzz` and the tests make: each takes how many and a seed, which makes the same
 * attacks again as far as time has no say in them, and says how far it is.
 */

export interface Attacked {
  /** Attacks that were made; those in which the dice found nothing to attack do not count. */
  readonly tried: number;
  /** What did not hold: a sentence each, with what makes it again. */
  readonly failures: readonly string[];
  /** What was tried, in numbers, for the table of docs/reliability.md. */
  readonly detail: string;
}

/** Counts by name, in words: `12 netns, 3 vm`. */
export function tally(names: Iterable<string>): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${count.toLocaleString('en')} ${name}`).join(', ');
}
