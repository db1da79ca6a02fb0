/** The table of fixes as a document: fixes down, strategies and proxies, and in them kernels, across. Pure. */
import {
  acrossKernels,
  byHowMuch,
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
import { isRouterKind } from '../subjects/index.js';
import {
  type Block,
  type Column,
  code,
  type Document,
  type Inline,
  lines,
  list,
  note,
  PAGE,
  type Section,
  section,
  select,
  strong,
  type Table,
  text,
} from './document.js';
import { listed, NONE, plural } from './format.js';
import { toHtml } from './html.js';
import { toMarkdown } from './markdown.js';

/** The table as Markdown. */
export function renderFixes(report: FixReport): string {
  return toMarkdown(select(fixesOf(report), 'ticket'), 1);
}

/** The table as one self-contained page. */
export function renderFixesHtml(report: FixReport): string {
  return toHtml(select(fixesOf(report), 'page'));
}

/** One line per fix and strategy or program, for a terminal. */
export function summaryLines(report: FixReport): string[] {
  return league(report).flatMap(({ name, title }) => [
    `${name}: ${title}`,
    ...rowsOf(report).map((row) => `    ${row.padEnd(16)} ${acrossKernels(name, row, report)}`),
  ]);
}

/** The strategies and programs of a report, in its order. */
function rowsOf({ tables }: FixReport): string[] {
  return [...new Set(tables.map(rowOf))];
}

/** How a cell was measured. */
const METHOD =
  'A cell is one run in a fresh lab: two waves of 200 connections, 1.5 s apart, from 2 addresses with 20 ports each to 2 destinations; we close each connection as soon as it is established. Compared is how many of the 400 were ok with the fix and without it: the first wave shows how many tuples there are, the second what has come back. (Where the server closes, fewer come, at a rate.)';

/** The same of a real proxy. */
const SUBJECT_METHOD =
  'Through a proxy it is the same: its outgoing addresses and its ports are those that run out (dante has one address), its clients are told to close when they have their answer, so that the proxy closes first towards the origin, and what is counted is their answers. Its fixes are its own settings, and sysctls of its network namespace. The proxies are those of this machine; guests are given them.';

/** The same behind a NAT. */
const NAT_METHOD =
  'A cell is one run in a fresh lab: a client, a router and an origin, each in a network namespace of its own. The rule of the router has one NAT address and 20 ports. Two waves of 100 connections begin at once, 1.5 s apart, to one destination; all are open until each has its outcome, and closed by the client before the second wave. An attempt counts as dropped when its SYN has no answer within 500 ms (in guests 5 s). Compared is how many of the 200 were ok with the fix and without it: the first wave shows how many the NAT holds, the second what its connection tracking has given back after the close. (Where a fix says when connections are closed, 120 come at 20 a second.)';

const LEGEND: readonly (readonly [mark: string, meaning: string])[] = [
  ['×2', 'twice as many were ok'],
  ['all', 'every one was ok, without limit'],
  ['·', 'it does nothing'],
  ['=', 'the program does that already'],
  ['n/a', 'the kernel or the machine does not have it'],
];

function fixesOf(report: FixReport): Document {
  const rows = rowsOf(report);
  const wrong = disagreements(report);
  const nat = report.tables.some(({ subject }) => subject !== undefined && isRouterKind(subject.kind));
  const proxies = !nat && report.tables.some(({ subject }) => subject);
  const cells = report.tables.flatMap((each) => Object.values(each.cells)).filter(({ kind }) => kind === 'measured');
  const aside = (content: Inline): Block => ({ kind: 'text', style: 'aside', content, only: PAGE });
  const legend = proxies ? [...LEGEND, [NONE, 'the program has no such setting'] as const] : LEGEND;
  return {
    kicker: 'bindstorm fixes',
    title: 'Which fix works',
    meta: { title: 'Which fix works: bindstorm', generator: `bindstorm ${report.tool}`, wide: true },
    blocks: [
      {
        kind: 'text',
        style: 'lead',
        content: nat
          ? 'What each does to a NAT that runs out of ports, by the kernel of the router.'
          : 'What each does to a program that runs out of local ports, by how it binds and by its kernel.',
      },
      section('table', 'Table', 'All fixes', null, [
        { ...leagueTable(report, rows), only: PAGE },
        aside([
          ...legend.flatMap(([mark, meaning]): Inline[] => [strong(mark), `: ${meaning}. `]),
          'Each cell links to its run.',
        ]),
        { ...acrossTable(report, rows), only: ['ticket'] },
        text(nat ? NAT_METHOD : `${METHOD}${proxies ? ` ${SUBJECT_METHOD}` : ''}`),
        ...list(untried(report)),
        text([`${plural(cells.length, 'cell')}, ${days(report)}, `, code(report.command), '.']),
        text(
          wrong.length === 0
            ? 'Every count with a closed form is what the model predicts.'
            : 'Not what the model predicts:',
        ),
        ...list(wrong),
      ]),
      ...rows.map((row) => ({ ...rowSection(report, row), only: ['ticket'] as const })),
      section(
        'fixes',
        'Fixes',
        'The fixes',
        null,
        league(report).map((fix) => fixSection(fix, report, rows)),
      ),
      section('kernels', 'Kernels', 'Kernels', null, list(kernelsOf(report))),
    ],
  };
}

/** Fixes that were not put to all kernels: cells that were made later may be of some fixes alone. */
function untried({ fixes, tables }: FixReport): string[] {
  const missing = new Map<string, string[]>();
  for (const table of tables) {
    const names = fixes.filter(({ name }) => !(name in table.cells)).map(({ name }) => name);
    if (names.length === 0) continue;
    const key = `${names.join(', ')} on ${table.kernel.release}`;
    missing.set(key, [...(missing.get(key) ?? []), rowOf(table)]);
  }
  return [...missing].map(([what, rows]) => `Not tried for ${listed(rows)}: ${what}.`);
}

/** The day of the first run, and of the last where that is another. */
function days({ startedAt, finishedAt }: FixReport): string {
  return [...new Set([startedAt, finishedAt].map((at) => at.slice(0, 10)))].join(' to ');
}

function kernelsOf({ tables }: FixReport): string[] {
  const kernels = new Map(tables.map(({ kernel }) => [kernel.name, kernel]));
  return [...kernels.values()].map(({ name, release, lab }) => `${release}: ${name}, ${lab}`);
}

function fixSection(fix: FixReport['fixes'][number], report: FixReport, rows: readonly string[]): Section {
  const { name, title, claim, source, rule, kernelSource, sideEffect } = fix;
  const found = rows.map((row): Inline => [code(row), `: ${acrossKernels(name, row, report)}`]);
  const entries: [Inline, Inline][] = [
    ['Claim', [claim, note([source])]],
    ['Rule', [rule, note([kernelSource])]],
    ...(sideEffect ? [['Side effect', sideEffect] as [Inline, Inline]] : []),
  ];
  return {
    ...section(name, title, title, null, [
      { kind: 'terms', entries: [['Found', lines(found)]], only: PAGE },
      { kind: 'terms', entries },
    ]),
    anchored: true,
  };
}

/** As short as can be: a table of twenty columns must be seen whole. */
function leagueTable(report: FixReport, rows: readonly string[]): Table {
  const tables = rows.flatMap((row) => tablesOf(report, row).map((each) => ({ row, each })));
  return {
    kind: 'table',
    caption: null,
    style: 'dense',
    columns: [
      { title: 'fix, alone' },
      ...tables.map(({ row, each }): Column => ({ title: series(each.kernel.release), group: row })),
    ],
    rows: [
      [
        `none: ok${ofAttempts(tables.map(({ each }) => each.baseline))} in two waves`,
        ...tables.map(({ each: { baseline } }) => toned(baseline, wavesOf(baseline, '+'), 'without any fix')),
      ],
      ...league(report).map(({ name, title }): Inline[] => [
        { kind: 'link', to: `#${name}`, content: title },
        ...tables.map(({ each: { cells } }) => toned(cells[name], mark(cells[name]))),
      ]),
    ],
  };
}

/** ` of 400`, where the runs without any fix had as many attempts. */
function ofAttempts(baselines: readonly FixCell[]): string {
  const [first, ...others] = new Set(baselines.flatMap((cell) => (cell.kind === 'measured' ? [cell.attempts] : [])));
  return first === undefined || others.length > 0 ? '' : ` of ${first}`;
}

function wavesOf(cell: FixCell, between: string): string {
  return cell.kind === 'measured' ? cell.waves.join(between) : short(cell);
}

/** A cell in the colour of its effect, with a link to its run. */
function toned(cell: FixCell | undefined, words: string, meaning = cell && inWords(cell)): Inline {
  if (cell === undefined || meaning === undefined) return '';
  if (cell.kind !== 'measured') return { kind: 'tone', tone: 'gone', content: words, title: meaning };
  return {
    kind: 'tone',
    tone: cell.effect === 'does nothing' ? 'nothing' : cell.effect,
    title: `${meaning}: ${cell.waves.join(' + ')} of ${cell.attempts}`,
    content: { kind: 'link', to: cell.run, content: words, title: meaning },
  };
}

function mark(cell: FixCell | undefined): string {
  switch (cell?.kind) {
    case 'same':
      return '=';
    case 'cannot':
      return NONE;
    case 'absent':
      return 'n/a';
    case 'measured':
      if (cell.effect === 'does nothing') return '·';
      return byHowMuch(cell) === 'without limit' ? 'all' : byHowMuch(cell);
    default:
      return short(cell);
  }
}

/** A cell in a word or two: `×2`, `without limit`, `nothing`. */
function short(cell: FixCell | undefined): string {
  switch (cell?.kind) {
    case undefined:
      return '';
    case 'same':
      return 'same';
    case 'cannot':
      return 'not applicable';
    case 'absent':
      return 'not there';
    case 'failed':
      return 'failed';
    case 'measured':
      return cell.effect === 'does nothing' ? 'nothing' : inWords(cell).replace('works ', '');
  }
}

function acrossTable(report: FixReport, rows: readonly string[]): Table {
  return {
    kind: 'table',
    caption: null,
    columns: [{ title: 'fix' }, ...rows.map((row): Column => ({ title: code(row) }))],
    rows: league(report).map(({ name, title }): Inline[] => [
      { kind: 'link', to: `#${name}`, content: title },
      ...rows.map((row) => acrossKernels(name, row, report)),
    ]),
  };
}

/** Each fix on each kernel, with both waves, for one strategy or program. */
function rowSection(report: FixReport, row: string): Section {
  const own = tablesOf(report, row);
  const line = (head: Inline, cellOf: (table: FixTable) => FixCell | undefined): Inline[] => [
    head,
    ...own.map((each) => linked(cellOf(each))),
  ];
  return section(row, row, code(row), null, [
    {
      kind: 'table',
      caption: null,
      columns: [{ title: 'fix' }, ...own.map(({ kernel }): Column => ({ title: series(kernel.release) }))],
      rows: [
        line('without any', ({ baseline }) => baseline),
        ...league(report).map(({ name, title }) =>
          line({ kind: 'link', to: `#${name}`, content: title }, ({ cells }) => cells[name]),
        ),
      ],
    },
  ]);
}

/** Both waves, the effect, and the way to the run. */
function linked(cell: FixCell | undefined): Inline {
  if (cell?.kind === 'absent' || cell?.kind === 'cannot') return inWords(cell);
  if (cell?.kind !== 'measured') return short(cell);
  const waves: Inline = { kind: 'link', to: cell.run, content: cell.waves.join(' + ') };
  return cell.effect === 'does nothing' ? waves : [strong(short(cell)), ' ', waves];
}
