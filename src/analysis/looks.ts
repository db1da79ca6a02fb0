/**
 * At which numbers of pairs an experiment is looked at, and how much of the error each look may spend. Pure.
 *
 * The chance of a false claim is spent in proportion to the pairs (Lan and DeMets 1983, with the linear function of Kim and DeMets 1987).
 * Their boundaries need the joint distribution of the looks; here each look has its increment to itself, so that the sum bounds the error
 * whatever the dependence between looks (Bonferroni). Looks are counted in blocks of the experiment, so that what a look may spend does
 * not depend on what was measured.
 */
import type { Metric } from '../domain/metric.js';
import type { Experiment } from '../plan/plan.js';
import { ALPHA } from './statistics.js';

/** Each half as many again as the one before, so that nobody waits for more than half of what was needed. */
const FIRST_LOOKS: readonly number[] = [2, 3, 4, 6, 9];
const GROWTH = 1.5;
/** A look so close to the last would spend error and save next to nothing. */
const LEAST_STEP = 1.2;

/**
 * The numbers of pairs at which an experiment of at most `repeat` pairs is looked at; the last is `repeat`.
 * @param extendedFrom the pairs that were planned before it was extended, in order: looks of an extension are its ends
 * @returns ascending; empty where there are fewer than two pairs
 */
export function looksFor(repeat: number, extendedFrom: readonly number[] = []): number[] {
  const [first = repeat, ...more] = [...extendedFrom, repeat];
  if (first < 2) return more.filter((end) => end >= 2);
  const looks = [...FIRST_LOOKS];
  while (looks.at(-1)! < first) looks.push(Math.floor(looks.at(-1)! * GROWTH));
  return [...looks.filter((look) => look <= first / LEAST_STEP), first, ...more];
}

/** What was planned: the looks, and where stages end, each of which spends the whole error. */
type Plan = Pick<Experiment, 'repeat' | 'extendedFrom'> & { readonly looks: readonly number[] };

/**
 * What a look may spend of the chance of a false claim.
 * @param pairs at the look; between two planned looks, as of an interrupted experiment, it spends what has accrued since the last
 * @param first looks below it make no claim, and what they would have spent is left to the first that may
 * @returns from 0 to 0.05: over all looks of a stage it adds up to 0.05
 */
export function levelAt({ looks, repeat, extendedFrom = [] }: Plan, pairs: number, first: number): number {
  if (pairs < first) return 0;
  const ends = [...extendedFrom, repeat];
  const end = ends.find((each) => each >= pairs) ?? repeat;
  const start = ends.findLast((each) => each < end) ?? 0;
  const before = looks.findLast((look) => look < pairs && look >= Math.max(first, start)) ?? start;
  return (ALPHA * (Math.min(pairs, end) - before)) / (end - start);
}

/** Below it the spread of three differences or fewer would have to be trusted; of two states, all may be the same by chance. */
const FIRST_CLAIM = { count: 3, time: 4 } as const;

/**
 * The least pairs at which a metric that varies may be called better or worse. A time may have two states far apart (a collector that runs
 * in some runs and not in others): of four pairs all differ the same way with a chance of 0.8 %, of two with 12.5 %.
 * @param repeat the most pairs: where it is two, a count is judged by two
 */
export function firstClaim(metric: Metric, repeat: number): number {
  return metric.exact ? Math.max(2, Math.min(FIRST_CLAIM.count, repeat)) : FIRST_CLAIM.time;
}

/** «No difference» can be said from here on. */
const FIRST_EQUIVALENCE = 2;

/** One look at an experiment: what the pairs so far may decide. */
export interface Look {
  /** Pairs of each arm, had none been lost. */
  readonly pairs: number;
  /** What it may spend on a metric, for better or worse (both sides together), and for no difference (each side). */
  readonly levelsOf: (metric: Metric) => { readonly claim: number; readonly equivalence: number };
  /** The last look: the most pairs, and what it may spend. */
  readonly final: Pick<Look, 'pairs' | 'levelsOf'>;
  /** The least pairs at which a metric that varies may be called better or worse. */
  readonly firstClaimOf: (metric: Metric) => number;
}

/** @param pairs at the look */
export function lookAt(plan: Plan, pairs: number): Look {
  const first = (metric: Metric) => firstClaim(metric, plan.repeat);
  const at = (count: number): Look['final'] => ({
    pairs: count,
    levelsOf: (metric) => ({
      claim: levelAt(plan, count, first(metric)),
      equivalence: levelAt(plan, count, FIRST_EQUIVALENCE),
    }),
  });
  return { ...at(pairs), final: at(plan.repeat), firstClaimOf: first };
}
