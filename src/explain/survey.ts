/**
 * The survey of programs: how each gets the local port of an outgoing connection, how many connections it can have, and what it says and does
 * when there is none. Rows are measured, not read off a manual; `programs/survey.tsv` holds them. Pure.
 */

/** Ports in the range in which every row was measured, with one local address. */
export const SURVEY_PORTS = 8;

/** One program of one version, with one way to be given a source address. */
export interface SurveyRow {
  readonly program: string;
  readonly version: string;
  /** Where it was from: a Debian suite, or npm. */
  readonly suite: string;
  /** When it was measured: `2026-11-29`. */
  readonly date: string;
  /** How it is given its source address, and the case: `[leak]`: the ports are held by connections of others; `[full]`: and freed then. */
  readonly option: string;
  /** How it gets its port, in the words of bindstorm's strategies where there is one. */
  readonly strategy: string;
  /** Socket options before bind() and connect(), in their order. */
  readonly options: string;
  /** Connections held at once to one destination, and to two; null: not counted. */
  readonly held: readonly [number | null, number | null];
  /** Calls that failed when the ports were used up: `bind:EADDRINUSE`. */
  readonly failing: readonly string[];
  /** Its own line then; empty: it prints nothing. */
  readonly line: string;
  /** What its client or user sees. */
  readonly client: string;
  /** What it does then: goes on unbound, keeps failing when ports are free. */
  readonly note: string;
}

type Cells = [string, string, string, string, string, string, string, string, string, string, string, string, string];
const COLUMNS = [
  'program',
  'version',
  'suite',
  'date',
  'option',
  'strategy',
  'options',
  'held_1',
  'held_2',
  'failing',
  'line',
  'client',
  'note',
] as const;

const count = (cell: string) => (cell === '' ? null : Number(cell));

/** @param text the survey as tab-separated values, with a header @throws Error for a row that has not thirteen cells */
export function parseSurvey(text: string): readonly SurveyRow[] {
  return text
    .trim()
    .split('\n')
    .slice(1)
    .map((row, i) => {
      const cells = row.split('\t');
      if (cells.length !== COLUMNS.length)
        throw new Error(`row ${i + 2} of the survey has ${cells.length} cells, not ${COLUMNS.length}`);
      const [program, version, suite, date, option, strategy, options, one, two, failing, line, client, note] =
        cells as Cells;
      const held = [count(one), count(two)] as const;
      const calls = failing.split(' ').filter(Boolean);
      return { program, version, suite, date, option, strategy, options, held, failing: calls, line, client, note };
    });
}

/** The survey as text, as `parseSurvey` takes it. */
export function formatSurvey(rows: readonly SurveyRow[]): string {
  const line = ({ held: [one, two], failing, ...row }: SurveyRow) =>
    [
      row.program,
      row.version,
      row.suite,
      row.date,
      row.option,
      row.strategy,
      row.options,
      one ?? '',
      two ?? '',
      failing.join(' '),
      row.line,
      row.client,
      row.note,
    ].join('\t');
  return `${[COLUMNS.join('\t'), ...rows.map(line)].join('\n')}\n`;
}

/** The rows with one more: in the place of the same program, version and option, else behind the program's others, else by its name. */
export function withRow(rows: readonly SurveyRow[], row: SurveyRow): readonly SurveyRow[] {
  const isSame = (each: SurveyRow) =>
    each.program === row.program && each.version === row.version && each.option === row.option;
  if (rows.some(isSame)) return rows.map((each) => (isSame(each) ? row : each));
  const last = rows.findLastIndex(({ program }) => program === row.program);
  const next = rows.findIndex(({ program }) => program > row.program);
  const at = last >= 0 ? last + 1 : next >= 0 ? next : rows.length;
  return [...rows.slice(0, at), row, ...rows.slice(at)];
}

/** What helps a program whose ports run out, by how it gets them. */
export function remedyOf({ strategy, failing }: SurveyRow): string {
  if (failing.length === 0 && !strategy.startsWith('bind-explicit')) return '';
  if (/explicit-port/.test(strategy)) return 'a longer list of ports of its own, or none';
  if (/no-port|^connect/.test(strategy))
    return 'reused connections, tcp_tw_reuse=1, more destinations or addresses, a wider range';
  return 'IP_BIND_ADDRESS_NO_PORT (a newer version, if it has it), reused connections, more addresses, a wider range';
}

/** What its client saw, in words: counts of answers, for each destination where both were asked. */
export function clientOf({ client }: SurveyRow): string {
  let seen: unknown;
  try {
    seen = JSON.parse(client);
  } catch {
    return client;
  }
  const counts = (value: unknown) =>
    Object.entries(value as Record<string, unknown>)
      .map(([what, times]) => `${times} × ${what}`)
      .join(', ');
  if (typeof seen !== 'object' || seen === null || Array.isArray(seen)) return client;
  const { D1, D2 } = seen as Record<string, unknown>;
  return D1 && D2 ? `first destination: ${counts(D1)}; second: ${counts(D2)}` : counts(seen);
}

/** Whether a program connects from another address than the one that it was told, when bind() is refused. */
export function goesOnUnbound({ note }: SurveyRow): boolean {
  return /UNBOUND FALLBACK/.test(note);
}
