/**
 * A time that counts from the scheduled instant has the lag of the generator in it: what its own CPU, its collector and other programs made it
 * late by. That is no work of the kernel or of the proxy, and may not be called a change of it. Pure.
 *
 * A target that keeps the generator waiting in its calls makes it late too, as the search for a port does behind the slow wall; but then the
 * time from the start has grown as well.
 */
import { type Metric, parseMetric } from '../domain/metric.js';
import type { Comparison } from '../results/schema.js';
import { formatSpan, formatValue } from './format.js';
import type { Pair } from './pairs.js';
import { median } from './statistics.js';

/**
 * The comparison, or its refusal where a total time moved and the time from the start did not, by more than its own margin the same way.
 * Left alone where runs have no time from the start (`service`), as results of older versions.
 */
export function withinLag(comparison: Comparison, pairs: readonly Pair[]): Comparison {
  const { metric, verdict } = comparison;
  if ((verdict !== 'better' && verdict !== 'worse') || !/latency\.total\./.test(metric)) return comparison;
  const [service, lag] = (['service', 'lag'] as const).map((phase) => {
    const of = parseMetric(metric.replace('latency.total.', `latency.${phase}.`));
    return { of, a: mediansOf(of, pairs, 'baseline'), b: mediansOf(of, pairs, 'variant') };
  }) as [Phase, Phase];
  if (service.a === null || service.b === null) return comparison;
  const moved = service.b - service.a;
  const sameWay = Math.sign(moved) === Math.sign(comparison.difference ?? 0);
  if (sameWay && Math.abs(moved) > service.of.margin(service.a)) return comparison;
  const { unit, label } = parseMetric(metric);
  const was =
    lag.a === null || lag.b === null ? '' : `, from ${formatValue(unit, lag.a)} to ${formatValue(unit, lag.b)}`;
  return {
    ...comparison,
    verdict: 'not enough evidence',
    why: `${label} differed by ${formatSpan(unit, Math.abs(comparison.difference ?? 0))}, but it was the lag of the generator that moved${was}: from the start of each attempt it took ${formatValue(unit, service.b)}, against ${formatValue(unit, service.a)} in the baseline (${service.of.name}).`,
  };
}

interface Phase {
  readonly of: Metric;
  readonly a: number | null;
  readonly b: number | null;
}

function mediansOf(metric: Metric, pairs: readonly Pair[], side: 'baseline' | 'variant'): number | null {
  return median(pairs.flatMap((pair) => metric.value(pair[side]) ?? []));
}
