/**
 * The HTTP engine: one worker's load through undici, on the event loop of the worker's thread. Starters, picks, counters and
 * histograms are those of the socket engine; its timers are Node's, so an attempt may begin a millisecond late.
 */
import { monotonicMicros as now, threadCpu } from '../../kernel/libc.js';
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
import { createHttpConnections } from './http-connections.js';

/**
 * Run one worker's load from its start instant to its end.
 * @param onDrained called when every attempt has its outcome and what is held is still open
 */
export async function runHttpEngine(input: EnginePlace, onDrained: () => void): Promise<EngineReport> {
  const { plan, shared, worker, via } = input;
  const { workers, arrival } = plan;
  const counters = shared.counters[worker]!;
  const recorder = createRecorder(shared, worker);
  const budget = budgetOf(input);
  let wake = () => {};
  const connections = createHttpConnections({
    plan,
    dialer: dialerOf(input),
    picker: pickerOf(input),
    family: sockaddrTable(input.targets).family,
    remotes: remotesOf(input),
    via: via === undefined ? 'none' : via.listeners ? 'reverse' : 'forward',
    targets: input.targets,
    certificate: input.certificate,
    recorder,
    budget,
    onChange: () => wake(),
  });
  const starterInput: StarterInput = { connections, recorder, shared, worker, workers, seed: input.seed, budget, now };
  const stopped = () => isStopped(shared);

  const start = shared.start[0]!;
  await waitUntil(start, () => false);
  const cpuBefore = threadCpu();
  const waves: WaveReport[] = [];
  const waveCount = arrival.shape === 'fill' ? arrival.waves : 1;
  for (let wave = 0; wave < waveCount && !stopped(); wave++) {
    if (wave > 0 && arrival.shape === 'fill') await waitUntil(now() + arrival.pauseMs * 1000, stopped);
    const before = counters.slice();
    recorder.beginWave();
    await loop(starterOf(plan, start, starterInput));
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
  return {
    histograms: encodeHistograms(recorder.histograms),
    peakOpen: recorder.peakOpen,
    waves,
    cpu: { user: cpuAfter.user - cpuBefore.user, system: cpuAfter.system - cpuBefore.system },
    endedAfter,
  };

  async function loop(starter: Starter): Promise<void> {
    while (!stopped()) {
      const due = starter.start(now());
      const at = now();
      if (connections.pending() === 0 && starter.finished(at)) return;
      await pause(Math.min(due, at + LONGEST_WAIT) - at);
    }
  }

  /** Let events come, for at most so many microseconds or until an attempt has its outcome. */
  function pause(micros: number): Promise<void> {
    return new Promise((resolve) => {
      if (micros <= 0) return void setImmediate(resolve);
      const timer = setTimeout(done, Math.max(1, Math.floor(micros / 1000)));
      wake = done;
      function done() {
        clearTimeout(timer);
        wake = () => {};
        // Not at once: what changed may be one of many in the same batch of events.
        setImmediate(resolve);
      }
    });
  }

  async function waitUntil(instant: number, cancelled: () => boolean): Promise<void> {
    for (let left = instant - now(); left > 0 && !cancelled(); left = instant - now())
      await pause(Math.min(left, LONGEST_WAIT));
  }
}
