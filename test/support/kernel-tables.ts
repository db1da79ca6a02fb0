/**
 * The differences between kernels, as test/lab/vm/ has them in two tables: oracle-kernels.tsv, rows of the oracle whose outcome is
 * not that of 6.18, and kernel-cases.tsv, cases that the oracle's rows do not hold. docs/kernels.md is made from both.
 */
import assert from 'node:assert/strict';
import { type OracleRow, readTable } from './oracle.js';

/** The kernels that the tables have a column for. */
export const COLUMNS = ['5.10', '6.1', '6.12', '6.18', '7.x'] as const;
export type Column = (typeof COLUMNS)[number];

/** The Debian suite whose kernel stands for a column, and the release of it that was measured. */
export const KERNELS: readonly { readonly suite: string; readonly column: Column; readonly release: string }[] = [
  { suite: 'bullseye', column: '5.10', release: '5.10.46' },
  { suite: 'bookworm', column: '6.1', release: '6.1.176' },
  { suite: 'trixie', column: '6.12', release: '6.12.101' },
  { suite: 'sid', column: '7.x', release: '7.2.7' },
];

/** The column of a kernel, or undefined when the tables have none for it. 7.x is 7.1 and newer. */
export function columnOf(release: string): Column | undefined {
  const [major, minor] = release.split('.').map(Number) as [number, number];
  const series = major === 7 && minor > 0 ? '7.x' : `${major}.${minor}`;
  return COLUMNS.find((column) => column === series);
}

/** Lines of a table, each with its cells by the names of their columns. */
function records(path: string): Record<string, string>[] {
  const { header, lines } = readTable(path);
  return lines.map((cells) => {
    assert.equal(cells.length, header.length, cells.join('\t'));
    return Object.fromEntries(header.map((name, i) => [name, cells[i]!]));
  });
}

export const DIFFERENCES = records('vm/oracle-kernels.tsv');
export const CASES = records('vm/kernel-cases.tsv');

/** Whether a line of oracle-kernels.tsv is about a row: `*` stands for every value. */
function isAbout(line: Record<string, string>, row: OracleRow): boolean {
  return Object.entries({
    strategy: row.strategy,
    S: String(row.addresses),
    D: String(row.destinations),
    mode: row.mode,
    tcp_tw_reuse: row.twReuse,
    ip_autobind_reuse: row.autobindReuse,
  }).every(([name, value]) => line[name] === '*' || line[name] === value);
}

/** The row as a kernel answers it. A difference is an outcome that all attempts of both waves have. */
export function rowOn(column: Column, row: OracleRow): OracleRow {
  const outcome = DIFFERENCES.find((line) => isAbout(line, row))?.[column] ?? '=';
  if (outcome === '=') return row;
  return { ...row, outcomes: { [outcome]: row.attempts }, secondWave: row.secondWave === null ? null : 0 };
}

/** Rows of the oracle that the table of differences names for a column. */
export function differingRows(column: Column, rows: readonly OracleRow[]): OracleRow[] {
  return rows.filter((row) => DIFFERENCES.some((line) => isAbout(line, row) && line[column] !== '='));
}

/** Case → answer. */
export function casesOn(column: Column): Record<string, string> {
  return Object.fromEntries(CASES.map((line) => [line.case!, line[column]!]));
}
