/** What the page says first: the table of variants, what to change, and why. */

import { type StrategyName, strategyOf } from '../../domain/strategy.js';
import { armId } from '../../plan/kernels.js';
import { type Comparison, type Results, type Variant, type Verdict, verdictWordSchema } from '../../results/schema.js';
import {
  formatChange,
  formatDifference,
  formatInterval,
  formatNumber,
  formatP,
  formatValue,
  listed,
  metricLabel,
  NONE,
  plural,
  unitOf,
} from '../format.js';
import { type Content, html, type Markup } from '../markup.js';
import { comparedRuns } from '../rows/medians.js';
import { betterVariants, otherChanges, sysctlLines } from '../rows/sysctls.js';
import { badge, bullets, code, mark, section, table } from './parts.js';

const VERDICT_WORDS = verdictWordSchema.options;

export function variantsSection(results: Results): Markup {
  const { goal } = results.experiment;
  const before = results.variants.flatMap((variant) => variant.verdict?.goal.baseline ?? [])[0] ?? null;
  const columns = [
    'Variant',
    'What changed',
    capital(metricLabel(goal)),
    'Difference',
    'Guardrails',
    'Verdict',
    'Pairs',
  ];
  const rows = results.variants.map((variant): Content[] =>
    variant.verdict
      ? variantCells(variant, variant.verdict)
      : [
          variant.name,
          variant.description ?? 'the baseline',
          formatValue(unitOf(goal), before),
          NONE,
          NONE,
          NONE,
          html`<span class="nowrap">${plural(comparedRuns(variant).length, 'run')}</span>`,
        ],
  );
  const cell = (content: Content, index: number): Markup =>
    index === 0
      ? html`<th scope="row" role="rowheader">${content}</th>`
      : html`<td role="cell" data-label="${columns[index]}">${content}</td>`;
  return section(
    'variants',
    'Variants against the baseline',
    html`<p>The goal is <code>${goal}</code>. Each row is one change tried alone; values are medians of the compared runs, differences are variant minus baseline.</p>
<table class="cards" role="table">
<caption class="hidden">Variants against the baseline</caption>
<thead role="rowgroup"><tr role="row">${columns.map((title) => html`<th scope="col" role="columnheader">${title}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map((row) => html`<tr role="row">${row.map(cell)}</tr>\n`)}</tbody>
</table>
<p class="note">Guardrails: ${VERDICT_WORDS.map((word) => html`<span class="key">${mark(word)} ${word}</span> `)}</p>`,
  );
}

/** An outcome's name is an identifier and stays as it is. */
function capital(label: string): string {
  return label.includes(':') ? label : label.charAt(0).toUpperCase() + label.slice(1);
}

function variantCells(variant: Variant, { verdict, goal, guardrails }: Verdict): Content[] {
  return [
    variant.name,
    changes(variant),
    html`<span class="nowrap">${formatChange(goal.unit, goal.baseline, goal.variant)}</span>`,
    difference(goal),
    guardrails.length === 0
      ? NONE
      : html`<ul class="plain">${guardrails.map((guardrail) => html`<li class="nowrap">${guardrailCell(guardrail)}</li>`)}</ul>`,
    badge(verdict),
    formatNumber(goal.pairs),
  ];
}

function changes(variant: Variant): Content {
  if (variant.changes.length === 0) return 'nothing (a comparison of the baseline with itself)';
  return html`<ul class="plain">${variant.changes.map((change) => html`<li>${code(change)}</li>`)}</ul>`;
}

/** The difference, and under it what it rests on. */
function difference(comparison: Comparison): Markup {
  const { unit, kind, ci, difference, pHolm } = comparison;
  const interval = formatInterval(unit, ci);
  const basis: Content[] = [];
  if (difference === null) basis.push('no pair to compare');
  else if (kind === 'exact') basis.push('exact');
  if (interval) basis.push(html`95 % CI <span class="nowrap">${interval}</span>`);
  if (pHolm !== null) basis.push(formatP(pHolm));
  return html`<span class="nowrap">${formatDifference(unit, difference)}</span>${basis.map((line) => html`<small>${line}</small>`)}`;
}

function guardrailCell(comparison: Comparison): Markup {
  const { metric, unit, difference, verdict } = comparison;
  return html`${mark(verdict)} ${metricLabel(metric)} <span class="nowrap">${formatDifference(unit, difference)}</span>`;
}

export function changeSection(results: Results): Markup {
  const baseline = results.variants.find((variant) => variant.baseline);
  const better = betterVariants(results);
  if (better.length === 0) {
    return section(
      'change',
      'What to change',
      html`<p>No variant was judged better than the baseline, so this report recommends no change.</p>`,
    );
  }
  return section(
    'change',
    'What to change',
    html`<p>${better.length === 1 ? 'One variant was' : `${better.length} variants were`} judged better. Each was tried alone, so each block below stands for itself; the values are those of the lab, where the numbers of ports and addresses may be smaller than yours.</p>
<div class="columns">${better.map((variant) => changeBlock(baseline, variant))}</div>`,
  );
}

function changeBlock(baseline: Variant | undefined, variant: Variant): Markup {
  const lines = sysctlLines(baseline, variant);
  const others = otherChanges(variant);
  const goal = variant.verdict?.goal;
  const doubtful = variant.verdict?.guardrails.filter(({ verdict }) => verdict !== 'no difference') ?? [];
  return html`<div class="card"><h3>${variant.name}</h3>
${goal ? html`<p class="note">${metricLabel(goal.metric)} ${formatChange(goal.unit, goal.baseline, goal.variant)}</p>` : null}
${lines.length > 0 ? html`<p>A file in <code>/etc/sysctl.d/</code> with</p><pre>${lines.join('\n')}</pre>` : null}
${others.length > 0 ? html`<p>${lines.length > 0 ? 'together with' : 'No sysctl; change'}</p>${bullets(others.map((change) => code(change)))}` : null}
${variant.load.strategy === baseline?.load.strategy ? null : html`<p class="note">${strategyHint(variant.load.strategy)}</p>`}
${doubtful.length > 0 ? html`<p class="note">Also look at ${doubtful.map((guardrail, index) => html`${index > 0 ? ', ' : null}${guardrailCell(guardrail)}`)}.</p>` : null}
</div>
`;
}

/** What the program has to do for a strategy, and which programs do. */
function strategyHint(name: StrategyName): string {
  const { options, usedBy } = strategyOf(name);
  return `${name}${options.length > 0 ? ` sets ${listed(options)} before bind()` : ''}; used by: ${usedBy}.`;
}

export function whySection(results: Results): Markup {
  const judged = results.variants.flatMap((variant) =>
    variant.verdict ? [{ variant, verdict: variant.verdict }] : [],
  );
  return section(
    'why',
    'Why',
    judged.map(
      ({ variant, verdict }) => html`<article class="why"><h3>${variant.name} ${badge(verdict.verdict)}</h3>
<p>${verdict.sentence}</p>
${bullets(verdict.guardrails.map((guardrail) => html`${guardrail.why} ${badge(guardrail.verdict)}`))}
${verdict.goal.detectable === null ? null : html`<p class="note">With ${plural(verdict.goal.pairs, 'pair')}, a true difference of ${formatDifference(verdict.goal.unit, verdict.goal.detectable).replace('+', '')} would be found 8 times out of 10.</p>`}
</article>
`,
    ),
  );
}

export function thresholdsSection(results: Results): Markup | null {
  if (results.thresholds.length === 0) return null;
  return section(
    'thresholds',
    'Thresholds',
    table(
      'Limits that the profile sets',
      [
        { title: 'Variant' },
        { title: 'Metric' },
        { title: 'Limit' },
        { title: 'Median', numeric: true },
        { title: '' },
      ],
      results.thresholds.map(({ variant, kernel, metric, limit, value, passed }) => [
        armId({ variant, kernel }),
        html`<code>${metric}</code>`,
        limit,
        formatValue(unitOf(metric), value),
        html`<span class="badge ${passed ? 'better' : 'worse'}">${passed ? '✓ passed' : '✗ failed'}</span>`,
      ]),
    ),
  );
}
