/**
 * What a NAT did to each arm, from the client, the router and the origin: medians over the compared runs. Pure.
 */
import { comparedRuns } from '../../analysis/usable.js';
import { parseKernelVersion } from '../../capacity/kernel-version.js';
import { scheduleOf } from '../../capacity/nat/syn-schedule.js';
import { formatDuration, formatTarget } from '../../domain/format.js';
import { isFailure } from '../../domain/outcome.js';
import { transportOf } from '../../domain/protocol.js';
import type { Results, Variant } from '../../results/schema.js';
import { type Counted, medianCounts, medianOf, medianOutcomes } from './medians.js';

/** The fullest pools that are shown of an arm. */
const MOST_POOLS = 4;

export interface NatRow {
  readonly name: string;
  readonly client: readonly Counted[];
  /** `by SYN 2`: connections that stood only then. */
  readonly late: readonly Counted[];
  /** `insert_failed`, `drop` and others that moved. */
  readonly counters: readonly Counted[];
  /** Entries by state when the load had ended. */
  readonly entries: readonly Counted[];
  readonly accepted: number | null;
  /** `198.18.4.1 → 198.19.0.1:9000`, and how many. */
  readonly pools: readonly Counted[];
  /** The rules of the router, as one types them. */
  readonly rules: readonly string[];
}

/** One row an arm that has a router. */
export function natRows({ variants }: Results): NatRow[] {
  return variants.flatMap((variant) => (comparedRuns(variant).some(({ router }) => router) ? [rowOf(variant)] : []));
}

function rowOf(variant: Variant): NatRow {
  const runs = comparedRuns(variant);
  const reports = runs.flatMap(({ router }) => (router ? [router] : []));
  return {
    name: variant.name,
    client: medianOutcomes(variant),
    late: medianCounts(runs.map(({ syns = [] }) => byNumber(syns))),
    counters: medianCounts(reports.map(({ counters }) => counters)),
    entries: medianCounts(reports.map(({ states }) => states)),
    accepted: medianOf(variant, ({ origin }) => origin?.accepted),
    pools: medianCounts(
      reports.map(({ pools }) =>
        Object.fromEntries(pools.map(({ address, to, entries }) => [`${address} → ${formatTarget(to)}`, entries])),
      ),
    ).slice(0, MOST_POOLS),
    rules: reports[0]?.rules ?? [],
  };
}

function byNumber(syns: readonly number[]): Record<string, number> {
  return Object.fromEntries(syns.flatMap((count, i) => (i > 0 && count > 0 ? [[`by SYN ${i + 1}`, count]] : [])));
}

/**
 * What a reader must know who only knew that it hangs sometimes, a paragraph each; none where no arm lost a SYN.
 */
export function natSentences(results: Results): string[] {
  const baseline = results.variants.find(({ baseline: isBaseline }) => isBaseline);
  const rows = natRows(results);
  const first = rows.find(({ name }) => name === baseline?.name);
  if (baseline === undefined || first === undefined) return [];
  const lost = first.counters.find(([name]) => name === 'insert_failed')?.[1] ?? 0;
  const failed = first.client.reduce((sum, [outcome, count]) => (isFailure(outcome) ? sum + count : sum), 0);
  if (lost === 0) return [];
  if (transportOf(baseline.load.protocol) === 'udp') return lostDatagrams(lost, first.accepted ?? 0);
  const schedule = scheduleOf(parseKernelVersion(results.environment.kernel), baseline.sysctls);
  const seconds = schedule.sent.map((at) => String(at)).join(', ');
  return [
    `The router had no port left for ${lost} ${lost === 1 ? 'SYN' : 'SYNs'} of the baseline and dropped them: it counts insert_failed and drop, and tells neither side. The origin accepted ${first.accepted ?? 0}, and never saw the others. No call failed with an errno of ports.`,
    `So it looks like waiting. The kernel sends the SYN again, here ${seconds} s after connect(), and connect() gives up with ETIMEDOUT after ${schedule.timeout} s; when a port comes free in between, the connection stands at the next SYN, late by as much. ${failed} of the attempts here were given up after ${formatDuration(baseline.load.timeoutMs)} (load.timeout).`,
    REMEDY,
  ];
}

/** What follows from the rules, whichever of them the experiment tries. */
const REMEDY =
  'What helps is more ports towards that destination: a wider range in the rule, a rule for each NAT address (by turns), a further address or port of the destination; or fewer connections that are open at once. A second address in the same rule gives one client nothing, since the kernel takes one by a hash of client and destination, and ip_local_port_range of the router is for its own programs.';

function lostDatagrams(lost: number, arrived: number): string[] {
  return [
    `The router had no port left for ${lost} ${lost === 1 ? 'datagram' : 'datagrams'} of the baseline and dropped them: it counts insert_failed and drop, and tells neither side. ${arrived} reached the origin. Each sendto() succeeded.`,
    'So it looks like an answer that was lost on the way. UDP sends nothing again: a program without a timeout of its own waits without an end.',
    REMEDY,
  ];
}
