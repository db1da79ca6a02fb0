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
import { deferred } from '../machine/promises.js';
import type { Outcomes, Second } from '../results/schema.js';
import type { Origin, OriginStats } from './roles/origin-client.js';
import type { ProxyRole, ProxyStats } from './roles/proxy-client.js';
import type { Load } from './setup.js';

interface SamplerInput {
  readonly pool: Load;
  readonly observer: SocketObserver | null;
  readonly origin: Origin | null;
  /** The proxy under test: its sockets, counters and CPU are then looked at instead of those here. */
  readonly proxy: ProxyRole | null;
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
  /** The same of a proxy under test, with the most descriptors that it was seen with. */
  proxyStats(): { before: ProxyStats; after: ProxyStats; descriptors: number | null } | null;
  /** Peak resident memory seen of the role under test, bytes. */
  peakMemory(): number;
}

interface Reading {
  readonly at: number;
  readonly outcomes: Outcomes;
  readonly counters: Counters;
  readonly clientCpu: number;
  readonly origin: OriginStats | null;
  readonly proxy: ProxyStats | null;
  readonly responses: ReturnType<Load['responses']>;
  readonly machine: MachineCpu | undefined;
}

/** States that last for a round trip (RFC 9293 §3.3.2); FIN_WAIT2 lasts as long as the other end likes. */
const CLOSING_STATES = ['FIN_WAIT1', 'CLOSING', 'LAST_ACK'];
const SETTLED_WITHIN_MICROS = 200_000;
/** After a sample as many times longer than it took without another: where a look is dear, as in a guest that emulates page tables, the load has most of the CPU. */
const PAUSE_PER_SAMPLE = 4;

/** Take the first reading, let the load begin, and take a sample at every interval. */
export async function startSampler(input: SamplerInput): Promise<Sampler> {
  const timeline: Second[] = [];
  let peakMemory = 0;
  let peakDescriptors: number | null = null;
  // Before the load, so that nothing of it is missing from the counters.
  const first = await read();
  const start = input.begin();
  let last: Reading = { ...first, at: start };
  let busy = false;
  let broken: { readonly error: unknown } | undefined;
  let over = false;
  const { promise: failure, reject: giveUp } = deferred<never>();
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
    const begun = input.now();
    try {
      await sample();
    } catch (error) {
      over = true;
      broken = { error };
      giveUp(error);
    } finally {
      busy = false;
    }
    const ended = input.now();
    const next = ended + PAUSE_PER_SAMPLE * (ended - begun);
    k = Math.max(k + 1, Math.ceil((next - start) / (input.intervalMs * 1000)));
    if (!over) timer = setTimeout(tick, dueIn(k));
  }

  async function read(): Promise<Reading> {
    const { user, system } = process.cpuUsage();
    const reading = {
      at: input.now(),
      outcomes: input.pool.outcomes(),
      responses: input.pool.responses(),
      clientCpu: (user + system) / 1e6,
      machine: readMachineCpu(),
    };
    const [origin, proxy] = await Promise.all([input.origin?.stats(), input.proxy?.stats()]);
    if (origin && proxy) reading.outcomes = input.pool.counted?.(origin, proxy) ?? reading.outcomes;
    return { ...reading, counters: proxy?.counters ?? readNetCounters(), origin: origin ?? null, proxy: proxy ?? null };
  }

  async function sample(): Promise<void> {
    const own = input.observer?.snapshot() ?? null;
    const reading = await read();
    const { proxy } = reading;
    const snapshot = proxy ?? own;
    const seconds = Math.max((reading.at - last.at) / 1e6, 1e-6);
    const outcomes = outcomesSince(reading.outcomes, last.outcomes);
    const memory = proxy?.memory ?? process.memoryUsage.rss();
    if (proxy && proxy.descriptors !== null) peakDescriptors = Math.max(peakDescriptors ?? 0, proxy.descriptors);
    peakMemory = Math.max(peakMemory, memory);
    const second: Second = {
      t: (reading.at - start) / 1e6,
      attempts: totalOf(outcomes),
      outcomes,
      states: snapshot?.states ?? null,
      portsInUse: snapshot?.portsInUse ?? null,
      portsPerAddress: snapshot?.portsPerAddress ?? null,
      ...(proxy ? { timeWaitPerAddress: proxy.timeWaitPerAddress, response: meanResponse(reading, last) } : {}),
      counters: countersMoved(reading.counters, last.counters),
      cpu: {
        client: (reading.clientCpu - last.clientCpu) / seconds,
        ...(proxy && last.proxy ? { proxy: (cpuOf(proxy) - cpuOf(last.proxy)) / seconds } : {}),
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

  /** Sockets whose FIN is under way are what they become: the last states are those after it, if it comes soon. */
  async function settle(): Promise<void> {
    const deadline = input.now() + SETTLED_WITHIN_MICROS;
    while (CLOSING_STATES.some((state) => timeline.at(-1)!.states?.[state]) && input.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const proxy = await input.proxy?.stats();
      const states = (proxy ?? input.observer?.snapshot())?.states ?? null;
      const perAddress = proxy ? { timeWaitPerAddress: proxy.timeWaitPerAddress } : {};
      timeline.push({ ...timeline.pop()!, states, ...perAddress });
    }
  }

  return {
    timeline,
    failure,
    async finish() {
      over = true;
      clearTimeout(timer);
      while (busy) await new Promise((resolve) => setTimeout(resolve, 1));
      // A role that did not answer would be waited for a second time.
      if (broken) throw broken.error;
      await input.origin?.catchUp();
      await sample();
      await settle();
    },
    moved: () => countersMoved(last.counters, first.counters),
    originStats: () => (first.origin && last.origin ? { before: first.origin, after: last.origin } : null),
    proxyStats: () =>
      first.proxy && last.proxy ? { before: first.proxy, after: last.proxy, descriptors: peakDescriptors } : null,
    peakMemory: () => peakMemory,
  };
}

/** Microseconds; null when no answer came in the interval. */
function meanResponse({ responses: later }: Reading, { responses: earlier }: Reading): number | null {
  const count = later.count - earlier.count;
  return count > 0 ? (later.micros - earlier.micros) / count : null;
}

function cpuOf(stats: Pick<OriginStats, 'cpu'>): number {
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
  const steal = (later.steal - earlier.steal) / seconds;
  return { user, system, softirq, total: user + system + softirq, steal };
}
