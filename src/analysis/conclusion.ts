/**
 * From the numbers of one comparison to its verdict and the sentence that gives the reason. Pure. The rules are the same for pairs of
 * one experiment and for two results; the sentences differ (`Words`).
 */
import type { Metric, MetricUnit } from '../domain/metric.js';
import type { VerdictWord } from '../results/schema.js';
import type { Contrast, ExactContrast, NoisyContrast } from './contrast.js';
import { counted, formatDifference, formatP, formatSpan, formatValue } from './format.js';
import { ALPHA, type Interval } from './statistics.js';

interface Conclusion {
  readonly verdict: VerdictWord;
  readonly why: string;
  /** More pairs would not change it: it is decided, or what is missing is no pairs. */
  readonly settled: boolean;
  /** More pairs would hardly change it, as many as there may be: it is not decided, and will not be. */
  readonly futile?: boolean;
}

const decided = (verdict: VerdictWord, why: string): Conclusion => ({ verdict, why, settled: true });
const open = (why: string): Conclusion => ({ verdict: 'not enough evidence', why, settled: false });

type Measured = ExactContrast | NoisyContrast;

/** The parts of a sentence in which the two designs differ. */
interface Words {
  readonly empty: (contrast: Contrast) => string;
  /** The two medians without a claim. */
  readonly standing: (contrast: Measured) => string;
  /** What cannot show that runs repeat exactly. */
  readonly single: string;
  readonly equal: (contrast: ExactContrast) => string;
  readonly exactly: (contrast: ExactContrast) => string;
  readonly moved: (contrast: NoisyContrast) => string;
  readonly same: (contrast: NoisyContrast) => string | null;
  readonly tooFew: (contrast: NoisyContrast, among: string) => string;
  readonly unclear: (contrast: NoisyContrast) => string;
  /** The arms that are compared. */
  readonly arms: string;
  /** Why values that are lower bounds decide nothing; and what is to be added where they do. */
  readonly notReached: (contrast: Measured) => string;
  readonly mayHoldMore: string;
}

/**
 * - exact: equal or not; one run shows no repetition, so it shows no exactness either
 * - better, worse: p after Holm is at most 5 %, the interval excludes 0, and the estimate exceeds the margin
 * - no difference: the interval of equivalence lies within ± the margin, or, with a fixed number of pairs, the difference is significant
 *   and its estimate within the margin
 * - not enough evidence: everything else
 */
function conclude(contrast: Contrast, words: Words): Conclusion {
  if (contrast.kind === 'empty') return open(words.empty(contrast));
  const conclusion = contrast.kind === 'exact' ? concludeExact(contrast, words) : concludeNoisy(contrast, words);
  return withinBounds(contrast, conclusion, words);
}

function concludeExact(contrast: ExactContrast, words: Words): Conclusion {
  if (sizeOf(contrast) < 2) {
    const why = `${words.standing(contrast)}, but ${words.single} cannot show that the runs repeat exactly: set repeat to 2 or more.`;
    return open(why);
  }
  return contrast.difference === 0
    ? decided('no difference', words.equal(contrast))
    : decided(directionOf(contrast), words.exactly(contrast));
}

function concludeNoisy(contrast: NoisyContrast, words: Words): Conclusion {
  const { metric, difference, ci, equivalence, lenient, margin, pHolm, comparisons, attainable, detectable, futile } =
    contrast;
  const { unit } = metric;
  const standing = words.standing(contrast);
  const significant = pHolm <= ALPHA && ci !== null && (ci[0] > 0 || ci[1] < 0);
  if (significant && Math.abs(difference) > margin) return decided(directionOf(contrast), words.moved(contrast));
  const inside = equivalence !== null && equivalence.interval[0] >= -margin && equivalence.interval[1] <= margin;
  if (inside || (significant && lenient)) {
    const within = `within the ±${formatSpan(unit, margin)} that count as none`;
    const same = inside
      ? `${standing}; the difference, ${between(unit, equivalence.interval, equivalence.percent)}, is ${within}.`
      : `${standing}, a difference of ${formatDifference(unit, difference)}, which is ${within}.`;
    return decided('no difference', words.same(contrast) ?? same);
  }
  if (!attainable) {
    const among = comparisons > 1 ? ` when ${comparisons} ${words.arms} are compared` : '';
    return open(`${standing}${words.tooFew(contrast, among)}.`);
  }
  const reason =
    pHolm > ALPHA
      ? `chance can explain the difference, ${between(unit, ci)}, ${formatP(pHolm)}`
      : words.unclear(contrast);
  const found =
    detectable === null
      ? ''
      : `, and ${counted(sizeOf(contrast), 'pair')} find a true one of ${formatSpan(unit, detectable)} 8 times out of 10`;
  if (futile === null) return open(`${standing}; ${reason}${found}.`);
  const takes = `; to show that there is no difference would take about ${counted(futile, 'pair')}`;
  return { ...open(`${standing}; ${reason}${found}${takes}.`), futile: true };
}

/**
 * Keeps a conclusion only if it also holds for values that are lower bounds: a side that never met its capacity can be better but not
 * worse, one that is compared with it cannot beat it, and two of them cannot be told apart.
 */
function withinBounds(contrast: Measured, conclusion: Conclusion, words: Words): Conclusion {
  const { a, b } = contrast.sample.lowerBound;
  const holds = (!a && !b) || (conclusion.verdict === 'better' && !a) || (conclusion.verdict === 'worse' && !b);
  if (holds && b) return { ...conclusion, why: conclusion.why.replace(/\.$/, words.mayHoldMore) };
  if (holds || conclusion.verdict === 'not enough evidence') return conclusion;
  return decided('not enough evidence', words.notReached(contrast));
}

/** Pairs, or runs of the smaller side. */
function sizeOf({ sample: { a, b } }: Measured): number {
  return Math.min(a.length, b.length);
}

function directionOf({ metric, difference }: Measured): 'better' | 'worse' {
  return difference > 0 === (metric.better === 'higher') ? 'better' : 'worse';
}

function amountOf({ unit }: Metric, value: number): string {
  return unit === 'share' ? `${formatValue(unit, value)} of attempts` : formatValue(unit, value);
}

function between(unit: MetricUnit, ci: Interval | null, percent = 95): string {
  return ci === null
    ? 'of unknown size'
    : `between ${formatDifference(unit, ci[0])} and ${formatDifference(unit, ci[1])} (${percent} %)`;
}

const PAIRED: Words = {
  empty: ({ metric }) => `${metric.label}: there is no pair of runs to compare.`,
  /** `bind:EADDRINUSE came to 43.5 % of attempts, against 50.0 % in the baseline`. */
  standing: ({ metric, a, b }) => {
    const [before, after] = [a, b].map((value) => formatValue(metric.unit, value));
    const against = before === after ? 'as in the baseline' : `against ${before} in the baseline`;
    return `${metric.label} came to ${amountOf(metric, b)}, ${against}`;
  },
  single: 'one pair of runs',
  equal: (contrast) =>
    `${contrast.metric.label} stayed at exactly ${amountOf(contrast.metric, contrast.a)} in ${everyPair(contrast)}.`,
  exactly: (contrast) => `${movement(contrast)}, exactly the same in ${everyPair(contrast)}.`,
  moved: (contrast) => `${movement(contrast)} in ${agreement(contrast)}.`,
  same: ({ metric, a, sample }) =>
    sample.b.every((value, i) => value === sample.a[i])
      ? `${metric.label} stayed at ${amountOf(metric, a)} in each of ${sample.a.length} pairs.`
      : null,
  tooFew: (contrast, among) =>
    `, but ${counted(sizeOf(contrast), 'pair')} cannot tell any difference from chance${among}, however large it is: set repeat to ${contrast.needed} or more`,
  unclear: ({ metric, ci }) => `the pairs disagree about the difference, ${between(metric.unit, ci)}`,
  arms: 'variants',
  notReached: ({ metric, sample, a, b }) => {
    const where = [
      ...(sample.lowerBound.a ? [`in the baseline, which held ${formatValue(metric.unit, a)}`] : []),
      ...(sample.lowerBound.b ? [`in ${sample.arm}, which held ${formatValue(metric.unit, b)}`] : []),
    ].join(', nor ');
    return `${metric.label} was not reached: nothing failed ${where}, and may hold more; raise the load until something fails.`;
  },
  mayHoldMore: '; nothing failed there, so it may hold more.',
};

const UNPAIRED: Words = {
  empty: ({ metric, sample }) =>
    `${sample.a.length === 0 ? 'A' : 'B'} has no run that counts with a value of ${metric.name}.`,
  standing: ({ metric, a, b }) =>
    `${metric.label} is ${amountOf(metric, a)} in A and ${formatValue(metric.unit, b)} in B`,
  single: 'one run',
  equal: ({ metric, a, sample }) => `${metric.label} is exactly ${amountOf(metric, a)} in both, ${everyRun(sample)}.`,
  exactly: (contrast) => `${UNPAIRED.standing(contrast)}, exactly so ${everyRun(contrast.sample)}.`,
  moved: (contrast) =>
    `${UNPAIRED.standing(contrast)}; the difference is ${between(contrast.metric.unit, contrast.ci)}, ${formatP(contrast.pHolm)}.`,
  same: () => null,
  tooFew: ({ sample, needed }, among) =>
    `; ${counted(sample.a.length, 'run')} and ${sample.b.length} cannot tell any difference from chance${among}, however large it is: it takes ${needed} of each`,
  unclear: ({ metric, ci }) => `the difference, ${between(metric.unit, ci)}, is too uncertain to be called one`,
  arms: 'arms',
  notReached: (contrast) => {
    const { a, b } = contrast.sample.lowerBound;
    const where = a && b ? 'in A and in B' : a ? 'in A' : 'in B';
    return `${UNPAIRED.standing(contrast)}, but nothing failed ${where}, which may hold more; raise the load until something fails.`;
  },
  mayHoldMore: '; nothing failed in B, so it may hold more.',
};

/** What a variant's pairs say of one metric. */
export function concludePaired(contrast: Contrast): Conclusion {
  return conclude(contrast, PAIRED);
}

/** What the runs of one arm in two results say of one metric; better: B is. */
export function concludeUnpaired(contrast: Contrast): Omit<Conclusion, 'settled' | 'futile'> {
  const { verdict, why } = conclude(contrast, UNPAIRED);
  return { verdict, why };
}

/** `bind:EADDRINUSE fell from 50.0 % of attempts to 0 %`. */
function movement({ metric, a, b, difference }: Measured): string {
  const [from, to] = [amountOf(metric, a), formatValue(metric.unit, b)];
  const apart = b - a;
  if (apart * difference < 0 || (apart === 0 && difference !== 0))
    return `${metric.label} differed by ${formatDifference(metric.unit, difference)} within pairs (medians ${from} and ${to})`;
  return `${metric.label} ${apart > 0 ? 'rose' : 'fell'} from ${from} to ${to}`;
}

function everyPair({ sample: { a } }: Measured): string {
  return a.length === 2 ? 'both pairs' : `each of ${a.length} pairs`;
}

function everyRun({ a, b }: NoisyContrast['sample']): string {
  return `in every run (${a.length} and ${b.length})`;
}

/** `each of 6 pairs`, `9 of 10 pairs`: the pairs that moved as the estimate did. */
function agreement({ sample: { a, b }, difference }: NoisyContrast): string {
  const agreeing = b.filter((value, i) => Math.sign(value - a[i]!) === Math.sign(difference)).length;
  return agreeing === a.length ? `each of ${agreeing} pairs` : `${agreeing} of ${a.length} pairs`;
}
