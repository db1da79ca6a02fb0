/**
 * The names of metrics, as goals, guardrails and thresholds write them. Pure.
 *
 *     outcomes["bind:EADDRINUSE"].share   failures.share   capacity   rate   latency.total.p99   cpu.perConnection
 */
import { outcomeProblem } from './outcome.js';
import { parseDuration, quote, UnitError } from './units.js';

export const LATENCY_PHASES = ['bind', 'connect', 'response', 'total', 'lag', 'failed'] as const;
export type LatencyPhase = (typeof LATENCY_PHASES)[number];
export const LATENCY_STATISTICS = ['min', 'mean', 'p50', 'p90', 'p99', 'p999', 'max'] as const;
export type LatencyStatistic = (typeof LATENCY_STATISTICS)[number];

export type MetricUnit = 'share' | 'count' | 'perSecond' | 'microseconds' | 'bytes';

export type Metric =
  | { readonly kind: 'outcome'; readonly outcome: string; readonly value: 'share' | 'count' }
  | { readonly kind: 'failures'; readonly value: 'share' | 'count' }
  | { readonly kind: 'latency'; readonly phase: LatencyPhase; readonly statistic: LatencyStatistic }
  | { readonly kind: 'capacity' }
  | { readonly kind: 'rate' }
  | { readonly kind: 'cpuPerConnection' }
  | { readonly kind: 'memoryPeak' }
  | { readonly kind: 'portsPeak' }
  | { readonly kind: 'neighbour'; readonly name: string; readonly metric: NeighbourMetric };

/** What is measured of a neighbour. */
export type NeighbourMetric = Extract<Metric, { kind: 'outcome' | 'failures' | 'latency' }>;

export const METRIC_FORMS = [
  'outcomes["bind:EADDRINUSE"].share',
  'outcomes["bind:EADDRINUSE"].count',
  'outcomes["http:503 ERR_CONNECT_FAIL"].share',
  'outcomes["socks:general-failure"].share',
  'failures.share',
  'failures.count',
  'capacity',
  'rate',
  `latency.{${LATENCY_PHASES.join(',')}}.{${LATENCY_STATISTICS.join(',')}}`,
  'cpu.perConnection',
  'memory.peak',
  'ports.peak',
  'neighbours["NAME"].failures.share',
  `neighbours["NAME"].latency.total.{${LATENCY_STATISTICS.join(',')}}`,
] as const;

/**
 * Parse a metric's name.
 * @throws UnitError that lists the allowed forms
 */
export function parseMetric(text: string): Metric {
  const outcome = /^outcomes\[(?:"([^"]+)"|'([^']+)')\]\.(share|count)$/.exec(text);
  if (outcome) {
    const name = (outcome[1] ?? outcome[2])!;
    const problem = outcomeProblem(name);
    if (problem !== undefined) throw new UnitError(problem);
    return { kind: 'outcome', outcome: name, value: outcome[3] as 'share' | 'count' };
  }
  if (text === 'failures.share' || text === 'failures.count')
    return { kind: 'failures', value: text === 'failures.share' ? 'share' : 'count' };
  const neighbour = /^neighbours\[(?:"([^"]+)"|'([^']+)')\]\.(.+)$/.exec(text);
  if (neighbour) {
    const metric = parseMetric(neighbour[3]!);
    if (metric.kind === 'outcome' || metric.kind === 'failures' || metric.kind === 'latency')
      return { kind: 'neighbour', name: (neighbour[1] ?? neighbour[2])!, metric };
    throw new UnitError(
      `found ${quote(neighbour[3])} of a neighbour, of which there are only outcomes["…"].share, failures.share and latency.total.p90, and their like`,
    );
  }
  const latency = /^latency\.(\w+)\.(\w+)$/.exec(text);
  if (latency) {
    const phase = LATENCY_PHASES.find((name) => name === latency[1]);
    const statistic = LATENCY_STATISTICS.find((name) => name === latency[2]);
    if (phase && statistic) return { kind: 'latency', phase, statistic };
  }
  switch (text) {
    case 'capacity':
      return { kind: 'capacity' };
    case 'rate':
      return { kind: 'rate' };
    case 'cpu.perConnection':
      return { kind: 'cpuPerConnection' };
    case 'memory.peak':
      return { kind: 'memoryPeak' };
    case 'ports.peak':
      return { kind: 'portsPeak' };
    default:
      throw new UnitError(`found the metric ${quote(text)}; allowed are ${METRIC_FORMS.join(', ')}`);
  }
}

export function metricUnit(metric: Metric): MetricUnit {
  switch (metric.kind) {
    case 'outcome':
    case 'failures':
      return metric.value;
    case 'capacity':
    case 'portsPeak':
      return 'count';
    case 'rate':
      return 'perSecond';
    case 'latency':
    case 'cpuPerConnection':
      return 'microseconds';
    case 'memoryPeak':
      return 'bytes';
    case 'neighbour':
      return metricUnit(metric.metric);
  }
}

/** The metrics of a neighbour that are guardrails of every experiment that has it. A small load has too few attempts for a p99. */
export function neighbourGuardrails(name: string): readonly [failures: string, latency: string] {
  return [`neighbours["${name}"].failures.share`, `neighbours["${name}"].latency.total.p90`];
}

/** Whether more of it is good (`higher`) or bad (`lower`). */
export function betterWhen(metric: Metric): 'lower' | 'higher' {
  if (metric.kind === 'neighbour') return betterWhen(metric.metric);
  if (metric.kind === 'capacity' || metric.kind === 'rate') return 'higher';
  return metric.kind === 'outcome' && metric.outcome === 'ok' ? 'higher' : 'lower';
}

/**
 * Parse a threshold's limit in the unit of its metric: a duration for latencies and CPU (`5ms`), a share as a number from
 * 0 to 1 or a percentage (`1%`), else a number.
 * @returns the limit in the metric's own unit (µs for latencies)
 * @throws UnitError
 */
export function parseLimit(metric: Metric, limit: number | string): number {
  const unit = metricUnit(metric);
  if (unit === 'microseconds') {
    if (typeof limit === 'number') throw new UnitError(`found ${limit}; a limit on a time needs a unit, as 5ms`);
    return parseDuration(limit) * 1000;
  }
  const percent = typeof limit === 'string' ? /^(\d+(?:\.\d+)?)%$/.exec(limit.trim()) : null;
  if (percent && unit === 'share') return Number(percent[1]) / 100;
  if (typeof limit === 'string')
    throw new UnitError(
      `found ${quote(limit)}; expected ${unit === 'share' ? 'a share from 0 to 1, or a percentage as 1%' : 'a number'}`,
    );
  if (unit === 'share' && (limit < 0 || limit > 1))
    throw new UnitError(`found ${limit}; a share is from 0 to 1, or a percentage as 1%`);
  return limit;
}
