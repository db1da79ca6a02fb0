/** What supports the verdicts: prediction beside measurement, sysctls as asked and as read back, kernel counters. */
import type { Results, Variant } from '../../results/schema.js';
import { formatNumber, formatValue, NONE } from '../format.js';
import { type Content, html, type Markup } from '../markup.js';
import { type CounterRow, comparedRuns, counterRows, medianOf, topFailure } from '../rows/medians.js';
import { sysctlRows } from '../rows/sysctls.js';
import { section, table } from './parts.js';

export function predictionSection(results: Results): Markup {
  return section(
    'prediction',
    'Prediction beside measurement',
    html`<p>What the kernel's rules for choosing a port let expect, and what was measured (medians). “Before the first failure” counts connections that had succeeded by then; an arm without a failure never reached its limit.</p>`,
    table(
      'Prediction and measurement by arm',
      [
        { title: 'Arm' },
        { title: 'Expected: tuples at once' },
        { title: 'Measured', numeric: true },
        { title: 'Expected: lasting rate', numeric: true },
        { title: 'ok per second', numeric: true },
        { title: 'Expected to fail first' },
        { title: 'Failed most' },
        { title: 'As predicted?' },
      ],
      results.variants.map(predictionRow),
    ),
    html`<details><summary>Rules and sources</summary>
<dl>${results.variants.map(({ name, prediction }) => html`<dt>${name}</dt><dd>${ruleOf(prediction)}</dd>\n`)}</dl></details>`,
  );
}

function predictionRow(variant: Variant): Content[] {
  const { concurrent, sustained, fails, formula } = variant.prediction;
  const tuples = medianOf(variant, (run) => run.capacity.tuples);
  const failed = topFailure(variant);
  const measured = comparedRuns(variant).length > 0;
  return [
    variant.name,
    html`${concurrent === null ? null : html`<strong>${formatNumber(concurrent)}</strong><br>`}<small>${formula}</small>`,
    tuples === null ? NONE : failed === null ? `${formatNumber(tuples)}, none refused` : formatNumber(tuples),
    formatValue('perSecond', sustained),
    formatValue(
      'perSecond',
      medianOf(variant, (run) => run.rates.ok),
    ),
    html`<code>${fails}</code>`,
    failed === null
      ? measured
        ? 'nothing'
        : NONE
      : html`<code>${failed}</code>${failed === fails || variant.proxy ? null : ' (not as expected)'}`,
    agreementCell(variant),
  ];
}

function agreementCell({ agreement }: Variant): Content {
  if (!agreement) return html`<small>nothing exact was predicted</small>`;
  const word = agreement.verdict === 'agrees' ? html`✓ agrees` : html`<strong>✗ disagrees</strong>`;
  return html`${word}<br><small>${agreement.sentence}</small>`;
}

/** One line on how a prediction is known, and what it says beyond the table. */
function ruleOf({ rule, source, slowWall, simulated, known }: Variant['prediction']): Content {
  return html`${rule} <cite>${source}</cite>${
    slowWall
      ? html` Slow from ${formatNumber(slowWall.tuples)} tuples at once${slowWall.rate === null ? null : html` (${formatValue('perSecond', slowWall.rate)})`}: ${slowWall.why}.`
      : null
  }${
    simulated
      ? html` Simulated: ${formatNumber(simulated.ok.low)} to ${formatNumber(simulated.ok.high)} of ${formatNumber(simulated.attempts)} ok.`
      : null
  }${known ? html` Known: ${known.why}.` : null}`;
}

export function sysctlSection(results: Results): Markup {
  const rows = sysctlRows(results);
  if (rows.length === 0) {
    return section('sysctls', 'Sysctls', html`<p>The profile sets none: every arm ran with those of a fresh lab.</p>`);
  }
  return section(
    'sysctls',
    'Sysctls before and after',
    html`<p>For each arm the sysctls that it sets beyond the baseline: the value of a fresh lab, the value asked for, and what the kernel read back before the load of each run.</p>`,
    table(
      'Sysctls by arm',
      [{ title: 'Sysctl' }, { title: 'Arm' }, { title: 'Fresh lab' }, { title: 'Asked for' }, { title: 'Read back' }],
      rows.map((row) => [
        html`<code>${row.name}</code>`,
        row.variant,
        row.fresh === null ? NONE : html`<code>${row.fresh}</code>`,
        html`<code>${row.asked}</code>`,
        row.readBack.length === 0
          ? 'no run'
          : html`<code>${row.readBack.join(' | ')}</code> ${row.asAsked ? html`<span aria-label="as asked">✓</span>` : html`<strong>✗ not as asked</strong>`}`,
      ]),
    ),
  );
}

export function countersSection(results: Results): Markup {
  const rows = counterRows(results.variants);
  const differing = rows.filter((row) => row.differs);
  const alike = rows.filter((row) => !row.differs);
  return section(
    'counters',
    'Kernel counters that moved',
    html`<p>Medians per run, in the client's namespace. A <code>bind()</code> that fails moves no kernel counter: the outcomes come from the calls' own errno.</p>`,
    differing.length > 0
      ? counterTable('Counters that differ between arms by more than a tenth', results.variants, differing)
      : html`<p>No counter differs from the baseline by more than a tenth.</p>`,
    alike.length > 0
      ? html`<details><summary>${alike.length} that moved alike in all arms</summary>${counterTable('Counters that moved alike', results.variants, alike)}</details>`
      : null,
  );
}

function counterTable(caption: string, variants: readonly Variant[], rows: readonly CounterRow[]): Markup {
  return table(
    caption,
    [{ title: 'Counter' }, ...variants.map(({ name }) => ({ title: name, numeric: true }))],
    rows.map((row) => [
      html`<code>${row.name}</code>`,
      ...row.medians.map((value) => (value === null ? NONE : formatNumber(value))),
    ]),
  );
}
