/**
 * Counters that the kernel keeps, from /proc (proc(5)): network counters of this namespace, CPU and load of the machine.
 * The parsers are pure; the readers read.
 */
import { readFileSync } from 'node:fs';
import { unlessThrown } from '../domain/error.js';

/** Counter name, such as `TcpExt.TWRecycled`, to value. */
export type Counters = Record<string, number>;

/** /proc/net/snmp and /proc/net/netstat: pairs of lines, names and values. */
export function parseNetCounters(text: string): Counters {
  const counters: Counters = {};
  const lines = text.split('\n');
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const names = lines[i]!.split(' ');
    const values = lines[i + 1]!.split(' ');
    if (names[0] !== values[0]) continue;
    const group = names[0]!.slice(0, -1);
    for (let j = 1; j < names.length; j++) counters[`${group}.${names[j]}`] = Number(values[j]);
  }
  return counters;
}

/** /proc/net/sockstat and sockstat6: `TCP: inuse 3 orphan 0 tw 120 …`. */
export function parseSockstat(text: string): Counters {
  const counters: Counters = {};
  for (const line of text.split('\n')) {
    const [group, ...rest] = line.split(/:? /);
    for (let j = 0; j + 1 < rest.length; j += 2) counters[`sockstat.${group}.${rest[j]}`] = Number(rest[j + 1]);
  }
  return counters;
}

const FILES = [
  ['/proc/net/snmp', parseNetCounters],
  ['/proc/net/netstat', parseNetCounters],
  ['/proc/net/sockstat', parseSockstat],
  ['/proc/net/sockstat6', parseSockstat],
  ['/proc/sys/net/netfilter/nf_conntrack_count', (text: string): Counters => ({ 'conntrack.count': Number(text) })],
] as const;

/** Files that the kernel does not have (no conntrack, no IPv6) are left out. */
export function readNetCounters(): Counters {
  const counters: Counters = {};
  for (const [path, parse] of FILES) {
    const text = readOptional(path);
    if (text !== undefined) Object.assign(counters, parse(text));
  }
  return counters;
}

/** Processes that this kernel has killed for lack of memory (Linux 4.13); null: it does not count them. */
export function killedForMemory(): number | null {
  const count = /^oom_kill (\d+)$/m.exec(readOptional('/proc/vmstat') ?? '')?.[1];
  return count === undefined ? null : Number(count);
}

/** later − earlier; counters that did not move are left out. */
export function countersMoved(later: Counters, earlier: Counters): Counters {
  const moved: Counters = {};
  for (const [name, value] of Object.entries(later)) {
    const delta = value - (earlier[name] ?? 0);
    if (delta !== 0 && Number.isFinite(delta)) moved[name] = delta;
  }
  return moved;
}

export interface MachineCpu {
  /** Seconds since boot, summed over the CPUs. */
  readonly user: number;
  readonly system: number;
  readonly softirq: number;
  readonly idle: number;
  /** Given to other guests by the hypervisor. */
  readonly steal: number;
}

/** The first line of /proc/stat, in ticks of 1/100 s (USER_HZ). */
export function parseMachineCpu(text: string): MachineCpu | undefined {
  const fields = /^cpu +(.*)$/m.exec(text)?.[1]?.split(' ').map(Number);
  if (!fields || fields.length < 7) return undefined;
  const [user, nice, system, idle, iowait, irq, softirq, steal = 0] = fields as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    user: (user + nice) / 100,
    system: (system + irq) / 100,
    softirq: softirq / 100,
    idle: (idle + iowait) / 100,
    steal: steal / 100,
  };
}

/** CPU time of the whole machine (proc(5), /proc/stat). */
export function readMachineCpu(): MachineCpu | undefined {
  const text = readOptional('/proc/stat');
  return text === undefined ? undefined : parseMachineCpu(text);
}

/** The one-minute load average. */
export function readLoad1(): number | undefined {
  const value = Number.parseFloat(readOptional('/proc/loadavg') ?? '');
  return Number.isFinite(value) ? value : undefined;
}

/** For how long a thread has had a CPU, and for how long it has waited for one. */
export interface RunQueue {
  readonly ranMs: number;
  readonly waitedMs: number;
}

/** The main thread's (Documentation/scheduler/sched-stats.rst, /proc/<pid>/schedstat); undefined on a kernel without CONFIG_SCHED_INFO. */
export function readRunQueue(): RunQueue | undefined {
  const [ran, waited] = (readOptional('/proc/self/schedstat') ?? '').split(' ').map(Number);
  return ran !== undefined && ran > 0 && waited !== undefined && Number.isFinite(waited)
    ? { ranMs: ran / 1e6, waitedMs: waited / 1e6 }
    : undefined;
}

function readOptional(path: string): string | undefined {
  return unlessThrown(() => readFileSync(path, 'utf8'), undefined);
}
