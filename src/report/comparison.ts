/**
 * Two results against each other as text for a terminal: what differs around them first, then each arm. Pure.
 */

import type { ArmComparison, ResultComparison, ShiftComparison } from '../analysis/compare-results.js';
import { printableWords as clean } from '../domain/printable.js';
import { formatChange, formatDifference, metricLabel, verdictText } from './format.js';

/** What the two sides are called. */
export interface Sides {
  readonly a: string;
  readonly b: string;
}

/** @returns lines, the last ending in a newline */
export function renderComparison(comparison: ResultComparison, { a, b }: Sides): string {
  return [
    `A  ${clean(a)}`,
    `B  ${clean(b)}`,
    '',
    ...differences(comparison),
    '',
    ...(comparison.refused === null ? arms(comparison) : [`Not compared: ${clean(comparison.refused)}.`]),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function differences({ differences }: ResultComparison): string[] {
  if (differences.length === 0)
    return ['Nothing around them differs: machine, kernel, lab, version and profile are the same.'];
  const rows = differences.map(({ what, a, b }) => [what, a, b].map(clean));
  return ['What differs around them:', ...table(['', 'A', 'B'], rows)];
}

function arms({ arms, goal, onlyInA, onlyInB, notes }: ResultComparison): string[] {
  const rows = arms.flatMap((arm) => arm.metrics.map((metric, i) => row(arm, metric, i)));
  return [
    `B against A (${metricLabel(goal)} first):`,
    ...table(['arm', 'metric', 'A → B', 'difference', 'verdict'], rows),
    '',
    ...arms.flatMap(({ name, refused, metrics }) => [
      ...(refused === null ? [] : [`${clean(name)}: not compared, ${clean(refused)}.`]),
      ...metrics.map(({ why }) => `${clean(name)}: ${clean(why)}`),
    ]),
    ...(onlyInA.length > 0 ? [`Only in A: ${onlyInA.map(clean).join(', ')}.`] : []),
    ...(onlyInB.length > 0 ? [`Only in B: ${onlyInB.map(clean).join(', ')}.`] : []),
    ...notes.map((note) => `Note: ${clean(note)}.`),
  ];
}

function row({ name }: ArmComparison, metric: ShiftComparison, index: number): string[] {
  const { unit, a, b, difference, verdict } = metric;
  return [
    index === 0 ? clean(name) : '',
    metricLabel(metric.metric),
    formatChange(unit, a, b),
    formatDifference(unit, difference),
    verdictText(verdict),
  ];
}

/** Two spaces before each line and between columns. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd();
  return [line(head), ...rows.map(line)];
}
