/** The plots of outcomes over time, one panel an arm, and of latency by percentile. */
import type { LatencyPhase } from '../../domain/metric.js';
import type { Results, Variant } from '../../results/schema.js';
import { BEFORE_DASH, outcomeScale, outcomesChart, percentileChart, timeEnd } from '../charts/charts.js';
import { CSS_PALETTE, DASHES, outcomeColours, type Palette } from '../charts/palette.js';
import {
  type Block,
  type Figure,
  type Inline,
  lines,
  PAGE,
  type Section,
  type Swatch,
  section,
  strong,
  text,
  verdict,
} from '../document.js';
import { formatNumber, formatValue, NONE } from '../format.js';
import { type CurvePoint, medianCurve, medianOutcomes, medianTimeline, type Slice } from '../rows/medians.js';

/** Pixels of the panel of an arm. */
export const PANEL = { width: 360, height: 220 };
const CURVES_PER_CHART = CSS_PALETTE.variants.length;

/** The figure of one arm, with its name and verdict below it. */
export function panel(
  { id, variant, about, words }: { id: string; variant: Variant; about: string; words: string },
  chart: Figure['chart'],
  numbers: Figure['numbers'],
): Figure {
  const title: Inline = [strong(variant.name), ' ', variant.verdict ? verdict(variant.verdict.verdict) : ''];
  return {
    kind: 'figure',
    id,
    label: `${about}, ${variant.name}: ${words}`,
    caption: lines([title, words]),
    chart,
    numbers,
  };
}

/** At most so many rows of a table stand for a curve: its shape is in the chart. */
const MOST_ROWS = 12;

/** Rows at equal distances, the last one always among them. */
export function thinned<T>(rows: readonly T[]): T[] {
  const step = Math.ceil(rows.length / MOST_ROWS);
  return rows.filter((_, i) => (rows.length - 1 - i) % step === 0);
}

/** Attempts that ended in each second, one panel an arm. */
export function outcomesSection(results: Results): Section {
  const keys = [...outcomeColours(outcomesOf(results), CSS_PALETTE)].map(
    ([name, colour]): { swatch: Swatch; text: string } => ({ swatch: { kind: 'area', colour }, text: name }),
  );
  const before: Swatch = { kind: 'line', colour: CSS_PALETTE.baseline, dash: BEFORE_DASH, width: 2 };
  return section('outcomes', 'Outcomes', 'Outcomes over time, before and after', PAGE, [
    text(
      'Attempts that ended in each second, by outcome, stacked. Each panel is the median over the compared runs of one arm, second by second; all panels have the same axes, and the dashed line is what was ok in the baseline.',
    ),
    legend([...keys, ...(results.variants.length > 1 ? [{ swatch: before, text: 'ok in the baseline' }] : [])]),
    { kind: 'group', style: 'panels', blocks: outcomeFigures(results) },
  ]);
}

function legend(entries: readonly { swatch: Swatch; text: string }[]): Block | null {
  return entries.length === 0 ? null : { kind: 'legend', entries };
}

/** All that occur, `ok` first and what was never started last. */
function outcomesOf({ variants }: Results): string[] {
  const rank = (outcome: string) => (outcome === 'ok' ? 0 : outcome === 'shed' ? 2 : 1);
  const names = new Set(variants.flatMap((variant) => medianOutcomes(variant).map(([name]) => name)));
  return [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** One for each arm, in the order of the results. */
export function outcomeFigures(results: Results): Figure[] {
  const timelines = results.variants.map(medianTimeline);
  const outcomes = outcomesOf(results);
  const frame = { end: timeEnd(timelines), scale: outcomeScale(timelines) };
  const option = (timeline: readonly Slice[], { baseline }: Variant, palette: Palette) =>
    outcomesChart(timeline, outcomeColours(outcomes, palette), frame, palette, baseline ? [] : timelines[0]);
  return results.variants.map((variant, i) => {
    const timeline = timelines[i]!;
    return panel(
      { id: `o${i}`, variant, about: 'Outcomes over time', words: outcomesText(variant) },
      timeline.length > 0 ? { option: (palette) => option(timeline, variant, palette), ...PANEL } : null,
      outcomesTable(timeline, outcomes),
    );
  });
}

/** Per second, as the chart. */
function outcomesTable(timeline: readonly Slice[], outcomes: readonly string[]): Figure['numbers'] {
  const present = outcomes.filter((name) => timeline.some(({ rates }) => (rates[name] ?? 0) > 0));
  return {
    head: ['after', ...present.map((name) => `${name} per second`)],
    rows: thinned(timeline).map(({ t, rates }) => [
      `${formatNumber(t)} s`,
      ...present.map((name) => formatNumber(Math.round(rates[name] ?? 0))),
    ]),
  };
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
  { phase: 'service', title: 'Service', meaning: 'the same from the start, without what the generator was late by' },
  { phase: 'connect', title: 'connect()', meaning: 'from the call to ESTABLISHED' },
  { phase: 'bind', title: 'bind()', meaning: 'the duration of the call, where it succeeded' },
  { phase: 'response', title: 'Response', meaning: 'through the proxy, from the request to its answer' },
];

/** Percentile curves, at most so many in a chart as there are colours. */
export function latencySection({ variants }: Results): Section {
  const [baseline, ...others] = variants;
  const groups = chunks(others, CURVES_PER_CHART);
  return section('latency', 'Latency', 'Latency by percentile, before and after', PAGE, [
    text(
      "The baseline is the thick line. At each percentile a curve shows the median over the compared runs of that run's own percentile; samples of several runs are never pooled. Both axes are logarithmic: each step to the right is one more nine. Only attempts that succeeded are counted, so read it together with the failures.",
    ),
    ...groups.flatMap((group, i) => latencyGroup([baseline!, ...group], `l${i}`)),
  ]);
}

interface Style {
  readonly colour: string;
  readonly dash: readonly number[];
  readonly width: number;
}

/** The baseline, and the others by their place. */
function styleOf(i: number, palette: Palette): Style {
  return i === 0
    ? { colour: palette.baseline, dash: [], width: 3 }
    : { colour: palette.variants[i - 1]!, dash: DASHES[i - 1]!, width: 1.75 };
}

function latencyGroup(arms: readonly Variant[], id: string): (Block | null)[] {
  return [
    legend(arms.map(({ name }, i) => ({ swatch: { kind: 'line', ...styleOf(i, CSS_PALETTE) }, text: name }))),
    { kind: 'group', style: 'panels', blocks: PHASES.flatMap((phase) => latencyFigure(arms, id, phase) ?? []) },
  ];
}

/** @param arms the baseline first; @returns null where none has a time of this phase */
function latencyFigure(arms: readonly Variant[], id: string, { phase, title, meaning }: (typeof PHASES)[number]) {
  const curves = arms
    .map(({ name }, i) => ({ name, i, points: medianCurve(arms[i]!, phase) }))
    .filter(({ points }) => points.length > 0);
  if (curves.length === 0) return null;
  // The baseline is drawn last, on top of the variants that it coincides with.
  const [first, ...others] = curves;
  const drawn = [...others, first!];
  return {
    kind: 'figure',
    id: `${id}${phase}`,
    label: `${title} by percentile. ${curves.map(({ name, points }) => `${name}: ${curveText(points)}`).join('; ')}.`,
    caption: [strong(title), `: ${meaning}`],
    chart: {
      option: (palette) =>
        percentileChart(
          drawn.map(({ i, points }) => ({ points, ...styleOf(i, palette) })),
          palette,
        ),
      width: 360,
      height: 280,
    },
    numbers: {
      head: ['arm', ...PERCENTILES.map(([name]) => name)],
      rows: curves.map(({ name, points }) => [
        name,
        ...PERCENTILES.map(([, nines]) =>
          points.at(-1)!.nines >= nines - 1e-9 ? formatValue('microseconds', valueAt(points, nines)) : NONE,
        ),
      ]),
    },
  } satisfies Figure;
}

/** Total time of the baseline beside one other arm; null where there is none. */
export function latencyBeforeAfter(arms: readonly Variant[]): Figure | null {
  return latencyFigure(arms, 'l', PHASES[0]!);
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
