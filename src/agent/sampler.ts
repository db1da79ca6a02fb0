/**
 * The sampler: looks at the run from outside, once an interval, on the agent's main thread while the workers load.
 */
import {
  type Counters,
  countersMoved,
  type MachineCpu,
  readLoad1,
  readMachineCpu,
  readNetCounters,
} from '../kernel/counters.js';
import type { SocketObserver } from '../kernel/sock-diag.js';
import { outcomesSince, totalOf } from '../load/outcome.js';
import type { Pool } from '../load/pool.js';
import type { Outcomes, Second } from '../results/schema.js';
import type { Origin, OriginStats } from './origin-client.js';

export interface SamplerInput {
  readonly pool: Pool;
  readonly observer: SocketObserver | null;
  readonly origin: Origin | null;
  readonly intervalMs: number;
  /** Lets the load begin, once the first reading is taken. @returns the start, CLOCK_MONOTONIC µs */
  readonly begin: () => number;
  readonly now: () => number;
  readonly onSample: (second: Second) => void;
}

export interface Sampler {
  readonly timeline: Second[];
  /** Rejects when a sample cannot be taken, as when the origin has died. */
  readonly failure: Promise<never>;
  /** Take the last sample, at the end of the load, and stop. */
  finish(): Promise<void>;
  /** Counters that moved since the sampler began. */
  moved(): Counters;
  /** The origin's figures when the sampler began and now. */
  originStats(): { before: OriginStats; after: OriginStats } | null;
  /** Peak resident memory seen, bytes. */
  peakMemory(): number;
}

interface Reading {
  readonly at: number;
  readonly outcomes: Outcomes;
  readonly counters: Counters;
  readonly clientCpu: number;
  readonly origin: OriginStats | null;
  readonly machine: MachineCpu | undefined;
}

export async function startSampler(input: SamplerInput): Promise<Sampler> {
  const timeline: Second[] = [];
  let peakMemory = 0;
  // Before the load, so that nothing of it is missing from the counters.
  const first = await read();
  const start = input.begin();
  let last: Reading = { ...first, at: start };
  let busy = false;
  let over = false;
  let giveUp: (reason: unknown) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  failure.catch(() => {});
  // Samples are due at start + k·interval; a late one does not shift the next.
  let timer = setTimeout(tick, dueIn(1));
  let k = 1;

  function dueIn(index: number): number {
    return Math.max(0, (start + index * input.intervalMs * 1000 - input.now()) / 1000);
  }

  async function tick(): Promise<void> {
    if (over) return;
    busy = true;
    try {
      await sample();
    } catch (error) {
      over = true;
      giveUp(error);
    } finally {
      busy = false;
    }
    k = Math.max(k + 1, Math.ceil((input.now() - start) / (input.intervalMs * 1000)));
    if (!over) timer = setTimeout(tick, dueIn(k));
  }

  async function read(): Promise<Reading> {
    const { user, system } = process.cpuUsage();
    const reading = {
      at: input.now(),
      outcomes: input.pool.outcomes(),
      counters: readNetCounters(),
      clientCpu: (user + system) / 1e6,
      machine: readMachineCpu(),
    };
    return { ...reading, origin: (await input.origin?.stats()) ?? null };
  }

  async function sample(): Promise<void> {
    const snapshot = input.observer?.snapshot() ?? null;
    const reading = await read();
    const seconds = Math.max((reading.at - last.at) / 1e6, 1e-6);
    const outcomes = outcomesSince(reading.outcomes, last.outcomes);
    const memory = process.memoryUsage.rss();
    peakMemory = Math.max(peakMemory, memory);
    const second: Second = {
      t: (reading.at - start) / 1e6,
      attempts: totalOf(outcomes),
      outcomes,
      states: snapshot?.states ?? null,
      portsInUse: snapshot?.portsInUse ?? null,
      portsPerAddress: snapshot?.portsPerAddress ?? null,
      counters: countersMoved(reading.counters, last.counters),
      cpu: {
        client: (reading.clientCpu - last.clientCpu) / seconds,
        origin: reading.origin && last.origin ? (cpuOf(reading.origin) - cpuOf(last.origin)) / seconds : null,
        machine: machineShare(reading.machine, last.machine, seconds),
      },
      load1: readLoad1() ?? null,
      memory,
    };
    last = reading;
    timeline.push(second);
    input.onSample(second);
  }

  return {
    timeline,
    failure,
    async finish() {
      over = true;
      clearTimeout(timer);
      while (busy) await new Promise((resolve) => setTimeout(resolve, 1));
      await sample();
    },
    moved: () => countersMoved(last.counters, first.counters),
    originStats: () => (first.origin && last.origin ? { before: first.origin, after: last.origin } : null),
    peakMemory: () => peakMemory,
  };
}

function cpuOf(stats: OriginStats): number {
  return stats.cpu.user + stats.cpu.system;
}

function machineShare(
  later: MachineCpu | undefined,
  earlier: MachineCpu | undefined,
  seconds: number,
): Second['cpu']['machine'] {
  if (!later || !earlier) return null;
  const user = (later.user - earlier.user) / seconds;
  const system = (later.system - earlier.system) / seconds;
  const softirq = (later.softirq - earlier.softirq) / seconds;
  return { user, system, softirq, total: user + system + softirq };
}
