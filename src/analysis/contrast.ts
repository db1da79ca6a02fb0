/**
 * The numbers of one metric of several arms, each against what it is compared with: what they come to is in conclusion.ts. Pure.
 *
 * Exact metrics (counts of a load whose every run must end the same) are equal or they are not, and need no statistics. For all others
 * there are three designs: pairs of runs of one experiment that is looked at as it grows, pairs of a fixed number, and independent runs of
 * two results.
 *
 * The family of Holm is all arms compared on one metric, one column of the report's table: whoever reads down a column for the variant
 * that helped is wrong about any of them with a chance of at most 5 %. It is not widened over columns, because each metric answers a
 * question of its own; a reader who looks for any sign at all in ten columns must expect more. Exact comparisons cannot err by chance
 * and take no share.
 */
import type { Metric } from '../domain/metric.js';
import { randomStream } from '../domain/random.js';
import { minimalDetectableEffect } from './detectable.js';
import type { Look } from './looks.js';
import { futility, type Moderated, moderate, moderatedDetectable, moderatedInterval, moderatedP } from './moderated.js';
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
  /** The step in which the metric can move at all, in its unit: one attempt of a share. */
  readonly step: number;
  /** Of an arm that was stopped at an earlier look: whether it was called better or worse then. */
  readonly stopped?: { readonly claimed: boolean };
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
  /** 95 %, over all looks together. */
  readonly ci: Interval | null;
  /** Over all looks: the p of this one, by what it may spend of 5 %. */
  readonly p: number;
  /** After Holm. */
  readonly pHolm: number;
  /** For no difference this interval must lie within the margin; null: so few runs cannot show that. */
  readonly equivalence: { readonly interval: Interval; readonly percent: 90 | 95 } | null;
  /** A difference that is certain, and estimated within the margin, counts as none; else the interval alone decides. */
  readonly lenient: boolean;
  /** Arms of the family. */
  readonly comparisons: number;
  /** Whether a claim would be possible had this arm's runs lain as far apart as they can, the other arms being as they are. */
  readonly attainable: boolean;
  /** Runs, or pairs, that a claim takes. */
  readonly needed: number;
  /** The smallest true difference that so many pairs find 8 times out of 10; null: none, or it is not known. */
  readonly detectable: number | null;
  /** Where even the most pairs can hardly decide it: how many it would take to show no difference; else null. */
  readonly futile: number | null;
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
  readonly equivalence: (sample: Sample, ci: Interval | null) => NoisyContrast['equivalence'];
  readonly detectable: (sample: Sample, comparisons: number) => number | null;
  readonly futile: (sample: Sample, comparisons: number) => number | null;
  readonly needed: (comparisons: number) => number;
  readonly lenient: boolean;
}

/**
 * The least number of pairs, or of runs a side, for «no difference» where the interval is a bootstrap. The range of n differences covers
 * their median but for 2·2^-n: below five pairs each side errs with more than 5 %, however well the pairs agree.
 */
const BOOTSTRAP_EQUIVALENCE_MIN_RUNS = 5;

function byBootstrap({ a, b }: Sample, ci: Interval | null): NoisyContrast['equivalence'] {
  const enough = ci !== null && Math.min(a.length, b.length) >= BOOTSTRAP_EQUIVALENCE_MIN_RUNS;
  return enough ? { interval: ci, percent: 95 } : null;
}

function differencesOf({ a, b }: Sample): number[] {
  return b.map((value, i) => value - a[i]!);
}

/** What is sampled of an arm is the same in both designs, and whatever other arms and metrics there are. */
function streamOf(metric: Metric, seed: number) {
  return (purpose: 'sign-flip' | 'bootstrap', { arm }: Sample) =>
    randomStream(seed, `${purpose}/${metric.name}/${arm}`);
}

/** The number of pairs is fixed beforehand. Runs of one block are a pair. @param seed the experiment's, for what is sampled */
export function paired(metric: Metric, seed: number): Design {
  const stream = streamOf(metric, seed);
  return {
    p: (sample) => signFlipP(differencesOf(sample), stream('sign-flip', sample)),
    leastP: ({ a }) => smallestP(a.length),
    estimate: (sample) => hodgesLehmann(differencesOf(sample)),
    interval: (sample) => hodgesLehmannInterval(differencesOf(sample), stream('bootstrap', sample)),
    equivalence: byBootstrap,
    lenient: true,
    detectable: (sample, comparisons) =>
      sample.a.length < 2
        ? null
        : minimalDetectableEffect(standardDeviation(differencesOf(sample)), sample.a.length, comparisons),
    futile: () => null,
    needed: (comparisons) => smallestPairs(comparisons),
  };
}

/** The spread of a difference that is believed, in margins: for a claim, and for no difference. */
const LEAST_SPREAD = { claim: 0.5, equivalence: 0.1 } as const;
/** The standard deviation of the difference of two values that are rounded to one step: each is off by up to half of it. */
const ROUNDED = Math.sqrt(2 / 12);

/**
 * Pairs of an experiment that is looked at as it grows, by Student's t with a moderated spread (`moderated.ts`), at what the look may spend
 * (`looks.ts`). A claim takes a spread of at least half the margin: whoever sees two differences agree to a hair does not know that the
 * third one will. It costs nothing where the pairs are many, since what is claimed must exceed the margin anyway.
 * @param samples of all arms of the family, those that were stopped included
 */
export function sequential(metric: Metric, samples: readonly Sample[], look: Look): Design {
  const leastOf = ({ a, step }: Sample, part: keyof typeof LEAST_SPREAD) =>
    Math.max(LEAST_SPREAD[part] * metric.margin(median(a) ?? 0), ROUNDED * step);
  const varying = samples.filter(({ exact }) => !exact);
  const summaries = moderate(varying.map(differencesOf));
  const of = (sample: Sample): Moderated | null => summaries[varying.indexOf(sample)] ?? null;
  const { claim, equivalence } = look.levelsOf(metric);
  const attainable = ({ a }: Sample) => claim > 0 && a.length >= 2;
  return {
    p: (sample) => {
      const summary = of(sample);
      if (sample.stopped) return sample.stopped.claimed ? 0 : 1;
      return summary === null || claim === 0
        ? 1
        : Math.min(1, (moderatedP(summary, leastOf(sample, 'claim')) * ALPHA) / claim);
    },
    leastP: (sample) => (attainable(sample) ? 0 : 1),
    estimate: (sample) => differencesOf(sample).reduce((sum, value) => sum + value, 0) / sample.a.length,
    interval: (sample) => {
      const summary = of(sample);
      return summary && moderatedInterval(summary, leastOf(sample, 'equivalence'), claim || equivalence);
    },
    equivalence: (sample) => {
      const summary = of(sample);
      if (summary === null || equivalence === 0) return null;
      return {
        interval: moderatedInterval(summary, leastOf(sample, 'equivalence'), 2 * equivalence),
        percent: 90,
      };
    },
    lenient: false,
    detectable: (sample, comparisons) => {
      const summary = of(sample);
      return summary && claim > 0 ? moderatedDetectable(summary, leastOf(sample, 'claim'), claim / comparisons) : null;
    },
    futile(sample, comparisons) {
      const summary = of(sample);
      if (summary === null) return null;
      const final = look.final.levelsOf(metric);
      return futility(summary, leastOf(sample, 'equivalence'), metric.margin(median(sample.a) ?? 0), {
        pairs: look.final.pairs,
        claim: final.claim / comparisons,
        equivalence: final.equivalence,
      });
    },
    needed: () => look.firstClaimOf(metric),
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
    equivalence: byBootstrap,
    lenient: true,
    detectable: () => null,
    futile: () => null,
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
    const ci = design.interval(sample);
    return {
      kind: 'noisy',
      metric,
      sample,
      a,
      b,
      difference: design.estimate(sample),
      ci,
      equivalence: design.equivalence(sample, ci),
      lenient: design.lenient,
      p: ps[index]!,
      pHolm: adjusted[index]!,
      comparisons: tested.length,
      attainable: holm(ps.with(index, design.leastP(sample)))[index]! <= ALPHA,
      needed: design.needed(tested.length),
      detectable: design.detectable(sample, tested.length),
      futile: design.futile(sample, tested.length),
      margin: metric.margin(a),
    };
  });
}
