/**
 * The calls that were refused while the gauge looked: what each says, by the same knowledge as `explain`. Pure.
 */
import { formatTarget } from '../domain/format.js';
import { grouped } from '../domain/grouped.js';
import { printableWords } from '../domain/printable.js';
import { causeOf } from '../explain/cause.js';
import { CAUSES, type CauseName } from '../explain/causes.js';
import type { Errno } from '../explain/errno.js';
import type { PortHolder } from '../kernel/port-holders.js';
import type { Process } from '../kernel/socket-owners.js';
import type { RefusedCall, RefusedCalls } from '../subjects/running/refused-calls.js';
import type { Workload } from './workload.js';

/** `no-port`: no local port was free. `taken`: the port that was named belongs to another socket. `other`: nothing of ports. */
export const REFUSALS = ['no-port', 'taken', 'other'] as const;
export type Refusal = (typeof REFUSALS)[number];

/** A socket that has the port which a call named. */
export interface Taker extends Omit<PortHolder, 'inode' | 'port'> {
  /** null: no process has it open, or it is not known. */
  readonly owner: Process | null;
}

export interface RefusedRow extends Omit<RefusedCall, 'cgroup'> {
  readonly refusal: Refusal;
  /** By the names of `explain`; null: it says nothing of ports. */
  readonly cause: CauseName | null;
  /** The path of the control group; null: not known any more. */
  readonly cgroup: string | null;
  readonly workload: Workload | null;
  /** Of a port that was taken: who has it now. */
  readonly takers: readonly Taker[];
}

/** What was refused since the count began; or why nothing is counted. */
export type Refusals =
  | {
      readonly kind: 'counted';
      /** ISO 8601: from when on. */
      readonly since: string;
      /** Most calls first. */
      readonly calls: readonly RefusedRow[];
      /** Calls of each sort. */
      readonly sums: Readonly<Record<Refusal, number>>;
      /** Refused calls that are in no row, because the kernel's table was full. */
      readonly lost: number;
    }
  | { readonly kind: 'unavailable'; readonly reason: string };

const NO_PORT: readonly CauseName[] = ['ports-of-the-address', 'four-tuples', 'four-tuples-or-ipv6', 'udp-ports'];
const TAKEN: readonly CauseName[] = ['named-port', 'listening-port'];

/** Why a call was refused; null: its errno says nothing of ports. */
export function causeOfRefused({ call, errno, protocol, address, port }: RefusedCall): CauseName | null {
  const end = { address, port };
  const outgoing = call === 'connect' || call === 'sendto' || call === 'sendmsg';
  const named = causeOf({
    call: call === 'sendto' || call === 'sendmsg' ? 'send' : call,
    errno: errno as Errno,
    protocol,
    system: 'linux',
    local: outgoing ? null : end,
    remote: outgoing ? end : null,
    strategy: null,
  });
  return named ?? null;
}

/** What a cause means here. */
export function refusalOf(cause: CauseName | null): Refusal {
  if (cause === null) return 'other';
  return NO_PORT.includes(cause) ? 'no-port' : TAKEN.includes(cause) ? 'taken' : 'other';
}

/** Put the count of the kernel together with what is known of its rows. */
export function makeRefusals(
  since: string,
  { lost }: Pick<RefusedCalls, 'lost'>,
  calls: readonly RefusedRow[],
): Refusals {
  const sums = { 'no-port': 0, taken: 0, other: 0 };
  for (const { refusal, count } of calls) sums[refusal] += count;
  return { kind: 'counted', since, calls, sums, lost };
}

/** Whether somebody was refused a local port. */
export function hasRefusals(refusals: Refusals | null): boolean {
  return refusals?.kind === 'counted' && refusals.sums['no-port'] + refusals.sums.taken > 0;
}

const MOST_ROWS = 8;
const MOST_TAKERS = 2;
const MOST_CAUSES = 2;

/** What a terminal shows of them. @returns null where they were not asked for */
export function refusedLines(
  refusals: Refusals | null,
): { readonly title: string; readonly lines: readonly string[] } | null {
  if (refusals === null) return null;
  if (refusals.kind === 'unavailable') return { title: 'refused calls are not counted', lines: [refusals.reason] };
  const { calls, sums, since, lost } = refusals;
  const groups = groupsOf(calls.filter(({ refusal }) => refusal !== 'other')).slice(0, MOST_ROWS);
  const causes = [...new Set(groups.flatMap(({ row }) => row.cause ?? []))];
  return {
    title: `refused calls since ${since.slice(11, 19)} UTC: ${count(sums['no-port'])} found no local port, ${count(sums.taken)} a port that was taken, ${count(sums.other)} something else`,
    lines: [
      ...groups.flatMap((group) => [groupText(group), ...group.row.takers.slice(0, MOST_TAKERS).map(takerText)]),
      ...(lost > 0 ? [`and ${count(lost)} that found no room in the kernel's table`] : []),
      ...causes.slice(0, MOST_CAUSES).map((cause) => `Helps: ${CAUSES[cause].helps}`),
    ],
  };
}

/** Rows of one program that differ in the process alone. */
interface Group {
  /** The one with the most calls. */
  readonly row: RefusedRow;
  readonly processes: number;
  readonly calls: number;
}

function groupsOf(rows: readonly RefusedRow[]): Group[] {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const { call, errno, protocol, address, port, command, workload } = row;
    const key = JSON.stringify([call, errno, protocol, address, port, command, workload?.name]);
    const before = groups.get(key);
    groups.set(key, {
      row: before?.row ?? row,
      processes: (before?.processes ?? 0) + 1,
      calls: (before?.calls ?? 0) + row.count,
    });
  }
  return [...groups.values()].sort((a, b) => b.calls - a.calls);
}

function groupText({ row, processes, calls }: Group): string {
  const { call, errno, protocol, address, port, command, pid, workload } = row;
  const whose = workload === null || workload.name === command ? '' : ` of ${printableWords(workload.name)}`;
  const who = `${printableWords(command)}${processes === 1 ? ` (${pid})` : ''}${whose}${processes === 1 ? '' : ` (${count(processes)} processes)`}`;
  return `${count(calls)} × ${call}(${formatTarget({ address, port })}) ${errno}${protocol === 'udp' ? ' of UDP' : ''} by ${who}`;
}

function takerText({ local, state, remote, owner }: Taker): string {
  const to = remote.port === 0 ? '' : ` to ${formatTarget(remote)}`;
  return `  it is held on ${local} by ${owner ? `${printableWords(owner.command)} (${owner.pid})` : 'a socket without a process'}, ${state}${to}`;
}

function count(n: number): string {
  return grouped(n);
}
