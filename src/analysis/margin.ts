/**
 * Differences too small to matter to an operator. Pure.
 *
 * | metric                                     | margin                                        |
 * |--------------------------------------------|-----------------------------------------------|
 * | shares                                     | 1 percentage point                            |
 * | counts, rate, capacity, ports              | 2 % of the baseline                           |
 * | latency min, mean, p50, p90                | 10 % of the baseline, at least 100 µs         |
 * | latency p99, p999, max                     | 25 % of the baseline, at least 500 µs         |
 * | CPU per connection, peak memory            | 10 % of the baseline                          |
 *
 * The tail of a latency moves more between equal runs than its middle, hence the wider margin. A failure that is rarer than
 * one in a hundred is better judged by its `.count`.
 */
import type { LatencyStatistic, Metric } from '../profile/metric.js';

/** The margin of a share: what counts as none, in shares of all attempts. */
export const SHARE_MARGIN = 0.01;

const TAIL: readonly LatencyStatistic[] = ['p99', 'p999', 'max'];

/**
 * Differences within ± this count as none.
 * @param baseline the baseline's median
 * @returns in the metric's unit, 0 or more
 */
export function marginOf(metric: Metric, baseline: number): number {
  switch (metric.kind) {
    case 'outcome':
    case 'failures':
      return metric.value === 'share' ? SHARE_MARGIN : 0.02 * baseline;
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
