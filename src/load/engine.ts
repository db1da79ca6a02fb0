/**
 * One worker's load from its start instant to its end, whichever engine makes the connections: what it is given, its waves, its report.
 */

import { readdirSync } from 'node:fs';
import type { Target } from '../domain/target.js';
import type { PortRange } from '../domain/units.js';
import { monotonicMicros as now, takePrecedence, threadCpu } from '../kernel/libc.js';
import { ownThread } from '../kernel/own-thread.js';
import { scheduledAttempts } from '../plan/arrival.js';
import type { LoadPlan } from '../plan/plan.js';
import { type EncodedHistograms, encodeHistograms } from './histogram.js';
import { createPicker, type Picker } from './picker.js';
import { createRecorder, type FirstFailure, type Recorder } from './recorder.js';
import { CONTROL, type SharedLoad } from './shared.js';
import { createStarter, type StartedLoad, type Starter, type StarterInput } from './starter.js';
import { createClientDialer, createDialer, type Dialer } from './strategy.js';

/** A part of a load, by its workers: that of machine 1 of 4 with two workers each is { first: 2, of: 8 }. */
interface Share {
  readonly first: number;
  readonly of: number;
}

/** A proxy between the load and its targets. */
interface Via {
  readonly proxy: Target;
  /** Its outgoing addresses, of which the picker picks; null: it is not the lab's own, and local addresses are picked as ever. */
  readonly outgoing: number | null;
  /** Of a reverse proxy: where it listens for each of the targets. */
  readonly listeners?: readonly Target[];
}

export interface EngineInput {
  readonly plan: LoadPlan;
  /** Local addresses. With a proxy: the client's own, equally many in a row for each outgoing address of the proxy. */
  readonly addresses: readonly string[];
  /** The proxy that the load goes through; absent: straight to the targets. */
  readonly via?: Via;
  readonly targets: readonly Target[];
  /** With TLS: the certificate that the origin must have, PEM. */
  readonly certificate?: string;
  /** The port list of explicit strategies; the kernel's ephemeral range unless the plan names one. */
  readonly ports: PortRange;
  /** Among the workers of this load. */
  readonly worker: number;
  /** This load is a part of one that several machines make at once: the first of its workers, among so many of all; absent: it is all. */
  readonly share?: Share;
  /** Among those of all loads that run side by side: its place in the shared memory. */
  readonly slot: number;
  readonly seed: number;
  /** RLIMIT_NOFILE, which bounds a table of descriptors. */
  readonly descriptorLimit: number;
  /** Descriptors in that table that are not the load's. */
  readonly descriptorReserve: number;
  readonly shared: SharedLoad;
}

/** With what depends on the thread it runs on. */
export interface EnginePlace extends EngineInput {
  /** Its thread has a table of its own (unshareDescriptors()); otherwise all workers share one. */
  readonly ownDescriptors: boolean;
}

interface WaveReport {
  /** One counter an outcome slot, this worker's part. */
  readonly counters: Int32Array;
  readonly firstFailure: FirstFailure | null;
}

export interface EngineReport {
  readonly histograms: EncodedHistograms;
  readonly peakOpen: number;
  /** UDP sockets that got a local port; of TCP 0. */
  readonly portsTaken: number;
  readonly waves: readonly WaveReport[];
  /** CPU seconds of the worker's thread during the load. */
  readonly cpu: { readonly user: number; readonly system: number };
  /** When it began to start attempts, µs after the start; a thread that waits is woken late where others have its CPU. */
  readonly beganAfter: number;
  /** When the last attempt had its outcome, µs after the start. */
  readonly endedAfter: number;
}

/** No wait is longer than this, so that a stop is seen, µs. */
export const LONGEST_WAIT = 20_000;

/** What an engine makes its connections from. */
export interface Equipment {
  readonly dialer: Dialer;
  readonly picker: Picker;
  readonly recorder: Recorder;
  /** What is connected to for each of the targets. */
  readonly remotes: readonly Target[];
  /** Sockets that this worker may have open at once. */
  readonly budget: number;
  /** One more than the highest descriptor that a socket of its load can have: how long tables by descriptor are. */
  readonly descriptors: number;
}

/** The part of an engine that is its own. */
export interface Engine {
  readonly connections: StartedLoad & {
    /** Close everything that is still open; attempts under way get no outcome. */
    closeAll(): void;
  };
  /** Start what is due and follow it, until the starter has finished and nothing is under way, or until stopped. */
  load(starter: Starter, stopped: () => boolean): Promise<void> | void;
  /** Let at most so many microseconds pass. */
  pause(micros: number): Promise<void> | void;
  /** Give back what it was made of. */
  close?(): void;
}

/**
 * Run one worker's load.
 * @param onDrained called when every attempt has its outcome and what is held is still open
 */
export async function runLoad(
  input: EnginePlace,
  onDrained: () => void,
  createEngine: (equipment: Equipment) => Engine,
): Promise<EngineReport> {
  const { plan, shared, slot, seed, share } = input;
  const { workers, arrival } = plan;
  const { control } = shared;
  const counters = shared.counters[slot]!;
  const recorder = createRecorder(shared, slot);
  const budget = budgetOf(input);
  const engine = createEngine({
    dialer: dialerOf(input),
    picker: pickerOf(input),
    recorder,
    remotes: remotesOf(input),
    budget,
    descriptors: descriptorsOf(input),
  });
  const { connections } = engine;
  const among = placeOf(input);
  const starterInput: StarterInput = { connections, recorder, shared, ...among, seed, budget, now };
  const stopped = () => Atomics.load(control, CONTROL.stop) !== 0;

  const start = shared.start[0]!;
  // Several machines begin together: each at once, whatever else its CPUs do, with the first attempts that are due.
  const giveBack = share ? takePrecedence() : undefined;
  await waitUntil(start, () => false);
  const beganAfter = now() - start;
  const cpuBefore = threadCpu();
  const waves: WaveReport[] = [];
  const waveCount = arrival.shape === 'fill' ? arrival.waves : 1;
  for (let wave = 0; wave < waveCount && !stopped(); wave++) {
    if (wave > 0 && arrival.shape === 'fill') await waitUntil(now() + arrival.pauseMs * 1000, stopped);
    const before = counters.slice();
    recorder.beginWave();
    const starter = createStarter(arrival, start, starterInput);
    await engine.load(giveBack && wave === 0 ? afterFirst(starter, giveBack) : starter, stopped);
    waves.push({
      counters: counters.map((n, slot) => n - before[slot]!),
      firstFailure: recorder.firstFailures[wave] ?? null,
    });
    if (wave === waveCount - 1) continue;
    connections.closeAll();
    awaitWave(workers * (wave + 1));
  }
  const endedAfter = now() - start;
  const cpuAfter = threadCpu();

  // What is held stays open until the agent has looked at the sockets.
  onDrained();
  Atomics.wait(control, CONTROL.release, 0);
  connections.closeAll();
  engine.close?.();
  return {
    histograms: encodeHistograms(recorder.histograms),
    peakOpen: recorder.peakOpen,
    portsTaken: recorder.portsTaken,
    waves,
    cpu: { user: cpuAfter.user - cpuBefore.user, system: cpuAfter.system - cpuBefore.system },
    beganAfter,
    endedAfter,
  };

  async function waitUntil(instant: number, cancelled: () => boolean): Promise<void> {
    for (let left = instant - now(); left > 0 && !cancelled(); left = instant - now())
      await engine.pause(Math.min(left, LONGEST_WAIT));
  }

  /** All workers end a wave before any begins the next. @param ends how many waves' ends that is, summed over the workers */
  function awaitWave(ends: number): void {
    Atomics.add(control, CONTROL.waveEnds, 1);
    Atomics.notify(control, CONTROL.waveEnds);
    for (
      let n = Atomics.load(control, CONTROL.waveEnds);
      n < ends && !stopped();
      n = Atomics.load(control, CONTROL.waveEnds)
    )
      Atomics.wait(control, CONTROL.waveEnds, n, LONGEST_WAIT / 1000);
  }
}

/** A starter after whose first look something is done. */
function afterFirst({ start, finished }: Starter, act: () => void): Starter {
  let first = true;
  return {
    start(at) {
      const due = start(at);
      if (first) act();
      first = false;
      return due;
    },
    finished,
  };
}

function budgetOf({ plan, shared, descriptorLimit, descriptorReserve, ownDescriptors }: EnginePlace): number {
  const available = Math.floor((descriptorLimit - descriptorReserve) / (ownDescriptors ? 1 : shared.counters.length));
  return Math.min(plan.maxInFlight ?? available, available);
}

/** Descriptors of a thread's own table that come and go beside the load: epoll, clocks, a file of /proc. */
const SPARE = 128;

/**
 * One more than the highest descriptor that a socket of a load can have. The kernel gives the lowest number that is free (open(2)), so that a table by descriptor
 * need not be longer than what can be open at once. A limit may be a million: tables of that length take tens of megabytes, which a guest that emulates page
 * tables needs seconds to touch.
 */
export function descriptorsOf({
  plan,
  descriptorLimit,
  ownDescriptors,
  addresses,
}: Pick<EnginePlace, 'plan' | 'descriptorLimit' | 'ownDescriptors' | 'addresses'>): number {
  const attempts = scheduledAttempts(plan.arrival);
  // In a table that is shared, other workers and other parts of the process take numbers too.
  if (!ownDescriptors || attempts === null) return descriptorLimit;
  const open = readdirSync(`${ownThread()}/fd`).length;
  return Math.min(descriptorLimit, open + Math.min(plan.maxInFlight ?? attempts, attempts) + addresses.length + SPARE);
}

function dialerOf({ plan, via, addresses, ports }: EngineInput): Dialer {
  return via?.outgoing
    ? createClientDialer(addresses, via.outgoing)
    : createDialer({ strategy: plan.strategy, socketOptions: plan.socketOptions, addresses, ports });
}

/** Of a worker among all that make the load, wherever they are: attempt i is that of worker i mod workers. */
function placeOf({ plan, worker, share }: EngineInput): Pick<StarterInput, 'worker' | 'workers'> {
  return share ? { worker: share.first + worker, workers: share.of } : { worker, workers: plan.workers };
}

function pickerOf(input: EngineInput): Picker {
  const { plan, via, addresses, targets, worker, seed, share } = input;
  const among = placeOf(input);
  const picker = createPicker(plan.pick, via?.outgoing ?? addresses.length, targets.length, worker, plan.workers, seed);
  if (share === undefined) return picker;
  // The addresses are this machine's own: they are taken in turn by the attempts that are.
  return {
    ...picker,
    pick(n) {
      picker.pick.call(this, Math.floor(n / among.workers) * plan.workers + worker);
    },
  };
}

function remotesOf({ via, targets }: EngineInput): readonly Target[] {
  return via ? (via.listeners ?? targets.map(() => via.proxy)) : targets;
}
