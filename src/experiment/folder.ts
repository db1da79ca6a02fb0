/**
 * Result folders: `reports/<experiment>-<timestamp>/`, made once, written atomically.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { messageOf, UserError } from '../domain/error.js';
import { makeFolder } from '../machine/folders.js';
import { jsonPieces } from '../machine/json-pieces.js';
import { readRegularFile, refuseOtherThanFile } from '../machine/read-file.js';
import { replaceFile } from '../machine/replace-file.js';
import { sealedPieces, sealOf } from '../machine/seal.js';
import { armId } from '../plan/kernels.js';
import { countsProblem } from '../results/consistent.js';
import { type Results, resultsSchema } from '../results/schema.js';
import { type ArmSearch, type SearchReport, searchReportSchema } from '../results/search.js';
import { conclude } from './conclude.js';
import { JOURNAL_FILE, JournalError, readJournal } from './journal.js';

export const RESULTS_FILE = 'results.json';
export const PROFILE_FILE = 'profile.yaml';
/** Within the folder of a run: that of a search for the rates of its arms. */
export const SEARCH_FOLDER = 'search';
export const SEARCH_FILE = 'search.json';

/** Make a new folder under `parent`; a second one in the same second gets a suffix. @returns its path @throws UserError */
export function createResultFolder(parent: string, experiment: string, now: Date): string {
  try {
    return newFolder(parent, experiment, now);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`no result folder can be made in ${parent} (${why}); name another place with --out`, {
      cause: error,
    });
  }
}

function newFolder(parent: string, experiment: string, now: Date): string {
  const stamp = now
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '')
    .replaceAll('-', '')
    .replace('T', '-');
  makeFolder(parent);
  for (let i = 1; ; i++) {
    const dir = join(parent, `${experiment}-${stamp}${i === 1 ? '' : `-${i}`}`);
    try {
      mkdirSync(dir);
      return dir;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Write results.json, with its checksum, so that a reader never sees half of it. */
export function writeResults(dir: string, results: Results): string {
  const path = join(dir, RESULTS_FILE);
  // As one string the results of an hour take more memory than all else together.
  replaceFile(path, (fd) => {
    for (const piece of sealedPieces(jsonPieces(results))) writeFileSync(fd, piece);
    writeFileSync(fd, '\n');
  });
  return path;
}

/**
 * The results of a folder: from its journal, or, where somebody passed on results.json alone, perhaps compressed, from that. A journal that cannot be read is
 * an error: results.json beside it may be older.
 * @param onDamage told what of the journal was not believed, a sentence each @throws JournalError
 */
export function readResults(dir: string, onDamage: (text: string) => void = () => {}): Results {
  const path = [RESULTS_FILE, `${RESULTS_FILE}.gz`].map((name) => join(dir, name)).find((file) => existsSync(file));
  if (!existsSync(join(dir, JOURNAL_FILE)) && path !== undefined) return parseResults(textOf(path), path);
  const contents = readJournal(dir, 'run');
  for (const text of contents.damage) onDamage(text);
  return withSearch(conclude(contents), join(dir, SEARCH_FOLDER));
}

/** What a search of the same profile has found, beside what was measured. */
function withSearch(results: Results, dir: string): Results {
  const [path, profile] = [join(dir, SEARCH_FILE), join(dir, PROFILE_FILE)];
  if (!existsSync(path) || !existsSync(profile)) return results;
  const leftOut = (why: string) => ({
    ...results,
    warnings: [...results.warnings, `the search in ${dir} ${why}, and is not in this report`],
  });
  if (readRegularFile(profile, 'put the profile back') !== results.experiment.profile)
    return leftOut('is of another profile');
  const found = searchIn(readRegularFile(path, 'name a folder that bindstorm has made'));
  if (found === null) return leftOut('cannot be read by this version');
  const intervals = new Map(
    found.arms.flatMap((arm) => (arm.interval ? [[armId(arm), foundIn(arm, arm.interval)] as const] : [])),
  );
  return {
    ...results,
    variants: results.variants.map((variant) => {
      const searched = intervals.get(armId(variant));
      return searched ? { ...variant, searched } : variant;
    }),
  };
}

/** What was found, and what it rests on. */
function foundIn({ steps, occupancy }: ArmSearch, interval: NonNullable<ArmSearch['interval']>) {
  return steps.at(-1)?.how === 'scaled' ? { ...interval, filled: occupancy.how } : interval;
}

function searchIn(text: string): SearchReport | null {
  try {
    return searchReportSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function textOf(path: string): string {
  refuseOtherThanFile(path, 'name a folder that bindstorm has made');
  const bytes = readFileSync(path);
  try {
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  } catch (error) {
    throw new JournalError(`${path} cannot be decompressed (${messageOf(error)}); it is damaged`);
  }
}

function parseResults(text: string, path: string): Results {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new JournalError(`${path} is not JSON, and there is no ${JOURNAL_FILE} beside it to make it again from`);
  }
  if (sealOf(text) === 'broken')
    throw new JournalError(
      `${path} was changed after it was written (its checksum differs), and there is no ${JOURNAL_FILE} beside it; use a copy that is whole`,
    );
  const result = resultsSchema.safeParse(value);
  if (result.success) {
    const { sum: _, ...results } = result.data;
    for (const run of results.variants.flatMap(({ runs }) => runs)) {
      const problem = countsProblem(run);
      if (problem !== null) throw new JournalError(`${path} is damaged: run ${run.id}: ${problem}`);
    }
    return results;
  }
  const issue = result.error.issues[0];
  throw new JournalError(
    `${path} cannot be read by this version (${issue?.path.join('.')}: ${issue?.message}); it may be from another version of bindstorm`,
  );
}
