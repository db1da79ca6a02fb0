/**
 * How long runs take: what `plan` says beforehand, and after which time a run is given up. Pure.
 */
import { TIME_WAIT_LATEST_SECONDS } from '../capacity/time-wait.js';
import type { Runner } from '../domain/guest.js';
import { LABS, labOverheadMs } from '../domain/lab.js';
import { arrivalDurationMs, LONGEST_OWN_MS, scheduledAttempts } from '../plan/arrival.js';
import { fillBoundMs } from '../plan/fill-bound.js';
import { armId, guestOf } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { proxySubjectOf } from '../subjects/index.js';
import { planObservations } from './order.js';

/** Attempts per second that `fill` is expected to reach at least, before the slow wall. */
const FILL_RATE = 10_000;
/** The same through a proxy, which then is what is waited for. */
const PROXY_FILL_RATE = 1_000;
/** What a program that ends by itself is expected to take. */
const OWN_MS = 1_000;
/** Starting a proxy and its role. */
const PROXY_OVERHEAD_MS = 400;

/** What it takes to observe a proxy: attaching to the kernel, or the slowness of its calls. */
const OBSERVATION_MS = 2_000;

/** Expected milliseconds of load in one run. */
export function expectedLoadMs(arm: Arm): number {
  const { arrival } = arm.load;
  const paced = arrivalDurationMs(arrival);
  if (paced !== null) return paced;
  if (arrival.shape === 'own') return OWN_MS;
  if (arrival.shape !== 'fill') return 0;
  const attempts = scheduledAttempts(arrival) ?? 30_000;
  const wave = (attempts / arrival.waves / (arm.proxy ? PROXY_FILL_RATE : FILL_RATE)) * 1000;
  return arrival.waves * Math.min(wave, fillBoundMs(arrival) ?? wave) + (arrival.waves - 1) * arrival.pauseMs;
}

/** Expected milliseconds of the whole experiment, labs included. */
export function expectedExperimentMs(experiment: Experiment): number {
  const block = experiment.arms
    .filter(({ absent }) => !absent)
    .reduce((sum, arm) => sum + expectedRunMs(experiment, arm), 0);
  const arms = planObservations(experiment).map((run) => experiment.arms.find((arm) => armId(arm) === armId(run))!);
  const observed = arms.reduce((sum, arm) => sum + expectedRunMs(experiment, arm) + OBSERVATION_MS, 0);
  return block * (experiment.warmup + experiment.repeat) + observed;
}

/** Milliseconds from the beginning of a load to the end of its neighbours, if that is later than its own. */
function withNeighboursMs({ neighbours = [] }: Pick<Experiment, 'neighbours'>, loadMs: number): number {
  const ends = neighbours.map(({ afterMs, load }) => (afterMs ?? loadMs) + (arrivalDurationMs(load.arrival) ?? 0));
  return Math.max(loadMs, ...ends);
}

/** By how much neighbours may make a run longer, at the most. */
export function neighboursMs({ neighbours = [] }: { readonly neighbours?: Experiment['neighbours'] }): number {
  const lasting = neighbours.map(
    ({ afterMs, load }) => (afterMs ?? 0) + (arrivalDurationMs(load.arrival) ?? 0) + load.timeoutMs,
  );
  return Math.max(0, ...lasting);
}

/** Expected milliseconds of one run of an arm, its lab included. */
export function expectedRunMs(experiment: Experiment, arm: Arm): number {
  const overhead = labOverheadMs(experiment.lab, guestOf(experiment, arm.kernel)?.engine);
  return (
    withNeighboursMs(experiment, expectedLoadMs(arm)) + drainMs(experiment.lab, arm) + overhead + proxyOverheadMs(arm)
  );
}

function proxyOverheadMs({ proxy }: Arm): number {
  if (proxy === undefined) return 0;
  return proxySubjectOf(proxy.kind).network?.usualStartMs ?? PROXY_OVERHEAD_MS;
}

/** On the host a run waits until the ports of the run before are out of TIME_WAIT (agent/free-ports.ts). */
export function drainMs(lab: Experiment['lab'], { load }: Arm): number {
  return !LABS[lab].ownNamespace && load.close === 'client' ? TIME_WAIT_LATEST_SECONDS * 1000 : 0;
}

/**
 * Milliseconds after which a run is stuck rather than slow. Generous: past the slow wall a fill makes a few hundred attempts
 * per second, and on an emulated CPU of a busy machine some tens.
 * @param runner what runs the guest, if there is one
 */
export function runDeadlineMs(arm: Arm, runner?: Runner): number {
  const { arrival } = arm.load;
  const network = arm.proxy ? (proxySubjectOf(arm.proxy.kind).network?.longestStartMs(arm.proxy) ?? 0) : 0;
  const waiting = 2 * arm.load.timeoutMs + 60_000 + network;
  if (arrival.shape === 'own') return (arrival.durationMs ?? LONGEST_OWN_MS) * 1.5 + waiting;
  if (arrival.shape !== 'fill') return expectedLoadMs(arm) * 1.5 + waiting;
  const attempts = scheduledAttempts(arrival) ?? Number.POSITIVE_INFINITY;
  const bound = fillBoundMs(arrival);
  const within = bound === null ? Number.POSITIVE_INFINITY : arrival.waves * bound * 1.5;
  return (
    Math.min(within, (attempts / (runner === 'qemu-tcg' ? 20 : 100)) * 1000) +
    arrival.waves * (arrival.pauseMs + arm.load.timeoutMs) +
    waiting
  );
}
