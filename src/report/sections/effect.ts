/** The forest plots: the goal and each guardrail, every variant against the baseline. */
import type { Comparison, Results } from '../../results/schema.js';
import { type EffectRow, effectChart, effectHeight } from '../charts/effect.js';
import { CSS_PALETTE } from '../charts/palette.js';
import type { DrawSvg } from '../charts/svg.js';
import { formatDifference, formatInterval, formatP, metricLabel, NONE } from '../format.js';
import { html, type Markup } from '../markup.js';
import { figure, legend, lineSwatch } from './figure.js';
import { badge, section } from './parts.js';

/** What variants have in common: their comparisons of one metric. */
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

export function effectFrame({ comparisons }: Effect): { unit: Comparison['unit']; margin: number } {
  const first = comparisons[0]!.comparison;
  return { unit: first.unit, margin: Math.min(...comparisons.map(({ comparison }) => comparison.margin)) };
}

/** The colours of verdicts in a chart. */
export function verdictLegend(): Markup | null {
  return legend(
    (['better', 'worse', 'no difference', 'not enough evidence'] as const).map((word) => ({
      swatch: lineSwatch(CSS_PALETTE.verdicts[word], [], 4),
      text: word,
    })),
  );
}

const WIDTH = 430;

export function effectSection(results: Results, draw: DrawSvg): Markup | null {
  const effects = effectsOf(results).filter(({ comparisons }) =>
    comparisons.some(({ comparison }) => comparison.difference !== null),
  );
  if (effects.length === 0) return null;
  return section(
    'effect',
    'Effect of each variant',
    html`<p>Variant minus baseline: the diamond is the estimate, the line its 95 % interval. A diamond without a line is exact: nothing varied. Left of the middle line the number is lower than in the baseline. The grey band holds differences too small to count; the first chart is the goal, the others are guardrails.</p>
${verdictLegend()}
<div class="wide panels">${effects.map((effect, i) => {
      const frame = effectFrame(effect);
      return figure({
        label: `${metricLabel(effect.metric)}, difference from the baseline. ${effect.comparisons.map(({ name, comparison }) => `${name}: ${formatDifference(comparison.unit, comparison.difference)}, ${comparison.verdict}`).join('; ')}.`,
        svg: draw(
          effectChart(effectRows(effect), { ...frame, names: true }, CSS_PALETTE),
          `e${i}`,
          WIDTH,
          effectHeight(effect.comparisons.length),
        ),
        caption: html`<strong>${metricLabel(effect.metric)}</strong>${i === 0 ? ', the goal' : ', a guardrail'}${frame.margin > 0 ? `; the band is ${formatDifference(frame.unit, frame.margin).replace('+', '± ')}` : null}`,
        table: {
          head: ['variant', 'difference', '95 % interval', 'p', 'verdict'],
          rows: effect.comparisons.map(({ name, comparison: { unit, difference, ci, pHolm, verdict, kind } }) => [
            name,
            formatDifference(unit, difference),
            formatInterval(unit, ci) ?? (kind === 'exact' && difference !== null ? 'exact' : NONE),
            pHolm === null ? NONE : formatP(pHolm),
            badge(verdict),
          ]),
        },
      });
    })}</div>`,
  );
}
