/** The plots of outcomes over time, one panel an arm, and of latency by percentile. */
import type { LatencyPhase } from '../../domain/metric.js';
import type { Results, Variant } from '../../results/schema.js';
import { BEFORE_DASH, outcomeScale, outcomesChart, percentileChart, timeEnd } from '../charts/charts.js';
import { CSS_PALETTE, DASHES, outcomeColours } from '../charts/palette.js';
import type { DrawSvg } from '../charts/svg.js';
import { formatNumber, formatValue, NONE } from '../format.js';
import { html, type Markup } from '../markup.js';
import { type CurvePoint, medianCurve, medianOutcomes, medianTimeline, type Slice } from '../rows/medians.js';
import { areaSwatch, type FigureTable, figure, legend, lineSwatch, panel, thinned } from './figure.js';
import { section } from './parts.js';

const PANEL = { width: 360, height: 220 };
const CURVES_PER_CHART = CSS_PALETTE.variants.length;

export function outcomesSection(results: Results, draw: DrawSvg): Markup {
  const arms = results.variants.map((variant) => ({ variant, timeline: medianTimeline(variant) }));
  const timelines = arms.map(({ timeline }) => timeline);
  const outcomes = [...new Set(results.variants.flatMap((variant) => medianOutcomes(variant).map(([name]) => name)))];
  outcomes.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const colours = outcomeColours(outcomes, CSS_PALETTE);
  const frame = { end: timeEnd(timelines), scale: outcomeScale(timelines) };
  const before = timelines[0] ?? [];
  return section(
    'outcomes',
    'Outcomes over time, before and after',
    html`<p>Attempts that ended in each second, by outcome, stacked. Each panel is the median over the compared runs of one arm, second by second; all panels have the same axes, and the dashed line is what was ok in the baseline.</p>
${legend([
  ...[...colours].map(([name, colour]) => ({ swatch: areaSwatch(colour), text: name })),
  ...(timelines.length > 1
    ? [{ swatch: lineSwatch(CSS_PALETTE.baseline, BEFORE_DASH, 2), text: 'ok in the baseline' }]
    : []),
])}
<div class="panels">${arms.map(({ variant, timeline }, index) =>
      panel(
        variant,
        'Outcomes over time',
        outcomesText(variant),
        timeline.length > 0
          ? draw(
              outcomesChart(timeline, colours, frame, CSS_PALETTE, variant.baseline ? [] : before),
              `o${index}`,
              PANEL.width,
              PANEL.height,
            )
          : null,
        outcomesTable(timeline, [...colours.keys()]),
      ),
    )}</div>`,
  );
}

/** Per second, as the chart. */
function outcomesTable(timeline: readonly Slice[], outcomes: readonly string[]): FigureTable {
  const present = outcomes.filter((name) => timeline.some(({ rates }) => (rates[name] ?? 0) > 0));
  return {
    head: ['after', ...present.map((name) => `${name} per second`)],
    rows: thinned(timeline).map(({ t, rates }) => [
      `${formatNumber(t)} s`,
      ...present.map((name) => formatNumber(Math.round(rates[name] ?? 0))),
    ]),
  };
}

/** `ok` at the bottom, what was never started on top. */
function rank(outcome: string): number {
  return outcome === 'ok' ? 0 : outcome === 'shed' ? 2 : 1;
}

function outcomesText(variant: Variant): string {
  const counts = medianOutcomes(variant).filter(([, count]) => count > 0);
  if (counts.length === 0) return 'no run to show';
  return counts.map(([name, count]) => `${formatNumber(count)} ${name}`).join(', ');
}

const PHASES: readonly { phase: LatencyPhase; title: string; meaning: string }[] = [
  {
    phase: 'total',
    title: 'Total',
    meaning: 'from the scheduled instant to the established connection or the end of the exchange',
  },
  { phase: 'connect', title: 'connect()', meaning: 'from the call to ESTABLISHED' },
  { phase: 'bind', title: 'bind()', meaning: 'the duration of the call, where it succeeded' },
  { phase: 'response', title: 'Response', meaning: 'through the proxy, from the request to its answer' },
];

export function latencySection(results: Results, draw: DrawSvg): Markup {
  const [baseline, ...variants] = results.variants;
  const groups = chunks(variants, CURVES_PER_CHART);
  return section(
    'latency',
    'Latency by percentile, before and after',
    html`<p>The baseline is the thick line. At each percentile a curve shows the median over the compared runs of that run's own percentile; samples of several runs are never pooled. Both axes are logarithmic: each step to the right is one more nine. Only attempts that succeeded are counted, so read it together with the failures.</p>
${groups.map((group, index) => latencyGroup(baseline!, group, `l${index}`, draw))}`,
  );
}

function latencyGroup(baseline: Variant, variants: readonly Variant[], id: string, draw: DrawSvg): Markup {
  const styles = [
    { variant: baseline, colour: CSS_PALETTE.baseline, dash: [] as readonly number[], width: 3 },
    ...variants.map((variant, index) => ({
      variant,
      colour: CSS_PALETTE.variants[index]!,
      dash: DASHES[index]!,
      width: 1.75,
    })),
  ];
  const figures = PHASES.map(({ phase, title, meaning }) => {
    const curves = styles
      .map((style) => ({ ...style, points: medianCurve(style.variant, phase) }))
      .filter(({ points }) => points.length > 0);
    if (curves.length === 0) return null;
    // The baseline is drawn last, on top of the variants that it coincides with.
    return figure({
      label: `${title} by percentile. ${curves.map(({ variant, points }) => `${variant.name}: ${curveText(points)}`).join('; ')}.`,
      svg: draw(percentileChart([...curves.slice(1), curves[0]!], CSS_PALETTE), `${id}${phase}`, 360, 280),
      caption: html`<strong>${title}</strong>: ${meaning}`,
      table: {
        head: ['arm', ...PERCENTILES.map(([name]) => name)],
        rows: curves.map(({ variant, points }) => [
          variant.name,
          ...PERCENTILES.map(([, nines]) =>
            points.at(-1)!.nines >= nines - 1e-9 ? formatValue('microseconds', valueAt(points, nines)) : NONE,
          ),
        ]),
      },
    });
  });
  return html`${legend(styles.map(({ variant, colour, dash, width }) => ({ swatch: lineSwatch(colour, dash, width), text: variant.name })))}
<div class="panels">${figures}</div>`;
}

const PERCENTILES: readonly (readonly [name: string, nines: number])[] = [
  ['median', Math.log10(2)],
  ['p90', 1],
  ['p99', 2],
  ['p99.9', 3],
];

/** `median 92 µs, p99 420 µs`. */
function curveText(points: readonly CurvePoint[]): string {
  const p99 = points.at(-1)!.nines >= 2 ? `, p99 ${formatValue('microseconds', valueAt(points, 2))}` : '';
  return `median ${formatValue('microseconds', valueAt(points, 0.3))}${p99}`;
}

function valueAt(points: readonly CurvePoint[], nines: number): number | null {
  return points.filter((point) => point.nines <= nines + 1e-9).at(-1)?.value ?? null;
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
