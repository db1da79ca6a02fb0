/**
 * The t of a few pairs, whose spread is not trusted alone: two or three differences are sometimes close together by chance. Pure.
 *
 * The spread of a variant's differences is moderated (Smyth 2004, Statistical Applications in Genetics and Molecular Biology 3:3) by what
 * the other variants of the experiment show on the same metric, with fixed weights and three bounds, so that a quiet variant does not
 * vouch for a noisy one and a noisy one does not drown a quiet one:
 *
 * - the others weigh half as much as its own pairs do (OTHERS): more buys power, and the price is paid by an arm that is noisier than all
 *   others (docs/statistics.md has both tables);
 * - it is never less than the variant's own;
 * - another's counts for no more than chance would make of equal spreads (95 % of Fisher's F).
 */
import { fisherQuantile, studentP, studentQuantile } from './student.js';

/** How much the spread of the others weighs, in parts of the degrees of freedom of a variant's own. */
const OTHERS = 0.5;
/** Beyond this quantile two spreads are not taken to be equal. */
const EQUAL_SPREADS = 0.95;

/** The differences of one variant, summed up. */
export interface Moderated {
  readonly n: number;
  readonly mean: number;
  /** The moderated standard deviation of a difference; 0 where all are equal. */
  readonly sd: number;
  /** Degrees of freedom of `sd`. */
  readonly df: number;
}

/**
 * Each variant's mean difference and moderated spread.
 * @param all the differences of each variant on one metric, in its unit, and the least spread of them that is believed
 * @returns in the same order; null where a variant has fewer than two
 */
export function moderate(
  all: readonly { readonly differences: readonly number[]; readonly least: number }[],
): (Moderated | null)[] {
  const own = all.map(({ differences }) => (differences.length < 2 ? null : summed(differences)));
  return own.map((each, i) => {
    const others = own.flatMap((other, j) => (other && j !== i ? [other] : []));
    return each && moderated(each, others, all[i]!.least);
  });
}

type Own = Omit<Moderated, 'sd'> & { readonly variance: number };

function summed(differences: readonly number[]): Own {
  const n = differences.length;
  const mean = differences.reduce((sum, value) => sum + value, 0) / n;
  const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { n, mean, variance, df: n - 1 };
}

function moderated({ n, mean, variance, df }: Own, others: readonly Own[], least: number): Moderated {
  const known = others.reduce((sum, other) => sum + other.df, 0);
  const extra = Math.min(OTHERS * df, known);
  // Differences that are all equal would else cap the others at nothing.
  const believed = Math.max(variance, least ** 2);
  const capped = (other: Own) => Math.min(other.variance, believed * equalSpreads(other.df, df));
  const theirs = others.reduce((sum, other) => sum + other.df * capped(other), 0) / Math.max(known, 1);
  const pooled = (df * variance + extra * theirs) / (df + extra);
  return { n, mean, sd: Math.sqrt(Math.max(variance, pooled)), df: df + extra };
}

const quantiles = new Map<string, number>();

function equalSpreads(above: number, below: number): number {
  const key = `${above}/${below}`;
  const known = quantiles.get(key) ?? fisherQuantile(EQUAL_SPREADS, above, below);
  quantiles.set(key, known);
  return known;
}

/** The two-sided p of the mean difference. @param least the least spread of a difference that is believed, in its unit */
export function moderatedP({ n, mean, sd, df }: Moderated, least: number): number {
  const spread = Math.max(sd, least);
  if (mean === 0 || spread === 0) return mean === 0 ? 1 : 0;
  return studentP((mean / spread) * Math.sqrt(n), df);
}

/** The interval of the mean difference. @param level the chance that it misses, both sides together */
export function moderatedInterval({ n, mean, sd, df }: Moderated, least: number, level: number): [number, number] {
  const half = (studentQuantile(level, df) * Math.max(sd, least)) / Math.sqrt(n);
  return [mean - half, mean + half];
}

/** The standard normal quantile of 0.8. */
const Z_POWER = 0.8416;

/**
 * The true difference that so many pairs of this spread find 8 times out of 10, by the normal approximation of the noncentral t
 * (Johnson, Kotz and Balakrishnan 1995, §31.6).
 * @param level two-sided, after all corrections
 */
export function moderatedDetectable({ n, sd, df }: Moderated, least: number, level: number): number {
  const t = studentQuantile(level, df);
  const shift = t * (1 - 1 / (4 * df)) + Z_POWER * Math.sqrt(1 + (t * t) / (2 * df));
  return (shift * Math.max(sd, least)) / Math.sqrt(n);
}
