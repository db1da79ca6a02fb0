/**
 * CPU and memory of a program and all that it has started, from /proc (proc(5)) and, of what has ended, from getrusage(2).
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { unlessThrown } from '../../domain/error.js';
import { getrusage, nativeBuffer } from '../../kernel/libc.js';
import { statFields } from '../../machine/process-identity.js';

export interface Usage {
  readonly processes: number;
  /** Seconds of CPU since each process began, of those alive now and of the children that were waited for. */
  readonly cpu: { readonly user: number; readonly system: number };
  /** Resident memory, bytes; pages that processes share are counted for each. */
  readonly memory: number;
  /** Open descriptors; null where this may not be read. */
  readonly descriptors: number | null;
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly user: number;
  readonly system: number;
  /** Resident memory, bytes. */
  readonly resident: number;
}

const TICKS = 100;
/** Looking at every process of the machine costs milliseconds where there are many. */
const LOOK_EVERY_MS = 1000;

/**
 * Usage of the children of the calling process and of theirs, as far as they are in its network namespace. The pids are those that /proc shows, which need not be those of the
 * PID namespace: a lab does not mount a /proc of its own.
 */
export function childrenUsage(now: () => number): () => Usage {
  const namespace = namespaceOf('self');
  const before = waitedFor();
  let known: number[] = [];
  let lookedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() - lookedAt >= LOOK_EVERY_MS || known.length === 0) {
      known = descendants(Number(readlinkSync('/proc/self'))).filter((pid) => namespaceOf(pid) === namespace);
      lookedAt = now();
    }
    const stats = known.map(statOf).filter((stat) => stat !== undefined);
    const sum = (of: (stat: Stat) => number) => stats.reduce((total, stat) => total + of(stat), 0);
    const [user, system] = [sum((stat) => stat.user) / TICKS, sum((stat) => stat.system) / TICKS];
    // The kernel shows both rounded down to ticks, and what the tasks ran to the nanosecond.
    const exact = sum(({ pid }) => runTime(pid) ?? Number.NaN);
    const inTicks = user + system;
    const isSame = Math.abs(exact - inTicks) <= (2 * Math.max(1, stats.length)) / TICKS;
    const scale = isSame && inTicks > 0 ? exact / inTicks : 1;
    const gone = waitedFor();
    return {
      processes: stats.length,
      cpu: { user: user * scale + gone.user - before.user, system: system * scale + gone.system - before.system },
      memory: Math.max(
        sum(({ resident }) => resident),
        gone.memory > before.memory ? gone.memory : 0,
      ),
      descriptors: stats.reduce<number | null>((total, { pid }) => {
        const open = unlessThrown(() => readdirSync(`/proc/${pid}/fd`).length, null);
        return total === null || open === null ? null : total + open;
      }, 0),
    };
  };
}

const RUSAGE_CHILDREN = -1;

/** What children of the calling process used that have ended, and theirs: seconds of CPU, and the most memory of one of them, bytes (getrusage(2)). */
function waitedFor(): { readonly user: number; readonly system: number; readonly memory: number } {
  const { address, view } = nativeBuffer(144);
  getrusage(RUSAGE_CHILDREN, address);
  const at = (offset: number) => Number(view.getBigInt64(offset, true));
  return { user: at(0) + at(8) / 1e6, system: at(16) + at(24) / 1e6, memory: at(32) * 1024 };
}

/** Seconds that the tasks of a process ran (sched-stats.rst); null where this is not shown. */
function runTime(pid: number): number | null {
  return unlessThrown(() => {
    const nanoseconds = readdirSync(`/proc/${pid}/task`).map((task) =>
      Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
    );
    return nanoseconds.reduce((total, n) => total + n, 0) / 1e9;
  }, null);
}

/** Which network namespace a process is in; undefined when it has ended. */
function namespaceOf(pid: number | 'self'): string | undefined {
  return unlessThrown(() => readlinkSync(`/proc/${pid}/ns/net`), undefined);
}

function descendants(ancestor: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(Number(name));
    if (stat) children.set(stat.parent, [...(children.get(stat.parent) ?? []), stat.pid]);
  }
  const found: number[] = [];
  const queue = [ancestor];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    const next = children.get(pid) ?? [];
    found.push(...next);
    queue.push(...next);
  }
  return found;
}

function statOf(pid: number): Stat | undefined {
  return unlessThrown(() => {
    const fields = statFields(pid);
    const field = (number: number) => Number(fields[number - 3]);
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return {
      pid,
      parent: field(4),
      user: field(14) + field(16),
      system: field(15) + field(17),
      resident: Number(kilobytes ?? 0) * 1024,
    };
  }, undefined);
}
