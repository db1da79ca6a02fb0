/**
 * Differences too small to matter to an operator. Pure.
 *
 * | metric                                     | margin                                        |
 * |--------------------------------------------|-----------------------------------------------|
 * | shares                                     | 10 % of the baseline, 0.1 to 1 percentage point |
 * | counts, rate, capacity, ports              | 2 % of the baseline                           |
 * | latency min, mean, p50, p90                | 10 % of the baseline, at least 100 µs         |
 * | latency p99, p999, max                     | 25 % of the baseline, at least 500 µs         |
 * | CPU per connection, peak memory            | 10 % of the baseline                          |
 *
 * The tail of a latency moves more between equal runs than its middle, hence the wider margin. A failure of one attempt in a
 * hundred is a nuisance that operators do chase, so the margin of a share shrinks with the baseline.
 */
import type { LatencyStatistic, Metric } from '../domain/metric.js';

/** Bounds of the margin of a share, in shares of all attempts. */
const SHARE_MARGIN = { least: 0.001, most: 0.01 } as const;

/** The margin of a share. @param baseline the baseline's median */
export function shareMargin(baseline: number): number {
  return Math.min(Math.max(0.1 * baseline, SHARE_MARGIN.least), SHARE_MARGIN.most);
}

const TAIL: readonly LatencyStatistic[] = ['p99', 'p999', 'max'];

/**
 * Differences within ± this count as none.
 * @param baseline the baseline's median
 * @returns in the metric's unit, 0 or more
 */
export function marginOf(metric: Metric, baseline: number): number {
  switch (metric.kind) {
    case 'neighbour':
      return marginOf(metric.metric, baseline);
    case 'outcome':
    case 'failures':
      return metric.value === 'share' ? shareMargin(baseline) : 0.02 * baseline;
    case 'capacity':
    case 'rate':
    case 'portsPeak':
      return 0.02 * baseline;
    case 'latency':
      return TAIL.includes(metric.statistic) ? Math.max(0.25 * baseline, 500) : Math.max(0.1 * baseline, 100);
    case 'cpuPerConnection':
    case 'memoryPeak':
      return 0.1 * baseline;
  }
}
