/** What variants have in common: how each differs from the baseline by one metric. Pure. */
import type { Comparison, Results } from '../../results/schema.js';
import type { EffectRow } from '../charts/effect.js';

export interface Effect {
  readonly metric: string;
  readonly comparisons: readonly { readonly name: string; readonly comparison: Comparison }[];
}

/** The goal first, then the guardrails; metrics without any comparison are left out. */
export function effectsOf(results: Results): Effect[] {
  const judged = results.variants.flatMap(({ name, verdict }) => (verdict ? [{ name, verdict }] : []));
  const all = judged.flatMap(({ name, verdict }) =>
    [verdict.goal, ...verdict.guardrails].map((comparison) => ({ name, comparison })),
  );
  return [...new Set(all.map(({ comparison }) => comparison.metric))].map((metric) => ({
    metric,
    comparisons: all.filter(({ comparison }) => comparison.metric === metric),
  }));
}

/** Whether there is anything to draw of it. */
export function isMeasured({ comparisons }: Effect): boolean {
  return comparisons.some(({ comparison }) => comparison.difference !== null);
}

/** A name without what no SVG file can hold. */
export function printable(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return name.replace(/[\u0000-\u001f\u007f-\u009f\ufffe\uffff\p{Surrogate}]/gu, '\u{FFFD}');
}

/** What the chart of an effect shows. */
export function effectRows({ comparisons }: Effect): EffectRow[] {
  return comparisons.map(({ name, comparison: { difference, ci, verdict } }) => ({
    name: printable(name),
    difference,
    ci,
    verdict,
  }));
}

/** The unit of an effect, and the smallest margin within which a difference counts as none. */
export function effectFrame({ comparisons }: Effect): { unit: Comparison['unit']; margin: number } {
  const first = comparisons[0]!.comparison;
  return { unit: first.unit, margin: Math.min(...comparisons.map(({ comparison }) => comparison.margin)) };
}
