/** What supports the verdicts: the prediction beside what was measured, sysctls as asked and as read back, kernel counters. */
import { formatSustained } from '../../analysis/format.js';
import { measuredRate } from '../../analysis/sustained.js';
import { comparedRuns, TIMES } from '../../analysis/usable.js';
import type { Results, Variant } from '../../results/schema.js';
import {
  code,
  type Inline,
  note,
  PAGE,
  type Section,
  section,
  strong,
  type Table,
  tableOf,
  text,
} from '../document.js';
import { formatNumber, formatValue, NONE } from '../format.js';
import { type CounterRow, counterRows, medianOf, topFailure } from '../rows/medians.js';
import { type SysctlRow, sysctlRows } from '../rows/sysctls.js';
import { unlimitedText } from '../sizing.js';

/** What the model expected of each arm, and what came. */
export function predictionSection({ variants }: Results): Section {
  return section('prediction', 'Prediction', 'Prediction and measurement', PAGE, [
    text(
      "What the kernel's rules for choosing a port predict, and what was measured (medians). An arm without a failure never reached its limit.",
    ),
    tableOf<Variant>(
      'Prediction and measurement by arm',
      [
        { title: 'Arm', cell: ({ name }) => name },
        {
          title: 'Predicted: connections at once',
          cell: ({ prediction: { concurrent, formula } }) =>
            concurrent === null ? note([formula]) : [strong(formatNumber(concurrent)), note([formula])],
        },
        { title: 'Measured', numeric: true, cell: measuredTuples },
        { title: 'Sustained rate', cell: sustainedRate },
        {
          title: 'ok per second',
          numeric: true,
          cell: (variant) =>
            formatValue(
              'perSecond',
              medianOf(variant, (run) => run.rates.ok, TIMES),
            ),
        },
        { title: 'Predicted first failure', cell: ({ prediction }) => code(prediction.fails) },
        { title: 'Most frequent failure', cell: failureCell },
        { title: 'As predicted?', cell: agreementCell },
      ],
      variants,
      'cards',
    ),
    {
      kind: 'fold',
      summary: 'Rules and sources',
      blocks: [{ kind: 'terms', entries: variants.map(({ name, prediction }) => [name, ruleOf(prediction)]) }],
    },
  ]);
}

/** As predicted in the lab, and below it as measured. */
function sustainedRate(variant: Variant): Inline {
  const { prediction } = variant;
  const measured = measuredRate(variant)?.text ?? 'not measured: no run was long enough, and none was searched for';
  return [
    strong(prediction.sustained === null ? unlimitedText(prediction) : formatSustained(prediction.sustained)),
    note([measured]),
  ];
}

function measuredTuples(variant: Variant): string {
  const tuples = medianOf(variant, (run) => run.capacity.tuples);
  if (tuples === null) return NONE;
  return topFailure(variant) === null ? `${formatNumber(tuples)}, none refused` : formatNumber(tuples);
}

function failureCell(variant: Variant): Inline {
  const failed = topFailure(variant);
  if (failed === null) return comparedRuns(variant).length > 0 ? 'nothing' : NONE;
  return failed === variant.prediction.fails || variant.proxy ? code(failed) : [code(failed), ' (not as predicted)'];
}

function agreementCell({ agreement }: Variant): Inline {
  if (!agreement) return note(['nothing exact was predicted']);
  return [agreement.verdict === 'agrees' ? '✓ agrees' : strong('✗ disagrees'), note([agreement.sentence])];
}

/** One line on how a prediction is known, and what it says beyond the table. */
function ruleOf({ rule, source, slowWall, simulated, known }: Variant['prediction']): Inline {
  const rate = slowWall && slowWall.rate !== null ? ` (${formatSustained(slowWall.rate)})` : '';
  return [
    `${rule} [${source}]`,
    slowWall ? ` Slow from ${formatNumber(slowWall.tuples)} connections at once${rate}: ${slowWall.why}.` : '',
    simulated
      ? ` Simulated: ${formatNumber(simulated.ok.low)} to ${formatNumber(simulated.ok.high)} of ${formatNumber(simulated.attempts)} ok.`
      : '',
    known ? ` Known: ${known.why}.` : '',
  ];
}

/** What each arm asked for, and what the kernel had. */
export function sysctlSection(results: Results): Section {
  const rows = sysctlRows(results);
  if (rows.length === 0)
    return section('sysctls', 'Sysctls', 'Sysctls', PAGE, [
      text('The profile sets none: every arm ran with those of a fresh lab.'),
    ]);
  return section('sysctls', 'Sysctls', 'Sysctls before and after', PAGE, [
    text(
      'The sysctls that each arm sets beyond the baseline: the value of a fresh lab, the value asked for, and what the kernel read back before the load of each run.',
    ),
    tableOf<SysctlRow>(
      'Sysctls by arm',
      [
        { title: 'Sysctl', cell: ({ name }) => code(name) },
        { title: 'Arm', cell: ({ variant }) => variant },
        { title: 'Fresh lab', cell: ({ fresh }) => (fresh === null ? NONE : code(fresh)) },
        { title: 'Asked for', cell: ({ asked }) => code(asked) },
        {
          title: 'Read back',
          cell: ({ readBack, asAsked }) =>
            readBack.length === 0
              ? 'no run'
              : [code(readBack.join(' | ')), ' ', asAsked ? '✓' : strong('✗ not as asked')],
        },
      ],
      rows,
    ),
  ]);
}

/** Counters that moved in some run. */
export function countersSection({ variants }: Results): Section {
  const rows = counterRows(variants);
  const differing = rows.filter((row) => row.differs);
  const alike = rows.filter((row) => !row.differs);
  return section('counters', 'Counters', 'Kernel counters that moved', PAGE, [
    text([
      "Medians per run, in the client's namespace. A failing ",
      code('bind()'),
      " moves no kernel counter: the outcomes come from the calls' own errno.",
    ]),
    differing.length > 0
      ? counterTable('Counters that differ between arms by more than a tenth', variants, differing)
      : text('No counter differs from the baseline by more than a tenth.'),
    alike.length > 0
      ? {
          kind: 'fold',
          summary: `${alike.length} that moved alike in all arms`,
          blocks: [counterTable('Counters that moved alike', variants, alike)],
        }
      : null,
  ]);
}

function counterTable(caption: string, variants: readonly Variant[], rows: readonly CounterRow[]): Table {
  return tableOf<CounterRow>(
    caption,
    [
      { title: 'Counter', cell: ({ name }) => code(name) },
      ...variants.map(({ name }, i) => ({
        title: name,
        numeric: true,
        cell: ({ medians }: CounterRow) => (medians[i] == null ? NONE : formatNumber(medians[i])),
      })),
    ],
    rows,
  );
}
