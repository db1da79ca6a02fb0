/** What a report says of a program of the user's: how it uses its ports, and what would mend that. Left out for other subjects. */
import { type StrategyName, strategyOf } from '../../domain/strategy.js';
import type { Results } from '../../results/schema.js';
import { code, type Inline, list, type Section, section, strong, tableOf, text, WRITTEN } from '../document.js';
import { formatNumber, formatValue, listed, NONE, plural } from '../format.js';
import { foreseenText } from '../rows/foreseen.js';
import type { Counted } from '../rows/medians.js';
import { type ProgramRow, programRows } from '../rows/program.js';
import { counts } from './proxy.js';

/** How the program used ports, in each arm. */
export function programSection(results: Results): Section | null {
  const rows = programRows(results);
  const [baseline] = rows;
  if (!baseline) return null;
  return section('program', 'Program', 'How the program uses its ports', null, [
    ...list(rows.map((row): Inline => [strong(row.name), `: ${sentenceOf(row, baseline)}`])),
    baseline.client === null
      ? null
      : text([
          `The requests are of ${baseline.client.name}. What makes it use its connections again: `,
          code(baseline.client.line),
        ]),
    ...foreseenTable(results),
    {
      ...tableOf<ProgramRow>(
        'The program by arm',
        [
          { title: 'Arm', cell: (row) => row.name },
          { title: 'Requests', numeric: true, cell: (row) => number(row.requests) },
          { title: 'Connections', numeric: true, cell: (row) => number(row.connections) },
          { title: 'Ports per request', numeric: true, cell: (row) => formatValue('count', row.perRequest) },
          {
            title: 'UDP sockets',
            numeric: true,
            cell: ({ datagrams }) =>
              datagrams === null
                ? NONE
                : `${formatNumber(datagrams.sockets)}, at most ${formatNumber(datagrams.peak)} at once`,
          },
          { title: 'On a used connection', numeric: true, cell: (row) => formatValue('share', row.reused) },
          { title: 'Closed first by', wraps: 'list', cell: (row) => counts(row.closed, NONE) },
          {
            title: 'Idle until closed',
            numeric: true,
            cell: ({ idle }) => formatValue('microseconds', idle === null ? null : idle * 1000),
          },
          { title: 'Ports chosen as by', wraps: 'list', cell: (row) => counts(row.strategies, NONE) },
          { title: 'Connected to', wraps: 'list', cell: (row) => counts(row.destinations.slice(0, 8), NONE) },
          { title: 'Refused calls', wraps: 'list', cell: (row) => counts(row.refused) },
          { title: 'It', wraps: 'list', cell: ({ ended }) => (ended.length > 0 ? listed(ended) : 'was stopped') },
          {
            title: 'CPU',
            numeric: true,
            cell: ({ cpuSeconds }) => formatValue('microseconds', cpuSeconds === null ? null : cpuSeconds * 1e6),
          },
          { title: 'Memory', numeric: true, cell: (row) => formatValue('bytes', row.memory) },
        ],
        rows,
      ),
      only: WRITTEN,
    },
    {
      kind: 'fold',
      summary: 'The end of what it printed',
      only: WRITTEN,
      blocks: [
        {
          kind: 'terms',
          entries: rows.map((row): [Inline, Inline] => [row.name, { kind: 'output', text: row.tail.join('\n') }]),
        },
      ],
    },
  ]);
}

/** What the model said beforehand, beside what it says of the program as it then was. */
function foreseenTable({ variants }: Results): Section['blocks'][number][] {
  const rows = variants.flatMap(({ name, foreseen, real }) => (foreseen && real ? { name, foreseen, real } : []));
  if (rows.length === 0) return [];
  return [
    {
      ...text(
        'By the model, in connections, with the ports of a machine: before any change was tried, by what the profile says of the program (`try` writes there what a first run showed); and as it was then seen.',
      ),
      only: WRITTEN,
    },
    {
      ...tableOf<(typeof rows)[number]>(
        'What was foreseen, by arm',
        [
          { title: 'Arm', cell: ({ name }) => name },
          { title: 'Foreseen', cell: ({ foreseen }) => foreseenText(foreseen) },
          { title: 'As it was seen', cell: ({ real }) => foreseenText(real) },
        ],
        rows,
      ),
      only: WRITTEN,
    },
  ];
}

/** What the program did, of a variant only what is not as in the baseline. */
function sentenceOf(row: ProgramRow, baseline: ProgramRow): string {
  const said = new Set(row === baseline ? [] : partsOf(baseline).slice(1));
  return `${partsOf(row)
    .filter((part) => !said.has(part))
    .join('; ')}.`;
}

function partsOf(row: ProgramRow): string[] {
  const { requests, connections, perRequest, datagrams, reused, strategies, sustained, refused, ended } = row;
  const udp = datagrams?.sockets
    ? [`${plural(datagrams.sockets, 'UDP socket')} took a port, at most ${formatNumber(datagrams.peak)} at once`]
    : [];
  if (!connections) return [`it made no connection${ended.length > 0 ? `, and ${listed(ended)}` : ''}`, ...udp];
  const each =
    perRequest === null
      ? ''
      : `, ${formatValue('count', perRequest)} local ${perRequest === 1 ? 'port' : 'ports'} a request`;
  const calls = refused.map(([what, n]) => `${formatNumber(n)} × ${what.replace(' ', '(): ')}`);
  return [
    `${plural(requests ?? 0, 'request')} on ${plural(connections, 'connection')}${each}`,
    reused !== null && reused >= 0.5 ? 'connections are used again' : closingOf(row.closed),
    ...(strategies[0] ? [`ports are chosen ${chooserOf(strategies[0][0] as StrategyName)}`] : []),
    ...udp,
    ...(calls.length > 0 ? [`the kernel refused ${listed(calls)}`] : []),
    ...(sustained === null ? [] : [`the ports of this lab sustain ${formatValue('perSecond', sustained)} requests`]),
  ];
}

/** Who has the TIME_WAIT. */
function closingOf(closed: readonly Counted[]): string {
  const [most] = closed;
  if (most === undefined) return 'nothing was closed';
  switch (most[0]) {
    case 'the program':
      return 'the program closes first, and its port is in TIME_WAIT for a minute';
    case 'the other side':
      return 'the other side closes first and has the TIME_WAIT, so that the port is free again at once';
    case 'nobody':
      return 'connections stay open';
    default:
      return 'the program closes with RST, which leaves no TIME_WAIT';
  }
}

function chooserOf(name: StrategyName): string {
  const { address, port, options } = strategyOf(name);
  const bound = address === 'none' ? '' : ` after bind()${options.length > 0 ? ` with ${listed(options)}` : ''}`;
  if (port === 'connect') return `by connect()${bound}, again for each destination`;
  return port === 'bind'
    ? `by bind()${options.length > 0 ? ` with ${listed(options)}` : ''}, whatever the destination`
    : 'by the program itself';
}

function number(value: number | null): string {
  return value === null ? NONE : formatNumber(value);
}
