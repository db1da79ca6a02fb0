/** The policy of a thread, as the kernel has it: a module of a worker, since what it takes is its thread's alone. */
import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { takePrecedence } from '../../src/kernel/libc.js';

/** proc_pid_stat(5): field 41 of all; the second has a name in brackets. */
function policy(): number {
  const stat = readFileSync('/proc/thread-self/stat', 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[41 - 3]);
}

const before = policy();
const giveBack = takePrecedence();
const taken = policy();
// The second time it has another policy than the usual: nothing is taken, nothing given back.
takePrecedence()();
const kept = policy();
giveBack();
parentPort?.postMessage([before, taken, kept, policy()]);
