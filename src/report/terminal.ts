/**
 * The summary that closes `bindstorm run`: the verdict in one sentence, a table of the variants, and what to be wary of.
 */
import { styleText } from 'node:util';
import { armId } from '../plan/kernels.js';
import type { Results, Variant, VerdictWord } from '../results/schema.js';
import {
  formatChange,
  formatDifference,
  formatValue,
  metricLabel,
  NONE,
  plural,
  unitOf,
  verdictText,
} from './format.js';
import { bootNotice, guestNotice } from './rows/guests.js';
import { type Cell, columnTitle, type SideBySide, sideBySide } from './rows/kernels.js';
import { neighbourSentences } from './rows/neighbours.js';
import { partialNotice, warnings } from './rows/notices.js';
import { bootstrapNotice } from './rows/tor-exits.js';

export interface TerminalOptions {
  readonly colour: boolean;
  /** Columns of the terminal; the summary uses 60 to 120 of them. */
  readonly width: number;
}

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

const VERDICT_STYLES: Readonly<Record<VerdictWord, Style>> = {
  better: 'green',
  worse: 'red',
  'no difference': 'dim',
  'not enough evidence': 'yellow',
};

/** Columns between two cells. */
const GAP = 2;
/** Below this the changes get lines of their own. */
const LEAST_FOR_CHANGES = 30;
const LEAST_FOR_NAMES = 12;
const LEAST_FOR_GOAL = 16;

/** @returns lines that each fit the width, ending in a newline */
export function renderTerminal(results: Results, { colour, width }: TerminalOptions): string {
  // validateStream would look at the process's own stdout; the caller has decided.
  const paint: Paint = (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
  const columns = Math.max(60, Math.min(120, Math.floor(width)));
  const partial = partialNotice(results);
  const failed = results.thresholds
    .filter((threshold) => !threshold.passed)
    .map(
      ({ variant, kernel, metric, limit, value }) =>
        `threshold failed: ${armId({ variant, kernel })}, ${metric} ${value === null ? 'was not measured' : `is ${formatValue(unitOf(metric), value)}`}; the limit is ${limit}`,
    );
  const notes = [...(partial ? [partial] : []), ...failed, ...warnings(results)];
  const beside = neighbourSentences(results, (share) => formatValue('share', share));
  const guests = [guestNotice(results), bootNotice(results), bootstrapNotice(results)].filter((text) => text !== null);
  const lines = [
    ...wrap(clean(results.summary), columns).map((line) => paint('bold', line)),
    '',
    ...tableLines(results, columns, paint),
    ...(beside.length > 0 ? [''] : []),
    ...beside.flatMap((text) => wrap(clean(text), columns)),
    ...(guests.length > 0 ? [''] : []),
    ...guests.flatMap((text) => wrap(clean(text), columns)).map((line) => paint('dim', line)),
    ...(notes.length > 0 ? [''] : []),
    ...notes.flatMap((note) => {
      const [first, ...rest] = wrap(clean(note), columns - 2);
      return [`${paint('yellow', '!')} ${first}`, ...rest.map((line) => `  ${line}`)];
    }),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function tableLines(results: Results, columns: number, paint: Paint): string[] {
  const across = sideBySide(results);
  return across ? kernelLines(across, columns, paint) : variantLines(results, columns, paint);
}

/** One column a kernel; under each other where they do not fit beside each other. */
function kernelLines({ kernels, rows, nowhere, note }: SideBySide, columns: number, paint: Paint): string[] {
  const titles = kernels.map((kernel) => clean(columnTitle(kernel)));
  const texts = rows.map(({ cells, nowhere: none }) =>
    cells.map((cell) => (none ? 'not on this kernel' : cellText(cell))),
  );
  const names = rows.map(({ name }) => clean(name));
  const widths = titles.map((title, i) => Math.max(title.length, ...texts.map((cells) => cells[i]!.length)));
  const nameWidth = Math.max('variant'.length, ...names.map((name) => name.length));
  const fits = widths.reduce((sum, width) => sum + GAP + width, nameWidth) <= columns;
  const gap = ' '.repeat(GAP);
  const styled = (cell: Cell, text: string) =>
    cell.kind === 'verdict'
      ? paint(VERDICT_STYLES[cell.verdict], text)
      : cell.kind === 'absent'
        ? paint('dim', text)
        : text;
  const last = kernels.length - 1;
  // What is painted is not padded: spaces at the end of a line are taken away, with colour and without.
  const padding = (text: string, i: number) => (i === last ? '' : ' '.repeat(widths[i]! - text.length));
  const beside = () => [
    paint('dim', ['variant'.padEnd(nameWidth), ...titles.map((title, i) => title + padding(title, i))].join(gap)),
    ...rows.map(({ cells }, row) => {
      const painted = cells.map((cell, i) => styled(cell, texts[row]![i]!) + padding(texts[row]![i]!, i));
      return [names[row]!.padEnd(nameWidth), ...painted].join(gap);
    }),
  ];
  const below = () =>
    rows.flatMap(({ cells }, row) => [
      ...wrap(names[row]!, columns),
      ...cells.flatMap((cell, i) =>
        wrap(`${titles[i]}: ${texts[row]![i]}`, columns - GAP).map((line) => gap + styled(cell, line)),
      ),
    ]);
  const none = kernels.length === 1 ? 'Not on this kernel' : 'On none of these kernels';
  const notes = [...(nowhere.length > 0 ? [`${none}: ${nowhere.join(', ')}.`] : []), note];
  return [...(fits ? beside() : below()), '', ...notes.flatMap((text) => wrap(clean(text), columns))];
}

function cellText(cell: Cell): string {
  if (cell.kind === 'baseline') return cell.goal;
  if (cell.kind === 'absent') return clean(cell.text);
  return clean(
    `${verdictText(cell.verdict)}, ${cell.goal}${cell.without.length === 0 ? '' : `, without ${plural(cell.without.length, 'sysctl')}`}`,
  );
}

interface Row {
  readonly name: string;
  readonly changes: string;
  readonly goal: string;
  readonly difference: string;
  readonly verdict: VerdictWord | null;
}

function variantLines(results: Results, columns: number, paint: Paint): string[] {
  const { goal } = results.experiment;
  const rows = results.variants.map((variant) => rowOf(variant, goal, results));
  const heading = metricLabel(goal);
  const goalWidth = Math.max(Math.min(heading.length, LEAST_FOR_GOAL), ...rows.map((row) => row.goal.length));
  const differenceWidth = Math.max('change'.length, ...rows.map((row) => row.difference.length));
  const verdictWidth = Math.max('verdict'.length, ...rows.map((row) => verdictCell(row).length));
  const left = columns - goalWidth - differenceWidth - verdictWidth - 3 * GAP;
  const longest = Math.max('variant'.length, ...rows.map((row) => row.name.length));
  const nameWidth = Math.max(LEAST_FOR_NAMES, Math.min(longest, left));
  const changesWidth = left - nameWidth - GAP;
  const inColumn = changesWidth >= LEAST_FOR_CHANGES;
  const used = Math.min(changesWidth, Math.max('what changed'.length, ...rows.map((row) => row.changes.length)));
  const line = (name: string, changes: string, value: string, change: string, verdict: string) =>
    [
      cut(name, nameWidth).padEnd(nameWidth),
      ...(inColumn ? [changes.padEnd(used)] : []),
      value.padStart(goalWidth),
      change.padStart(differenceWidth),
      verdict,
    ].join(' '.repeat(GAP));
  const head = line('variant', 'what changed', cut(heading, goalWidth), 'change', 'verdict');
  return [
    paint('dim', head),
    ...rows.flatMap((row) => {
      const verdict = row.verdict ? paint(VERDICT_STYLES[row.verdict], verdictCell(row)) : verdictCell(row);
      const [first = '', ...more] = wrap(row.changes, inColumn ? used : columns - GAP);
      const indent = ' '.repeat(inColumn ? nameWidth + GAP : GAP);
      const below = inColumn ? more : row.changes === '' ? [] : [first, ...more];
      return [
        line(row.name, first, row.goal, row.difference, verdict),
        ...below.map((text) => indent + (inColumn ? text : paint('dim', text))),
      ];
    }),
  ];
}

function rowOf({ name, changes, verdict }: Variant, goal: string, results: Results): Row {
  if (!verdict) {
    const before = results.variants.flatMap((variant) => variant.verdict?.goal.baseline ?? [])[0] ?? null;
    return { name: clean(name), changes: '', goal: formatValue(unitOf(goal), before), difference: NONE, verdict: null };
  }
  const { unit, baseline, variant, difference } = verdict.goal;
  return {
    name: clean(name),
    changes: clean(changes.join(', ')),
    goal: formatChange(unit, baseline, variant),
    difference: formatDifference(unit, difference),
    verdict: verdict.verdict,
  };
}

function verdictCell({ verdict }: Row): string {
  return verdict ? verdictText(verdict) : NONE;
}

/** One line, without control characters: a description must not move the cursor. */
function clean(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

/** Breaks at spaces; a word that is longer than a line is broken where the line ends. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    let rest = word;
    if (line !== '' && line.length + 1 + rest.length > width) {
      lines.push(line);
      line = '';
    }
    while (rest.length > width) {
      lines.push(rest.slice(0, width));
      rest = rest.slice(width);
    }
    line = line === '' ? rest : `${line} ${rest}`;
  }
  if (line !== '') lines.push(line);
  return lines;
}
