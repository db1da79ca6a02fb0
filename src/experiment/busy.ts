/**
 * How busy this machine is before a run has shown it. What the clock decides of a run (a paced load, a pause) takes as long on a busy machine;
 * what the CPUs have to do (processes, searches for a port, a load that is as fast as it can be) takes as many times longer as others want them
 * too.
 */
import { availableParallelism } from 'node:os';
import { type RunQueue, readLoad1, readRunQueue } from '../kernel/counters.js';

/** What is known of the machine when a command has just started. */
export interface Signs {
  /** Of this process since it began; undefined: the kernel does not tell. */
  readonly queue: RunQueue | undefined;
  /** The one-minute load average; undefined: it cannot be read. */
  readonly load1: number | undefined;
  readonly cpus: number;
}

export interface Busy {
  /** How many times as long as on a quiet machine the CPU's part of a run is expected to take; 1 at least. */
  readonly slower: number;
  /** By what sign, for a reader; null: the machine is not busy. */
  readonly why: string | null;
}

/** Threads of a small run that want a CPU at once: one that loads and one that answers. */
const OWN_THREADS = 2;
/** Below this it is what a quiet machine shows, too. */
const NOTICEABLE = 1.5;

/**
 * How busy the machine is by two signs, of which the stronger counts: the load average of the last minute knows of no program that has just
 * begun, and how long this process waited for a CPU of none that pauses at the moment. Pure.
 */
export function busyBy({ queue, load1 = 0, cpus }: Signs): Busy {
  const waited = queue === undefined ? 1 : (queue.ranMs + queue.waitedMs) / queue.ranMs;
  const crowded = (load1 + OWN_THREADS) / Math.max(cpus, OWN_THREADS);
  const slower = Math.max(waited, crowded);
  if (slower < NOTICEABLE) return { slower: 1, why: null };
  const why =
    waited >= crowded
      ? `bindstorm itself has waited ${(waited - 1).toFixed(1)} times as long for a CPU as it has run`
      : `the load average is ${load1.toFixed(1)} on ${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}`;
  return { slower, why };
}

/** How busy this machine is now. */
export function busyNow(): Busy {
  return busyBy({ queue: readRunQueue(), load1: readLoad1(), cpus: availableParallelism() });
}
