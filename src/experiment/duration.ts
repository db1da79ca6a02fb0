/**
 * How long runs take: what `plan` says beforehand, and after which time a run is given up. Pure.
 */
import { TIME_WAIT_SECONDS } from '../capacity/time-wait.js';
import { arrivalDurationMs, scheduledAttempts } from '../profile/arrival.js';
import type { Arm, Experiment } from '../profile/plan.js';

/** Making a lab, starting its processes and taking it down, as measured on small machines. */
export const LAB_OVERHEAD_MS = 350;
/** Attempts per second that `fill` is expected to reach at least, before the slow wall. */
const FILL_RATE = 10_000;
/** The same through a proxy, which then is what is waited for. */
const PROXY_FILL_RATE = 1_000;
/** Starting a proxy and its role. */
const PROXY_OVERHEAD_MS = 400;

/** Expected milliseconds of load in one run. */
export function expectedLoadMs(arm: Arm): number {
  const { arrival } = arm.load;
  const paced = arrivalDurationMs(arrival);
  if (paced !== null) return paced;
  if (arrival.shape !== 'fill') return 0;
  const attempts = scheduledAttempts(arrival) ?? 30_000;
  return (attempts / (arm.proxy ? PROXY_FILL_RATE : FILL_RATE)) * 1000 + (arrival.waves - 1) * arrival.pauseMs;
}

/** Expected milliseconds of the whole experiment, labs included. */
export function expectedExperimentMs(experiment: Experiment): number {
  const block = experiment.arms.reduce(
    (sum, arm) =>
      sum + expectedLoadMs(arm) + drainMs(experiment.lab, arm) + LAB_OVERHEAD_MS + (arm.proxy ? PROXY_OVERHEAD_MS : 0),
    0,
  );
  return block * (experiment.warmup + experiment.repeat);
}

/** On the host a run waits until the ports of the run before are out of TIME_WAIT (agent/drain.ts). */
export function drainMs(lab: Experiment['lab'], { load }: Arm): number {
  return lab === 'host' && load.close === 'client' ? TIME_WAIT_SECONDS * 1000 : 0;
}

/**
 * Milliseconds after which a run is stuck rather than slow. Generous: past the slow wall a fill makes a few hundred attempts
 * per second.
 */
export function runDeadlineMs(arm: Arm): number {
  const { arrival } = arm.load;
  const waiting = 2 * arm.load.timeoutMs + 60_000;
  if (arrival.shape !== 'fill') return expectedLoadMs(arm) * 1.5 + waiting;
  const attempts = scheduledAttempts(arrival) ?? 1_000_000;
  return (attempts / 100) * 1000 + arrival.waves * (arrival.pauseMs + arm.load.timeoutMs) + waiting;
}
