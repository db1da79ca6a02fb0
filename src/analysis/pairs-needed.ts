/**
 * How many pairs a design takes before the runs can decide anything, whatever they say. Pure.
 */
import { parseMetric } from '../domain/metric.js';
import { firstClaim } from './looks.js';
import { smallestPairs } from './statistics.js';

/** Equal counts of two runs show that the runs repeat exactly; one shows nothing. */
const EXACT_PAIRS = 2;

/** What a metric takes. */
export interface Needed {
  readonly metric: string;
  /** Variants that vary from run to run by this metric: the family of Holm. */
  readonly noisy: number;
  /** The least pairs with which each variant can be called better or worse. */
  readonly pairs: number;
}

/**
 * What each metric takes.
 * @param exact for each variant whether its counts and the baseline's are declared to be the same in every run
 * @param repeat the most pairs of an experiment that is looked at as it grows; null: it is judged once, at its end, by the sign-flip test
 */
export function pairsNeeded(metrics: readonly string[], exact: readonly boolean[], repeat: number | null): Needed[] {
  if (exact.length === 0) return [];
  return metrics.map((name) => {
    const metric = parseMetric(name);
    const noisy = exact.filter((same) => !(same && metric.exact)).length;
    const least = repeat === null ? smallestPairs(noisy) : firstClaim(metric, repeat);
    return { metric: name, noisy, pairs: noisy === 0 ? EXACT_PAIRS : least };
  });
}
