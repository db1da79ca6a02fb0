/**
 * The journal of a search: what is searched, and each step when it was made, one JSON object a line, so that a crash loses at most the
 * step in progress. `search --resume` reads it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { experimentSchema } from '../plan/plan.js';
import { searchSchema } from '../plan/search.js';
import { environmentSchema } from '../results/schema.js';
import { SEARCH_VERSION, type SearchTry, searchTrySchema } from '../results/search.js';
import { PROFILE_FILE } from './folder.js';
import { anotherKind, SEARCH_JOURNAL } from './folder-kind.js';
import { JournalError, type Log, openLog } from './journal.js';

const beginSchema = z.object({
  type: z.literal('begin'),
  schemaVersion: z.literal(SEARCH_VERSION),
  startedAt: z.string(),
  command: z.string(),
  profile: z.string(),
  experiment: experimentSchema,
  settings: searchSchema,
  /** Names of the arms that are searched; null: all. */
  only: z.array(z.string()).nullable(),
  /** Of each kernel, in the experiment's order. */
  environments: z.array(environmentSchema),
});
const entrySchema = z.discriminatedUnion('type', [
  beginSchema,
  /** `arm` is its id: its name, with several kernels `name@kernel`. */
  z.object({ type: z.literal('step'), arm: z.string(), step: searchTrySchema }),
]);
type SearchEntry = z.infer<typeof entrySchema>;
export type SearchBegin = z.infer<typeof beginSchema>;
export type SearchJournal = Log<SearchEntry>;

export function openSearchJournal(dir: string): SearchJournal {
  return openLog(join(dir, SEARCH_JOURNAL));
}

export interface SearchContents {
  readonly begin: SearchBegin;
  /** Id of an arm → its steps, in order. */
  readonly steps: ReadonlyMap<string, SearchTry[]>;
}

/** Read what a search has left; a half line at the end is left out. @throws JournalError */
export function readSearchJournal(dir: string): SearchContents {
  const path = join(dir, SEARCH_JOURNAL);
  if (!existsSync(path))
    throw new JournalError(
      anotherKind(dir, 'search') ??
        `${path} cannot be read; name a folder that \`bindstorm search\` has made, as reports/max-rate-search-…`,
    );
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const [begin, ...rest] = lines.map((line, i) => parseEntry(line, `${path}:${i + 1}`));
  if (begin?.type !== 'begin')
    throw new JournalError(`${path} does not begin with a search; nothing in it can be used`);
  const profile = join(dir, PROFILE_FILE);
  if (existsSync(profile) && readFileSync(profile, 'utf8') !== begin.profile)
    throw new JournalError(
      `${profile} was changed since the search began, and steps of two profiles are not one search; put it back, or begin a new one: bindstorm search ${profile}`,
    );
  const steps = new Map<string, SearchTry[]>();
  for (const entry of rest)
    if (entry.type === 'step') steps.set(entry.arm, [...(steps.get(entry.arm) ?? []), entry.step]);
  return { begin, steps };
}

function parseEntry(line: string, place: string): SearchEntry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new JournalError(`${place}: found a line that is not JSON; remove it to use the rest`);
  }
  const { success, data, error } = entrySchema.safeParse(value);
  if (success) return data;
  const issue = error.issues[0];
  throw new JournalError(
    `${place}: found an entry that this version cannot read (${issue?.path.join('.')}: ${issue?.message}); it may be from another version of bindstorm`,
  );
}
