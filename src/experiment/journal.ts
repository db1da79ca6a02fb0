/**
 * The journal: one JSON object a line, appended and fsynced after every run, so that a crash loses at most the run in progress.
 * `run --resume` and `report` read it.
 */

import { closeSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../domain/error.js';
import { experimentSchema } from '../plan/plan.js';
import { environmentSchema, runSchema, SCHEMA_VERSION } from '../results/schema.js';
import { anotherKind, JOURNAL_FILE } from './folder-kind.js';

const beginSchema = z.object({
  type: z.literal('begin'),
  schemaVersion: z.literal(SCHEMA_VERSION),
  startedAt: z.string(),
  command: z.string(),
  profile: z.string(),
  experiment: experimentSchema,
  environment: environmentSchema,
  /** With several kernels: the environment of each, in the experiment's order; `environment` is that of the first. */
  kernels: z.array(environmentSchema).optional(),
});
const entrySchema = z.discriminatedUnion('type', [
  beginSchema,
  z.object({ type: z.literal('run'), run: runSchema }),
  /** A run in which a proxy's system calls were counted. */
  z.object({ type: z.literal('observed'), run: runSchema }),
  /** A later call went on with it. */
  z.object({ type: z.literal('resume'), at: z.string() }),
  z.object({ type: z.literal('end'), at: z.string(), status: z.enum(['complete', 'partial']) }),
]);
export type JournalEntry = z.infer<typeof entrySchema>;
export type JournalBegin = z.infer<typeof beginSchema>;

export interface JournalContents {
  readonly begin: JournalBegin;
  /** The newest result of each run id, in the order in which they were written. */
  readonly runs: readonly Extract<JournalEntry, { type: 'run' }>['run'][];
  /** Those in which a proxy's system calls were counted: the newest of each id. */
  readonly observed: readonly Extract<JournalEntry, { type: 'run' }>['run'][];
  readonly ended: Extract<JournalEntry, { type: 'end' }> | null;
}

/** What a result folder holds is missing or is not what this version can read. The message says what to do. */
export class JournalError extends UserError {
  override name = 'JournalError';
}

/** A file of JSON objects, one a line. */
export interface Log<T> {
  /** Append an entry; on return it is on the disk. */
  append(entry: T): void;
  close(): void;
}
export type Journal = Log<JournalEntry>;

/** Open the journal of a result folder for appending. */
export function openJournal(dir: string): Journal {
  return openLog(join(dir, JOURNAL_FILE));
}

/** Open a log for appending. A half line at its end (a crash while writing) is cut off. */
export function openLog<T>(path: string): Log<T> {
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

/** Read a result folder's journal. @throws JournalError */
export function readJournal(dir: string): JournalContents {
  const path = join(dir, JOURNAL_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new JournalError(
      anotherKind(dir, 'run') ??
        `${path} cannot be read; name a folder that \`bindstorm run\` has made, as reports/quickstart-…`,
    );
  }
  return parseJournal(text, path);
}

/** Parse a journal's text; a half line at its end is left out. @throws JournalError */
export function parseJournal(text: string, path: string): JournalContents {
  const lines = text.split('\n').slice(0, -1);
  const entries = lines.map((line, i) => parseEntry(line, `${path}:${i + 1}`));
  const begin = entries[0];
  if (begin?.type !== 'begin')
    throw new JournalError(`${path} does not begin with an experiment; nothing in it can be used`);
  const runs = new Map<string, Extract<JournalEntry, { type: 'run' }>['run']>();
  const observed = new Map<string, Extract<JournalEntry, { type: 'run' }>['run']>();
  let ended: JournalContents['ended'] = null;
  for (const entry of entries) {
    if (entry.type === 'run') {
      runs.delete(entry.run.id);
      runs.set(entry.run.id, entry.run);
    }
    if (entry.type === 'observed') observed.set(entry.run.id, entry.run);
    if (entry.type === 'end') ended = entry;
    if (entry.type === 'resume') ended = null;
  }
  return { begin, runs: [...runs.values()], observed: [...observed.values()], ended };
}

function parseEntry(line: string, place: string): JournalEntry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new JournalError(`${place}: found a line that is not JSON; remove it to use the rest`);
  }
  const result = entrySchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new JournalError(
    `${place}: found an entry that this version cannot read (${issue?.path.join('.')}: ${issue?.message}); it may be from another version of bindstorm`,
  );
}
