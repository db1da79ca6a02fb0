/**
 * The survey of clients of UDP: how each gets the local port of a socket, how many sockets it can have, and what it says when there is no port.
 * Rows are measured; `programs/udp.tsv` holds them. Pure.
 */

/** One program of one version, with one way to be given a source address. */
export interface UdpRow {
  readonly program: string;
  /** The Debian package that has it, and its version. */
  readonly package: string;
  readonly version: string;
  /** When it was measured: `2026-12-01`. */
  readonly date: string;
  /** How it is given its source address. */
  readonly option: string;
  /** One client, for bash, with the words HOST, PORT and SOURCE. */
  readonly command: string;
  /** How its sockets get their ports, in the words of bindstorm's strategies. */
  readonly strategy: string;
  /** Sockets with a port at once, with one destination and with two. */
  readonly held: readonly [number, number];
  /** Calls that were refused for want of a port: `connect:EAGAIN`. */
  readonly failing: readonly string[];
  /** Its own line then; empty: it prints nothing. */
  readonly line: string;
  /** How its clients ended; others were still waiting for an answer. */
  readonly client: string;
}

const COLUMNS = [
  'program',
  'package',
  'version',
  'date',
  'option',
  'command',
  'strategy',
  'held_1',
  'held_2',
  'failing',
  'line',
  'client',
];

type Cells = [string, string, string, string, string, string, string, string, string, string, string, string];

/** @param text tab-separated values with a header @throws Error for a row of another number of cells */
export function parseUdpSurvey(text: string): readonly UdpRow[] {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .slice(1)
    .map((row, i) => {
      const cells = row.split('\t');
      if (cells.length !== COLUMNS.length)
        throw new Error(`row ${i + 2} of the survey of UDP has ${cells.length} cells, not ${COLUMNS.length}`);
      const [program, from, version, date, option, command, strategy, one, two, failing, line, client] = cells as Cells;
      const held = [Number(one), Number(two)] as const;
      const calls = failing.split(' ').filter(Boolean);
      return { program, package: from, version, date, option, command, strategy, held, failing: calls, line, client };
    });
}

/** The survey as text, as `parseUdpSurvey` takes it. */
export function formatUdpSurvey(rows: readonly UdpRow[]): string {
  const line = ({ failing, held, line, client, ...row }: UdpRow) =>
    [
      ...[row.program, row.package, row.version, row.date, row.option, row.command, row.strategy],
      ...[...held, failing.join(' '), line, client],
    ].join('\t');
  return `${[COLUMNS.join('\t'), ...rows.map(line)].join('\n')}\n`;
}

/** What helps a program whose UDP ports run out, by how it gets them. */
export function remedyOfUdp({ strategy, failing }: UdpRow): string {
  if (failing.length === 0) return '';
  const all = 'one socket for all, a wider range';
  return /^bind(?!-any)/.test(strategy) ? `${all}, more addresses` : all;
}
