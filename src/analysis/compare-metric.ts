/**
 * One metric of every variant against the baseline, over pairs of runs. Pure; what is random is seeded.
 */
import { type Metric, parseMetric } from '../domain/metric.js';
import type { Comparison, Run } from '../results/schema.js';
import { concludePaired } from './conclusion.js';
import { type Contrast, contrastsOf, paired, type Sample, sequential } from './contrast.js';
import type { Look } from './looks.js';
import { boundedMedian } from './lower-bound.js';
import type { PairedVariant } from './pairs.js';

/** A comparison, and whether more pairs could change it. */
export interface Concluded {
  readonly comparison: Comparison;
  readonly settled: boolean;
  /** It is not settled, and even the most pairs can hardly settle it. */
  readonly futile: boolean;
}

/** How an experiment is judged: once at the end, or at one of several looks, at which arms may have been stopped before. */
export type Judging =
  | { readonly kind: 'fixed'; readonly seed: number }
  | {
      readonly kind: 'look';
      readonly look: Look;
      /** Whether an arm that was stopped had been called better or worse by a metric; undefined: it was not stopped. */
      readonly claimed: (arm: string, metric: string) => boolean | undefined;
    };

/**
 * Compare one metric over all variants.
 * @param name the metric as the profile writes it
 * @returns variant → comparison, one for each of `variants`
 * @throws UnitError for an unknown metric
 */
export function compareMetric(
  name: string,
  variants: readonly PairedVariant[],
  judging: Judging,
): Map<string, Concluded> {
  const metric = parseMetric(name);
  const samples = variants.map((variant) => {
    const claimed = judging.kind === 'look' ? judging.claimed(variant.name, name) : undefined;
    return { ...sampleOf(metric, variant), ...(claimed === undefined ? {} : { stopped: { claimed } }) };
  });
  const design = judging.kind === 'fixed' ? paired(metric, judging.seed) : sequential(metric, samples, judging.look);
  return new Map(
    contrastsOf(metric, samples, design).map((contrast, i) => [
      contrast.sample.arm,
      concludedOf(contrast, variants[i]!, samples[i]!),
    ]),
  );
}

/** What is compared of an arm, with what a reader must know of it. */
interface PairedSample extends Sample {
  readonly warnings: string[];
  /** Whose median may be higher in truth. */
  readonly atLeast: { readonly baseline: boolean; readonly variant: boolean };
}

function sampleOf(metric: Metric, variant: PairedVariant): PairedSample {
  const { name, deterministic } = variant;
  const declaredExact = deterministic && metric.exact;
  const pairs = declaredExact ? variant.countPairs : variant.pairs;
  const measured = pairs.flatMap((pair) => {
    const [a, b] = [metric.value(pair.baseline), metric.value(pair.variant)];
    return a === null || b === null ? [] : [{ pair, a, b }];
  });
  const [a, b] = [measured.map((values) => values.a), measured.map((values) => values.b)];
  const warnings = [...(declaredExact ? variant.countWarnings : variant.warnings)];
  // Of a neighbour that starves there are no times to compare, and its failures say so.
  if (measured.length < pairs.length && metric.neighbour === null)
    warnings.push(`${pairs.length - measured.length} of ${pairs.length} pairs have no value of ${metric.label}`);
  const varied = declaredExact ? [...spread('the baseline', a), ...spread(name, b)] : [];
  if (varied.length > 0) warnings.push(`declared deterministic, but the runs differ: ${varied.join('; ')}`);
  const isBound = (run: Run) => metric.isLowerBound(run);
  return {
    arm: name,
    a,
    b,
    exact: declaredExact && varied.length === 0,
    lowerBound: {
      a: measured.some(({ pair }) => isBound(pair.baseline)),
      b: measured.some(({ pair }) => isBound(pair.variant)),
    },
    step: Math.max(0, ...measured.flatMap(({ pair }) => [stepOf(metric, pair.baseline), stepOf(metric, pair.variant)])),
    warnings,
    atLeast: {
      baseline: boundedMedian(
        metric,
        measured.map(({ pair }) => pair.baseline),
      ).atLeast,
      variant: boundedMedian(
        metric,
        measured.map(({ pair }) => pair.variant),
      ).atLeast,
    },
  };
}

/** The step in which a metric of a run moves: one of the attempts, one of what is counted, a microsecond. */
function stepOf({ unit, neighbour, scenario }: Metric, run: Run): number {
  if (unit === 'count' || unit === 'microseconds') return 1;
  if (unit !== 'share') return 0;
  const parts = neighbour === null ? run.scenarios : run.neighbours;
  const { attempts } = parts?.find(({ name }) => name === (neighbour ?? scenario)) ?? run;
  return attempts > 0 ? 1 / attempts : 0;
}

function spread(arm: string, values: readonly number[]): string[] {
  return new Set(values).size > 1 ? [`${arm} had ${values.join(', ')}`] : [];
}

/** Pairs that have no value show soon enough that none has one. */
const ENOUGH_WITHOUT_VALUE = 2;

function concludedOf(
  contrast: Contrast,
  variant: PairedVariant,
  { warnings, atLeast }: Pick<PairedSample, 'warnings' | 'atLeast'>,
): Concluded {
  const { metric, sample } = contrast;
  const { settled, futile = false, ...concluded } = concludePaired(contrast);
  const unmeasured = contrast.kind === 'empty' && variant.pairs.length >= ENOUGH_WITHOUT_VALUE;
  const [measured, noisy] = [contrast.kind === 'empty' ? null : contrast, contrast.kind === 'noisy' ? contrast : null];
  const comparison: Comparison = {
    metric: metric.name,
    unit: metric.unit,
    kind: sample.exact ? 'exact' : 'noisy',
    baseline: measured?.a ?? null,
    variant: measured?.b ?? null,
    ...(measured && (atLeast.baseline || atLeast.variant) ? { atLeast } : {}),
    difference: measured?.difference ?? null,
    ci: noisy?.ci ?? null,
    pairs: sample.a.length,
    p: noisy?.p ?? null,
    pHolm: noisy?.pHolm ?? null,
    detectable: noisy?.detectable ?? null,
    margin: sample.exact ? 0 : (noisy?.margin ?? metric.margin(0)),
    ...concluded,
    warnings,
  };
  return { comparison, settled: settled || unmeasured, futile };
}
