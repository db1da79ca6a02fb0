/** The plots: outcomes and ports over time, one panel an arm, and latency by percentile. */
import type { LatencyPhase } from '../../profile/metric.js';
import type { Results, Variant } from '../../results/schema.js';
import { outcomeScale, outcomesChart, percentileChart, portsChart, timeEnd } from '../charts.js';
import { formatNumber, formatValue, plural } from '../format.js';
import { html, type Markup, trusted } from '../markup.js';
import { type CurvePoint, medianCurve, medianOf, medianOutcomes, medianTimeline, portsAvailable } from '../medians.js';
import { CSS_PALETTE, DASHES, outcomeColours } from '../palette.js';
import type { DrawSvg } from '../svg.js';
import { badge, section } from './parts.js';

const PANEL = { width: 360, height: 220 };
const CURVES_PER_CHART = CSS_PALETTE.variants.length;

export function outcomesSection(results: Results, draw: DrawSvg): Markup {
  const arms = results.variants.map((variant) => ({ variant, timeline: medianTimeline(variant) }));
  const timelines = arms.map(({ timeline }) => timeline);
  const outcomes = [...new Set(results.variants.flatMap((variant) => medianOutcomes(variant).map(([name]) => name)))];
  outcomes.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const colours = outcomeColours(outcomes, CSS_PALETTE);
  const frame = { end: timeEnd(timelines), scale: outcomeScale(timelines) };
  return section(
    'outcomes',
    'Outcomes over time',
    html`<p>Attempts that ended in each second, by outcome, stacked. Each panel is the median over the compared runs of one arm, second by second; all panels have the same axes.</p>
${legend([...colours].map(([name, colour]) => ({ swatch: areaSwatch(colour), text: name })))}
<div class="panels">${arms.map(({ variant, timeline }, index) =>
      panel(
        variant,
        `Outcomes over time, ${variant.name}: ${outcomesText(variant)}`,
        outcomesText(variant),
        timeline.length > 0
          ? draw(outcomesChart(timeline, colours, frame, CSS_PALETTE), `o${index}`, PANEL.width, PANEL.height)
          : null,
      ),
    )}</div>`,
  );
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

export function portsSection(results: Results, draw: DrawSvg): Markup {
  const arms = results.variants.map((variant) => ({ variant, timeline: medianTimeline(variant) }));
  const end = timeEnd(arms.map(({ timeline }) => timeline));
  return section(
    'ports',
    'Ports in use over time',
    html`<p>Distinct pairs of local address and ephemeral port in use, TIME_WAIT included, as the kernel lists them; medians over the compared runs. The dashed line is all the pairs that the arm has: ports in the range, without the reserved ones, times local addresses. The vertical scale of each panel is its own. Where the port is chosen by <code>connect()</code>, one pair can serve several destinations, so that an arm at its line need not fail.</p>
${legend([
  { swatch: areaSwatch(CSS_PALETTE.portsArea), text: 'ports in use' },
  { swatch: lineSwatch(CSS_PALETTE.limit, [6, 4], 2), text: 'all ports that there are' },
])}
<div class="panels">${arms.map(({ variant, timeline }, index) => {
      const available = portsAvailable(variant);
      const text = portsText(variant, available);
      const observed = timeline.some((slice) => slice.ports !== null);
      return panel(
        variant,
        `Ports in use over time, ${variant.name}: ${text}`,
        text,
        observed
          ? draw(portsChart(timeline, available, end, CSS_PALETTE), `p${index}`, PANEL.width, PANEL.height)
          : null,
      );
    })}</div>`,
  );
}

function portsText(variant: Variant, available: number | null): string {
  const peak = medianOf(variant, (run) => run.ports.peak);
  if (peak === null) return 'not observed';
  const text = `peak ${formatNumber(peak)}${available === null ? '' : ` of ${plural(available, 'port')}`}`;
  const { concurrent } = variant.prediction;
  return available !== null && concurrent !== null && concurrent > available
    ? `${text}, which can carry ${formatNumber(concurrent)} connections`
    : text;
}

const PHASES: readonly { phase: LatencyPhase; title: string; meaning: string }[] = [
  {
    phase: 'total',
    title: 'Total',
    meaning: 'from the scheduled instant to the established connection or the end of the exchange',
  },
  { phase: 'connect', title: 'connect()', meaning: 'from the call to ESTABLISHED' },
  { phase: 'bind', title: 'bind()', meaning: 'the duration of the call, where it succeeded' },
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
    const svg = draw(percentileChart([...curves.slice(1), curves[0]!], CSS_PALETTE), `${id}${phase}`, 360, 280);
    const label = `${title} by percentile. ${curves.map(({ variant, points }) => `${variant.name}: ${curveText(points)}`).join('; ')}.`;
    return html`<figure><div class="chart" role="img" aria-label="${label}">${trusted(svg)}</div>
<figcaption><strong>${title}</strong>: ${meaning}</figcaption></figure>
`;
  });
  return html`${legend(styles.map(({ variant, colour, dash, width }) => ({ swatch: lineSwatch(colour, dash, width), text: variant.name })))}
<div class="panels">${figures}</div>`;
}

/** `median 92 µs, p99 420 µs`. */
function curveText(points: readonly CurvePoint[]): string {
  const at = (nines: number) => points.filter((point) => point.nines <= nines + 1e-9).at(-1)?.value ?? null;
  const p99 = points.at(-1)!.nines >= 2 ? `, p99 ${formatValue('microseconds', at(2))}` : '';
  return `median ${formatValue('microseconds', at(0.3))}${p99}`;
}

function panel(variant: Variant, label: string, text: string, svg: string | null): Markup {
  const chart =
    svg === null
      ? html`<div class="chart empty">no run to show</div>`
      : html`<div class="chart" role="img" aria-label="${label}">${trusted(svg)}</div>`;
  return html`<figure>${chart}
<figcaption><strong>${variant.name}</strong> ${variant.verdict ? badge(variant.verdict.verdict) : null}<br>${text}</figcaption></figure>
`;
}

function legend(entries: readonly { swatch: Markup; text: string }[]): Markup | null {
  if (entries.length === 0) return null;
  return html`<ul class="legend">${entries.map(({ swatch, text }) => html`<li>${swatch}${text}</li>`)}</ul>
`;
}

function areaSwatch(colour: string): Markup {
  return html`<svg viewBox="0 0 28 12" aria-hidden="true"><rect y="1" width="28" height="10" fill="${colour}"/></svg>`;
}

function lineSwatch(colour: string, dash: readonly number[], width: number): Markup {
  return html`<svg viewBox="0 0 28 12" aria-hidden="true"><path d="M0 6H28" stroke="${colour}" stroke-width="${width}" stroke-dasharray="${dash.join(' ')}"/></svg>`;
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
