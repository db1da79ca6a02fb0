/**
 * A CPU for a process that has use for one only.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { unlessThrown } from '../domain/error.js';
import { findProgram } from './programs.js';

/**
 * CPUs of a list as the kernel writes it.
 * Source: Documentation/admin-guide/cputopology.rst; proc_pid_status(5), Cpus_allowed_list.
 * @example parseCpuList('0-2,5') // [0, 1, 2, 5]
 */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .filter(Boolean)
    .flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number) as [number, number?];
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

/**
 * The CPU to which the fewest processes are bound alone, of those that are allowed. Pure.
 * @param allowed CPUs, at least one
 * @param bound for each process of the machine the CPUs that it may use
 * @param turn chooses among equals, so that two who ask at the same moment do not always meet
 */
export function leastBound(allowed: readonly number[], bound: readonly (readonly number[])[], turn = 0): number {
  const alone = bound.filter((cpus) => cpus.length === 1).map(([cpu]) => cpu!);
  const count = (cpu: number) => alone.filter((other) => other === cpu).length;
  const fewest = Math.min(...allowed.map(count));
  const equals = allowed.filter((cpu) => count(cpu) === fewest);
  return equals[turn % equals.length]!;
}

/**
 * The words before a command that bind it to one CPU, with taskset(1) of util-linux. None where that is not there, where there is one
 * CPU anyway, or where /proc does not tell.
 * @example [...onOneCpu(), 'linux.uml', 'mem=64M'] // taskset -c 1 linux.uml mem=64M
 */
export function onOneCpu(): string[] {
  return unlessThrown(() => {
    const allowed = cpusOf('self');
    if (allowed.length < 2 || findProgram('taskset') === undefined) return [];
    return ['taskset', '-c', `${leastBound(allowed, cpusOfAll(), process.pid)}`];
  }, []);
}

function cpusOf(pid: string): number[] {
  const [, list = ''] = /^Cpus_allowed_list:\s*(\S*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return parseCpuList(list);
}

/** Of each process; kernel threads, which have no memory and are bound to their CPUs, tell nothing. */
function cpusOfAll(): number[][] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) =>
      unlessThrown(() => (readFileSync(`/proc/${pid}/statm`, 'latin1').startsWith('0 ') ? [] : cpusOf(pid)), []),
    );
}
