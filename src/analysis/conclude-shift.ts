/**
 * From the numbers of two independent samples to a verdict and the sentence that gives the reason. Pure. The words mean what they mean
 * within one experiment (conclusion.ts).
 */
import { betterWhen, type Metric, metricUnit } from '../domain/metric.js';
import { type Conclusion, EQUIVALENCE_MIN_PAIRS, formatP } from './conclusion.js';
import { counted, formatDifference, formatSpan, formatValue, metricLabel } from './format.js';
import { ALPHA, type Interval } from './statistics.js';
import { smallestRuns } from './unpaired.js';

interface Medians {
  readonly metric: Metric;
  readonly a: number;
  readonly b: number;
  readonly runs: { readonly a: number; readonly b: number };
}

/** Equal or not. One run shows no repetition, so it shows no exactness either. */
export function concludeExactShift({ metric, a, b, runs }: Medians): Conclusion {
  if (Math.min(runs.a, runs.b) < 2) {
    return {
      verdict: 'not enough evidence',
      why: `${standing({ metric, a, b, runs })}, but one run cannot show that the runs repeat exactly: set repeat to 2 or more.`,
    };
  }
  const every = `in every run (${runs.a} and ${runs.b})`;
  if (a === b)
    return {
      verdict: 'no difference',
      why: `${metricLabel(metric)} is exactly ${amountOf(metric, a)} in both, ${every}.`,
    };
  return { verdict: directionOf(metric, b - a), why: `${standing({ metric, a, b, runs })}, exactly so ${every}.` };
}

interface Shift extends Medians {
  /** The Hodges-Lehmann estimate. */
  readonly difference: number;
  readonly ci: Interval | null;
  readonly margin: number;
  readonly pHolm: number;
  /** The p after Holm that so many runs could have reached at best. */
  readonly least: number;
  readonly comparisons: number;
}

/** The rules of concludeNoisy(), with runs of two sides in the place of pairs. */
export function concludeShift(shift: Shift): Conclusion {
  const { metric, difference, ci, margin, pHolm, runs } = shift;
  const unit = metricUnit(metric);
  const significant = pHolm <= ALPHA && ci !== null && (ci[0] > 0 || ci[1] < 0);
  const between = ci && `between ${formatDifference(unit, ci[0])} and ${formatDifference(unit, ci[1])} (95 %)`;
  if (significant && Math.abs(difference) > margin)
    return {
      verdict: directionOf(metric, difference),
      why: `${standing(shift)}; the difference is ${between}, p = ${formatP(pHolm)}.`,
    };
  const enough = Math.min(runs.a, runs.b) >= EQUIVALENCE_MIN_PAIRS;
  const inside = ci !== null && ci[0] >= -margin && ci[1] <= margin && enough;
  const none = `within the ±${formatSpan(unit, margin)} that count as none`;
  if (inside) return { verdict: 'no difference', why: `${standing(shift)}; the difference, ${between}, is ${none}.` };
  if (significant)
    return {
      verdict: 'no difference',
      why: `${standing(shift)}, a difference of ${formatDifference(unit, difference)}, which is ${none}.`,
    };
  return { verdict: 'not enough evidence', why: `${standing(shift)}; ${doubt(shift, between)}.` };
}

/** Sides in which a run ended without a failure: the capacity there is at least what was seen, and may be more. */
export interface Unmet {
  readonly a: boolean;
  readonly b: boolean;
}

/** Keeps a conclusion on capacity only if it also holds for values that are lower bounds. */
export function withinCapacity(unmet: Unmet, conclusion: Conclusion, medians: Medians): Conclusion {
  const holds =
    (!unmet.a && !unmet.b) ||
    (conclusion.verdict === 'better' && !unmet.a) ||
    (conclusion.verdict === 'worse' && !unmet.b);
  if (holds || conclusion.verdict === 'not enough evidence') return conclusion;
  const where = unmet.a && unmet.b ? 'in A and in B' : unmet.a ? 'in A' : 'in B';
  return {
    verdict: 'not enough evidence',
    why: `${standing(medians)}, but nothing failed ${where}, which may hold more; raise the load until something fails.`,
  };
}

function doubt({ runs, least, comparisons, pHolm }: Shift, between: string | null): string {
  if (least > ALPHA) {
    const among = comparisons > 1 ? ` when ${comparisons} arms are compared` : '';
    return `${counted(runs.a, 'run')} and ${runs.b} can tell no difference from chance${among}, however large it is: it takes ${smallestRuns(comparisons)} of each`;
  }
  return pHolm > ALPHA
    ? `chance can explain the difference, ${between}, p = ${formatP(pHolm)}`
    : `the difference, ${between}, is too uncertain to be called one`;
}

function directionOf(metric: Metric, difference: number): 'better' | 'worse' {
  return difference > 0 === (betterWhen(metric) === 'higher') ? 'better' : 'worse';
}

function standing({ metric, a, b }: Medians): string {
  return `${metricLabel(metric)} is ${amountOf(metric, a)} in A and ${formatValue(metricUnit(metric), b)} in B`;
}

function amountOf(metric: Metric, value: number): string {
  const unit = metricUnit(metric);
  return unit === 'share' ? `${formatValue(unit, value)} of attempts` : formatValue(unit, value);
}
