/**
 * The league table of fixes in Markdown, and its summary for a terminal. Pure.
 */
import {
  acrossKernels,
  disagreements,
  type FixCell,
  type FixReport,
  type FixTable,
  inWords,
  league,
  rowOf,
  series,
  tablesOf,
} from '../analysis/fixes.js';
import { plural } from './format.js';
import { code, table, text } from './gfm.js';

/** The strategies and programs of a report, in its order. */
export function rowsOf({ tables }: FixReport): string[] {
  return [...new Set(tables.map(rowOf))];
}

/** A cell in a word or two: `×2`, `no limit`, `nothing`. */
export function short(cell: FixCell | undefined): string {
  switch (cell?.kind) {
    case undefined:
      return '–';
    case 'same':
      return 'same';
    case 'cannot':
      return 'not applicable';
    case 'absent':
      return 'not there';
    case 'failed':
      return 'failed';
    case 'measured':
      return cell.effect === 'does nothing' ? 'nothing' : inWords(cell).replace('works ', '').replace('harms', 'harms');
  }
}

export function summaryLines(report: FixReport): string[] {
  return league(report).flatMap(({ name, title }) => [
    `${name}: ${title}`,
    ...rowsOf(report).map((row) => `    ${row.padEnd(16)} ${acrossKernels(name, row, report)}`),
  ]);
}

/** How a cell was measured. */
export const METHOD =
  'A cell is one run in a fresh lab: two waves of 200 connections, 1.5 s apart, each closed by us as soon as it stands, from 2 addresses with 20 ports each to 2 destinations. What is compared is how many of the 400 were ok with the fix and without it; the first wave shows how many tuples there are, the second what has come back. (Where the server closes, fewer come, at a rate.)';

/** The same of a real proxy. */
export const SUBJECT_METHOD =
  'Through a proxy it is the same: its outgoing addresses and its ports are those that run out (dante has one address), its clients are told to close when they have their answer, so that the proxy closes first towards the origin, and what is counted is their answers. Its fixes are its own settings, and sysctls of its network namespace. The proxies are those of this machine, on its kernel: guests have no programs.';

export function renderFixes(report: FixReport): string {
  const rows = rowsOf(report);
  const wrong = disagreements(report);
  const cells = report.tables.flatMap((each) => Object.values(each.cells)).filter(({ kind }) => kind === 'measured');
  return `# Which fix works

${text(METHOD)}${report.tables.some(({ subject }) => subject) ? ` ${text(SUBJECT_METHOD)}` : ''} Kernels: ${kernelsText(report)}. ${plural(cells.length, 'cell')}, ${report.startedAt.slice(0, 10)}, ${code(report.command)}.

${table(
  ['fix', ...rows.map((name) => code(name))],
  league(report).map(({ name, title }) => [
    `[${text(title)}](#${name})`,
    ...rows.map((row) => text(acrossKernels(name, row, report))),
  ]),
  ['---', ...rows.map(() => '---')],
)}

${wrong.length === 0 ? 'Every count with a closed form is what the model expects.' : `Not what the model expects:\n\n${wrong.map((line) => `- ${text(line)}`).join('\n')}`}

${rows.map((row) => rowTable(report, row)).join('\n\n')}

## The fixes

${league(report)
  .map(
    ({ name, title, claim, source, rule, kernelSource, sideEffect }) => `### <a id="${name}"></a>${text(title)}

- Claim: ${text(claim)} (${text(source)})
- Rule: ${text(rule)} (${text(kernelSource)})${sideEffect ? `\n- Side effect: ${text(sideEffect)}` : ''}`,
  )
  .join('\n\n')}
`;
}

function kernelsText({ tables }: FixReport): string {
  const kernels = new Map(tables.map(({ kernel }) => [kernel.name, kernel]));
  return [...kernels.values()].map(({ name, release, lab }) => text(`${release} (${name}: ${lab})`)).join('; ');
}

function rowTable(report: FixReport, row: string): string {
  const own = tablesOf(report, row);
  const line = (name: string, title: string, cellOf: (table: FixTable) => FixCell | undefined) => [
    name === 'baseline' ? text(title) : `[${text(title)}](#${name})`,
    ...own.map((each) => linked(cellOf(each))),
  ];
  return `## ${code(row)}

${table(
  ['fix', ...own.map(({ kernel }) => series(kernel.release))],
  [
    line('baseline', 'without any', ({ baseline }) => baseline),
    ...league(report).map(({ name, title }) => line(name, title, ({ cells }) => cells[name])),
  ],
  ['---', ...own.map(() => '---')],
)}`;
}

/** Both waves, the effect, and the way to the run. */
function linked(cell: FixCell | undefined): string {
  if (cell?.kind === 'absent' || cell?.kind === 'cannot') return text(inWords(cell));
  if (cell?.kind !== 'measured') return short(cell);
  const word = cell.effect === 'does nothing' ? '' : `**${short(cell)}** `;
  return `${word}[${cell.waves.join(' + ')}](${cell.run})`;
}
