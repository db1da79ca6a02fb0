/** What a report says first: what to change, the variants against the baseline, the limits that the profile sets, and why. */
import { adviceOf, type SysctlAdvice, scaleOf, whyNotPasted } from '../../analysis/advice.js';
import { formatSustained } from '../../analysis/format.js';
import { atOnceText, measuredRate, requiredText, sustainedText } from '../../analysis/sustained.js';
import { comparedRuns } from '../../analysis/usable.js';
import { formatRate } from '../../domain/format.js';
import { knownMetric } from '../../domain/metric.js';
import { type StrategyName, strategyOf } from '../../domain/strategy.js';
import { armId } from '../../plan/kernels.js';
import {
  type Comparison,
  type Results,
  type ThresholdResult,
  type Variant,
  verdictWordSchema,
} from '../../results/schema.js';
import { APPLY_FOLDER, type Apply } from '../apply.js';
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
  listed,
  metricLabel,
  NONE,
  plural,
  unitOf,
} from '../format.js';
import { metricText } from '../rows/medians.js';
import { betterVariants, otherChanges } from '../rows/sysctls.js';

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
      {
        title: 'Guardrails',
        only: WRITTEN,
        cell: (variant) =>
          compared(variant, ({ guardrails }) =>
            guardrails.length === 0 ? NONE : lines(guardrails.map(guardrailCell)),
          ),
      },
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
    ...(measured === null ? [] : [`lab: ${formatSustained(measured.low)} measured`]),
  ];
  const text = real.kind === 'none' ? NONE : real.limited === 'not by ports' ? 'no limit' : sustainedText(real);
  return [unbroken(text), note(facts, '')];
}

/** Whether the rate that somebody needs holds, and below it how. */
function requiredCell({ real }: Variant, rate: number): Inline {
  const [word, how] = real ? requiredText(real, rate).split(/, |: /) : [NONE];
  return [unbroken(word!), note(how === undefined ? [] : [how])];
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

function guardrailCell({ metric, unit, difference: value, verdict: word }: Comparison): Inline {
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

/** What to change, and where the files to do so are. */
export function changeSection(results: Results, apply: Apply | null): Section {
  const baseline = results.variants.find((variant) => variant.baseline);
  const better = betterVariants(results);
  const title = 'What to change';
  if (better.length === 0) {
    const none = 'No variant was judged better than the baseline, so this report recommends no change.';
    return section('change', title, title, WRITTEN, [text(none)]);
  }
  const scale = scaleOf(results);
  return section('change', title, title, WRITTEN, [
    text(
      [
        `${better.length === 1 ? 'One variant was' : `${better.length} variants were`} judged better. Each was tried alone, so each block below stands for itself.`,
        ...(scale === null ? [] : [`Sysctls are at the scale of a machine: ${scale}.`]),
      ].join(' '),
    ),
    {
      kind: 'group',
      style: 'columns',
      blocks: better.map((variant) => changeCard(baseline, variant, adviceOf(baseline, variant, results))),
    },
    apply === null ? null : text(applySentence(apply)),
  ]);
}

/** For a terminal, which has no room for what to change: that the values of its table are not to be pasted. Null: they are of a real size. */
export function scaleNote(results: Results): Block | null {
  const scale = betterVariants(results).length === 0 ? null : scaleOf(results);
  return scale === null
    ? null
    : {
        kind: 'text',
        style: 'aside',
        content: `The values are the lab’s, not to be pasted: ${scale}. The report says what to change at that scale.`,
      };
}

function changeCard(baseline: Variant | undefined, variant: Variant, advice: readonly SysctlAdvice[]): Block {
  const pasted = advice.flatMap((each) =>
    each.real.kind === 'value' && whyNotPasted(each) === null ? [{ ...each, ...each.real }] : [],
  );
  const others = otherChanges(variant);
  const goal = variant.verdict?.goal;
  const doubtful = variant.verdict?.guardrails.filter((guardrail) => guardrail.verdict !== 'no difference') ?? [];
  const aside = (content: Inline): Block => ({ kind: 'text', style: 'aside', content });
  const blocks: Block[] = [
    ...(goal
      ? [
          {
            ...aside(`${metricLabel(goal.metric)} ${formatCompared(goal)}`),
            only: PAGE,
          },
        ]
      : []),
    ...(pasted.length > 0
      ? [
          text(['A file in ', code('/etc/sysctl.d/'), ' whose name comes last, as ', code('zz-ports.conf'), ', with']),
          {
            kind: 'code',
            language: 'ini',
            text: pasted.map(({ name, value }) => `${name} = ${value}`).join('\n'),
          } as const,
        ]
      : []),
    ...pasted.flatMap(({ note, measured }) => (note === null ? [] : [aside([`Measured with ${measured}: ${note}.`])])),
    ...pasted.flatMap(({ sideEffect }) => (sideEffect === null ? [] : [aside([`Beware: ${sideEffect.text}.`])])),
    ...advice.flatMap((each) => {
      const why = whyNotPasted(each);
      return why === null
        ? []
        : [text(['Not to be pasted: ', code(`${each.name} = ${each.measured}`), ', as measured, ', why, '.'])];
    }),
    ...(others.length > 0
      ? [
          text(
            advice.length > 0 ? 'together with, as measured in the lab,' : 'No sysctl; change, as measured in the lab,',
          ),
          ...list(others.map(code)),
        ]
      : []),
    ...sustainedStep(baseline, variant).map(aside),
    ...addressFactor(baseline, variant).map(aside),
    ...(variant.load.strategy === baseline?.load.strategy ? [] : [aside(strategyHint(variant.load.strategy))]),
    ...(doubtful.length > 0
      ? [aside(['Also look at ', ...doubtful.flatMap((each, i) => [i > 0 ? ', ' : '', guardrailCell(each)]), '.'])]
      : []),
  ];
  return { kind: 'card', style: 'box', title: variant.name, blocks };
}

/** From what lasts without the change to what lasts with it. */
function sustainedStep(baseline: Variant | undefined, { real }: Variant): string[] {
  if (!real || !baseline?.real) return [];
  return [
    `Sustained by the model, with the ports of a machine: ${sustainedText(baseline.real)} → ${sustainedText(real)}.`,
  ];
}

/** The number of addresses is the lab's too; what carries over is how many times as many they are. */
function addressFactor(baseline: Variant | undefined, { addresses }: Variant): string[] {
  const before = baseline?.addresses.count ?? 0;
  return before === 0 || before === addresses.count
    ? []
    : [`${formatNumber(addresses.count / before)} times as many addresses as you have.`];
}

/** What the program has to do for a strategy, and which programs do. */
function strategyHint(strategy: StrategyName): string {
  const { options, usedBy } = strategyOf(strategy);
  return `${strategy}${options.length > 0 ? ` sets ${listed(options)} before bind()` : ''}; used by: ${usedBy}.`;
}

/** Where the drop-in is, or why there is none. */
export function applySentence(apply: Apply): Inline {
  return apply.kind === 'files'
    ? [
        `To apply ${apply.variant}: `,
        code(`${APPLY_FOLDER}/${apply.name}`),
        ', a drop-in for sysctl.d, with its rollback beside it.',
        ...(apply.passedOver.length === 0
          ? []
          : [` Others did more, and have no drop-in: ${apply.passedOver.join('; ')}.`]),
      ]
    : `No drop-in for sysctl.d: ${apply.reason}.`;
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
