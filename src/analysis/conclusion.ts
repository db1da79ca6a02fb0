/**
 * From the numbers of one comparison to its verdict and the sentence that gives the reason. Pure.
 */
import { betterWhen, type Metric, type MetricUnit, metricUnit } from '../domain/metric.js';
import type { VerdictWord } from '../results/schema.js';
import { counted, formatDifference, formatSpan, formatValue, metricLabel } from './format.js';
import { ALPHA, type Interval, median, smallestPairs } from './statistics.js';

export interface Conclusion {
  readonly verdict: VerdictWord;
  readonly why: string;
}

/**
 * The least number of pairs for «no difference». The range of n differences covers their median but for 2·2^-n: below five
 * pairs each side errs with more than 5 %, however well the pairs agree.
 */
export const EQUIVALENCE_MIN_PAIRS = 5;

interface Medians {
  readonly metric: Metric;
  readonly baseline: number;
  readonly variant: number;
}

/** Equal or not. One pair shows no repetition, so it shows no exactness either. */
export function concludeExact({ metric, baseline, variant, pairs }: Medians & { readonly pairs: number }): Conclusion {
  const every = pairs === 2 ? 'both pairs' : `each of ${pairs} pairs`;
  if (pairs < 2) {
    return {
      verdict: 'not enough evidence',
      why: `${standing({ metric, baseline, variant })}, but one pair of runs cannot show that the runs repeat exactly: set repeat to 2 or more.`,
    };
  }
  if (baseline === variant)
    return {
      verdict: 'no difference',
      why: `${metricLabel(metric)} stayed at exactly ${amountOf(metric, baseline)} in ${every}.`,
    };
  const went = movement({ metric, baseline, variant, difference: variant - baseline });
  return { verdict: directionOf(metric, variant - baseline), why: `${went}, exactly the same in ${every}.` };
}

interface NoisyResult extends Medians {
  /** The estimate over pairs. */
  readonly difference: number;
  readonly differences: readonly number[];
  readonly ci: Interval | null;
  readonly margin: number;
  readonly detectable: number | null;
  readonly pHolm: number;
  readonly comparisons: number;
  readonly attainable: boolean;
}

/**
 * - better, worse: p after Holm is at most 5 %, the interval excludes 0, and the estimate exceeds the margin
 * - no difference: the interval lies within ± the margin (with at least EQUIVALENCE_MIN_PAIRS pairs), or the difference is
 *   significant and its estimate within the margin
 * - not enough evidence: everything else
 */
export function concludeNoisy(result: NoisyResult): Conclusion {
  const { metric, difference, differences, ci, margin, pHolm } = result;
  const unit = metricUnit(metric);
  const significant = pHolm <= ALPHA && ci !== null && (ci[0] > 0 || ci[1] < 0);
  if (significant && Math.abs(difference) > margin)
    return {
      verdict: directionOf(metric, difference),
      why: `${movement(result)} in ${agreement(differences, difference)}.`,
    };
  const inside = ci !== null && ci[0] >= -margin && ci[1] <= margin && differences.length >= EQUIVALENCE_MIN_PAIRS;
  if (significant || inside) return { verdict: 'no difference', why: sameness(result, unit) };
  return { verdict: 'not enough evidence', why: doubt(result, unit) };
}

function sameness({ ci, margin, ...result }: NoisyResult, unit: MetricUnit): string {
  const { metric, baseline, variant, difference, differences } = result;
  if (differences.every((each) => each === 0))
    return `${metricLabel(metric)} stayed at ${amountOf(metric, baseline)} in each of ${differences.length} pairs.`;
  const within = `within the ±${formatSpan(unit, margin)} that count as none`;
  return ci![0] < -margin || ci![1] > margin
    ? `${standing(result)}, a difference of ${formatDifference(unit, difference)}, which is ${within}.`
    : `${standing({ metric, baseline, variant })}; the difference, ${between(unit, ci!)}, is ${within}.`;
}

function doubt(result: NoisyResult, unit: MetricUnit): string {
  const { ci, differences, comparisons, attainable, detectable, pHolm } = result;
  const pairs = counted(differences.length, 'pair');
  if (!attainable) {
    const among = comparisons > 1 ? ` when ${comparisons} variants are compared` : '';
    return `${standing(result)}, but ${pairs} can tell no difference from chance${among}, however large it is: set repeat to ${smallestPairs(comparisons)} or more.`;
  }
  const found =
    detectable === null ? '' : `, and ${pairs} find a true one of ${formatSpan(unit, detectable)} 8 times out of 10`;
  const reason =
    pHolm > ALPHA
      ? `chance can explain the difference, ${between(unit, ci!)}, p = ${formatP(pHolm)}`
      : `the pairs disagree about the difference, ${between(unit, ci!)}`;
  return `${standing(result)}; ${reason}${found}.`;
}

/** Which way a run without a failure limits what may be said: its capacity is at least what was seen. */
export interface Bounds {
  readonly baseline: boolean;
  readonly variant: boolean;
}

/**
 * Keeps a conclusion only if it also holds for values that are lower bounds: a variant that never met its capacity can be better
 * but not worse, a baseline that never met it can be beaten by nothing, and two of them cannot be told apart.
 */
export function withinBounds(
  bounds: Bounds,
  conclusion: Conclusion,
  metric: Metric,
  values: { readonly name: string; readonly baseline: readonly number[]; readonly variant: readonly number[] },
): Conclusion {
  const holds =
    (!bounds.baseline && !bounds.variant) ||
    (conclusion.verdict === 'better' && !bounds.baseline) ||
    (conclusion.verdict === 'worse' && !bounds.variant);
  if (holds && bounds.variant)
    return { ...conclusion, why: conclusion.why.replace(/\.$/, '; nothing failed there, so it may hold more.') };
  if (holds || conclusion.verdict === 'not enough evidence') return conclusion;
  const least = (numbers: readonly number[]) => formatValue(metricUnit(metric), median(numbers));
  const unmet =
    bounds.baseline && bounds.variant
      ? `nothing failed in the baseline, which held ${least(values.baseline)}, nor in ${values.name}, which held ${least(values.variant)}`
      : bounds.baseline
        ? `nothing failed in the baseline, which held ${least(values.baseline)}`
        : `nothing failed in ${values.name}, which held ${least(values.variant)}`;
  return {
    verdict: 'not enough evidence',
    why: `${metricLabel(metric)} was not reached: ${unmet}, and may hold more; raise the load until something fails.`,
  };
}

function directionOf(metric: Metric, difference: number): 'better' | 'worse' {
  return difference > 0 === (betterWhen(metric) === 'higher') ? 'better' : 'worse';
}

/** `bind:EADDRINUSE fell from 50.0 % of attempts to 0 %`. */
function movement({ metric, baseline, variant, difference }: Medians & { readonly difference: number }): string {
  const [from, to] = [amountOf(metric, baseline), formatValue(metricUnit(metric), variant)];
  const label = metricLabel(metric);
  const apart = variant - baseline;
  if (apart * difference < 0 || (apart === 0 && difference !== 0))
    return `${label} differed by ${formatDifference(metricUnit(metric), difference)} within pairs (medians ${from} and ${to})`;
  return `${label} ${apart > 0 ? 'rose' : 'fell'} from ${from} to ${to}`;
}

/** The two medians without a claim: `bind:EADDRINUSE came to 43.5 % of attempts, against 50.0 % in the baseline`. */
function standing({ metric, baseline, variant }: Medians): string {
  const [before, after] = [baseline, variant].map((value) => formatValue(metricUnit(metric), value));
  const against = before === after ? 'as in the baseline' : `against ${before} in the baseline`;
  return `${metricLabel(metric)} came to ${amountOf(metric, variant)}, ${against}`;
}

function amountOf(metric: Metric, value: number): string {
  const unit = metricUnit(metric);
  return unit === 'share' ? `${formatValue(unit, value)} of attempts` : formatValue(unit, value);
}

/** `each of 6 pairs`, `9 of 10 pairs`: the pairs that moved as the estimate did. */
function agreement(differences: readonly number[], difference: number): string {
  const agreeing = differences.filter((each) => Math.sign(each) === Math.sign(difference)).length;
  return agreeing === differences.length ? `each of ${agreeing} pairs` : `${agreeing} of ${differences.length} pairs`;
}

function between(unit: MetricUnit, [low, high]: Interval): string {
  return `between ${formatDifference(unit, low)} and ${formatDifference(unit, high)} (95 %)`;
}

/** `0.031`, `< 0.001`. */
export function formatP(p: number): string {
  return p < 0.001 ? '< 0.001' : p >= 0.1 ? p.toFixed(2) : p.toFixed(3);
}
