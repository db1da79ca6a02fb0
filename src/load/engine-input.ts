/**
 * What an engine is given and what it reports, whichever it is, and what both need before their first attempt.
 */
import type { Target } from '../domain/target.js';
import type { PortRange } from '../domain/units.js';
import type { LoadPlan } from '../plan/plan.js';
import type { EncodedHistograms } from './histogram.js';
import { isPaced } from './pacer.js';
import { createPicker, type Picker } from './picker.js';
import type { FirstFailure } from './recorder.js';
import { CONTROL, type SharedLoad } from './shared.js';
import { fillStarter, holdStarter, pacedStarter, type Starter, type StarterInput } from './starter.js';
import { createClientDialer, createDialer, type Dialer } from './strategy.js';

/** A proxy between the load and its targets. */
export interface Via {
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
  readonly worker: number;
  readonly seed: number;
  /** RLIMIT_NOFILE, which bounds a table of descriptors. */
  readonly descriptorLimit: number;
  /** Descriptors in that table that are not the load's. */
  readonly descriptorReserve: number;
  readonly shared: SharedLoad;
}

/** What an engine has besides, by where it runs. */
export interface EnginePlace extends EngineInput {
  /** Its thread has a table of its own (unshareDescriptors()); otherwise all workers share one. */
  readonly ownDescriptors: boolean;
}

export interface WaveReport {
  /** One counter an outcome slot, this worker's part. */
  readonly counters: Int32Array;
  readonly firstFailure: FirstFailure | null;
}

export interface EngineReport {
  readonly histograms: EncodedHistograms;
  readonly peakOpen: number;
  readonly waves: readonly WaveReport[];
  /** CPU seconds of the worker's thread during the load. */
  readonly cpu: { readonly user: number; readonly system: number };
  /** When the last attempt had its outcome, µs after the start. */
  readonly endedAfter: number;
}

/** No wait is longer than this, so that a stop is seen, µs. */
export const LONGEST_WAIT = 20_000;

/** Sockets that this worker may have open at once. */
export function budgetOf({ plan, descriptorLimit, descriptorReserve, ownDescriptors }: EnginePlace): number {
  const available = Math.floor((descriptorLimit - descriptorReserve) / (ownDescriptors ? 1 : plan.workers));
  return Math.min(plan.maxInFlight ?? available, available);
}

export function dialerOf({ plan, via, addresses, ports }: EngineInput): Dialer {
  return via?.outgoing
    ? createClientDialer(addresses, via.outgoing)
    : createDialer({ strategy: plan.strategy, addresses, ports });
}

export function pickerOf({ plan, via, addresses, targets, worker, seed }: EngineInput): Picker {
  return createPicker(plan.pick, via?.outgoing ?? addresses.length, targets.length, worker, plan.workers, seed);
}

/** What is connected to for each of the targets. */
export function remotesOf({ via, targets }: EngineInput): readonly Target[] {
  return via ? (via.listeners ?? targets.map(() => via.proxy)) : targets;
}

/** @param start the load's beginning, µs */
export function starterOf({ arrival }: LoadPlan, start: number, input: StarterInput): Starter {
  if (isPaced(arrival)) return pacedStarter(arrival, start, input);
  return arrival.shape === 'fill' ? fillStarter(arrival, input) : holdStarter(arrival, start, input);
}

export function isStopped({ control }: SharedLoad): boolean {
  return Atomics.load(control, CONTROL.stop) !== 0;
}

/** All workers end a wave before any begins the next. */
export function waveBarrier(shared: SharedLoad, workers: number, wave: number): void {
  const { control } = shared;
  const everyone = workers * (wave + 1);
  Atomics.add(control, CONTROL.waveEnds, 1);
  Atomics.notify(control, CONTROL.waveEnds);
  for (
    let n = Atomics.load(control, CONTROL.waveEnds);
    n < everyone && !isStopped(shared);
    n = Atomics.load(control, CONTROL.waveEnds)
  ) {
    Atomics.wait(control, CONTROL.waveEnds, n, LONGEST_WAIT / 1000);
  }
}
