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
  series,
  tablesOf,
} from '../analysis/fixes.js';
import type { StrategyName } from '../profile/strategy.js';
import { plural } from './format.js';
import { code, table, text } from './gfm.js';

/** The strategies of a report, in its order. */
export function strategiesOf({ tables }: FixReport): StrategyName[] {
  return [...new Set(tables.map(({ strategy }) => strategy))];
}

/** A cell in a word or two: `×2`, `no limit`, `nothing`. */
export function short(cell: FixCell | undefined): string {
  switch (cell?.kind) {
    case undefined:
      return '–';
    case 'same':
      return 'same';
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
    ...strategiesOf(report).map((strategy) => `    ${strategy.padEnd(16)} ${acrossKernels(name, strategy, report)}`),
  ]);
}

/** How a cell was measured. */
export const METHOD =
  'A cell is one run in a fresh lab: two waves of 200 connections, 1.5 s apart, each closed by us as soon as it stands, from 2 addresses with 20 ports each to 2 destinations. What is compared is how many of the 400 were ok with the fix and without it; the first wave shows how many tuples there are, the second what has come back. (Where the server closes, they come at a rate.)';

export function renderFixes(report: FixReport): string {
  const strategies = strategiesOf(report);
  const wrong = disagreements(report);
  const cells = report.tables.flatMap((each) => Object.values(each.cells)).filter(({ kind }) => kind === 'measured');
  return `# Which fix works

${text(METHOD)} Kernels: ${kernelsText(report)}. ${plural(cells.length, 'cell')}, ${report.startedAt.slice(0, 10)}, ${code(report.command)}.

${table(
  ['fix', ...strategies.map((name) => code(name))],
  league(report).map(({ name, title }) => [
    `[${text(title)}](#${name})`,
    ...strategies.map((strategy) => text(acrossKernels(name, strategy, report))),
  ]),
  ['---', ...strategies.map(() => '---')],
)}

${wrong.length === 0 ? 'Every count with a closed form is what the model expects.' : `Not what the model expects:\n\n${wrong.map((line) => `- ${text(line)}`).join('\n')}`}

${strategies.map((strategy) => strategyTable(report, strategy)).join('\n\n')}

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

function strategyTable(report: FixReport, strategy: StrategyName): string {
  const own = tablesOf(report, strategy);
  const row = (name: string, title: string, cellOf: (table: FixTable) => FixCell | undefined) => [
    name === 'baseline' ? text(title) : `[${text(title)}](#${name})`,
    ...own.map((each) => linked(cellOf(each))),
  ];
  return `## ${code(strategy)}

${table(
  ['fix', ...own.map(({ kernel }) => series(kernel.release))],
  [
    row('baseline', 'without any', ({ baseline }) => baseline),
    ...league(report).map(({ name, title }) => row(name, title, ({ cells }) => cells[name])),
  ],
  ['---', ...own.map(() => '---')],
)}`;
}

/** Both waves, the effect, and the way to the run. */
function linked(cell: FixCell | undefined): string {
  if (cell?.kind !== 'measured') return cell?.kind === 'absent' ? text(`not there: ${cell.why}`) : short(cell);
  const word = cell.effect === 'does nothing' ? '' : `**${short(cell)}** `;
  return `${word}[${cell.waves.join(' + ')}](${cell.run})`;
}
