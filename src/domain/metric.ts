/**
 * The metrics that goals, guardrails and thresholds name. Each is one row: its name, unit, margin and words, and how it is read from
 * a run. Pure.
 *
 *     outcomes["bind:EADDRINUSE"].share   failures.share   capacity   rate   latency.total.p99   cpu.perConnection
 *
 * A row reads `RunNumbers`, the few numbers of a run that metrics are made of. The Run of results/ has them all, so the whole metric can
 * stand here, on the ground floor, and everything above takes it from one place. A new metric is one row.
 */

import {
  LATENCY_PHASES,
  LATENCY_STATISTICS,
  type LatencyPhase,
  type LatencyStatistic,
  type LoadNumbers,
  type Metric,
  row,
  SINGLE,
  shareMargin,
  TAIL,
  twoPercent,
} from './metric-rows.js';
import { failureCount, isFailure, outcomeProblem } from './outcome.js';
import { own } from './own.js';
import { orReport, parseDuration, quote, UnitError } from './units.js';
import { closest } from './words.js';

export type { LatencyPhase, LatencyStatistic, Metric, MetricNeed, MetricUnit } from './metric-rows.js';
export { LATENCY_PHASES, METRIC_UNITS, shareMargin } from './metric-rows.js';

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

/**
 * The metrics of a neighbour that are guardrails of every experiment that has it. A small load has too few attempts for a p99.
 * @param listens it is a service that restarts, which has no times
 */
export function neighbourGuardrails(name: string, listens: boolean): readonly string[] {
  const failures = `neighbours["${name}"].failures.share`;
  return listens ? [failures] : [failures, `neighbours["${name}"].latency.total.p90`];
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
