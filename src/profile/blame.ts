/**
 * Where a problem of several keys belongs: to the variant's own key when it has one, else to the baseline's, and said once.
 */
import type { Finding, Path } from './problem.js';
import type { ProfileInput } from './schema.js';

/** Report a problem at the first of `places` (paths inside of the arm) that the arm itself names. */
export type Report = (message: string, ...places: [Path, ...Path[]]) => void;

/**
 * A reporter for one arm. A variant inherits the baseline's problems with its keys: these land on the same path with the same
 * words, and are dropped.
 * @param findings appended to
 * @param variant the index in `variants`, or null for the baseline
 */
export function reporterFor(findings: Finding[], input: ProfileInput, variant: number | null): Report {
  return (message, ...places) => {
    const own = variant === null ? undefined : places.find((place) => has(input.variants[variant], place));
    const path = own ? ['variants', variant!, ...own] : inBaseline(input, places);
    if (findings.some((known) => known.message === message && samePath(known.path, path))) return;
    findings.push({ path, message });
  };
}

function inBaseline(input: ProfileInput, places: [Path, ...Path[]]): Path {
  const place = places.find((candidate) => has(input, candidate)) ?? places[0];
  const short = typeof input.addresses === 'string' && place[0] === 'addresses';
  return short ? ['addresses'] : place;
}

function has(value: unknown, path: Path): boolean {
  let inner: unknown = value;
  for (const part of path) {
    if (typeof inner !== 'object' || inner === null) return false;
    inner = (inner as Record<string | number, unknown>)[part];
  }
  return inner !== undefined;
}

function samePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((part, i) => part === b[i]);
}
