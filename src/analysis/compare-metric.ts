/**
 * One metric of every variant against the baseline. Pure; the bootstrap is seeded.
 *
 * Exact metrics (counts of a load whose every run must end the same) are equal or they are not, and need no statistics. For
 * all others: the Hodges-Lehmann estimate of the paired differences, its interval, and the sign-flip p, adjusted by Holm.
 *
 * The family of Holm is all variants compared on one metric, one column of the report's table: whoever reads down a column for
 * the variant that helped is wrong about any of them with a chance of at most 5 %. It is not widened over columns, because
 * each metric answers a question of its own; a reader who looks for any sign at all in ten columns must expect more. Exact comparisons cannot
 * err by chance and take no share.
 */
import { type Metric, metricUnit, parseMetric } from '../domain/metric.js';
import { randomStream } from '../domain/random.js';
import type { Comparison } from '../results/schema.js';
import { type Bounds, type Conclusion, concludeExact, concludeNoisy, withinBounds } from './conclusion.js';
import { minimalDetectableEffect } from './detectable.js';
import { metricLabel } from './format.js';
import { marginOf } from './margin.js';
import { metricValue } from './metric-value.js';
import type { Pair, PairedVariant } from './pairs.js';
import {
  ALPHA,
  hodgesLehmann,
  hodgesLehmannInterval,
  holm,
  type Interval,
  median,
  signFlipP,
  smallestP,
  standardDeviation,
} from './statistics.js';

/** What a variant's pairs say about one metric, before the comparison with its siblings. */
interface Sample {
  readonly name: string;
  readonly baseline: readonly number[];
  readonly variant: readonly number[];
  readonly differences: readonly number[];
  readonly exact: boolean;
  readonly bounds: Bounds;
  readonly warnings: readonly string[];
}

/**
 * Compare one metric over all variants.
 * @param name the metric as the profile writes it
 * @param seed the experiment's
 * @returns variant → comparison, one for each of `variants`
 * @throws UnitError for an unknown metric
 */
export function compareMetric(name: string, variants: readonly PairedVariant[], seed: number): Map<string, Comparison> {
  const metric = parseMetric(name);
  const samples = variants.map((variant) => sampleOf(metric, variant));
  const tested = samples.filter((sample) => !sample.exact && sample.differences.length > 0);
  const ps = tested.map((sample) => signFlipP(sample.differences, stream(seed, 'sign-flip', name, sample.name)));
  const adjusted = holm(ps);
  const comparisons = new Map<string, Comparison>();
  for (const sample of samples) {
    const index = tested.indexOf(sample);
    comparisons.set(
      sample.name,
      index < 0
        ? exactOrEmpty(name, metric, sample)
        : noisy(name, metric, sample, seed, {
            p: ps[index]!,
            pHolm: adjusted[index]!,
            comparisons: tested.length,
            attainable: isAttainable(ps, index, sample.differences.length),
          }),
    );
  }
  return comparisons;
}

function stream(seed: number, purpose: string, metric: string, variant: string) {
  return randomStream(seed, `${purpose}/${metric}/${variant}`);
}

/** Whether a claim would be possible had all of this variant's pairs moved the same way, the other variants being as they are. */
function isAttainable(ps: readonly number[], index: number, pairs: number): boolean {
  return holm(ps.with(index, smallestP(pairs)))[index]! <= ALPHA;
}

function sampleOf(metric: Metric, variant: PairedVariant): Sample {
  const { name, deterministic } = variant;
  const declaredExact = deterministic && isCount(metric);
  const pairs = declaredExact ? variant.countPairs : variant.pairs;
  const measured = pairs.flatMap((pair) => {
    const [baseline, variant] = [metricValue(metric, pair.baseline), metricValue(metric, pair.variant)];
    return baseline === null || variant === null ? [] : [{ pair, baseline, variant }];
  });
  const baseline = measured.map((values) => values.baseline);
  const changed = measured.map((values) => values.variant);
  const notes = [...(declaredExact ? variant.countWarnings : variant.warnings)];
  // Of a neighbour that starves there are no times to compare, and its failures say so.
  if (measured.length < pairs.length && metric.kind !== 'neighbour')
    notes.push(`${pairs.length - measured.length} of ${pairs.length} pairs have no value of ${metricLabel(metric)}`);
  const varied = declaredExact ? [...spread('the baseline', baseline), ...spread(name, changed)] : [];
  if (varied.length > 0) notes.push(`declared deterministic, but the runs differ: ${varied.join('; ')}`);
  return {
    name,
    baseline,
    variant: changed,
    differences: measured.map((values) => values.variant - values.baseline),
    exact: declaredExact && varied.length === 0,
    bounds: boundsOf(
      metric,
      measured.map((values) => values.pair),
    ),
    warnings: notes,
  };
}

/** Metrics that a deterministic load determines. The peak of ports is sampled once a second, so it may vary all the same. */
function isCount(metric: Metric): boolean {
  return metric.kind === 'outcome' || metric.kind === 'failures' || metric.kind === 'capacity';
}

function spread(arm: string, values: readonly number[]): string[] {
  return new Set(values).size > 1 ? [`${arm} had ${values.join(', ')}`] : [];
}

/** A run in which nothing failed never met its capacity: its peak is a lower bound. */
function boundsOf(metric: Metric, pairs: readonly Pair[]): Bounds {
  const unmet = (arm: 'baseline' | 'variant') =>
    metric.kind === 'capacity' && pairs.some((pair) => pair[arm].capacity.openAtFirstFailure === null);
  return { baseline: unmet('baseline'), variant: unmet('variant') };
}

function exactOrEmpty(name: string, metric: Metric, sample: Sample): Comparison {
  const pairs = sample.differences.length;
  const baseline = pairs > 0 ? median(sample.baseline) : null;
  const variant = pairs > 0 ? median(sample.variant) : null;
  return {
    metric: name,
    unit: metricUnit(metric),
    kind: sample.exact ? 'exact' : 'noisy',
    baseline,
    variant,
    difference: baseline === null || variant === null ? null : variant - baseline,
    ci: null,
    pairs,
    p: null,
    pHolm: null,
    detectable: null,
    margin: sample.exact ? 0 : marginOf(metric, 0),
    ...conclusionOf(
      baseline === null || variant === null
        ? { verdict: 'not enough evidence', why: `${metricLabel(metric)}: there is no pair of valid runs to compare.` }
        : concludeExact({ metric, baseline, variant, pairs }),
      metric,
      sample,
    ),
    warnings: [...sample.warnings],
  };
}

interface Significance {
  readonly p: number;
  readonly pHolm: number;
  /** The size of the family. */
  readonly comparisons: number;
  readonly attainable: boolean;
}

function noisy(name: string, metric: Metric, sample: Sample, seed: number, test: Significance): Comparison {
  const pairs = sample.differences.length;
  const baseline = median(sample.baseline);
  const variant = median(sample.variant);
  const difference = hodgesLehmann(sample.differences);
  const ci: Interval | null = hodgesLehmannInterval(sample.differences, stream(seed, 'bootstrap', name, sample.name));
  const margin = marginOf(metric, baseline);
  const detectable =
    pairs >= 2 ? minimalDetectableEffect(standardDeviation(sample.differences), pairs, test.comparisons) : null;
  const { differences } = sample;
  const conclusion = concludeNoisy({
    metric,
    baseline,
    variant,
    difference,
    differences,
    ci,
    margin,
    detectable,
    ...test,
  });
  return {
    metric: name,
    unit: metricUnit(metric),
    kind: 'noisy',
    baseline,
    variant,
    difference,
    ci,
    pairs,
    p: test.p,
    pHolm: test.pHolm,
    detectable,
    margin,
    ...conclusionOf(conclusion, metric, sample),
    warnings: [...sample.warnings],
  };
}

function conclusionOf(conclusion: Conclusion, metric: Metric, sample: Sample): Conclusion {
  return sample.differences.length === 0 ? conclusion : withinBounds(sample.bounds, conclusion, metric, sample);
}
