/**
 * The journal of a result folder: what was begun and with which options, then each run or step when it was over. One JSON object a line,
 * fsynced, so that a crash loses at most the run in progress. `--resume` and `report` read it.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../domain/error.js';
import { STRATEGY_NAMES } from '../domain/strategy.js';
import { experimentSchema } from '../plan/plan.js';
import { searchSchema } from '../plan/search.js';
import { FIX_SUBJECTS } from '../profile/fix.js';
import { environmentSchema, type Run, runSchema, SCHEMA_VERSION } from '../results/schema.js';
import { type SearchTry, searchTrySchema } from '../results/search.js';

export const JOURNAL_FILE = 'journal.ndjson';

const begin = {
  type: z.literal('begin'),
  schemaVersion: z.literal(SCHEMA_VERSION),
  startedAt: z.string(),
  command: z.string(),
};
const measuredBegin = {
  ...begin,
  profile: z.string(),
  experiment: experimentSchema,
  environment: environmentSchema,
  /** With several kernels: the environment of each, in the experiment's order; `environment` is that of the first. */
  kernels: z.array(environmentSchema).optional(),
};
const beginSchema = z.discriminatedUnion('kind', [
  z.object({
    ...measuredBegin,
    kind: z.literal('run'),
    /** Of one table of `fixes`: name of a fix that cannot be tried there → why. */
    options: z.object({ refused: z.record(z.string(), z.string()) }).optional(),
  }),
  z.object({
    ...measuredBegin,
    kind: z.literal('search'),
    /** `only`: names of the arms that are searched; null: all. */
    options: z.object({ settings: searchSchema, only: z.array(z.string()).nullable() }),
  }),
  z.object({
    ...begin,
    kind: z.literal('fixes'),
    /** `kernels` may have `host`, the kernel of this machine; `only`: names of the fixes that are tried; null: all. */
    options: z.object({
      kernels: z.array(z.string()),
      strategies: z.array(z.enum(STRATEGY_NAMES)),
      subjects: z.array(z.enum(FIX_SUBJECTS)),
      only: z.array(z.string()).nullable(),
    }),
  }),
]);
const entrySchema = z.discriminatedUnion('type', [
  beginSchema,
  z.object({ type: z.literal('run'), run: runSchema }),
  /** A run in which a proxy's system calls were counted. */
  z.object({ type: z.literal('observed'), run: runSchema }),
  /** `arm` is its id: its name, with several kernels `name@kernel`. */
  z.object({ type: z.literal('step'), arm: z.string(), step: searchTrySchema }),
  /** A later command resumed it. */
  z.object({ type: z.literal('resume'), at: z.string() }),
  z.object({ type: z.literal('end'), at: z.string(), status: z.enum(['complete', 'partial']) }),
]);
export type JournalEntry = z.infer<typeof entrySchema>;
type JournalBegin = z.infer<typeof beginSchema>;
/** The command that has made a folder. */
export type JournalKind = JournalBegin['kind'];
export type BeginOf<K extends JournalKind> = Extract<JournalBegin, { kind: K }>;

export interface JournalContents<K extends JournalKind> {
  readonly begin: BeginOf<K>;
  /** The newest result of each run id, in the order in which they were written. */
  readonly runs: readonly Run[];
  /** Those in which a proxy's system calls were counted: the newest of each id. */
  readonly observed: readonly Run[];
  /** Id of an arm → the steps of its search, in order. */
  readonly steps: ReadonlyMap<string, readonly SearchTry[]>;
  readonly ended: Extract<JournalEntry, { type: 'end' }> | null;
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
  return {
    append(entry) {
      writeSync(fd, `${JSON.stringify(entry)}\n`);
      fsyncSync(fd);
    },
    close: () => closeSync(fd),
  };
}

/** Read a result folder's journal. @param kind the command that is to have made it @throws JournalError */
export function readJournal<K extends JournalKind>(dir: string, kind: K): JournalContents<K> {
  const path = join(dir, JOURNAL_FILE);
  if (!existsSync(path)) throw new JournalError(missing(dir, kind));
  return parseJournal(readFileSync(path, 'utf8'), path, kind);
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
  search: {
    what: 'a search',
    resume: (dir) => `bindstorm search --resume ${dir}, which rebuilds its report too`,
  },
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
  return `${join(dir, JOURNAL_FILE)} does not exist; name a folder that \`bindstorm ${kind}\` has made, as reports/…`;
}

/**
 * Parse a journal's text; a half line at its end is left out.
 * @param path of the file, for messages only @param kind the command that is to have made it
 * @throws JournalError
 */
export function parseJournal<K extends JournalKind>(text: string, path: string, kind: K): JournalContents<K> {
  const lines = text.split('\n').slice(0, -1);
  const [begin, ...entries] = lines.map((line, i) => parseEntry(line, `${path}:${i + 1}`));
  if (begin?.type !== 'begin')
    throw new JournalError(`${path} does not begin with an experiment, a search or a table; nothing in it can be used`);
  if (!isOf(begin, kind)) {
    const { what, resume } = KINDS[begin.kind];
    const dir = dirname(path);
    throw new JournalError(`${dir} holds ${what}, not ${KINDS[kind].what}; resume it with: ${resume(dir)}`);
  }
  const runs = new Map<string, Run>();
  const observed = new Map<string, Run>();
  const steps = new Map<string, SearchTry[]>();
  let ended: JournalContents<K>['ended'] = null;
  for (const entry of entries) {
    if (entry.type === 'run') {
      runs.delete(entry.run.id);
      runs.set(entry.run.id, entry.run);
    }
    if (entry.type === 'observed') observed.set(entry.run.id, entry.run);
    if (entry.type === 'step') steps.set(entry.arm, [...(steps.get(entry.arm) ?? []), entry.step]);
    if (entry.type === 'end') ended = entry;
    if (entry.type === 'resume') ended = null;
  }
  return { begin, runs: [...runs.values()], observed: [...observed.values()], steps, ended };
}

function parseEntry(line: string, place: string): JournalEntry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new JournalError(`${place}: this line is not JSON; remove it to use the rest`);
  }
  const result = entrySchema.safeParse(withKind(value));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new JournalError(
    `${place}: this version cannot read the entry (${issue?.path.join('.')}: ${issue?.message}); it may be from another version of bindstorm`,
  );
}

/** Older versions had journals of runs only, and did not say so. */
function withKind(value: unknown): unknown {
  const isOld =
    typeof value === 'object' && value !== null && 'type' in value && value.type === 'begin' && !('kind' in value);
  return isOld ? { ...value, kind: 'run' } : value;
}
