/**
 * Ends a test file that hangs, with every process that it started: a child that it leaves would keep its output open, which the runner reads to the end.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { unlessThrown } from '../../src/domain/error.js';
import { identityOf, isAlive, statFields } from '../../src/machine/process-identity.js';

/** How long a process has after SIGTERM, for what it must put back. */
const GRACE_MS = 10_000;

/** Processes below one, each after its parent. @param parent a process id */
export function descendantsOf(parent: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const above = parentOf(pid);
    children.set(above, [...(children.get(above) ?? []), pid]);
  }
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(parent);
}

/** proc_pid_stat(5), field 4; 0 for one that has ended. */
function parentOf(pid: number): number {
  return unlessThrown(() => Number(statFields(pid)[1]), 0);
}

/**
 * End those children of this process whose command line names a file, and what they started: SIGTERM for the child, SIGKILL after the grace for all that is left.
 * @param path of the test file, as the runner was given it
 * @param graceMs milliseconds between the two signals
 */
export async function endFile(path: string, graceMs: number = GRACE_MS): Promise<void> {
  const mine = descendantsOf(process.pid).filter(
    (pid) => parentOf(pid) === process.pid && commandOf(pid).includes(path),
  );
  const all = mine.flatMap((pid) => [pid, ...descendantsOf(pid)]).map(identityOf);
  for (const pid of mine) signal(pid, 'SIGTERM');
  const until = Date.now() + graceMs;
  while (all.some(isAlive) && Date.now() < until) await setTimeout(100);
  for (const left of all.filter(isAlive)) signal(left.pid, 'SIGKILL');
}

function commandOf(pid: number): string[] {
  return unlessThrown(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'), []);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
