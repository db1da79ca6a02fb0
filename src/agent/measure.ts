/**
 * From what was counted to what is reported: the figures of one run, and whether it may be compared. Pure.
 */

import { formatDuration, plural } from '../domain/format.js';
import { LATENCY_PHASES } from '../domain/metric.js';
import { transportOf } from '../domain/protocol.js';
import type { PortRange } from '../domain/units.js';
import { summarise } from '../load/histogram.js';
import { totalOf } from '../load/outcome.js';
import { isPaced } from '../load/pacer.js';
import type { LoadReport, PoolReport } from '../load/pool.js';
import { fillBoundMs } from '../plan/fill-bound.js';
import type { Arm, LoadPlan } from '../plan/plan.js';
import { loadsOf } from '../plan/scenario.js';
import type { PartRun, Run, Wave } from '../results/schema.js';
import type { ProxyReport } from '../subjects/proxy-report.js';
import type { Measurement } from './protocol.js';
import type { Sampler } from './sampler.js';

export interface MeasureInput {
  readonly arm: Arm;
  readonly report: PoolReport;
  readonly sampler: Sampler;
  /** Of the proxy under test, what is not in the samples; null: there is none. */
  readonly proxy: Omit<ProxyReport, 'cpu' | 'memory' | 'descriptors'> | null;
  readonly range: PortRange;
  readonly reserved: number;
  /** Seconds of load. */
  readonly seconds: number;
  /** Nobody else has sockets in this namespace. */
  readonly alone: boolean;
  /** What was wrong before the load began. */
  readonly problems: readonly string[];
}

type Figures = Omit<
  Measurement,
  | 'startedAt'
  | 'interrupted'
  | 'loadMs'
  | 'sysctls'
  | 'histograms'
  | 'configured'
  | 'neighbours'
  | 'recovery'
  | 'router'
>;

/** The figures of a run, with the reasons why it may not be compared. */
export function measure(input: MeasureInput): Figures {
  const { report, sampler, seconds } = input;
  const { outcomes, firstFailure, cpu } = report;
  const attempts = totalOf(outcomes);
  const shed = outcomes.shed ?? 0;
  const ok = outcomes.ok ?? 0;
  const latency = latencies(report);
  const last = sampler.timeline.at(-1);
  const counters = sampler.moved();
  const origin = sampler.originStats();
  const figures = { counters, origin, attempts, shed };
  const loads = loadsOf(input.arm).map(({ name, load }, i) => ({
    name,
    plan: load,
    report: report.loads[i] ?? report,
  }));
  const late = loads.flatMap(lateness);
  const proxy = proxyReport(input);
  const busy = proxy?.cpu ?? cpu;
  return {
    problems: [
      ...input.problems,
      ...troublesOf(proxy),
      ...late,
      ...loads.flatMap(shedProblems),
      ...originProblems(origin),
    ],
    generatorLimited: late.length > 0,
    warnings: [...loads.flatMap(boundWarnings), ...warningsOf(figures)],
    attempts,
    outcomes,
    rates: { scheduled: attempts / seconds, started: (attempts - shed) / seconds, ok: ok / seconds },
    capacity: {
      // The clients of a proxy have sockets of their own; what counts is what the proxy has.
      tuples: Math.max(proxy ? 0 : report.peakOpen, input.alone ? mostSockets(sampler.timeline) : 0),
      peakOpen: report.peakOpen,
      openAtFirstFailure: firstFailure?.open ?? null,
      okBeforeFirstFailure: firstFailure?.ok ?? null,
    },
    waves: [...report.waves],
    ...(report.syns && report.syns.length > 1 ? { syns: [...report.syns] } : {}),
    latency,
    ports: {
      ...input.range,
      reserved: input.reserved,
      ...takenPorts(input.arm, report, proxy),
      peak: peak(sampler.timeline.map(({ portsInUse }) => portsInUse)),
      peakPerAddress: peakPerAddress(sampler.timeline.map(({ portsPerAddress }) => portsPerAddress)),
      finalStates: last?.states ?? null,
    },
    cpu: {
      perConnection: ok > 0 ? ((busy.user + busy.system) * 1e6) / ok : null,
      client: cpu,
      origin: origin && cpuDuring(origin),
    },
    memory: { peak: sampler.peakMemory() },
    counters,
    timeline: sampler.timeline,
    ...(proxy ? { proxy } : {}),
    ...(loads.length > 1 ? { scenarios: loads.map(({ name, report: own }) => partOf(name, own)) } : {}),
    origin: origin && {
      accepted: report.accepted ?? origin.after.accepted,
      listenOverflows: moved(origin, 'listenOverflows'),
      pawsPassive: moved(origin, 'pawsPassive'),
      seen: origin.after.seen,
    },
  };
}

/** Of the lab's own sockets: how many a program under test had the origin does not see, to which one port may be many sockets in turn. */
function takenPorts(
  { load }: Arm,
  { portsTaken }: PoolReport,
  proxy: ProxyReport | undefined,
): Pick<Run['ports'], 'taken'> {
  if (transportOf(load.protocol) !== 'udp') return {};
  return { taken: proxy ? null : portsTaken };
}

function proxyReport({ proxy, sampler }: MeasureInput): ProxyReport | undefined {
  const stats = sampler.proxyStats();
  if (!proxy || !stats) return undefined;
  return {
    ...proxy,
    cpu: cpuDuring(stats),
    memory: { peak: sampler.peakMemory() },
    descriptors: stats.descriptors,
  };
}

/** CPU seconds between two readings. */
function cpuDuring({
  before,
  after,
}: Readonly<Record<'before' | 'after', { cpu: ProxyReport['cpu'] }>>): ProxyReport['cpu'] {
  return { user: after.cpu.user - before.cpu.user, system: after.cpu.system - before.cpu.system };
}

function troublesOf(proxy: ProxyReport | undefined): string[] {
  return (proxy?.troubles ?? []).map((trouble) => `the proxy (${proxy?.kind}) did not run as configured: ${trouble}`);
}

interface Figured {
  readonly counters: Run['counters'];
  readonly origin: ReturnType<Sampler['originStats']>;
  readonly attempts: number;
  readonly shed: number;
}

/** One of the loads, and what came of it. */
interface Measured {
  readonly name: string;
  readonly plan: LoadPlan;
  readonly report: LoadReport;
}

// Reasons why a run may not be compared: it measured the generator or the origin, not the kernel's port choice.

function lateness({ plan, report }: Measured): string[] {
  const micros = summarise(report.histograms.lag)?.p99 ?? 0;
  if (!isPaced(plan.arrival) || micros <= plan.lagBudgetMs * 1000) return [];
  const lag = (micros / 1000).toFixed(1);
  return [`generator-limited: the p99 of the start lag was ${lag} ms, above the budget of ${plan.lagBudgetMs} ms`];
}

function shedProblems({ plan, report: { outcomes } }: Measured): string[] {
  const { shed = 0 } = outcomes;
  if (shed === 0 || plan.maxInFlight !== null) return [];
  return [`${shed} of ${totalOf(outcomes)} attempts were shed: the descriptor limit of this process was reached`];
}

function originProblems(origin: Figured['origin']): string[] {
  if (!origin) return [];
  const overflows = moved(origin, 'listenOverflows') ?? 0;
  return [
    ...(origin.after.refused > 0 ? ['the origin ran out of descriptors'] : []),
    ...(overflows > 0 ? [`the origin's accept queue overflowed ${overflows} times`] : []),
  ];
}

/** A fill that was to end at failures, and ended at its bound. */
function boundWarnings({ plan: { arrival }, report }: Measured): string[] {
  if (arrival.shape !== 'fill' || arrival.failures === null || arrival.attempts !== null) return [];
  const bound = fillBoundMs(arrival);
  if (bound === null || report.seconds * 1000 < bound) return [];
  const failed = ({ attempts, outcomes }: Wave) => attempts - (outcomes.ok ?? 0) - (outcomes.shed ?? 0);
  const short = report.waves.find((wave) => failed(wave) < arrival.failures!);
  if (short === undefined) return [];
  return [
    `the fill ended at its bound of ${formatDuration(bound)} and not at ${arrival.failures} ${plural('failure', arrival.failures)}: ${failed(short)} of ${short.attempts} attempts failed`,
  ];
}

function warningsOf({ counters, origin, attempts, shed }: Figured): string[] {
  const warnings: string[] = [];
  const old = (origin && moved(origin, 'pawsPassive')) ?? 0;
  if (old > 0) {
    warnings.push(
      `the origin dropped ${old} SYNs without an answer, because their timestamps were older than one seen from the same address within the last minute (tcp_tw_recycle on the origin; TcpExt.PAWSPassive)`,
    );
  }
  const overflow = counters['TcpExt.TCPTimeWaitOverflow'] ?? 0;
  if (overflow > 0) {
    warnings.push(
      `${overflow} sockets were closed without TIME_WAIT because tcp_max_tw_buckets was full (TCPTimeWaitOverflow): this frees their ports and loses the protection against old duplicates`,
    );
  }
  if (shed > 0) warnings.push(`${shed} of ${attempts} attempts were shed`);
  return warnings;
}

function moved(
  { before, after }: NonNullable<Figured['origin']>,
  counter: 'listenOverflows' | 'pawsPassive',
): number | null {
  const value = after[counter];
  return value === null ? null : value - (before[counter] ?? 0);
}

/** What is kept of a load that is not the only one: a neighbour, or one of several. */
export function partOf(name: string, report: LoadReport): PartRun {
  const { outcomes } = report;
  return { name, attempts: totalOf(outcomes), outcomes, latency: latencies(report) };
}

/** Times by phase, of the phases that happened. */
function latencies(report: Pick<LoadReport, 'histograms'>): Run['latency'] {
  return Object.fromEntries(
    LATENCY_PHASES.map((phase) => [phase, summarise(report.histograms[phase])]).filter(
      ([, latency]) => latency !== undefined,
    ),
  );
}

/**
 * Sockets that have a tuple. Since Linux 6.8 the dump has those too that are bound and not connected, as CLOSE: a socket that was
 * bound to a port of its own and whose connect() is being refused would be counted above the ceiling.
 */
function mostSockets(timeline: Sampler['timeline']): number {
  const occupying = ({ CLOSE: _, ...states }: Readonly<Record<string, number>>) =>
    Object.values(states).reduce((sum, n) => sum + n, 0);
  return Math.max(0, ...timeline.map(({ states }) => occupying(states ?? {})));
}

function peak(values: readonly (number | null)[]): number | null {
  const seen = values.filter((value) => value !== null);
  return seen.length > 0 ? Math.max(...seen) : null;
}

function peakPerAddress(rows: readonly (readonly number[] | null)[]): number[] | null {
  const seen = rows.filter((row) => row !== null);
  return seen[0] ? seen[0].map((_, i) => Math.max(...seen.map((row) => row[i] ?? 0))) : null;
}
