/**
 * The socket engine: one worker's load, with non-blocking sockets and epoll straight through libc. It runs its own loop on the
 * worker's thread from start to end; the agent reads the shared counters meanwhile.
 */
import { createEpoll } from '../../kernel/epoll.js';
import { monotonicMicros as now, sharpenTimers, threadCpu } from '../../kernel/libc.js';
import { sockaddrTable } from '../../kernel/sockaddr.js';
import {
  budgetOf,
  dialerOf,
  type EnginePlace,
  type EngineReport,
  isStopped,
  LONGEST_WAIT,
  pickerOf,
  remotesOf,
  starterOf,
  type WaveReport,
  waveBarrier,
} from '../engine-input.js';
import { encodeHistograms } from '../histogram.js';
import { createRecorder } from '../recorder.js';
import { CONTROL } from '../shared.js';
import type { Starter, StarterInput } from '../starter.js';
import { createClocks } from './clocks.js';
import { createConnections } from './connection.js';
import { createDialogue } from './dialogue.js';

/**
 * Run one worker's load from its start instant to its end.
 * @param onDrained called when every attempt has its outcome and what is held is still open
 */
export function runSocketEngine(input: EnginePlace, onDrained: () => void): EngineReport {
  const { plan, shared, worker, via } = input;
  const { workers, arrival } = plan;
  sharpenTimers();
  const counters = shared.counters[worker]!;
  const epoll = createEpoll(1024);
  const recorder = createRecorder(shared, worker);
  const budget = budgetOf(input);
  const remotes = sockaddrTable(remotesOf(input));
  const clocks = plan.clocks > 1 ? createClocks(plan.clocks, remotes.family) : null;
  const connections = createConnections({
    plan,
    dialer: dialerOf(input),
    picker: pickerOf(input),
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
  const stopped = () => isStopped(shared);

  const start = shared.start[0]!;
  waitUntil(start, () => false);
  const cpuBefore = threadCpu();
  const waves: WaveReport[] = [];
  const waveCount = arrival.shape === 'fill' ? arrival.waves : 1;
  for (let wave = 0; wave < waveCount && !stopped(); wave++) {
    if (wave > 0 && arrival.shape === 'fill') waitUntil(now() + arrival.pauseMs * 1000, stopped);
    const before = counters.slice();
    recorder.beginWave();
    loop(starterOf(plan, start, starterInput));
    waves.push({
      counters: counters.map((n, slot) => n - before[slot]!),
      firstFailure: recorder.firstFailures[wave] ?? null,
    });
    if (wave < waveCount - 1) {
      connections.closeAll();
      waveBarrier(shared, workers, wave);
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

  function loop(starter: Starter): void {
    while (!stopped()) {
      const due = starter.start(now());
      const room = connections.listen();
      const at = now();
      const expiry = connections.expire(at);
      if (connections.pending() === 0 && starter.finished(at)) return;
      const ready = epoll.wait(room ? 0 : Math.min(due, expiry, at + LONGEST_WAIT) - now());
      for (let i = 0; i < ready; i++) connections.onEvent(epoll.fdAt(i), epoll.eventsAt(i));
    }
  }

  function waitUntil(instant: number, cancelled: () => boolean): void {
    for (let left = instant - now(); left > 0 && !cancelled(); left = instant - now())
      epoll.wait(Math.min(left, LONGEST_WAIT));
  }
}
