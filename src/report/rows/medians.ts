/**
 * What the charts and tables show of an arm: medians over its compared runs, never samples pooled from several runs, because
 * the run is the unit of the experiment. Pure.
 */
import { boundedMedian } from '../../analysis/lower-bound.js';
import { median } from '../../analysis/statistics.js';
import { type Asked, COUNTS, comparedRuns, TIMES } from '../../analysis/usable.js';
import { knownMetric, type LatencyPhase } from '../../domain/metric.js';
import { remembered } from '../../domain/remembered.js';
import { strategyOf } from '../../domain/strategy.js';
import { portCount } from '../../domain/units.js';
import type { Latency, Run, Second, Variant } from '../../results/schema.js';
import { formatValue, NONE } from '../format.js';

/** The median of one number per compared run; runs that lack it (null) are left out. */
export function medianOf(
  variant: Variant,
  pick: (run: Run) => number | null | undefined,
  asked: Asked = COUNTS,
): number | null {
  return median(comparedRuns(variant, asked).flatMap((run) => pick(run) ?? []));
}

/** The median of a metric over the runs that count for it, as the summary says it; an en dash: none does, or this version does not know it. */
export function metricText(variant: Variant, name: string): string {
  const metric = knownMetric(name);
  if (metric === undefined) return NONE;
  const { value, atLeast } = boundedMedian(metric, comparedRuns(variant, metric));
  return formatValue(metric.unit, value, atLeast);
}

/** Something that was counted in each run, and its median. */
export type Counted = readonly [what: string, count: number];

/** What is counted in each of several runs → its median, the most frequent first. What a run does not name it had none of. */
export function medianCounts(runs: readonly Readonly<Record<string, number>>[]): Counted[] {
  const names = new Set(runs.flatMap((counts) => Object.keys(counts)));
  return [...names]
    .map((name): Counted => [name, median(runs.map((counts) => counts[name] ?? 0)) ?? 0])
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

/** Outcome → median count over the compared runs, most frequent first and `ok` before all. */
export function medianOutcomes(variant: Variant): Counted[] {
  const counts = medianCounts(comparedRuns(variant).map(({ outcomes }) => outcomes));
  return counts.sort(([a], [b]) => Number(b === 'ok') - Number(a === 'ok'));
}

/** The outcome, other than `ok`, that is most frequent over the compared runs; null when nothing failed. */
export function topFailure(variant: Variant): string | null {
  const sums = new Map<string, number>();
  for (const run of comparedRuns(variant)) {
    for (const [name, count] of Object.entries(run.outcomes)) {
      if (name !== 'ok' && count > 0) sums.set(name, (sums.get(name) ?? 0) + count);
    }
  }
  return [...sums].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}

/** One interval of a median timeline. */
export interface Slice {
  /** Seconds since the load started, at the end of the interval. */
  readonly t: number;
  /** Outcome → attempts per second that ended so. */
  readonly rates: Readonly<Record<string, number>>;
  /** Distinct (local address, ephemeral port) in use at most; null where it was not observed. */
  readonly ports: number | null;
}

/** More intervals than this are merged: a chart as wide as a phone shows no more, and the page stays small. */
export const MAX_SLICES = 120;

/**
 * The timeline of an arm: interval by interval, the median over the compared runs that lasted so long. Long timelines are
 * merged to MAX_SLICES intervals: rates by their mean, ports by their maximum.
 */
export const medianTimeline = remembered((variant: Variant): Slice[] =>
  medianSlices(comparedRuns(variant).map(({ timeline }) => timeline)),
);

/** What of a second a slice is made of. */
type SliceSecond = Pick<Second, 't' | 'outcomes' | 'portsInUse'>;

/** The same of the timelines of some runs. */
export function medianSlices(timelines: readonly (readonly SliceSecond[])[]): Slice[] {
  const length = Math.max(0, ...timelines.map((timeline) => timeline.length));
  const names = [
    ...new Set(timelines.flatMap((timeline) => timeline.flatMap(({ outcomes }) => Object.keys(outcomes)))),
  ];
  const group = Math.max(1, Math.ceil(length / MAX_SLICES));
  const slices: Slice[] = [];
  for (let from = 0; from < length; from += group) {
    const lasting = timelines.filter((timeline) => timeline.length > from);
    const merged = lasting.map((timeline) => mergeSeconds(timeline, from, from + group));
    slices.push({
      t: median(merged.map((slice) => slice.t))!,
      rates: Object.fromEntries(names.map((name) => [name, median(merged.map((slice) => slice.rates[name] ?? 0))!])),
      ports: median(merged.flatMap((slice) => slice.ports ?? [])),
    });
  }
  return slices;
}

function mergeSeconds(timeline: readonly SliceSecond[], from: number, to: number): Slice {
  const seconds = timeline.slice(from, to);
  const start = from === 0 ? 0 : timeline[from - 1]!.t;
  const t = seconds.at(-1)!.t;
  // A last interval can be a millisecond long: as a rate it would be noise, so it counts as a fiftieth of a second at least.
  const length = Math.max(0.02, t - start);
  const rates: Record<string, number> = {};
  for (const second of seconds) {
    for (const [name, count] of Object.entries(second.outcomes)) rates[name] = (rates[name] ?? 0) + count / length;
  }
  const ports = seconds.flatMap((second) => second.portsInUse ?? []);
  return { t, rates, ports: ports.length === 0 ? null : Math.max(...ports) };
}

/** One point of a percentile curve. */
export interface CurvePoint {
  /** −log10(1 − share): 0 is the minimum, 1 the 90th percentile, 2 the 99th, 3 the 99.9th. */
  readonly nines: number;
  /** Microseconds. */
  readonly value: number;
}

/**
 * The percentile curve of a phase: at each percentile, the median over the compared runs of that run's own percentile. It
 * ends where the smallest run has no more samples to tell percentiles apart.
 */
export function medianCurve(variant: Variant, phase: LatencyPhase): CurvePoint[] {
  const latencies = comparedRuns(variant, TIMES).flatMap((run) => {
    const latency = run.latency[phase];
    return latency && latency.count > 0 && latency.percentiles.length > 0 ? [latency] : [];
  });
  return medianPercentiles(latencies);
}

/** The same of the latencies of some runs. */
export function medianPercentiles(latencies: readonly Pick<Latency, 'count' | 'percentiles'>[]): CurvePoint[] {
  if (latencies.length === 0) return [];
  const end = Math.log10(Math.max(1, Math.min(...latencies.map((latency) => latency.count))));
  const points: CurvePoint[] = [];
  for (let nines = 0; nines <= end + 1e-9; nines += 0.1) {
    const percentile = 100 * (1 - 10 ** -nines);
    const value = median(latencies.map((latency) => valueAt(latency.percentiles, percentile)))!;
    points.push({ nines: Number(nines.toFixed(1)), value });
  }
  return points;
}

/** The value at the first listed percentile that is not below the one asked for, as HdrHistogram defines it. */
function valueAt(percentiles: readonly (readonly [number, number])[], percentile: number): number {
  return (percentiles.find(([listed]) => listed >= percentile - 1e-9) ?? percentiles.at(-1)!)[1];
}

/**
 * How many distinct (local address, ephemeral port) an arm can have in use: the most that its port chart can show. Fewer than
 * the connections that it can hold where one port serves several destinations.
 * @returns null when no run says which range was in force
 */
export function portsAvailable(variant: Variant): number | null {
  const run = comparedRuns(variant)[0];
  if (!run) return null;
  const range = variant.load.ports ?? { low: run.ports.low, high: run.ports.high };
  const reserved = variant.load.ports ? 0 : run.ports.reserved;
  // Without a chosen address every socket has the one of the route.
  const addresses = strategyOf(variant.load.strategy).address === 'chosen' ? variant.addresses.count : 1;
  return Math.max(0, portCount(range) - reserved) * addresses;
}

export interface CounterRow {
  readonly name: string;
  /** Median per arm, in the order of the results' variants; null for an arm without compared runs. */
  readonly medians: readonly (number | null)[];
  /** Whether some arm's median is more than a tenth away from the baseline's. */
  readonly differs: boolean;
}

/** Kernel counters that moved in some compared run, by name. A counter that is absent from a run did not move in it. */
export function counterRows(variants: readonly Variant[]): CounterRow[] {
  const names = new Set(
    variants.flatMap((variant) => comparedRuns(variant).flatMap((run) => Object.keys(run.counters))),
  );
  return [...names].sort().map((name) => {
    const medians = variants.map((variant) => medianOf(variant, (run) => run.counters[name] ?? 0));
    const baseline = medians[0] ?? 0;
    const differs = medians.some(
      (value) => value !== null && Math.abs(value - baseline) > 0.1 * Math.max(Math.abs(value), Math.abs(baseline)),
    );
    return { name, medians, differs };
  });
}
