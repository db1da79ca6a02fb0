/**
 * A look at every network namespace of a machine: what `bindstorm watch --all --json` prints. Pure.
 */
import type { Look } from './look.js';
import type { NatUse } from './node-nat.js';
import type { Level } from './reading.js';
import { worstLevel } from './reading.js';
import type { Refusals } from './refused.js';
import { type Workload, workloadKey } from './workload.js';

/** Open sockets of one workload of a namespace. */
export interface WorkloadUse {
  readonly workload: Workload;
  readonly processes: number;
  readonly sockets: number;
  /** TCP state → sockets. TIME_WAIT has no process, so it is of nobody. */
  readonly states: Readonly<Record<string, number>>;
}

export interface NamespaceLook extends Omit<Look, 'process' | 'refused'> {
  readonly workload: Workload;
  /** Processes in it. */
  readonly processes: number;
  /** Who has its open sockets, most first; null where owners were not looked for. */
  readonly workloads: readonly WorkloadUse[] | null;
  /** Of the NAT in it; null: nothing is translated, or it cannot be read. */
  readonly nat: NatUse | null;
}

/** A namespace that could not be looked into. */
export interface SkippedNamespace {
  readonly namespace: string;
  readonly workload: Workload;
  readonly reason: string;
}

export interface NodeLook {
  /** ISO 8601. */
  readonly at: string;
  /** The worst of the namespaces, and of the NATs in them. */
  readonly level: Level;
  /** The fullest first. */
  readonly namespaces: readonly NamespaceLook[];
  readonly skipped: readonly SkippedNamespace[];
  /** Why a NAT that is there could not be read; null: each was, or there is none. */
  readonly natUnread: string | null;
  /** What was refused while it was looked, in any of them; null: it was not asked for. */
  readonly refused: Refusals | null;
  /** What all looks took together. */
  readonly lookMs: number;
}

/** Put the looks of one moment together. */
export function makeNodeLook(
  at: string,
  looks: readonly NamespaceLook[],
  skipped: readonly SkippedNamespace[],
  natUnread: string | null,
): NodeLook {
  // A namespace that translates for others has few sockets of its own.
  const fill = ({ addresses, nat }: NamespaceLook) => Math.max(addresses[0]?.fill ?? 0, nat?.pools[0]?.fill ?? 0);
  return {
    at,
    level: worstLevel([...looks, ...looks.flatMap(({ nat }) => nat ?? [])]),
    namespaces: [...looks].sort((a, b) => fill(b) - fill(a) || compareTexts(a.workload.name, b.workload.name)),
    skipped,
    natUnread,
    refused: null,
    lookMs: looks.reduce((sum, { lookMs }) => sum + lookMs, 0),
  };
}

/** Add up the owners of a namespace by what they are. @param workloadOf a process; null: it has ended */
export function usesOf(owners: Look['owners'], workloadOf: (pid: number) => Workload | null): WorkloadUse[] | null {
  if (owners === null) return null;
  const uses = new Map<
    string,
    { workload: Workload; processes: number; sockets: number; states: Record<string, number> }
  >();
  for (const { pid, sockets, states } of owners.owners) {
    const workload = workloadOf(pid);
    if (workload === null) continue;
    const key = workloadKey(workload);
    const use = uses.get(key) ?? { workload, processes: 0, sockets: 0, states: {} };
    use.processes++;
    use.sockets += sockets;
    for (const [state, n] of Object.entries(states)) use.states[state] = (use.states[state] ?? 0) + n;
    uses.set(key, use);
  }
  return [...uses.values()].sort((a, b) => b.sockets - a.sockets || compareTexts(a.workload.name, b.workload.name));
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
