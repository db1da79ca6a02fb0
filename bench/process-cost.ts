/** What a process and its children have cost so far. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Cost {
  /** Seconds of CPU, user and system. */
  readonly cpu: number;
  /** Bytes over its connections to the server of a fleet; 0 where it has none. */
  readonly sent: number;
  readonly received: number;
}

/** USER_HZ, in which proc(5) counts CPU time. */
const TICKS = 100;

/** @param port of the server. @returns null where there is no such process any more */
export function costOf(pid: number, port: number): Cost | null {
  const cpu = family(pid).map(cpuOf);
  if (cpu[0] === null) return null;
  const { sent, received } = bytesOf(pid, port);
  return { cpu: cpu.reduce<number>((sum, own) => sum + (own ?? 0), 0), sent, received };
}

/** The process first, then those that it has started and that are there now. */
function family(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(family)];
}

function cpuOf(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === '') return null;
  // proc(5): after the name in parentheses, field 3 is the first; utime and stime are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** ss(8): struct tcp_info of its sockets. */
function bytesOf(pid: number, port: number): Pick<Cost, 'sent' | 'received'> {
  const text = execFileSync('ss', ['-tinpHO', 'state', 'established', 'dst', `127.0.0.1:${port}`], {
    encoding: 'utf8',
  });
  const own = text.split('\n').filter((line) => line.includes(`pid=${pid},`));
  const sum = (name: string) =>
    own.reduce((all, line) => all + Number(new RegExp(`${name}:(\\d+)`).exec(line)?.[1] ?? 0), 0);
  return { sent: sum('bytes_sent'), received: sum('bytes_received') };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
