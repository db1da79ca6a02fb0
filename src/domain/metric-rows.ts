/**
 * What a metric is, what it is made of, and the rows of those that have one name each. A new metric is one row here. Pure.
 */
import { failureCount } from './outcome.js';

export const LATENCY_PHASES = ['bind', 'connect', 'response', 'service', 'total', 'lag', 'failed'] as const;
export type LatencyPhase = (typeof LATENCY_PHASES)[number];
export const LATENCY_STATISTICS = ['min', 'mean', 'p50', 'p90', 'p99', 'p999', 'max'] as const;
export type LatencyStatistic = (typeof LATENCY_STATISTICS)[number];

/** Shares are from 0 to 1. */
export const METRIC_UNITS = ['share', 'count', 'perSecond', 'microseconds', 'bytes'] as const;
export type MetricUnit = (typeof METRIC_UNITS)[number];

/** What is counted of a load, the main one's, one of several, or a neighbour's. Latencies are in µs; a phase that did not happen is absent. */
export interface LoadNumbers {
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
  /** `taken`: of UDP, sockets that got a local port; null: nobody saw it; absent: TCP. */
  readonly ports: { readonly peak: number | null; readonly taken?: number | null | undefined };
  /** null: the load goes to where nobody counts. `wrongSource`: connections from an address that the profile does not name. */
  readonly origin: {
    readonly accepted: number;
    readonly seen?: { readonly wrongSource?: number | undefined } | undefined;
  } | null;
  /** Seconds until the first ok attempt after the ports were free (null: none was), and those after which it was given up. */
  readonly recovery?:
    | { readonly seconds: number | null; readonly within: number; readonly attempts: number }
    | undefined;
  /** Of a router: what connection tracking counted; absent: there is none. */
  readonly router?: { readonly counters: Readonly<Record<string, number>>; readonly moved: number } | undefined;
  /** Connections by the SYN that was answered, the first first; absent: all by the first. */
  readonly syns?: readonly number[] | undefined;
  readonly neighbours?: readonly (NamedNumbers & { readonly listens?: boolean | undefined })[] | undefined;
  readonly scenarios?: readonly NamedNumbers[] | undefined;
}

type NamedNumbers = LoadNumbers & { readonly name: string };

/** A key of a profile without which a metric has no value, and what to write. */
export interface MetricNeed {
  readonly key: 'addresses.unbound' | 'load.recovery' | 'neighbours.listen';
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

/** A metric, with what most of them have. */
export function row(given: Row): Metric {
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

/** The margin of counts: 2 % of the baseline. */
export const twoPercent = (baseline: number) => 0.02 * baseline;
const tenPercent = (baseline: number) => 0.1 * baseline;

/** The tail of a latency differs more between equal runs than its middle. */
export const TAIL: readonly LatencyStatistic[] = ['p99', 'p999', 'max'];

/** The metrics that have one name each. */
export const SINGLE: readonly Metric[] = [
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
    // Each connection that the origin accepts has a local port of its own, until a TIME_WAIT later. Of UDP it sees datagrams, and not sockets.
    value: ({ ports: { taken }, origin, outcomes }) => {
      const ports = taken === undefined ? origin?.accepted : taken;
      return ports != null && outcomes.ok ? ports / outcomes.ok : null;
    },
  }),
  row({
    name: 'nat.dropped',
    unit: 'count',
    label: 'packets that a NAT dropped for want of a port',
    title: 'dropped by the NAT',
    margin: twoPercent,
    value: ({ router }) => (router ? (router.counters.insert_failed ?? 0) : null),
  }),
  row({
    name: 'nat.renamed',
    unit: 'count',
    label: 'connections with another source port behind the NAT',
    title: 'renamed by the NAT',
    exact: true,
    margin: twoPercent,
    value: ({ router }) => router?.moved ?? null,
  }),
  row({
    name: 'syn.late',
    unit: 'share',
    label: 'connections that stood only at a later SYN',
    title: 'at a later SYN',
    margin: shareMargin,
    value: ({ outcomes, syns = [] }) =>
      outcomes.ok ? syns.slice(1).reduce((sum, count) => sum + count, 0) / outcomes.ok : null,
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
    name: 'listeners.refused',
    unit: 'share',
    label: 'restarts of a service that did not get its port back',
    title: 'listening port taken',
    needs: { key: 'neighbours.listen', example: 'neighbours: [{ name: api, listen: 40150-40159, rate: 20/s }]' },
    margin: shareMargin,
    value({ neighbours = [] }) {
      const services = neighbours.filter(({ listens }) => listens === true);
      const restarts = services.reduce((sum, { attempts }) => sum + attempts, 0);
      return restarts > 0 ? services.reduce((sum, { outcomes }) => sum + failureCount(outcomes), 0) / restarts : null;
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
