/**
 * What a proxy under test suffered, beside what its clients saw: medians over an arm's compared runs. Pure.
 */
import { comparedRuns, TIMES } from '../../analysis/usable.js';
import type { Results, Variant } from '../../results/schema.js';
import { changesIn } from '../../subjects/base/base.js';
import { baseOf, proxySubjectOf } from '../../subjects/index.js';
import { type Counted, medianCounts, medianOf } from './medians.js';

export interface ProxyRow {
  readonly name: string;
  /** Kinds and versions of its runs, as `squid 5.7`. */
  readonly program: string;
  /** Its failing answers in full, as `503 ERR_CONNECT_FAIL 0`. */
  readonly answers: readonly Counted[];
  /** Failures in its log, as `bind EADDRINUSE`. */
  readonly logged: readonly Counted[];
  /** A line of each kind of failure. */
  readonly lines: readonly string[];
  /** Ports in use at the most, of all its addresses. */
  readonly ports: number | null;
  /** Sockets in TIME_WAIT and in other states when the load had ended. */
  readonly timeWait: number | null;
  readonly open: number | null;
  readonly cpuSeconds: number | null;
  readonly memory: number | null;
  /** Paths of what it was configured with, relative to the result folder. */
  readonly configuration: readonly string[];
  /** What the lab changed in a file of the user's own: `squid.conf:3`, the line, and what became of it. */
  readonly changes: ReturnType<typeof changesIn>;
}

/** One row an arm that has a proxy; none for any program of the user's, nor for the harness's own sockets. */
export function proxyRows({ variants }: Results): ProxyRow[] {
  return variants.flatMap((variant) => (variant.proxy && !isProgram(variant) ? [rowOf(variant)] : []));
}

/** Whether the subject of an arm is any program, and not a proxy that is known. */
export function isProgram({ proxy }: Pick<Variant, 'proxy'>): boolean {
  return proxy !== undefined && proxySubjectOf(proxy.kind).entrance !== undefined;
}

function rowOf(variant: Variant): ProxyRow {
  const reports = comparedRuns(variant).flatMap(({ proxy }) => (proxy ? [proxy] : []));
  const programs = new Set(reports.map(({ kind, version }) => (version === null ? kind : `${kind} ${version}`)));
  const failures = reports.map(({ failures }) =>
    Object.fromEntries(failures.map(({ call, errno, count }) => [failureName(call, errno), count])),
  );
  const lines = new Map(
    reports.flatMap(({ failures: list }) =>
      list.map((failure): [string, string] => [failureName(failure.call, failure.errno), failure.lines[0] ?? '']),
    ),
  );
  return {
    name: variant.name,
    program: [...programs].join(', ') || (variant.proxy?.kind ?? ''),
    answers: medianCounts(reports.map(({ answers }) => answers)).filter(isCounted),
    logged: medianCounts(failures).filter(isCounted),
    lines: [...lines.values()].filter((line) => line !== ''),
    ports: medianOf(variant, ({ ports }) => ports.peak),
    timeWait: medianOf(variant, ({ ports }) => ports.finalStates && (ports.finalStates.TIME_WAIT ?? 0)),
    open: medianOf(variant, ({ ports }) => ports.finalStates && others(ports.finalStates)),
    cpuSeconds: medianOf(variant, ({ proxy }) => proxy && proxy.cpu.user + proxy.cpu.system, TIMES),
    memory: medianOf(variant, ({ proxy }) => proxy?.memory.peak),
    configuration: variant.runs.flatMap((run) => (run.configuration ? [run.configuration] : []))[0] ?? [],
    changes: changesOf(variant),
  };
}

function changesOf({ proxy }: Variant): ProxyRow['changes'] {
  const base = proxy && baseOf(proxy);
  const rules = proxy && proxySubjectOf(proxy.kind).base?.(proxy);
  return base && rules ? changesIn(base, rules) : [];
}

/** `bind EADDRINUSE` of a failure in a log or of a refused call. */
export function failureName(call: string | null, errno: string | null): string {
  return `${call ?? 'a call'} ${errno ?? 'without an errno'}`;
}

/** Refused calls by name, those of several processes together, the most frequent first. */
export function refusedCalls(
  failures: readonly { readonly call: string; readonly errno: string; readonly count: number }[],
): Counted[] {
  const counts = new Map<string, number>();
  for (const { call, errno, count } of failures) {
    const name = failureName(call, errno);
    counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return [...counts].sort(([, m], [, n]) => n - m);
}

function isCounted([, count]: Counted): boolean {
  return count > 0;
}

function others(states: Readonly<Record<string, number>>): number {
  return Object.entries(states).reduce((sum, [state, n]) => (state === 'TIME_WAIT' ? sum : sum + n), 0);
}
