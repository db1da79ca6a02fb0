/**
 * One metric of every variant against the baseline, over pairs of runs. Pure; the bootstrap is seeded.
 */
import { type Metric, parseMetric } from '../domain/metric.js';
import type { Comparison, Run } from '../results/schema.js';
import { concludePaired } from './conclusion.js';
import { type Contrast, contrastsOf, paired, type Sample } from './contrast.js';
import type { PairedVariant } from './pairs.js';

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
  const contrasts = contrastsOf(metric, samples, paired(metric, seed));
  return new Map(contrasts.map((contrast, i) => [contrast.sample.arm, comparisonOf(contrast, samples[i]!.warnings)]));
}

function sampleOf(metric: Metric, variant: PairedVariant): Sample & { readonly warnings: string[] } {
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
    warnings,
  };
}

function spread(arm: string, values: readonly number[]): string[] {
  return new Set(values).size > 1 ? [`${arm} had ${values.join(', ')}`] : [];
}

function comparisonOf(contrast: Contrast, warnings: string[]): Comparison {
  const { metric, sample } = contrast;
  const [measured, noisy] = [contrast.kind === 'empty' ? null : contrast, contrast.kind === 'noisy' ? contrast : null];
  return {
    metric: metric.name,
    unit: metric.unit,
    kind: sample.exact ? 'exact' : 'noisy',
    baseline: measured?.a ?? null,
    variant: measured?.b ?? null,
    difference: measured?.difference ?? null,
    ci: noisy?.ci ?? null,
    pairs: sample.a.length,
    p: noisy?.p ?? null,
    pHolm: noisy?.pHolm ?? null,
    detectable: noisy?.detectable ?? null,
    margin: sample.exact ? 0 : (noisy?.margin ?? metric.margin(0)),
    ...concludePaired(contrast),
    warnings,
  };
}
