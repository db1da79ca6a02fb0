/**
 * Two results against each other, as a document for all formats: the answer, what differs around them, and each arm by each metric. Pure.
 */
import type { Difference } from '../analysis/comparable.js';
import {
  type ArmComparison,
  gotWorse,
  type ResultComparison,
  type ShiftComparison,
} from '../analysis/compare-results.js';
import { verdictWordSchema } from '../results/schema.js';
import {
  type Block,
  code,
  type Document,
  lines,
  list,
  name,
  note,
  section,
  select,
  tableOf,
  text,
  unbroken,
  verdict,
  WRITTEN,
} from './document.js';
import { formatChange, formatDifference, formatInterval, formatP, metricLabel, plural } from './format.js';
import { toHtml } from './html.js';
import { toMarkdown } from './markdown.js';
import { type TerminalOptions, toTerminal } from './terminal.js';

/** What the two sides are called. */
export interface Sides {
  readonly a: string;
  readonly b: string;
}

interface Row {
  readonly arm: string;
  readonly metric: ShiftComparison;
}

/** The comparison as a document. */
function comparisonOf(comparison: ResultComparison, { a, b }: Sides): Document {
  const { refused, arms, goal } = comparison;
  const rows = arms.flatMap((arm) => arm.metrics.map((metric): Row => ({ arm: arm.name, metric })));
  return {
    kicker: 'bindstorm compare',
    title: 'Two results against each other',
    meta: { title: 'bindstorm: two results', generator: null },
    blocks: [
      { kind: 'terms', entries: [['A', a] as const, ['B', b] as const] },
      { kind: 'text', style: 'answer', content: answer(comparison) },
      differencesSection(comparison),
      ...(comparison.changed ? [changesSection(arms)] : []),
      ...(refused === null ? [armsSection(rows, goal), whySection(rows)] : []),
      ...list([
        ...arms.flatMap((arm) => (arm.refused === null ? [] : [`${arm.name}: not compared, ${arm.refused}.`])),
        ...onlyIn('A', comparison.onlyInA),
        ...onlyIn('B', comparison.onlyInB),
      ]),
      ...(comparison.notes.length === 0
        ? []
        : [{ kind: 'notice', strong: null, items: comparison.notes } as const satisfies Block]),
    ],
  };
}

/** Lines for a terminal, the last ending in a newline. */
export function renderComparison(comparison: ResultComparison, sides: Sides, options: TerminalOptions): string {
  return toTerminal(select(comparisonOf(comparison, sides), 'terminal'), options);
}

/** Name of a file → its content: a page, and the same for a ticket. */
export function comparisonFiles(comparison: ResultComparison, sides: Sides): Record<string, string> {
  const document = comparisonOf(comparison, sides);
  return {
    'compare.html': toHtml(select(document, 'page')),
    'compare.md': toMarkdown(select(document, 'ticket')),
    'compare.json': `${JSON.stringify({ ...sides, ...comparison }, null, 1)}\n`,
  };
}

function answer(comparison: ResultComparison): string {
  if (comparison.refused !== null) return `Not compared: ${comparison.refused}.`;
  const all = comparison.arms.flatMap(({ metrics }) => metrics.map((metric) => metric.verdict));
  const counts = verdictWordSchema.options.flatMap((word) => {
    const count = all.filter((each) => each === word).length;
    return count === 0 ? [] : [`${count} ${word}`];
  });
  const worse = gotWorse(comparison) ? 'Something got worse' : 'Nothing got worse';
  return `${worse} from A to B: of ${plural(all.length, 'comparison')} ${counts.join(', ')}.`;
}

function differencesSection({ differences }: ResultComparison): Block {
  const title = 'What differs around them';
  return section('around', 'Around them', title, null, [
    differences.length === 0
      ? text('Nothing around them differs: machine, kernel, lab, version and profile are the same.')
      : tableOf<Difference>(title, sidesOf('What'), differences),
  ]);
}

/** What one's own change is, arm by arm. */
function changesSection(arms: readonly ArmComparison[]): Block {
  const title = 'What was changed';
  const rows = arms.flatMap((arm) => arm.changes.map((change) => ({ ...change, what: `${arm.name}: ${change.what}` })));
  return section('changed', 'Changed', title, null, [
    rows.length === 0
      ? text('Every arm had the same settings in both.')
      : tableOf<Difference>(title, sidesOf('Arm and setting'), rows),
  ]);
}

const sidesOf = (title: string) => [
  { title, cell: ({ what }: Difference) => what },
  { title: 'A', wraps: 'list' as const, cell: ({ a }: Difference) => code(a) },
  { title: 'B', wraps: 'list' as const, cell: ({ b }: Difference) => code(b) },
];

function armsSection(rows: readonly Row[], goal: string): Block {
  return section('arms', 'Arms', `B against A (${metricLabel(goal)} first)`, null, [
    tableOf<Row>(
      'Each arm by each metric',
      [
        { title: 'Arm', cell: ({ arm }) => name(arm) },
        { title: 'Metric', cell: ({ metric }) => metricLabel(metric.metric) },
        {
          title: 'A → B',
          numeric: true,
          cell: ({ metric: { unit, a, b, atLeast } }) => unbroken(formatChange(unit, a, b, [atLeast.a, atLeast.b])),
        },
        { title: 'Difference', numeric: true, cell: ({ metric }) => differenceCell(metric) },
        { title: 'Verdict', cell: ({ metric }) => verdict(metric.verdict) },
        { title: 'Runs', only: WRITTEN, cell: ({ metric: { runs } }) => unbroken(`${runs.a} and ${runs.b}`) },
      ],
      rows,
    ),
  ]);
}

function differenceCell({ unit, kind, difference, ci, pHolm }: ShiftComparison) {
  const interval = formatInterval(unit, ci);
  const basis = [
    ...(kind === 'exact' ? ['exact'] : []),
    ...(interval === null ? [] : [`95 % CI ${interval}`]),
    ...(pHolm === null ? [] : [formatP(pHolm)]),
  ];
  return [unbroken(formatDifference(unit, difference)), note(basis, '')];
}

function whySection(rows: readonly Row[]): Block {
  const said = rows.map(({ arm, metric }) => lines([[name(arm), ': ', metric.why]]));
  return section('why', 'Why', 'Why', WRITTEN, list(said));
}

function onlyIn(side: string, arms: readonly string[]): string[] {
  return arms.length === 0 ? [] : [`Only in ${side}: ${arms.join(', ')}.`];
}
