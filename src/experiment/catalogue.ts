/**
 * The design of `fixes`: the catalogue of fixes, each alone, put to strategies on kernels and to real proxies; some tables side by side.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FixReport, FixTable } from '../analysis/fixes.js';
import { UserError } from '../domain/error.js';
import type { StrategyName } from '../domain/strategy.js';
import { hasMemory } from '../lab/vm/guest-memory.js';
import { inLanes } from '../machine/lanes.js';
import { replaceFile } from '../machine/replace-file.js';
import { type CatalogueName, FIX_SUBJECTS, type Fix, type FixSubject, parseFix } from '../profile/fix.js';
import { FIXES_VERSION } from '../results/fixes.js';
import { toolVersion } from '../results/version.js';
import { isRouterKind, proxySubjectOf } from '../subjects/index.js';
import { catalogueFor, FIX_STRATEGIES, type FixRow, HOST, rowFile } from './fix-rows.js';
import { absentTable, type FoundRow, routerRow, rowIn, subjectRow } from './fix-subject.js';
import { type FixTableEnd, finishedTable, makeFixTable, runsFile } from './fix-table.js';
import { JOURNAL_FILE } from './journal.js';
import type { BeginOf } from './journal-entry.js';
import type { Note } from './labs.js';
import type { Session } from './session.js';

const FIXES = new URL('../../../fixes/', import.meta.url);
const FOLDERS: Readonly<Record<CatalogueName, string>> = {
  sockets: fileURLToPath(FIXES),
  router: fileURLToPath(new URL('nat/', FIXES)),
};

/** The folder of the experiments within a result folder. */
const WORK = 'work';

/** Names of the fixes that ship, in the order of the alphabet. */
export function fixNames(of: CatalogueName = 'sockets'): string[] {
  return readdirSync(FOLDERS[of])
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.replace(/\.yaml$/, ''))
    .sort();
}

/** A catalogue, or a part of it. @throws UserError for a name that is not in it, and for a file that is no fix */
export function readCatalogue(of: CatalogueName, only: readonly string[] | null): Fix[] {
  const names = fixNames(of);
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new UserError(
      `the catalogue${of === 'router' ? ' of a NAT' : ''} has no fix "${unknown}" (it has ${names.join(', ')}); correct --only`,
    );
  return (only ?? names).map((name) => {
    const path = join(FOLDERS[of], `${name}.yaml`);
    return parseFix(readFileSync(path, 'utf8'), path);
  });
}

/** What the command line chooses. */
export interface CatalogueChoice {
  /** Guests, by their kernels' names. */
  readonly kernels: readonly string[];
  /** Whether the kernel of this machine is one. */
  readonly host: boolean;
  readonly strategies?: StrategyName[];
  readonly subjects: readonly FixSubject[];
  readonly only?: string[];
}

export const DEFAULT_STRATEGIES: readonly StrategyName[] = ['bind', 'bind-reuseaddr', 'bind-no-port'];

/** One catalogue is tried at a time. */
function catalogueOf({ subjects }: { readonly subjects: readonly FixSubject[] }): CatalogueName {
  return subjects.some(isRouterKind) ? 'router' : 'sockets';
}

/** What a table is told, for its journal. @throws UserError for options that exclude each other, or a fix that is not there */
export function catalogueOptions({
  kernels,
  subjects,
  host,
  only,
  ...given
}: CatalogueChoice): BeginOf<'fixes'>['options'] {
  const strategies = given.strategies ?? (subjects.length > 0 ? [] : [...DEFAULT_STRATEGIES]);
  const all = [...(host ? [HOST] : []), ...kernels];
  if (all.length === 0) throw new UserError('--no-host needs --kernels, for example --kernels bookworm,trixie');
  if (subjects.some(isRouterKind) && (subjects.length > 1 || strategies.length > 0))
    throw new UserError(
      '--subjects nat has a catalogue of its own, so that its table stands by itself; make it without other subjects and without --strategies',
    );
  readCatalogue(catalogueOf({ subjects }), only ?? null);
  return { kernels: all, strategies, subjects: [...subjects], only: only ?? null };
}

/** A table, as it is asked for: a strategy or a kind of proxy, and a kernel. */
export interface TableName {
  readonly kernel: string;
  readonly row: string;
}

/** Other machines, which make tables. */
export interface TablesElsewhere {
  /**
   * Have a table made; all may be under way at once.
   * @param dir its folder, which then has its journal
   */
  make(name: TableName, dir: string, signal: AbortSignal): Promise<TableEnd>;
}

/** absent: no machine can make it; missing: none has, and one may when it is resumed. */
type TableEnd =
  | { readonly how: 'made' }
  | { readonly how: 'absent'; readonly why: string }
  | { readonly how: 'missing'; readonly why: string };

export interface CatalogueInput {
  /** Absent: this machine makes them. */
  readonly elsewhere?: TablesElsewhere;
  readonly signal: AbortSignal;
  readonly note: Note;
  /** A run begins: its kernel, the strategy or the proxy, and its fix. */
  readonly onRun: (kernel: string, row: string, fix: string, done: number, total: number) => void;
  /** What is known after each table; the tables in the order in which they were asked for. */
  readonly onReport: (report: FixReport) => void;
}

export interface CatalogueEnd {
  readonly report: FixReport;
  /** Whether every run was made. */
  readonly complete: boolean;
}

/** Make the tables that are missing, or what is missing of them. Rejects with LabError, and with UserError where a program is of another version than before. */
export async function tryCatalogue(
  { dir, journal, contents: { begin } }: Session<'fixes'>,
  { elsewhere, signal, note, onRun, onReport }: CatalogueInput,
): Promise<CatalogueEnd> {
  const { startedAt, command, options } = begin;
  const fixes = readCatalogue(catalogueOf(options), options.only);
  const rows = rowsOf(options);
  /** In the order of the rows, however they come. */
  const made: (FixTable | undefined)[] = rows.map(() => undefined);
  let complete = true;
  mkdirSync(join(dir, 'runs'), { recursive: true });
  const report = (): FixReport => ({
    schemaVersion: FIXES_VERSION,
    tool: toolVersion(),
    startedAt,
    finishedAt: new Date().toISOString(),
    command,
    fixes,
    tables: made.filter((table) => table !== undefined),
  });
  const folderOf = (kernel: string, row: string) => join(dir, WORK, `${kernel.replaceAll('/', '_')}.${row}`);
  const took = (kernel: string, of: FixRow, end: FixTableEnd): FixTable => {
    complete &&= end.complete;
    replaceFile(join(dir, runsFile(kernel, of)), `${end.runs.join('\n')}\n`);
    return end.table;
  };
  const makeHere = async ({ kernel, ...row }: Row, ending: AbortSignal): Promise<FixTable> => {
    const folder = folderOf(kernel, rowName(row));
    const found = await rowOf(row, folder);
    if (found.kind === 'absent') return absent(kernel, found);
    const { of } = found;
    const end = await makeFixTable({
      ...{ fixes, of, kernel, command, signal: ending, note },
      dir: folder,
      onRun: (fix, done, total) => onRun(kernel, rowFile(of), fix, done, total),
    });
    return took(kernel, of, end);
  };
  const haveMade = async (by: TablesElsewhere, { kernel, ...row }: Row, ending: AbortSignal) => {
    const folder = folderOf(kernel, rowName(row));
    if (!existsSync(join(folder, JOURNAL_FILE))) {
      const end = await by.make({ kernel, row: rowName(row) }, folder, ending);
      if (end.how === 'absent') return absent(kernel, { of: unseenRow(row), why: end.why });
      if (end.how === 'missing') {
        complete = false;
        if (!ending.aborted) note(`not made: ${kernel} ${rowName(row)}: ${end.why}`);
        return undefined;
      }
    }
    const of = 'strategy' in row ? row : rowIn(folder)!;
    return took(kernel, of, finishedTable({ fixes, of, kernel, dir: folder }));
  };
  const absent = (kernel: string, { of, why }: { readonly of: FixRow; readonly why: string }) => {
    note(`not there: ${why}`);
    return absentTable(fixes, of, kernel, why);
  };
  await inLanes(rows, elsewhere ? rows.length : tablesAtOnce(options), signal, async (row, i, ending) => {
    made[i] = await (elsewhere ? haveMade(elsewhere, row, ending) : makeHere(row, ending));
    onReport(report());
  });
  complete &&= !signal.aborted;
  journal.append({ type: 'end', at: new Date().toISOString(), status: complete ? 'complete' : 'partial' });
  return { report: report(), complete };
}

/** The part of an input that a machine of a fleet has. */
export interface MakeTable {
  readonly name: TableName;
  /** Names of the fixes; null: all. */
  readonly only: readonly string[] | null;
  readonly dir: string;
  readonly command: string;
  readonly signal: AbortSignal;
  readonly note: Note;
  readonly onRun: (fix: string) => void;
}

/** Make one table by itself. @returns whether every run was made. Rejects with UserError where this machine cannot make it */
export async function makeTable({ name, only, ...input }: MakeTable): Promise<boolean> {
  const row = rowNamed(name.row);
  const found = await rowOf(row, input.dir);
  if (found.kind === 'absent') throw new UserError(found.why);
  const { of } = found;
  return (await makeFixTable({ ...input, of, kernel: name.kernel, fixes: readCatalogue(catalogueFor(of), only) }))
    .complete;
}

/** A table to make: of a strategy, of a real proxy, or of a router. */
type Row = { readonly kernel: string } & RowName;
type RowName = { readonly strategy: StrategyName } | { readonly kind: FixSubject };

function rowName(row: RowName): string {
  return 'strategy' in row ? row.strategy : row.kind;
}

function rowNamed(name: string): RowName {
  const strategy = FIX_STRATEGIES.find((each) => each === name);
  if (strategy) return { strategy };
  const kind = FIX_SUBJECTS.find((each) => each === name);
  if (kind) return { kind };
  throw new UserError(
    `there is no table of ${name}; there are those of ${[...FIX_STRATEGIES, ...FIX_SUBJECTS].join(', ')}`,
  );
}

async function rowOf(row: RowName, dir: string): Promise<FoundRow> {
  if ('strategy' in row) return { kind: 'there', of: row };
  return isRouterKind(row.kind) ? routerRow(row.kind) : subjectRow(row.kind, dir);
}

/** Of a program that no machine has. */
function unseenRow(row: RowName): FixRow {
  if ('strategy' in row) return row;
  if (isRouterKind(row.kind)) return routerRow(row.kind).of;
  const { defaults, strategy } = proxySubjectOf(row.kind);
  return { strategy: strategy(defaults, null), subject: { kind: row.kind, version: null } };
}

/** Every table that options ask for, in order. */
export function tablesOf(options: BeginOf<'fixes'>['options']): TableName[] {
  return rowsOf(options).map(({ kernel, ...row }) => ({ kernel, row: rowName(row) }));
}

function rowsOf({ strategies, kernels, subjects }: BeginOf<'fixes'>['options']): Row[] {
  return [
    ...strategies.flatMap((strategy) => kernels.map((kernel) => ({ strategy, kernel }))),
    ...subjects.flatMap((kind) => kernels.map((kernel) => ({ kind, kernel }))),
  ];
}

/** A cell waits for most of its time (for its pause, for the last of its sockets), so that a CPU has enough of two tables. */
const TABLES_A_CPU = 2;
/** What a guest takes of this machine, generously. */
const GUEST_MEMORY = 2 ** 29;

/**
 * Tables that are made side by side: their cells are counts, which do not mind the company; but for those of a NAT in guests, which take QEMU:
 * where its CPU is emulated, answers come late enough as it is.
 */
function tablesAtOnce(options: BeginOf<'fixes'>['options']): number {
  if (catalogueOf(options) === 'router' && options.kernels.some((kernel) => kernel !== HOST)) return 1;
  let most = TABLES_A_CPU * availableParallelism();
  while (most > 1 && !hasMemory(most * GUEST_MEMORY)) most--;
  return most;
}
