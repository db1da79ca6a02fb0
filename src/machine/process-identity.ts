/**
 * A process, told from another one that has its number later.
 */
import { readFileSync } from 'node:fs';
import { unlessThrown } from '../domain/error.js';

interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in clock ticks after boot (proc(5), stat field 22). */
  readonly processStart: string;
  readonly bootId: string;
}

/** @param pid as /proc has it. `processStart` is empty when there is no such process */
export function identityOf(pid: number): ProcessIdentity {
  return { pid, processStart: processStart(pid) ?? '', bootId: bootId() };
}

/** Whether this very process still runs. */
export function isAlive(process: ProcessIdentity): boolean {
  return process.bootId === bootId() && processStart(process.pid) === process.processStart;
}

/** Of this boot of the machine. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Undefined when there is no such process, or only what is left of it until its parent looks. */
function processStart(pid: number): string | undefined {
  const fields = unlessThrown(() => statFields(pid), []);
  return fields[0] === 'Z' ? undefined : fields[19];
}

/**
 * The fields of /proc/PID/stat (proc(5)) from the third on, which is the state: Z is a zombie. The second, the name in parentheses, may
 * itself have spaces and parentheses. Throws where there is no such process.
 */
export function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
