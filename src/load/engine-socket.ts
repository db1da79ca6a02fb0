/**
 * The socket engine: one worker's load, with non-blocking sockets and epoll straight through libc. It runs its own loop on the
 * worker's thread from start to end; the agent reads the shared counters meanwhile.
 */
import { createEpoll } from '../kernel/epoll.js';
import { monotonicMicros as now, sharpenTimers, threadCpu } from '../kernel/libc.js';
import { sockaddrTable } from '../kernel/sockaddr.js';
import type { LoadPlan, Target } from '../profile/plan.js';
import type { PortRange } from '../profile/units.js';
import { createClocks } from './clocks.js';
import { createConnections } from './connection.js';
import { createDialogue } from './dialogue.js';
import { type EncodedHistograms, encodeHistograms } from './histogram.js';
import { isPaced } from './pacer.js';
import { createPicker } from './picker.js';
import { createRecorder, type FirstFailure } from './recorder.js';
import { CONTROL, type SharedLoad } from './shared.js';
import { fillStarter, holdStarter, pacedStarter, type Starter, type StarterInput } from './starter.js';
import { createClientDialer, createDialer } from './strategy.js';

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
  /** The port list of explicit strategies; the kernel's ephemeral range unless the plan names one. */
  readonly ports: PortRange;
  readonly worker: number;
  readonly seed: number;
  /** RLIMIT_NOFILE of the process. */
  readonly descriptorLimit: number;
  /** Descriptors that the process needs for itself. */
  readonly descriptorReserve: number;
  readonly shared: SharedLoad;
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

/** No wait is longer than this, so that a stop is seen. */
const LONGEST_WAIT = 20_000;

/**
 * Run one worker's load from its start instant to its end.
 * @param onDrained called when every attempt has its outcome and what is held is still open
 */
export function runSocketEngine(input: EngineInput, onDrained: () => void): EngineReport {
  const { plan, shared, worker, via } = input;
  const { workers, arrival } = plan;
  const outgoing = via?.outgoing ?? null;
  sharpenTimers();
  const counters = shared.counters[worker]!;
  const epoll = createEpoll(1024);
  const recorder = createRecorder(shared, worker);
  const available = Math.floor((input.descriptorLimit - input.descriptorReserve) / workers);
  const budget = Math.min(plan.maxInFlight ?? available, available);
  const remotes = sockaddrTable(via ? (via.listeners ?? input.targets.map(() => via.proxy)) : input.targets);
  const clocks = plan.clocks > 1 ? createClocks(plan.clocks, remotes.family) : null;
  const connections = createConnections({
    plan,
    dialer: outgoing
      ? createClientDialer(input.addresses, outgoing)
      : createDialer({ strategy: plan.strategy, addresses: input.addresses, ports: input.ports }),
    picker: createPicker(
      plan.pick,
      outgoing ?? input.addresses.length,
      input.targets.length,
      worker,
      workers,
      input.seed,
    ),
    clocks,
    remotes,
    dialogue: createDialogue({
      plan,
      destinations: input.targets,
      reverse: via?.listeners !== undefined,
      recorder,
      descriptorLimit: input.descriptorLimit,
    }),
    epoll,
    recorder,
    descriptorLimit: input.descriptorLimit,
    budget,
  });
  const starterInput: StarterInput = { connections, recorder, shared, worker, workers, seed: input.seed, budget, now };

  const start = shared.start[0]!;
  waitUntil(start, () => false);
  const cpuBefore = threadCpu();
  const waves: WaveReport[] = [];
  const waveCount = arrival.shape === 'fill' ? arrival.waves : 1;
  for (let wave = 0; wave < waveCount && !stopped(); wave++) {
    if (wave > 0 && arrival.shape === 'fill') waitUntil(now() + arrival.pauseMs * 1000, stopped);
    const before = counters.slice();
    recorder.beginWave();
    loop(createStarter());
    waves.push({
      counters: counters.map((n, slot) => n - before[slot]!),
      firstFailure: recorder.firstFailures[wave] ?? null,
    });
    if (wave < waveCount - 1) {
      connections.closeAll();
      waveBarrier(wave);
    }
  }
  const endedAfter = now() - start;
  const cpuAfter = threadCpu();

  // What is held stays open until the agent has looked at the sockets.
  onDrained();
  Atomics.wait(shared.control, CONTROL.release, 0);
  connections.closeAll();
  epoll.close();
  clocks?.close();
  return {
    histograms: encodeHistograms(recorder.histograms),
    peakOpen: recorder.peakOpen,
    waves,
    cpu: { user: cpuAfter.user - cpuBefore.user, system: cpuAfter.system - cpuBefore.system },
    endedAfter,
  };

  function createStarter(): Starter {
    if (isPaced(arrival)) return pacedStarter(arrival, start, starterInput);
    return arrival.shape === 'fill' ? fillStarter(arrival, starterInput) : holdStarter(arrival, start, starterInput);
  }

  function stopped(): boolean {
    return Atomics.load(shared.control, CONTROL.stop) !== 0;
  }

  function loop(starter: Starter): void {
    while (!stopped()) {
      const due = starter.start(now());
      const at = now();
      const expiry = connections.expire(at);
      if (connections.pending() === 0 && starter.finished(at)) return;
      const ready = epoll.wait(Math.min(due, expiry, at + LONGEST_WAIT) - now());
      for (let i = 0; i < ready; i++) connections.onEvent(epoll.fdAt(i), epoll.eventsAt(i));
    }
  }

  function waitUntil(instant: number, cancelled: () => boolean): void {
    for (let left = instant - now(); left > 0 && !cancelled(); left = instant - now())
      epoll.wait(Math.min(left, LONGEST_WAIT));
  }

  /** All workers end a wave before any begins the next. */
  function waveBarrier(wave: number): void {
    const { control } = shared;
    const everyone = workers * (wave + 1);
    Atomics.add(control, CONTROL.waveEnds, 1);
    Atomics.notify(control, CONTROL.waveEnds);
    for (
      let n = Atomics.load(control, CONTROL.waveEnds);
      n < everyone && !stopped();
      n = Atomics.load(control, CONTROL.waveEnds)
    ) {
      Atomics.wait(control, CONTROL.waveEnds, n, LONGEST_WAIT / 1000);
    }
  }
}
