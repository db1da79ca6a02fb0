/**
 * The summary that closes `bindstorm run`: the verdict in one sentence, a table of the variants, and what to be wary of.
 */
import { styleText } from 'node:util';
import type { Results, Variant, VerdictWord } from '../results/schema.js';
import { formatChange, formatDifference, formatValue, metricLabel, NONE, unitOf, verdictText } from './format.js';
import { partialNotice, warnings } from './notices.js';

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
      ({ variant, metric, limit, value }) =>
        `threshold failed: ${variant}, ${metric} ${value === null ? 'was not measured' : `is ${formatValue(unitOf(metric), value)}`}; the limit is ${limit}`,
    );
  const notes = [...(partial ? [partial] : []), ...failed, ...warnings(results)];
  const lines = [
    ...wrap(clean(results.summary), columns).map((line) => paint('bold', line)),
    '',
    ...variantLines(results, columns, paint),
    ...(notes.length > 0 ? [''] : []),
    ...notes.flatMap((note) => {
      const [first, ...rest] = wrap(clean(note), columns - 2);
      return [`${paint('yellow', '!')} ${first}`, ...rest.map((line) => `  ${line}`)];
    }),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
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
