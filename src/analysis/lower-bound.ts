/**
 * Medians of values some of which may be too low: a capacity of a run in which nothing failed, a recovery that was given up. Pure.
 */
import type { Metric } from '../domain/metric.js';
import type { Run } from '../results/schema.js';
import { median } from './statistics.js';

export interface BoundedMedian {
  /** In the metric's unit; null: no run has a value. */
  readonly value: number | null;
  /** The true median may be higher. */
  readonly atLeast: boolean;
}

/**
 * The median of a metric over some runs. It is the true one as long as every value that may be too low is above it: however high such a
 * value is in truth, the middle stays where it is.
 */
export function boundedMedian(metric: Pick<Metric, 'value' | 'isLowerBound'>, runs: readonly Run[]): BoundedMedian {
  const values = runs.flatMap((run) => {
    const value = metric.value(run);
    return value === null ? [] : [{ value, highest: metric.isLowerBound(run) ? Number.MAX_VALUE : value }];
  });
  const value = median(values.map((each) => each.value));
  return { value, atLeast: value !== median(values.map(({ highest }) => highest)) };
}
