/**
 * One number of one run. Pure.
 */
import type { Metric } from '../profile/metric.js';
import type { Outcomes, Run } from '../results/schema.js';

/** Whether an outcome is a failure: neither ok nor shed (a shed attempt never started, so it could not fail). */
export function isFailure(outcome: string): boolean {
  return outcome !== 'ok' && outcome !== 'shed';
}

/** Attempts that failed. */
export function failureCount(outcomes: Outcomes): number {
  return Object.entries(outcomes).reduce((sum, [outcome, count]) => (isFailure(outcome) ? sum + count : sum), 0);
}

/**
 * What a run says about a metric, in the metric's own unit (`metricUnit`): shares from 0 to 1 of all attempts, the shed ones
 * included; latencies and CPU in µs; memory in bytes; rates per second.
 * @returns null where the run has no value: a phase that did not happen, a share of no attempts, ports that were not observed
 */
export function metricValue(metric: Metric, run: Run): number | null {
  switch (metric.kind) {
    case 'outcome':
      return countOrShare(run.outcomes[metric.outcome] ?? 0, metric.value, run);
    case 'failures':
      return countOrShare(failureCount(run.outcomes), metric.value, run);
    case 'latency':
      return run.latency[metric.phase]?.[metric.statistic] ?? null;
    case 'capacity':
      return run.capacity.tuples;
    case 'rate':
      return run.rates.ok;
    case 'cpuPerConnection':
      return run.cpu.perConnection;
    case 'memoryPeak':
      return run.memory.peak;
    case 'portsPeak':
      return run.ports.peak;
  }
}

function countOrShare(count: number, value: 'share' | 'count', run: Run): number | null {
  if (value === 'count') return count;
  return run.attempts > 0 ? count / run.attempts : null;
}
