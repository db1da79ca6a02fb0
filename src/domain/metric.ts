/**
 * The metrics that goals, guardrails and thresholds name. Each is one row: its name, unit, margin and words, and how it is read from
 * a run. Pure.
 *
 *     outcomes["bind:EADDRINUSE"].share   failures.share   capacity   rate   latency.total.p99   cpu.perConnection
 *
 * A row reads `RunNumbers`, the few numbers of a run that metrics are made of. The Run of results/ has them all, so the whole metric can
 * stand here, on the ground floor, and everything above takes it from one place. A new metric is one row.
 */

import { failureCount, isFailure, outcomeProblem } from './outcome.js';
import { own } from './own.js';
import { orReport, parseDuration, quote, UnitError } from './units.js';
import { closest } from './words.js';

export const LATENCY_PHASES = ['bind', 'connect', 'response', 'service', 'total', 'lag', 'failed'] as const;
export type LatencyPhase = (typeof LATENCY_PHASES)[number];
const LATENCY_STATISTICS = ['min', 'mean', 'p50', 'p90', 'p99', 'p999', 'max'] as const;
export type LatencyStatistic = (typeof LATENCY_STATISTICS)[number];

/** Shares are from 0 to 1. */
export const METRIC_UNITS = ['share', 'count', 'perSecond', 'microseconds', 'bytes'] as const;
export type MetricUnit = (typeof METRIC_UNITS)[number];

/** What is counted of a load, the main one's, one of several, or a neighbour's. Latencies are in µs; a phase that did not happen is absent. */
interface LoadNumbers {
  /** The shed ones included. */
  readonly attempts: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly latency: Readonly<Partial<Record<LatencyPhase, Readonly<Record<LatencyStatistic, number>> | undefined>>>;
}

/** What metrics are made of. */
interface RunNumbers extends LoadNumbers {
  readonly capacity: { readonly tuples: number; readonly openAtFirstFailure: number | null };
  readonly rates: { readonly ok: number };
  readonly cpu: { readonly perConnection: number | null };
  readonly memory: { readonly peak: number };
  readonly ports: { readonly peak: number | null };
  /** null: the load goes to where nobody counts. `wrongSource`: connections from an address that the profile does not name. */
  readonly origin: {
    readonly accepted: number;
    readonly seen?: { readonly wrongSource?: number | undefined } | undefined;
  } | null;
  /** Seconds until the first ok attempt after the ports were free (null: none was), and those after which it was given up. */
  readonly recovery?:
    | { readonly seconds: number | null; readonly within: number; readonly attempts: number }
    | undefined;
  readonly neighbours?: readonly NamedNumbers[] | undefined;
  readonly scenarios?: readonly NamedNumbers[] | undefined;
}

type NamedNumbers = LoadNumbers & { readonly name: string };

/** A key of a profile without which a metric has no value, and what to write. */
export interface MetricNeed {
  readonly key: 'addresses.unbound' | 'load.recovery';
  readonly example: string;
}

export interface Metric {
  /** As a profile writes it. */
  readonly name: string;
  readonly unit: MetricUnit;
  readonly better: 'lower' | 'higher';
  /** The subject of a sentence: `bind:EADDRINUSE`, `latency.total.p99`, `CPU per connection`. */
  readonly label: string;
  /** The heading of a column: `bind:EADDRINUSE`, `total time, p99`, `CPU per connection`. */
  readonly title: string;
  /** A deterministic load decides it, so that every run can have the same value. */
  readonly exact: boolean;
  /** It is a time, or depends on one, so that values of two engines are not comparable. */
  readonly time: boolean;
  /** The failures that it counts: of any kind, or of one outcome. */
  readonly failures: 'any' | { readonly outcome: string } | null;
  /** The key that a profile must have for it to be measured; null: none. */
  readonly needs: MetricNeed | null;
  /** The neighbour whose load it is about; null: the main load. */
  readonly neighbour: string | null;
  /** The one of several loads that it is about; null: all of them together. */
  readonly scenario: string | null;
  /** Differences within ± this are too small to matter to an operator. @param baseline the baseline's median */
  margin(baseline: number): number;
  /**
   * What a run says, in the metric's unit.
   * @returns null where the run has no value: a phase that did not happen, a share of no attempts, ports that were not observed
   */
  value(run: RunNumbers): number | null;
  /** Whether the true value may be higher than what the run says. */
  isLowerBound(run: RunNumbers): boolean;
}

type Row = Pick<Metric, 'name' | 'unit' | 'margin' | 'label' | 'value'> & Partial<Metric>;

function row(given: Row): Metric {
  return {
    better: 'lower',
    title: given.label,
    exact: false,
    time: false,
    failures: null,
    needs: null,
    neighbour: null,
    scenario: null,
    isLowerBound: () => false,
    ...given,
  };
}

/**
 * The margin of a share: 10 % of the baseline, 0.1 to 1 percentage point. A failure of one attempt in a hundred is a nuisance that
 * operators do chase, so the margin shrinks with the baseline. @param baseline the baseline's median
 */
export function shareMargin(baseline: number): number {
  return Math.min(Math.max(0.1 * baseline, 0.001), 0.01);
}

const twoPercent = (baseline: number) => 0.02 * baseline;
const tenPercent = (baseline: number) => 0.1 * baseline;

/** The tail of a latency differs more between equal runs than its middle. */
const TAIL: readonly LatencyStatistic[] = ['p99', 'p999', 'max'];

/** The metrics that have one name each. */
const SINGLE: readonly Metric[] = [
  row({
    name: 'capacity',
    unit: 'count',
    better: 'higher',
    label: 'capacity',
    exact: true,
    margin: twoPercent,
    value: (run) => run.capacity.tuples,
    // Where nothing failed the limit was not met.
    isLowerBound: (run) => run.capacity.openAtFirstFailure === null,
  }),
  row({
    name: 'rate',
    unit: 'perSecond',
    better: 'higher',
    label: 'the rate of ok connections',
    title: 'connection rate',
    time: true,
    margin: twoPercent,
    value: (run) => run.rates.ok,
  }),
  row({
    name: 'cpu.perConnection',
    unit: 'microseconds',
    label: 'CPU per connection',
    time: true,
    margin: tenPercent,
    value: (run) => run.cpu.perConnection,
  }),
  row({
    name: 'memory.peak',
    unit: 'bytes',
    label: 'peak memory',
    margin: tenPercent,
    value: (run) => run.memory.peak,
  }),
  row({
    name: 'ports.peak',
    unit: 'count',
    label: 'ports in use at the peak',
    title: 'peak ports in use',
    margin: twoPercent,
    // Sampled, so it varies where all counts are equal.
    value: (run) => run.ports.peak,
  }),
  row({
    name: 'ports.perRequest',
    unit: 'count',
    label: 'local ports per request',
    title: 'ports per request',
    exact: true,
    margin: twoPercent,
    // Each connection that the origin accepts has a local port of its own, until a TIME_WAIT later.
    value: ({ origin, outcomes }) => (origin && outcomes.ok ? origin.accepted / outcomes.ok : null),
  }),
  row({
    name: 'sourceAddress.wrong',
    unit: 'share',
    label: 'connections from an address that was not asked for',
    title: 'from another address',
    needs: { key: 'addresses.unbound', example: 'addresses: { cidr: 10.50.0.0/24, count: 5, unbound: 10.50.9.1 }' },
    margin: shareMargin,
    value: ({ origin }) => {
      const wrong = origin?.seen?.wrongSource;
      return origin && wrong !== undefined && origin.accepted > 0 ? Math.min(1, wrong / origin.accepted) : null;
    },
  }),
  row({
    name: 'recovery.time',
    unit: 'microseconds',
    label: 'the time until it works again once ports are free',
    title: 'recovery time',
    time: true,
    needs: { key: 'load.recovery', example: 'load: { recovery: { within: 15s } }' },
    // Attempts are made that far apart, where a profile says nothing else.
    margin: (baseline) => Math.max(0.1 * baseline, 250_000),
    value: ({ recovery }) => (recovery && recovery.attempts > 0 ? (recovery.seconds ?? recovery.within) * 1e6 : null),
    // It may have taken any time longer.
    isLowerBound: ({ recovery }) => recovery?.seconds === null,
  }),
];

type CountOrShare = 'count' | 'share';

const countOrShare = (how: CountOrShare, count: (load: LoadNumbers) => number) => ({
  unit: how,
  exact: true,
  margin: how === 'share' ? shareMargin : twoPercent,
  value: (load: LoadNumbers) =>
    how === 'count' ? count(load) : load.attempts > 0 ? count(load) / load.attempts : null,
});

/** Attempts that ended in one outcome. */
function outcomeMetric(name: string, outcome: string, how: CountOrShare): Metric {
  return row({
    ...countOrShare(how, ({ outcomes }) => own(outcomes, outcome) ?? 0),
    name,
    better: outcome === 'ok' ? 'higher' : 'lower',
    label: outcome,
    title: how === 'share' ? outcome : `${outcome} (count)`,
    failures: isFailure(outcome) ? { outcome } : null,
  });
}

/** Attempts that failed, whatever the outcome. */
function failuresMetric(name: string, how: CountOrShare): Metric {
  return row({
    ...countOrShare(how, ({ outcomes }) => failureCount(outcomes)),
    name,
    label: 'failures of any kind',
    title: how === 'share' ? 'failures' : 'failures (count)',
    failures: 'any',
  });
}

function latencyMetric(name: string, phase: LatencyPhase, statistic: LatencyStatistic): Metric {
  const [part, least] = TAIL.includes(statistic) ? [0.25, 500] : [0.1, 100];
  return row({
    name,
    unit: 'microseconds',
    label: name,
    title: `${phase} time, ${statistic === 'p999' ? 'p99.9' : statistic}`,
    time: true,
    margin: (baseline) => Math.max(part * baseline, least),
    value: ({ latency }) => latency[phase]?.[statistic] ?? null,
  });
}

/** Loads that have outcomes and times of their own, by the key of a run that has them. */
const PARTS = { neighbours: 'neighbour', scenarios: 'scenario' } as const;

/** What is measured of each such load too. The kernel's rules decide none of it alone: they share the ports. */
function partMetric(name: string, parts: keyof typeof PARTS, part: string, of: Metric): Metric {
  return {
    ...of,
    name,
    [PARTS[parts]]: part,
    exact: false,
    label: `${of.label} of the ${PARTS[parts]} ${part}`,
    title: `${part}: ${of.title}`,
    value: (run) => {
      const load = run[parts]?.find((each) => each.name === part);
      return load ? of.value({ ...run, ...load }) : null;
    },
  };
}

/** Every name of a metric that has no argument. */
export const PLAIN_METRICS: readonly string[] = [
  'failures.share',
  'failures.count',
  ...LATENCY_PHASES.flatMap((phase) => LATENCY_STATISTICS.map((statistic) => `latency.${phase}.${statistic}`)),
  ...SINGLE.map(({ name }) => name),
];

/** Every form of a metric's name, as the reference of profiles lists them. */
export const METRIC_FORMS: readonly string[] = [
  'outcomes["bind:EADDRINUSE"].share',
  'outcomes["bind:EADDRINUSE"].count',
  'outcomes["http:503 ERR_CONNECT_FAIL"].share',
  'outcomes["socks:general-failure"].share',
  'failures.share',
  'failures.count',
  `latency.{${LATENCY_PHASES.join(',')}}.{${LATENCY_STATISTICS.join(',')}}`,
  ...SINGLE.map(({ name }) => name),
  'neighbours["NAME"].failures.share',
  `neighbours["NAME"].latency.total.{${LATENCY_STATISTICS.join(',')}}`,
  'scenarios["NAME"].failures.share',
  `scenarios["NAME"].latency.total.{${LATENCY_STATISTICS.join(',')}}`,
];

/**
 * The metric of a name.
 * @throws UnitError with the metric that was meant or all forms, and for an outcome that no attempt can have
 */
export function parseMetric(text: string): Metric {
  const [, quoted, alsoQuoted, outcomeHow] = /^outcomes\[(?:"([^"]+)"|'([^']+)')\]\.(share|count)$/.exec(text) ?? [];
  const outcome = quoted ?? alsoQuoted;
  if (outcome !== undefined) {
    const problem = outcomeProblem(outcome);
    if (problem !== undefined) throw new UnitError(problem);
    return outcomeMetric(text, outcome, outcomeHow === 'share' ? 'share' : 'count');
  }
  if (text === 'failures.share' || text === 'failures.count')
    return failuresMetric(text, text === 'failures.share' ? 'share' : 'count');
  const [, parts, name, alsoName, metricOfIt] =
    /^(neighbours|scenarios)\[(?:"([^"]+)"|'([^']+)')\]\.(.+)$/.exec(text) ?? [];
  const part = name ?? alsoName;
  if ((parts === 'neighbours' || parts === 'scenarios') && part !== undefined && metricOfIt !== undefined) {
    const metric = parseMetric(metricOfIt);
    if (/^(?:outcomes|failures|latency)\b/.test(metricOfIt)) return partMetric(text, parts, part, metric);
    throw new UnitError(
      `a ${PARTS[parts]} has no ${quote(metricOfIt)}; it has outcomes["…"].share, failures.share, latency.total.p90 and the like`,
    );
  }
  const [, phaseName, statisticName] = /^latency\.(\w+)\.(\w+)$/.exec(text) ?? [];
  const phase = LATENCY_PHASES.find((each) => each === phaseName);
  const statistic = LATENCY_STATISTICS.find((each) => each === statisticName);
  if (phase && statistic) return latencyMetric(text, phase, statistic);
  const single = SINGLE.find((metric) => metric.name === text);
  if (single) return single;
  const near = closest(text, PLAIN_METRICS);
  throw new UnitError(
    `${quote(text)} is not a metric; ${near === undefined ? `the metrics are ${METRIC_FORMS.join(', ')}` : `did you mean ${near}?`}`,
  );
}

/**
 * The metric that a result names, which may be of a later version.
 * @returns undefined for a name that this version does not know
 */
export function knownMetric(text: string): Metric | undefined {
  return orReport(
    () => parseMetric(text),
    () => {},
  );
}

/** The one failing outcome of the whole load that a metric counts: such a failure can vanish by turning into another. */
export function failingOutcome({ failures, neighbour, scenario }: Metric): string | undefined {
  return neighbour === null && scenario === null && failures !== null && failures !== 'any'
    ? failures.outcome
    : undefined;
}

/** The metrics of a neighbour that are guardrails of every experiment that has it. A small load has too few attempts for a p99. */
export function neighbourGuardrails(name: string): readonly [failures: string, latency: string] {
  return [`neighbours["${name}"].failures.share`, `neighbours["${name}"].latency.total.p90`];
}

/**
 * Parse a threshold's limit in the unit of its metric: a duration for latencies and CPU (`5ms`), a share as a number from
 * 0 to 1 or a percentage (`1%`), else a number.
 * @returns the limit in the metric's own unit (µs for latencies)
 * @throws UnitError
 */
export function parseLimit({ unit }: Metric, limit: number | string): number {
  if (unit === 'microseconds') {
    if (typeof limit === 'number') throw new UnitError(`a limit on a time needs a unit, for example ${limit}ms`);
    return parseDuration(limit) * 1000;
  }
  const percent = typeof limit === 'string' ? /^(\d+(?:\.\d+)?)%$/.exec(limit.trim()) : null;
  if (percent && unit === 'share') return Number(percent[1]) / 100;
  const allowed = unit === 'share' ? 'a share from 0 to 1, or a percentage such as 1%' : 'a number';
  if (typeof limit === 'string' || (unit === 'share' && (limit < 0 || limit > 1)))
    throw new UnitError(`the limit ${quote(limit)} is not ${allowed}`);
  return limit;
}
