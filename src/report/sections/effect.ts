/** The forest plots: the goal and each guardrail, every variant against the baseline. */
import type { Results } from '../../results/schema.js';
import { effectChart, effectHeight } from '../charts/effect.js';
import { CSS_PALETTE } from '../charts/palette.js';
import { type Block, type Figure, PAGE, type Section, section, strong, text, verdict } from '../document.js';
import { formatDifference, formatInterval, formatP, metricLabel, NONE } from '../format.js';
import { type Effect, effectFrame, effectRows, effectsOf, isMeasured } from '../rows/effects.js';

/** Pixels: names stand at the rows. */
export const EFFECT_WIDTH = 430;

/** The colours of verdicts in a chart. */
export function verdictLegend(): Extract<Block, { kind: 'legend' }> {
  const words = ['better', 'worse', 'no difference', 'not enough evidence'] as const;
  return {
    kind: 'legend',
    entries: words.map((word) => ({
      swatch: { kind: 'line', colour: CSS_PALETTE.verdicts[word], dash: [], width: 4 },
      text: word,
    })),
  };
}

/** Nothing where nothing could be compared. */
export function effectSection(results: Results): Section | null {
  const effects = effectsOf(results).filter(isMeasured);
  if (effects.length === 0) return null;
  return section('effect', 'Effect', 'Effect of each variant', PAGE, [
    text(
      'Variant minus baseline: the diamond is the estimate, the line its 95 % interval. A diamond without a line is exact, for nothing varied, or of one pair alone. Left of the middle line the number is lower than in the baseline. The grey band holds differences too small to count; the first chart is the goal, the others are guardrails.',
    ),
    verdictLegend(),
    { kind: 'group', style: 'wide panels', blocks: effects.map(effectFigure) },
  ]);
}

/** @param i its place among the effects; the first is the goal */
export function effectFigure(effect: Effect, i: number): Figure {
  const { metric, comparisons } = effect;
  const frame = effectFrame(effect);
  const label = metricLabel(metric);
  const said = comparisons.map(
    ({ name, comparison }) =>
      `${name}: ${formatDifference(comparison.unit, comparison.difference)}, ${comparison.verdict}`,
  );
  const band = frame.margin > 0 ? `; the band is ${formatDifference(frame.unit, frame.margin).replace('+', '± ')}` : '';
  return {
    kind: 'figure',
    id: `e${i}`,
    label: `${label}, difference from the baseline. ${said.join('; ')}.`,
    caption: [strong(label), i === 0 ? ', the goal' : ', a guardrail', band],
    chart: {
      option: (palette) => effectChart(effectRows(effect), { ...frame, names: true }, palette),
      width: EFFECT_WIDTH,
      height: effectHeight(comparisons.length),
    },
    numbers: {
      head: ['variant', 'difference', '95 % interval', 'p', 'verdict'],
      rows: comparisons.map(({ name, comparison: { unit, difference, ci, pHolm, verdict: word, kind } }) => [
        name,
        formatDifference(unit, difference),
        formatInterval(unit, ci) ?? (kind === 'exact' && difference !== null ? 'exact' : NONE),
        pHolm === null ? NONE : formatP(pHolm),
        verdict(word),
      ]),
    },
  };
}
