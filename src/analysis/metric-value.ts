/**
 * One number of one run. Pure.
 */
import type { Metric, NeighbourMetric } from '../domain/metric.js';
import { failureCount } from '../domain/outcome.js';
import type { Run } from '../results/schema.js';

/**
 * What a run says about a metric, in the metric's own unit (`metricUnit`): shares from 0 to 1 of all attempts, the shed ones
 * included; latencies and CPU in µs; memory in bytes; rates per second.
 * @returns null where the run has no value: a phase that did not happen, a share of no attempts, ports that were not observed
 */
export function metricValue(metric: Metric, run: Run): number | null {
  switch (metric.kind) {
    case 'neighbour': {
      const neighbour = run.neighbours?.find(({ name }) => name === metric.name);
      return neighbour ? loadValue(metric.metric, neighbour) : null;
    }
    case 'outcome':
    case 'failures':
    case 'latency':
      return loadValue(metric, run);
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

type Measured = Pick<Run, 'attempts' | 'outcomes' | 'latency'>;

function loadValue(metric: NeighbourMetric, load: Measured): number | null {
  switch (metric.kind) {
    case 'outcome':
      return countOrShare(load.outcomes[metric.outcome] ?? 0, metric.value, load);
    case 'failures':
      return countOrShare(failureCount(load.outcomes), metric.value, load);
    case 'latency':
      return load.latency[metric.phase]?.[metric.statistic] ?? null;
  }
}

function countOrShare(count: number, value: 'share' | 'count', run: Measured): number | null {
  if (value === 'count') return count;
  return run.attempts > 0 ? count / run.attempts : null;
}
