/**
 * `watch --failures`: the calls that the kernel refuses to any program, counted by eBPF while the gauge looks. Where that cannot be had, the
 * reason is what is told.
 */
import { existsSync } from 'node:fs';
import {
  causeOfRefused,
  makeRefusals,
  type Refusals,
  type RefusedRow,
  refusalOf,
  type Taker,
} from '../gauge/refused.js';
import { refusedBpfCall } from '../kernel/bpf-access.js';
import { EPERM } from '../kernel/errno.js';
import { createInodeSet } from '../kernel/inode-set.js';
import { listen } from '../kernel/libc.js';
import { holdersOf } from '../kernel/port-holders.js';
import { findOwners, processesByNamespace } from '../kernel/socket-owners.js';
import { parseControlGroup } from '../machine/cgroup.js';
import { createControlGroups } from '../machine/cgroup-paths.js';
import { DIE_WITH_PARENT } from '../machine/parent-death.js';
import { findProgram } from '../machine/programs.js';
import { readRights, whyRefused } from '../machine/rights.js';
import { type RunningBpf, startBpf } from '../subjects/running/bpf.js';
import { countRefused, type RefusedCall } from '../subjects/running/refused-calls.js';
import { ASK_BACKLOG, refusedProgram } from '../subjects/running/refused-program.js';
import { createWorkloads } from './workloads.js';

/** Do something in the network namespace of this name; null where it is not at hand. */
export type Enter = <T>(namespace: string, work: () => T) => T | null;

export interface FailureCount {
  /** What was refused since it began. Never rejects: what goes wrong is the answer. */
  read(enter: Enter): Promise<Refusals>;
  close(): void;
}

const TRACEFS = '/sys/kernel/tracing';
/** Compiling and attaching takes one to two seconds; a machine on which ports run out may be busy. */
const ATTACH_DEADLINE_MS = 60_000;
/** Rows of the kernel's table: programs × errnos × destinations. */
const MOST_ROWS = '16384';

/**
 * Begin to count. Resolves when the probes are attached, or it is known why they are not.
 * @param inode of the network namespace whose calls count; null: all of this machine
 */
export async function countFailures(inode: number | null): Promise<FailureCount> {
  const since = new Date().toISOString();
  const count = countRefused();
  const bpf = await attach(inode, count.add);
  if (typeof bpf === 'string') {
    const reason = bpf;
    return { read: async () => ({ kind: 'unavailable', reason }), close: () => {} };
  }
  const describe = createDescriber();
  return {
    async read(enter) {
      try {
        await bpf.read();
      } catch (error) {
        return { kind: 'unavailable', reason: (error as Error).message };
      }
      const { calls, lost } = count.result();
      await describe.refresh(calls);
      return makeRefusals(
        since,
        { lost },
        calls.map((call) => describe.row(call, enter)),
      );
    },
    close: bpf.close,
  };
}

/** @returns why not, as a clause for a reader */
async function attach(inode: number | null, onLine: (line: string) => void): Promise<RunningBpf | string> {
  const rights = readRights();
  if (!rights.root)
    return 'to count them takes root (CAP_BPF and CAP_PERFMON), for eBPF on the tracepoints of system calls';
  const mayTrace = rights.has('SYS_ADMIN') || (rights.has('BPF') && rights.has('PERFMON'));
  const refused = rights.ofMachine && mayTrace ? refusedBpfCall() : { call: 'bpf', errno: EPERM };
  if (refused !== null) return `eBPF cannot be had: ${whyRefused(refused.call, refused.errno, 'SYS_ADMIN', rights)}`;
  const bpftrace = findProgram('bpftrace');
  if (bpftrace === undefined)
    return 'program bpftrace not found; install it, for example: apt-get install --no-install-recommends bpftrace';
  const problem = await startBpf({
    command: [...DIE_WITH_PARENT, ...withTracefs(), bpftrace],
    text: refusedProgram(inode),
    // One name up to bpftrace 0.19, the other from then on.
    env: { BPFTRACE_MAP_KEYS_MAX: MOST_ROWS, BPFTRACE_MAX_MAP_KEYS: MOST_ROWS },
    attachMs: ATTACH_DEADLINE_MS,
    // No descriptor: it fails, and does nothing.
    ask: () => void listen(-1, ASK_BACKLOG),
    onLine,
  });
  if (typeof problem !== 'string') return problem;
  // The types of the kernel are listed to this capability alone.
  const lacking = rights.has('SYS_ADMIN') ? '' : '; with the capability SYS_ADMIN it may';
  return `bpftrace cannot count them here: ${problem}${lacking}`;
}

/** The tracepoints are in tracefs. Where it is not mounted it is, in a mount namespace of bpftrace's own, so that nobody else sees it. */
function withTracefs(): string[] {
  if (existsSync(`${TRACEFS}/events/syscalls/sys_enter_bind`)) return [];
  return ['unshare', '--mount', '--', 'sh', '-c', `mount -t tracefs tracefs ${TRACEFS} && exec "$0" "$@"`];
}

/** Adds to a row of the kernel what this machine knows: whose it is, and who has the port. A row that has not grown is not asked for again. */
function createDescriber() {
  const groups = createControlGroups();
  const workloads = createWorkloads();
  const known = new Map<string, RefusedRow>();

  function described(call: RefusedCall, enter: Enter): RefusedRow {
    const { cgroup: id, ...rest } = call;
    const cause = causeOfRefused(call);
    const refusal = refusalOf(cause);
    const cgroup = groups.pathOf(id);
    return {
      ...rest,
      refusal,
      cause,
      cgroup,
      workload: workloads.ofProcess(call.pid) ?? (cgroup === null ? null : workloads.ofGroup(groupOf(cgroup), call)),
      takers: refusal === 'taken' && call.port > 0 && call.protocol === 'tcp' ? takersOf(call, enter) : [],
    };
  }

  return {
    refresh: (calls: readonly RefusedCall[]) => workloads.refresh([...new Set(calls.map(({ pid }) => pid))]),
    row(call: RefusedCall, enter: Enter): RefusedRow {
      const { count, ...same } = call;
      const key = JSON.stringify(same);
      const before = known.get(key);
      if (before?.count === count) return before;
      const row = described(call, enter);
      known.set(key, row);
      return row;
    },
  };
}

function groupOf(path: string) {
  return parseControlGroup(`0::${path}`);
}

/** Who has the port that a call wanted. */
function takersOf({ port, namespace }: RefusedCall, enter: Enter): Taker[] {
  const holders = enter(namespace, () => holdersOf(new Set([port]))) ?? [];
  const inodes = createInodeSet();
  for (const { inode } of holders) if (inode !== 0) inodes.add(inode);
  const { apart } = findOwners({
    inodes,
    namespace,
    processes: processesByNamespace,
    isApart: () => true,
    exact: true,
  });
  return holders.map(({ inode, port: _, ...rest }) => ({ ...rest, owner: apart.get(inode) ?? null }));
}
