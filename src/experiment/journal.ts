/**
 * The journal of a result folder: what was begun and with which options, then each run or step when it was over. One JSON object a line,
 * fsynced, so that a crash loses at most the run in progress. `--resume` and `report` read it, and believe no line that is not what was
 * written (journal-record.ts), or whose counts or arms are none of its experiment (journal-checks.ts).
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../domain/error.js';
import { wholeLines } from '../machine/read-file.js';
import { naming } from '../machine/write-error.js';
import type { Environment, Run } from '../results/schema.js';
import type { SearchTry } from '../results/search.js';
import { entryProblem } from './journal-checks.js';
import { type BeginOf, entrySchema, type JournalBegin, type JournalEntry, type JournalKind } from './journal-entry.js';
import { createSequence, MISSING, nextNumber, openRecord, sealRecord } from './journal-record.js';

export const JOURNAL_FILE = 'journal.ndjson';

export interface JournalContents<K extends JournalKind> {
  readonly begin: BeginOf<K>;
  /** The newest result of each run id, in the order in which they were written. */
  readonly runs: readonly Run[];
  /** Those in which a proxy's system calls were counted: the newest of each id. */
  readonly observed: readonly Run[];
  /** Id of an arm → the steps of its search, in order. */
  readonly steps: ReadonlyMap<string, readonly SearchTry[]>;
  /** The machines that runs name, where a fleet made them; absent or empty: this one made all. */
  readonly machines?: ReadonlyMap<string, Environment>;
  readonly ended: Extract<JournalEntry, { type: 'end' }> | null;
  /** What was not believed and is in none of the above: a sentence each, with the line. */
  readonly damage: readonly string[];
}

/** What a result folder holds is missing or is not what this version can read. The message says what to do. */
export class JournalError extends UserError {
  override name = 'JournalError';
}

export interface Journal {
  /** Append an entry; on return it is on the disk. */
  append(entry: JournalEntry): void;
  close(): void;
}

/** Open the journal of a result folder for appending. A half line at its end (a crash while writing) is cut off. */
export function openJournal(dir: string): Journal {
  const path = join(dir, JOURNAL_FILE);
  const fd = openSync(path, 'a', 0o644);
  const text = readFileSync(path, 'utf8');
  const whole = text.lastIndexOf('\n') + 1;
  if (whole < text.length) truncateSync(path, Buffer.byteLength(text.slice(0, whole)));
  let n = nextNumber(text.split('\n').slice(0, -1));
  return {
    append(entry) {
      naming(path, () => {
        // write(2) may take a part: a disk that gets full, a limit of file size.
        writeFileSync(fd, `${sealRecord(entry, n)}\n`);
        fsyncSync(fd);
      });
      n++;
    },
    close: () => closeSync(fd),
  };
}

/** Read a result folder's journal. @param kind the command that is to have made it @throws JournalError */
export function readJournal<K extends JournalKind>(dir: string, kind: K): JournalContents<K> {
  const path = join(dir, JOURNAL_FILE);
  if (!existsSync(path)) throw new JournalError(missing(dir, kind));
  return parseLines(wholeLines(path, 'name a folder that bindstorm has made'), path, kind);
}

/** Ids of the runs that are not made again on resume: those that were measured, and those in which the system calls were counted. */
export function finishedRuns({ runs, observed }: Pick<JournalContents<JournalKind>, 'runs' | 'observed'>): Set<string> {
  const done = [
    ...runs.filter(({ status }) => status === 'ok'),
    ...observed.filter(({ status }) => status !== 'interrupted'),
  ];
  return new Set(done.map(({ id }) => id));
}

const KINDS: Readonly<Record<JournalKind, { readonly what: string; resume(dir: string): string }>> = {
  run: {
    what: 'an experiment',
    resume: (dir) => `bindstorm run --resume ${dir}, or rebuild its reports with: bindstorm report ${dir}`,
  },
  search: { what: 'a search', resume: (dir) => `bindstorm search --resume ${dir}, which rebuilds its report too` },
  fixes: { what: 'a table of fixes', resume: (dir) => `bindstorm fixes --resume ${dir}` },
};

function isOf<K extends JournalKind>(begin: JournalBegin, kind: K): begin is BeginOf<K> {
  return begin.kind === kind;
}

/** Older versions kept searches and tables of fixes in files of other names, which this version does not read. */
function missing(dir: string, kind: JournalKind): string {
  if (existsSync(join(dir, 'steps.ndjson')))
    return `${dir} holds a search of an older version of bindstorm, which this version cannot resume; its report is ${join(dir, 'search.md')}. Start a new search with: bindstorm search ${join(dir, 'profile.yaml')}`;
  if (existsSync(join(dir, 'fixes.json')))
    return `${dir} holds a table of fixes without its journal (from an older version of bindstorm, or only a part of the folder), which cannot be resumed. Start a new one with: bindstorm fixes`;
  return `${join(dir, JOURNAL_FILE)} does not exist; name a folder that \`bindstorm ${kind}\` has made, such as reports/…`;
}

/**
 * Parse a journal's text; a half line at its end is left out. Of a `run` and of `fixes` a damaged record is left out and named in
 * `damage`, so that it is made again; a `search` with one is refused, since each step follows from all before it.
 * @param path of the file, for messages only @param kind the command that is to have made it
 * @throws JournalError
 */
export function parseJournal<K extends JournalKind>(text: string, path: string, kind: K): JournalContents<K> {
  return parseLines(text.split('\n').slice(0, -1), path, kind);
}

function parseLines<K extends JournalKind>(lines: Iterable<string>, path: string, kind: K): JournalContents<K> {
  const sequence = createSequence();
  const damage: string[] = [];
  const runs = new Map<string, Run>();
  const observed = new Map<string, Run>();
  const steps = new Map<string, SearchTry[]>();
  const machines = new Map<string, Environment>();
  let begin: JournalBegin | undefined;
  let ended: JournalContents<K>['ended'] = null;
  const leaveOut = (line: number, why: string) => {
    if (kind === 'search' || begin === undefined) throw new JournalError(refusal(path, line, why));
    damage.push(`${path}:${line}: ${why}${why.startsWith(MISSING) ? '' : '; the line is left out'}`);
    // What is lost may have been a resume.
    ended = null;
  };
  let place = 0;
  for (const line of lines) {
    place++;
    const record = openRecord(line);
    const misplaced = sequence.place(record);
    if (misplaced !== null) leaveOut(place, misplaced);
    if (record.kind === 'damaged' || (misplaced !== null && !misplaced.startsWith(MISSING))) continue;
    const entry = parseEntry(record.value, `${path}:${place}`);
    if (begin === undefined) {
      begin = beginOf(entry, path, kind);
      continue;
    }
    const problem = entryProblem(entry, begin, { runs, observed, steps });
    if (problem !== null) {
      leaveOut(place, problem);
      continue;
    }
    if (entry.type === 'run') {
      runs.delete(entry.run.id);
      runs.set(entry.run.id, entry.run);
    }
    if (entry.type === 'observed') observed.set(entry.run.id, entry.run);
    if (entry.type === 'step') steps.set(entry.arm, [...(steps.get(entry.arm) ?? []), entry.step]);
    if (entry.type === 'machine') machines.set(entry.name, entry.environment);
    if (entry.type === 'end') ended = entry;
    if (entry.type === 'resume' || entry.type === 'extend') ended = null;
    if (entry.type === 'extend' && isOf(begin, 'run')) begin = extended(begin, entry.repeat);
  }
  if (begin === undefined) throw new JournalError(`${path} ${NO_BEGIN}`);
  return {
    begin: beginOf(begin, path, kind),
    runs: [...runs.values()],
    observed: [...observed.values()],
    steps,
    ...(machines.size > 0 ? { machines } : {}),
    ended,
    damage,
  };
}

/** A begin with more pairs, at which there is one more look: all runs that were planned before are planned again, under the same ids. */
export function extended(begin: BeginOf<'run'>, repeat: number): BeginOf<'run'> {
  const { experiment } = begin;
  const extendedFrom = [...(experiment.extendedFrom ?? []), experiment.repeat];
  const looks = experiment.looks ? { looks: [...experiment.looks, repeat] } : {};
  return { ...begin, experiment: { ...experiment, ...looks, repeat, extendedFrom } };
}

const NO_BEGIN = 'does not begin with an experiment, a search or a table; nothing in it can be used';

function refusal(path: string, line: number, why: string): string {
  if (line === 1) return `${path}:1: ${why}; without its first line nothing in it can be used`;
  return `${path}:${line}: ${why}, and the steps of a search follow from all before them; to resume from there, keep what is before it: head -n ${line - 1} ${path} > journal.part, and put that in its place`;
}

function beginOf<K extends JournalKind>(entry: JournalEntry, path: string, kind: K): BeginOf<K> {
  if (entry.type !== 'begin') throw new JournalError(`${path} ${NO_BEGIN}`);
  if (isOf(entry, kind)) return entry;
  const { what, resume } = KINDS[entry.kind];
  const dir = dirname(path);
  throw new JournalError(`${dir} holds ${what}, not ${KINDS[kind].what}; resume it with: ${resume(dir)}`);
}

function parseEntry(value: unknown, place: string): JournalEntry {
  const result = entrySchema.safeParse(withKind(value));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new JournalError(
    `${place}: this version cannot read the entry (${issue?.path.join('.')}: ${issue?.message}); it is damaged, or from another version of bindstorm`,
  );
}

/** Older versions had journals of runs only, and did not say so. */
function withKind(value: unknown): unknown {
  const isOld =
    typeof value === 'object' && value !== null && 'type' in value && value.type === 'begin' && !('kind' in value);
  return isOld ? { ...value, kind: 'run' } : value;
}
