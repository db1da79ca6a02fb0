/**
 * The numbers of one metric of several arms, each against what it is compared with: what they come to is in conclusion.ts. Pure.
 *
 * Exact metrics (counts of a load whose every run must end the same) are equal or they are not, and need no statistics. For all others
 * there are two designs: pairs of runs of one experiment, and independent runs of two results.
 *
 * The family of Holm is all arms compared on one metric, one column of the report's table: whoever reads down a column for the variant
 * that helped is wrong about any of them with a chance of at most 5 %. It is not widened over columns, because each metric answers a
 * question of its own; a reader who looks for any sign at all in ten columns must expect more. Exact comparisons cannot err by chance
 * and take no share.
 */
import type { Metric } from '../domain/metric.js';
import { randomStream } from '../domain/random.js';
import { minimalDetectableEffect } from './detectable.js';
import {
  ALPHA,
  hodgesLehmann,
  hodgesLehmannInterval,
  holm,
  type Interval,
  median,
  signFlipP,
  smallestP,
  smallestPairs,
  standardDeviation,
} from './statistics.js';
import { hodgesLehmannShift, rankSumP, shiftInterval, smallestRankSumP, smallestRuns } from './unpaired.js';

/** The values of one arm: a is the side that b is compared with. In pairs a[i] and b[i] are of one block. */
export interface Sample {
  readonly arm: string;
  readonly a: readonly number[];
  readonly b: readonly number[];
  /** All runs of a side must be equal, and are. */
  readonly exact: boolean;
  /** Whether values of a side may be lower than the truth (`Metric.isLowerBound`). */
  readonly lowerBound: { readonly a: boolean; readonly b: boolean };
}

interface Medians {
  readonly metric: Metric;
  readonly sample: Sample;
  readonly a: number;
  readonly b: number;
  /** b − a, in the metric's unit. */
  readonly difference: number;
}

export type ExactContrast = Medians & { readonly kind: 'exact' };

export interface NoisyContrast extends Medians {
  readonly kind: 'noisy';
  readonly ci: Interval | null;
  readonly p: number;
  /** After Holm. */
  readonly pHolm: number;
  /** Arms of the family. */
  readonly comparisons: number;
  /** Whether a claim would be possible had this arm's runs lain as far apart as they can, the other arms being as they are. */
  readonly attainable: boolean;
  /** Runs, or pairs, that a claim takes. */
  readonly needed: number;
  /** The smallest true difference that so many pairs find 8 times out of 10; null: none, or it is not known. */
  readonly detectable: number | null;
  /** Differences within ± this count as none. */
  readonly margin: number;
}

export type Contrast =
  | ExactContrast
  | NoisyContrast
  | { readonly kind: 'empty'; readonly metric: Metric; readonly sample: Sample };

/** How the runs of two sides belong together, and so what statistics they take. */
interface Design {
  readonly p: (sample: Sample) => number;
  /** The least p that so many runs can give. */
  readonly leastP: (sample: Sample) => number;
  readonly estimate: (sample: Sample) => number;
  readonly interval: (sample: Sample) => Interval | null;
  readonly detectable: (sample: Sample, comparisons: number) => number | null;
  readonly needed: (comparisons: number) => number;
}

function differencesOf({ a, b }: Sample): number[] {
  return b.map((value, i) => value - a[i]!);
}

/** What is sampled of an arm is the same in both designs, and whatever other arms and metrics there are. */
function streamOf(metric: Metric, seed: number) {
  return (purpose: 'sign-flip' | 'bootstrap', { arm }: Sample) =>
    randomStream(seed, `${purpose}/${metric.name}/${arm}`);
}

/** Runs of one block are a pair. @param seed the experiment's, for what is sampled */
export function paired(metric: Metric, seed: number): Design {
  const stream = streamOf(metric, seed);
  return {
    p: (sample) => signFlipP(differencesOf(sample), stream('sign-flip', sample)),
    leastP: ({ a }) => smallestP(a.length),
    estimate: (sample) => hodgesLehmann(differencesOf(sample)),
    interval: (sample) => hodgesLehmannInterval(differencesOf(sample), stream('bootstrap', sample)),
    detectable: (sample, comparisons) =>
      sample.a.length < 2
        ? null
        : minimalDetectableEffect(standardDeviation(differencesOf(sample)), sample.a.length, comparisons),
    needed: (comparisons) => smallestPairs(comparisons),
  };
}

/** No run has a partner, as of two machines or two days. @param seed of the experiment, for what is sampled */
export function unpaired(metric: Metric, seed: number): Design {
  const stream = streamOf(metric, seed);
  return {
    p: ({ a, b }) => rankSumP(a, b),
    leastP: ({ a, b }) => smallestRankSumP(a.length, b.length),
    estimate: ({ a, b }) => hodgesLehmannShift(a, b),
    interval: (sample) => shiftInterval(sample.a, sample.b, stream('bootstrap', sample)),
    detectable: () => null,
    needed: smallestRuns,
  };
}

/** One metric of every arm. @returns in the order of the samples */
export function contrastsOf(metric: Metric, samples: readonly Sample[], design: Design): Contrast[] {
  const tested = samples.filter(({ exact, a, b }) => !exact && a.length > 0 && b.length > 0);
  const ps = tested.map(design.p);
  const adjusted = holm(ps);
  return samples.map((sample): Contrast => {
    const [a, b] = [median(sample.a), median(sample.b)];
    if (a === null || b === null) return { kind: 'empty', metric, sample };
    const index = tested.indexOf(sample);
    if (index < 0) return { kind: 'exact', metric, sample, a, b, difference: b - a };
    return {
      kind: 'noisy',
      metric,
      sample,
      a,
      b,
      difference: design.estimate(sample),
      ci: design.interval(sample),
      p: ps[index]!,
      pHolm: adjusted[index]!,
      comparisons: tested.length,
      attainable: holm(ps.with(index, design.leastP(sample)))[index]! <= ALPHA,
      needed: design.needed(tested.length),
      detectable: design.detectable(sample, tested.length),
      margin: metric.margin(a),
    };
  });
}
