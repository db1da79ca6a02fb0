/**
 * Runs of a busy machine that are no counts: a cell of the table of fixes does not depend on speed, as long as a wave is over before its own
 * ports come back, and attempts come about when they are due.
 */
import type { Measurement } from '../agent/protocol.js';
import { parseKernelVersion } from '../capacity/kernel-version.js';
import { predictArm } from '../capacity/predict.js';
import type { Lab } from '../lab/lab.js';
import { saidBy } from '../lab/prepared-runs.js';
import type { Arm } from '../plan/plan.js';
import type { Environment } from '../results/schema.js';

/** Ports that come back sooner do so within any wave, and those that take longer never in a run. */
const COMPARABLE_SECONDS = { least: 0.5, most: 10 };

/** Attempts that are twenty a second come one by one as long as they are hardly late. */
const MOST_LAG_SECONDS = 1;

/**
 * The same lab, in which a run that is no count fails, and says why.
 * @param environment of its kernel
 * @param onLate a run was none
 */
export function punctual(lab: Lab, environment: Environment, onLate: () => void): Lab {
  return saidBy(lab, {
    async open(purpose, signal, arm) {
      const session = await lab.open(purpose, signal, arm);
      if (arm === undefined) return session;
      return {
        ...session,
        async next() {
          const event = await session.next();
          const why = event.type === 'result' ? whyNoCount(arm, event.measurement, environment) : undefined;
          if (why === undefined) return event;
          onLate();
          return { type: 'failed', message: why };
        },
      };
    },
    ...(lab.prepare ? { prepare: () => lab.prepare?.() } : {}),
  });
}

/**
 * Why a run is no count, from its times alone and never from what it counted.
 * @param measurement of the arm; one that was interrupted is judged by others
 * @returns a sentence without a full stop; undefined: it is one
 */
export function whyNoCount(
  arm: Arm,
  { interrupted, latency, loadMs }: Pick<Measurement, 'interrupted' | 'latency' | 'loadMs'>,
  { kernel, hz, defaults }: Pick<Environment, 'kernel' | 'hz' | 'defaults'>,
): string | undefined {
  const { arrival } = arm.load;
  if (interrupted) return undefined;
  const lag = (latency.lag?.p99 ?? 0) / 1e6;
  if (lag > MOST_LAG_SECONDS) return `its attempts came ${lag.toFixed(1)} s late, and then many at once`;
  if (arrival.shape !== 'fill') return undefined;
  const { concurrent, sustained } = predictArm(arm, parseKernelVersion(kernel, hz), defaults).prediction;
  const seconds = concurrent !== null && sustained ? concurrent / sustained : Number.POSITIVE_INFINITY;
  if (seconds < COMPARABLE_SECONDS.least || seconds > COMPARABLE_SECONDS.most) return undefined;
  const wavesMs = loadMs - (arrival.waves - 1) * arrival.pauseMs;
  if (wavesMs <= seconds * 1000) return undefined;
  return `its waves took ${(wavesMs / 1000).toFixed(1)} s, and ports come back after ${seconds.toFixed(1)} s: a wave may have counted ports of its own twice`;
}
