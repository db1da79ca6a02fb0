/**
 * CPU and memory of a program and all that it has started, from /proc (proc(5)).
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

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
 * Usage of the children of the calling process and of theirs. The pids are those that /proc shows, which need not be those of the
 * PID namespace: a lab does not mount a /proc of its own.
 */
export function childrenUsage(now: () => number): () => Usage {
  let known: number[] = [];
  let lookedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() - lookedAt >= LOOK_EVERY_MS || known.length === 0) {
      known = descendants(Number(readlinkSync('/proc/self')));
      lookedAt = now();
    }
    const stats = known.map(statOf).filter((stat) => stat !== undefined);
    const sum = (of: (stat: Stat) => number) => stats.reduce((total, stat) => total + of(stat), 0);
    return {
      processes: stats.length,
      cpu: { user: sum(({ user }) => user) / TICKS, system: sum(({ system }) => system) / TICKS },
      memory: sum(({ resident }) => resident),
      descriptors: stats.reduce<number | null>((total, { pid }) => {
        const open = openDescriptors(pid);
        return total === null || open === null ? null : total + open;
      }, 0),
    };
  };
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
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may itself have spaces and parentheses; fields are counted from behind it, the third first.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const field = (number: number) => Number(fields[number - 3]);
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return {
      pid,
      parent: field(4),
      user: field(14) + field(16),
      system: field(15) + field(17),
      resident: Number(kilobytes ?? 0) * 1024,
    };
  } catch {
    return undefined;
  }
}

function openDescriptors(pid: number): number | null {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return null;
  }
}
