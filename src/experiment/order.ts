/**
 * Which runs an experiment consists of, and in which order. Pure: the same seed gives the same order.
 *
 * A block holds one run of every arm in random order, so that drift of the machine (heat, neighbours, caches) falls on the
 * baseline and on the variants alike; a pair is the baseline's and a variant's run of one block. With several kernels a block holds
 * one run of every arm on every kernel, and a pair is of one kernel. The first blocks are a warm-up and are discarded. All runs of a block share one seed: the same schedule and the same picks.
 */

import { LABS } from '../domain/lab.js';
import { randomStream, shuffled } from '../domain/random.js';
import { scheduledAttempts } from '../plan/arrival.js';
import { armId } from '../plan/kernels.js';
import type { Experiment } from '../plan/plan.js';

export interface PlannedRun {
  /** `b03-wider-range`; with several kernels `b03-wider-range@trixie` */
  readonly id: string;
  readonly variant: string;
  /** The kernel's name where there are several. */
  readonly kernel?: string;
  /** 0-based; warm-up blocks come first. */
  readonly block: number;
  readonly warmup: boolean;
  /** 0-based place in the whole experiment. */
  readonly order: number;
  readonly seed: number;
}

/** Attempts of a run beyond which a proxy is not observed: a hundred a second under strace would take minutes. */
export const MOST_OBSERVED_ATTEMPTS = 5_000;

/**
 * The runs in which a proxy's system calls are counted: one for each arm with a proxy, after all others. They are slow and are
 * compared with nothing.
 */
export function planObservations(experiment: Experiment): PlannedRun[] {
  const first = experiment.arms.length * (experiment.warmup + experiment.repeat);
  const seed = Math.floor(randomStream(experiment.seed, 'observed')() * 2 ** 32);
  return experiment.arms
    .filter(({ proxy, absent, load }) => {
      const attempts = scheduledAttempts(load.arrival);
      const isTraced = load.arrival.shape === 'own';
      return proxy !== undefined && !absent && !isTraced && attempts !== null && attempts <= MOST_OBSERVED_ATTEMPTS;
    })
    .map((arm, i) => ({
      id: `observed-${armId(arm)}`,
      variant: arm.name,
      ...(arm.kernel === undefined ? {} : { kernel: arm.kernel }),
      block: experiment.warmup + experiment.repeat,
      warmup: false,
      order: first + i,
      seed,
    }));
}

/** Each has a tracer of its own beside its proxy. */
const MOST_OBSERVED_AT_ONCE = 4;

/**
 * How many runs in which a proxy's calls are counted may be under way at once: nothing of them is compared, and each counts the calls of its
 * own namespace.
 * @param cpus of the machine on which they are made
 */
export function observedAtOnce({ lab }: Experiment, cpus: number): number {
  const apart = LABS[lab].machine === 'this' && LABS[lab].ownNamespace;
  return apart ? Math.max(1, Math.min(cpus, MOST_OBSERVED_AT_ONCE)) : 1;
}

/** All runs that are compared, in the order in which they are made. */
export function planRuns(experiment: Experiment): PlannedRun[] {
  const blocks = Array.from({ length: experiment.warmup + experiment.repeat }, (_, block) => {
    const random = randomStream(experiment.seed, `block/${block}`);
    const seed = Math.floor(random() * 2 ** 32);
    const arms = experiment.arms.filter(({ absent }) => !absent);
    return shuffled(arms, random).map((arm) => ({
      id: `b${String(block).padStart(2, '0')}-${armId(arm)}`,
      variant: arm.name,
      ...(arm.kernel === undefined ? {} : { kernel: arm.kernel }),
      block,
      warmup: block < experiment.warmup,
      seed,
    }));
  });
  return blocks.flat().map((run, order) => ({ ...run, order }));
}
