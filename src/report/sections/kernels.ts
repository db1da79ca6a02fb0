/** What the page shows where the kernel is a factor: kernels side by side, and the frame around the sections of each. */
import type { KernelResult, Results } from '../../results/schema.js';
import { effectChart, effectHeight } from '../charts/effect.js';
import { kernelsChart, kernelsHeight } from '../charts/kernels.js';
import { CSS_PALETTE } from '../charts/palette.js';
import type { DrawSvg } from '../charts/svg.js';
import { metricLabel } from '../format.js';
import { type Content, html, type Markup } from '../markup.js';
import { kernelEffectRows, kernelEffects, kernelFrame, kernelGrid, kernelTable } from '../rows/kernel-effects.js';
import { type Cell, columnTitle, kernelTitle, notRunOn, type SideBySide } from '../rows/kernels.js';
import { verdictLegend } from './effect.js';
import { figure } from './figure.js';
import { badge, bullets, code, section, table } from './parts.js';

export function sideBySideSection(
  results: Results,
  { kernels, rows, nowhere, note }: SideBySide,
  draw: DrawSvg,
): Markup {
  const { goal } = results.experiment;
  return section(
    'side-by-side',
    'Kernels side by side',
    html`<p>One row a variant, one column a kernel: the verdict, and ${metricLabel(goal)} in the baseline and with the variant. ${note}</p>`,
    table(
      'Verdicts by kernel',
      [
        { title: 'Variant' },
        { title: 'What changed', prose: true },
        ...kernels.map((kernel) => ({ title: columnTitle(kernel) })),
      ],
      rows.map(({ name, changes, nowhere: none, cells }, i) => [
        html`${name}${none ? html`<small>on none of these kernels</small>` : null}`,
        i === 0 ? 'the baseline' : changesOf(changes),
        ...cells.map(cellContent),
      ]),
    ),
    nowhere.length > 0
      ? html`<p>${kernels.length === 1 ? 'Not on this kernel' : 'On none of these kernels'}:</p>${bullets(nowhere.map(code))}`
      : null,
    kernelCharts(results, draw),
  );
}

const WIDTH = 430;

/** The goal on all kernels: who helps where, and by how much. */
function kernelCharts(results: Results, draw: DrawSvg): Markup | null {
  const effects = kernelEffects(results);
  if (effects.length === 0) return null;
  const metric = metricLabel(results.experiment.goal);
  const grid = kernelGrid(effects, results);
  const rows = kernelEffectRows(effects);
  const frame = kernelFrame(effects);
  const table = kernelTable(effects, results);
  return html`${verdictLegend()}
<div class="wide panels">${figure({
    label: `${metric}, the verdict on each kernel. ${grid.rows.map(({ name, cells }) => `${name}: ${cells.map(({ verdict, text }, i) => `${grid.kernels[i]} ${verdict === null ? 'not there' : `${verdict}, ${text}`}`).join('; ')}`).join('. ')}.`,
    svg: draw(kernelsChart(grid, CSS_PALETTE), 'kv', WIDTH, kernelsHeight(grid)),
    caption: html`<strong>${metric}</strong>, the goal: the verdict on each variant, and its difference from the baseline, on each kernel; – is not on this kernel`,
    table,
  })}${figure({
    label: `${metric}, difference from the baseline of each kernel, with its 95 % interval.`,
    svg: draw(effectChart(rows, { ...frame, names: true }, CSS_PALETTE), 'ke', WIDTH, effectHeight(rows.length)),
    caption: html`<strong>${metric}</strong>, variant minus the baseline of the same kernel: the diamond is the estimate, the line its 95 % interval; a diamond without a line is exact`,
    table,
  })}</div>`;
}

/** The first of many, so that a row that changes everything is no taller than the others together. */
const SHOWN = 4;

function changesOf(changes: readonly string[]): Content {
  if (changes.length === 0) return 'nothing';
  const more = changes.length > SHOWN + 1 ? changes.length - SHOWN : 0;
  const shown = more > 0 ? changes.slice(0, SHOWN) : changes;
  return html`<ul class="plain">${shown.map((change) => html`<li>${code(change)}</li>`)}${more > 0 ? html`<li>and ${more} more</li>` : null}</ul>`;
}

function cellContent(cell: Cell): Content {
  switch (cell.kind) {
    case 'baseline':
      return cell.goal;
    case 'absent':
      return html`<span class="absent">${cell.text}</span>`;
    case 'verdict':
      return html`${badge(cell.verdict)} <span class="nowrap">${cell.goal}</span>${cell.without.map((name) => html`<small>without ${name}</small>`)}`;
  }
}

/** The sections of one kernel, one heading deeper, with ids of their own. */
export function kernelSection(results: Results, kernel: KernelResult, contents: readonly (Markup | null)[]): Markup {
  const id = kernelAnchor(kernel);
  const notRun = notRunOn(results, kernel.name);
  const inner = contents.filter((content) => content !== null);
  return html`<section id="${id}" aria-labelledby="${id}-title" class="kernel">
<h2 id="${id}-title">${kernelTitle(kernel)}</h2>
<p>${kernel.summary}</p>
${notRun.length > 0 ? html`<p>Not on this kernel, and not run:</p>${bullets(notRun.map(code))}` : null}
${inner.map((content) => nested(content, `${id}-`))}
</section>
`;
}

/** Fit for an attribute and for a pattern's replacement, wherever the results come from. */
export function kernelAnchor({ name }: Pick<KernelResult, 'name'>): string {
  return `kernel-${name.replace(/[^\w.-]+/g, '-')}`;
}

/**
 * Markup as a part of a larger section: headings one level deeper, and a prefix for every id and for what refers to it. What came
 * from a profile cannot look like an attribute here: its quotes and brackets are escaped.
 */
function nested({ html: text }: Markup, prefix: string): Markup {
  return {
    html: text
      .replace(/<(\/?)h([2-5])\b/g, (_, slash: string, level: string) => `<${slash}h${Number(level) + 1}`)
      .replace(/( (?:id|aria-labelledby)="|url\(#|href="#)/g, `$1${prefix}`),
  };
}
