/**
 * How many pairs a design takes before the runs can decide anything, whatever they say. Pure.
 */
import { parseMetric } from '../domain/metric.js';
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
 */
export function pairsNeeded(metrics: readonly string[], exact: readonly boolean[]): Needed[] {
  if (exact.length === 0) return [];
  return metrics.map((metric) => {
    const noisy = exact.filter((same) => !(same && parseMetric(metric).exact)).length;
    return { metric, noisy, pairs: noisy === 0 ? EXACT_PAIRS : smallestPairs(noisy) };
  });
}
