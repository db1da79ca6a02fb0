/** What a report says where the kernel is a factor: kernels side by side, and a part for each. */
import type { KernelResult, Results } from '../../results/schema.js';
import { effectChart, effectHeight } from '../charts/effect.js';
import { kernelsChart, kernelsHeight } from '../charts/kernels.js';
import {
  type Block,
  code,
  type Figure,
  type Inline,
  lines,
  list,
  name,
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
import { metricLabel, plural } from '../format.js';
import { kernelEffectRows, kernelEffects, kernelFrame, kernelGrid, kernelTable } from '../rows/kernel-effects.js';
import { type Cell, columnTitle, kernelTitle, notRunOn, type SideBySide } from '../rows/kernels.js';
import { EFFECT_WIDTH, verdictLegend } from './effect.js';

/** One row a variant, one column a kernel. */
export function kernelsTable({ kernels, rows }: SideBySide): Table {
  type Row = SideBySide['rows'][number];
  return tableOf<Row>(
    'Verdicts by kernel',
    [
      {
        title: 'Variant',
        cell: (row) => [
          name(row.name),
          row.nowhere ? { kind: 'note', items: ['on none of these kernels'], short: '', apart: true } : '',
        ],
      },
      {
        title: 'What changed',
        wraps: 'sentences',
        only: WRITTEN,
        cell: (row) => (row === rows[0] ? 'the baseline' : changesOf(row.changes)),
      },
      ...kernels.map((kernel, i) => ({ title: columnTitle(kernel), cell: (row: Row) => kernelCell(row.cells[i]!) })),
    ],
    rows,
  );
}

/** What is said below the table of kernels: what none has, and how to read it across. */
export function kernelNotes({ kernels, nowhere, note }: SideBySide): Block[] {
  const none = kernels.length === 1 ? 'Not on this kernel:' : 'On none of these kernels:';
  return [...(nowhere.length > 0 ? [text(none), ...list(nowhere.map(code))] : []), text(note)];
}

/** The table, with charts of the goal. */
export function sideBySideSection(results: Results, across: SideBySide): Section {
  const { goal } = results.experiment;
  return section('side-by-side', 'Side by side', 'Kernels side by side', WRITTEN, [
    text(
      `One row per variant, one column per kernel: the verdict, and ${metricLabel(goal)} in the baseline and with the variant.`,
    ),
    kernelsTable(across),
    ...kernelNotes(across),
    ...kernelCharts(results),
  ]);
}

/** The goal on all kernels: who helps where, and by how much. */
function kernelCharts(results: Results): Block[] {
  const figures = kernelFigures(results);
  if (figures.length === 0) return [];
  return [
    { ...verdictLegend(), only: PAGE },
    { kind: 'group', style: 'wide panels', only: PAGE, blocks: figures },
  ];
}

/** The verdicts as a grid, and one forest plot with a row for each variant on each kernel; none where nothing was compared. */
export function kernelFigures(results: Results): Figure[] {
  const effects = kernelEffects(results);
  if (effects.length === 0) return [];
  const metric = metricLabel(results.experiment.goal);
  const grid = kernelGrid(effects, results);
  const rows = kernelEffectRows(effects);
  const frame = { ...kernelFrame(effects), names: true };
  const numbers = kernelTable(effects, results);
  const cells = (of: (typeof grid.rows)[number]) =>
    of.cells.map(
      ({ verdict: word, text: size }, i) => `${grid.kernels[i]} ${word === null ? 'not there' : `${word}, ${size}`}`,
    );
  return [
    {
      kind: 'figure',
      id: 'kv',
      label: `${metric}, the verdict on each kernel. ${grid.rows.map((row) => `${row.name}: ${cells(row).join('; ')}`).join('. ')}.`,
      caption: [
        { kind: 'strong', content: metric },
        ', the goal: the verdict on each variant, and its difference from the baseline, on each kernel; – is not on this kernel',
      ],
      chart: { option: (palette) => kernelsChart(grid, palette), width: EFFECT_WIDTH, height: kernelsHeight(grid) },
      numbers,
    },
    {
      kind: 'figure',
      id: 'ke',
      label: `${metric}, difference from the baseline of each kernel, with its 95 % interval.`,
      caption: [
        { kind: 'strong', content: metric },
        ', variant minus the baseline of the same kernel: the diamond is the estimate, the line its 95 % interval; a diamond without a line is exact, or of one pair alone',
      ],
      chart: {
        option: (palette) => effectChart(rows, frame, palette),
        width: EFFECT_WIDTH,
        height: effectHeight(rows.length),
      },
      numbers,
    },
  ];
}

/** The first of many, so that a row that changes everything is no taller than the others together. */
const SHOWN = 4;

function changesOf(changes: readonly string[]): Inline {
  if (changes.length === 0) return 'nothing';
  const more = changes.length > SHOWN + 1 ? changes.length - SHOWN : 0;
  const shown = more > 0 ? changes.slice(0, SHOWN) : changes;
  return lines([...shown.map(code), ...(more > 0 ? [`and ${more} more`] : [])]);
}

function kernelCell(cell: Cell): Inline {
  switch (cell.kind) {
    case 'baseline':
      return cell.goal;
    case 'absent':
      return { kind: 'tone', tone: 'absent', content: cell.text };
    case 'verdict': {
      const short = cell.without.length === 0 ? '' : `, without ${plural(cell.without.length, 'sysctl')}`;
      return [
        verdict(cell.verdict),
        ', ',
        unbroken(cell.goal),
        { kind: 'note', items: cell.without.map((what) => `without ${what}`), short, apart: true },
      ];
    }
  }
}

/** What a report on one kernel alone would say. @param inside its sections */
export function kernelSection(results: Results, kernel: KernelResult, inside: readonly (Block | null)[]): Section {
  const notRun = notRunOn(results, kernel.name);
  return {
    ...section(kernelAnchor(kernel), kernel.name, kernelTitle(kernel), WRITTEN, [
      text(kernel.summary),
      ...(notRun.length > 0 ? [text('Not on this kernel, and not run:'), ...list(notRun.map(code))] : []),
      ...inside,
    ]),
    part: true,
  };
}

/** Fit for an attribute and for a pattern's replacement, wherever the results come from. */
function kernelAnchor({ name: kernel }: Pick<KernelResult, 'name'>): string {
  return `kernel-${kernel.replace(/[^\w.-]+/g, '-')}`;
}
