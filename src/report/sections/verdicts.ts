/** What a report says first of its verdicts: the variants against the baseline, the limits that the profile sets, and why. */
import { formatSustained } from '../../analysis/format.js';
import { atOnceText, measuredRate, requiredText, sparesShort, sustainedText } from '../../analysis/sustained.js';
import { comparedRuns } from '../../analysis/usable.js';
import { formatRate } from '../../domain/format.js';
import { knownMetric } from '../../domain/metric.js';
import { armId } from '../../plan/kernels.js';
import {
  type Comparison,
  type Results,
  type ThresholdResult,
  type Variant,
  verdictWordSchema,
} from '../../results/schema.js';
import {
  type Block,
  code,
  type Inline,
  lines,
  list,
  name,
  note,
  PAGE,
  type Section,
  section,
  type Table,
  tableOf,
  text,
  unbroken,
  verdict,
  WRITTEN,
} from '../document.js';
import {
  formatCompared,
  formatDifference,
  formatInterval,
  formatNumber,
  formatP,
  formatValue,
  metricLabel,
  NONE,
  plural,
  unitOf,
} from '../format.js';
import { metricText } from '../rows/medians.js';

/** Each variant against the baseline: the table that every format has. */
export function variantsTable(results: Results): Table {
  const { goal, requiredRate } = results.experiment;
  const lasts = results.variants.some(({ real }) => real !== undefined);
  const compared = (of: Variant, cell: (verdict: NonNullable<Variant['verdict']>) => Inline): Inline =>
    of.verdict ? cell(of.verdict) : NONE;
  return tableOf<Variant>(
    'Variants against the baseline',
    [
      { title: 'Variant', cell: (variant) => name(variant.name) },
      { title: 'What changed', wraps: 'list', cell: changesOf },
      {
        title: capital(metricLabel(goal)),
        numeric: true,
        cell: (variant) => unbroken(variant.verdict ? formatCompared(variant.verdict.goal) : metricText(variant, goal)),
      },
      {
        title: 'Difference',
        numeric: true,
        // A terminal has no room for both, and the goal before and after tells it.
        ...(lasts ? { only: WRITTEN } : {}),
        cell: (variant) => compared(variant, ({ goal }) => difference(goal)),
      },
      ...(lasts ? [{ title: 'Sustained', cell: sustainedCell }] : []),
      ...(requiredRate === undefined
        ? []
        : [
            {
              title: `${formatRate(requiredRate)} needed`,
              cell: (variant: Variant) => requiredCell(variant, requiredRate),
            },
          ]),
      ...(results.variants.some(({ verdict }) => verdict !== null && verdict.guardrails.length > 0)
        ? [
            {
              title: 'Guardrails',
              only: WRITTEN,
              cell: (variant: Variant) =>
                compared(variant, ({ guardrails }) =>
                  guardrails.length === 0 ? NONE : lines(guardrails.map(guardrailCell)),
                ),
            },
          ]
        : []),
      { title: 'Verdict', cell: (variant) => compared(variant, (judged) => verdict(judged.verdict)) },
      {
        title: 'Pairs',
        numeric: true,
        only: WRITTEN,
        cell: (variant) =>
          variant.verdict
            ? formatNumber(variant.verdict.goal.pairs)
            : unbroken(plural(comparedRuns(variant, knownMetric(goal)).length, 'run')),
      },
    ],
    results.variants,
    'cards',
  );
}

/** What lasts on a machine, by the model, and what the lab's own rate was measured to be. */
function sustainedCell(variant: Variant): Inline {
  const { real } = variant;
  if (!real) return NONE;
  const [atOnce, measured] = [atOnceText(real), measuredRate(variant)];
  const facts = [
    ...(atOnce === null ? [] : [atOnce]),
    ...(measured === null ? [] : [`lab: ${formatSustained(measured.low)} ${measured.how}`]),
  ];
  const text = real.kind === 'none' ? NONE : real.limited === 'not by ports' ? 'no limit' : sustainedText(real);
  return [unbroken(text), note(facts, '')];
}

/** Whether the rate that somebody needs holds, and below it how. */
function requiredCell({ real }: Variant, rate: number): Inline {
  const [word, ...how] = real ? requiredText(real, rate).split(/, |: /) : [NONE];
  const short = real ? sparesShort(real, rate) : null;
  return [unbroken(word!), short === null ? note(how) : note(how, ` (${short})`)];
}

/** An outcome's name is an identifier and stays as it is. */
function capital(label: string): string {
  return label.includes(':') ? label : label.charAt(0).toUpperCase() + label.slice(1);
}

function changesOf({ baseline, description, changes }: Variant): Inline {
  if (baseline) return description ?? 'the baseline';
  return changes.length === 0 ? 'nothing (a comparison of the baseline with itself)' : lines(changes.map(code));
}

/** The difference, and what it rests on. */
function difference({ unit, kind, ci, difference: value, pHolm }: Comparison): Inline {
  const interval = formatInterval(unit, ci);
  const basis = [
    ...(value === null ? ['no pair to compare'] : kind === 'exact' ? ['exact'] : []),
    ...(interval === null ? [] : [['95 % CI ', unbroken(interval)]]),
    ...(pHolm === null ? [] : [formatP(pHolm)]),
  ];
  return [unbroken(formatDifference(unit, value)), note(basis, '')];
}

/** A guardrail's verdict, name and difference. */
export function guardrailCell({ metric, unit, difference: value, verdict: word }: Comparison): Inline {
  return [{ kind: 'mark', verdict: word }, ` ${metricLabel(metric)} `, unbroken(formatDifference(unit, value))];
}

/** The table with how to read it. */
export function variantsSection(results: Results): Section {
  const key = verdictWordSchema.options.flatMap((word, i): Inline[] => [
    i === 0 ? '' : ', ',
    { kind: 'mark', verdict: word },
    ` ${word}`,
  ]);
  return section('variants', 'Variants', 'Variants against the baseline', WRITTEN, [
    text([
      'The goal is ',
      code(results.experiment.goal),
      '. Each row is one change tried alone. Values are medians of the compared runs; differences are variant minus baseline. Sustained is what lasts, in connections a second, by the model with the ports of a machine (no limit: not by ports).',
    ]),
    variantsTable(results),
    { kind: 'text', style: 'aside', content: ['Guardrails: ', ...key] },
  ]);
}

/** The sentence behind each verdict. A ticket has it as a list, the page with the guardrails. */
export function whySection({ variants }: Results): Section {
  const judged = variants.flatMap(({ name, verdict }) => (verdict ? [{ name, verdict }] : []));
  return section('why', 'Why', 'Why', WRITTEN, [
    ...judged.map(
      ({ name: title, verdict: { verdict: word, sentence, goal, guardrails } }): Block => ({
        kind: 'card',
        style: 'plain',
        title: [title, ' ', verdict(word)],
        only: PAGE,
        blocks: [
          text(sentence),
          ...list(guardrails.map((guardrail): Inline => [guardrail.why, ' ', verdict(guardrail.verdict)])),
          ...(goal.detectable === null
            ? []
            : [
                {
                  kind: 'text',
                  style: 'aside',
                  content: `With ${plural(goal.pairs, 'pair')}, a true difference of ${formatDifference(goal.unit, goal.detectable).replace('+', '')} would be found 8 times out of 10.`,
                } as const,
              ]),
        ],
      }),
    ),
    {
      kind: 'list',
      only: ['ticket', 'terminal'],
      items: judged.map(
        ({ name: title, verdict: { verdict: word, sentence } }): Inline => [
          name(title),
          ' (',
          verdict(word),
          '): ',
          sentence,
        ],
      ),
    },
  ]);
}

/** Nothing where the profile sets no threshold. */
export function thresholdsSection({ thresholds }: Results): Section | null {
  if (thresholds.length === 0) return null;
  return section('thresholds', 'Thresholds', 'Thresholds', WRITTEN, [
    tableOf<ThresholdResult>(
      'Limits that the profile sets',
      [
        { title: 'Variant', cell: (threshold) => armId(threshold) },
        { title: 'Metric', cell: ({ metric }) => code(metric) },
        { title: 'Limit', cell: ({ limit }) => limit },
        {
          title: 'Median',
          numeric: true,
          cell: ({ metric, value, atLeast }) => formatValue(unitOf(metric), value, atLeast),
        },
        { title: 'Result', cell: ({ passed }) => ({ kind: 'passed', passed }) },
      ],
      thresholds,
    ),
  ]);
}

/** `threshold failed: arm, metric is …; the limit is …` of each that failed. */
export function failedThresholds({ thresholds }: Results): Inline[] {
  return thresholds
    .filter(({ passed }) => !passed)
    .map(({ metric, limit, value, atLeast, ...arm }) => [
      `threshold failed: ${armId(arm)}, `,
      code(metric),
      ` ${value === null ? 'was not measured' : `is ${formatValue(unitOf(metric), value, atLeast)}`}; the limit is ${limit}`,
    ]);
}
