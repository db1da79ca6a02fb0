/**
 * The t of a few pairs, whose spread is not trusted alone: two or three differences are sometimes close together by chance. Pure.
 *
 * The spread of a variant's differences is moderated (Smyth 2004, Statistical Applications in Genetics and Molecular Biology 3:3) by what
 * the other variants of the experiment show on the same metric, with fixed weights and two bounds, so that a quiet variant does not vouch for
 * a noisy one and a noisy one does not drown all others:
 *
 * - the others weigh half as much as its own pairs do (OTHERS): more buys power, and the price is paid by an arm that is noisier than all
 *   others (docs/statistics.md has its error);
 * - the moderated spread is never less than the variant's own;
 * - of the others it is the median.
 */
import { studentP, studentQuantile } from './student.js';

/** How much the spread of the others weighs, in parts of the degrees of freedom of a variant's own. */
const OTHERS = 0.5;
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
 * @param all the differences of each variant on one metric, in its unit
 * @returns in the same order; null where a variant has fewer than two
 */
export function moderate(all: readonly (readonly number[])[]): (Moderated | null)[] {
  const own = all.map((differences) => (differences.length < 2 ? null : summed(differences)));
  return own.map(
    (each, i) =>
      each &&
      moderated(
        each,
        own.flatMap((other, j) => (other && j !== i ? [other] : [])),
      ),
  );
}

type Own = Omit<Moderated, 'sd'> & { readonly variance: number };

function summed(differences: readonly number[]): Own {
  const n = differences.length;
  const mean = differences.reduce((sum, value) => sum + value, 0) / n;
  const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { n, mean, variance, df: n - 1 };
}

function moderated({ n, mean, variance, df }: Own, others: readonly Own[]): Moderated {
  const known = others.reduce((sum, other) => sum + other.df, 0);
  const extra = Math.min(OTHERS * df, known);
  const pooled = (df * variance + extra * middle(others)) / (df + extra);
  return { n, mean, sd: Math.sqrt(Math.max(variance, pooled)), df: df + extra };
}

/** The median variance, the lower of two; each for what chance makes of the median of equal ones (Wilson and Hilferty 1931). */
function middle(others: readonly Own[]): number {
  const variances = others.map(({ variance, df }) => variance / (1 - 2 / (9 * df)) ** 3).sort((a, b) => a - b);
  return variances[(variances.length - 1) >> 1] ?? 0;
}

/** The few quantiles that the looks of an experiment take; each costs some fifty steps. */
const quantiles = new Map<string, number>();

function quantileOf(level: number, df: number): number {
  const key = `${level}/${df}`;
  const known = quantiles.get(key) ?? studentQuantile(level, df);
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
  const half = (quantileOf(level, df) * Math.max(sd, least)) / Math.sqrt(n);
  return [mean - half, mean + half];
}

/** Below so many pairs a spread is too uncertain to give anything up for. */
const FUTILITY_MIN_PAIRS = 4;
/** An interval that is so many times too wide by the spread so far may still turn out narrow enough. */
const FUTILITY_SLACK = 1.5;

/**
 * Whether even the most pairs can hardly decide, by the spread so far: they would neither show a difference that is one standard error
 * larger than the present mean, nor, were there none at all, that it lies within the margin. Stopping for it makes no claim, so it costs
 * no error (Jennison and Turnbull 2000, Group Sequential Methods, §10.5: non-binding futility).
 * @param final pairs of the last look, and what it may spend: `claim` on both sides together, `equivalence` on each
 * @returns pairs that it would take to show no difference, were there none; null: there is hope
 */
export function futility(
  { n, mean, sd, df }: Moderated,
  least: number,
  margin: number,
  final: { readonly pairs: number; readonly claim: number; readonly equivalence: number },
): number | null {
  if (n < FUTILITY_MIN_PAIRS || n >= final.pairs || final.claim <= 0 || final.equivalence <= 0) return null;
  const spread = Math.max(sd, least);
  const later = (df * (final.pairs - 1)) / (n - 1);
  const half = (level: number) => (studentQuantile(level, later) * spread) / Math.sqrt(final.pairs);
  const same = half(2 * final.equivalence);
  const far = Math.abs(mean) + spread / Math.sqrt(n);
  if (same <= FUTILITY_SLACK * margin || far >= Math.max(margin, half(final.claim))) return null;
  return Math.ceil(final.pairs * (same / margin) ** 2);
}

/** The standard normal quantile of 0.8. */
const Z_POWER = 0.8416;

/**
 * The true difference that so many pairs of this spread find 8 times out of 10, by the normal approximation of the noncentral t
 * (Johnson, Kotz and Balakrishnan 1995, §31.6).
 * @param level two-sided, after all corrections
 */
export function moderatedDetectable({ n, sd, df }: Moderated, least: number, level: number): number {
  const t = quantileOf(level, df);
  const shift = t * (1 - 1 / (4 * df)) + Z_POWER * Math.sqrt(1 + (t * t) / (2 * df));
  return (shift * Math.max(sd, least)) / Math.sqrt(n);
}
