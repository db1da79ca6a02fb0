/**
 * What a folder that was resumed must have in common with one that was never interrupted.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { LOCK_FILE } from '../../../src/experiment/folder-lock.js';
import { JOURNAL_FILE, parseJournal } from '../../../src/experiment/journal.js';
import type { FixReport } from '../../../src/results/fixes.js';
import type { Outcomes, Results } from '../../../src/results/schema.js';
import type { SearchReport } from '../../../src/results/search.js';
import type { Scene } from './kill-scenes.js';

/** The result folder that a command made in its working folder; undefined: none yet. */
export function folderIn(cwd: string): string | undefined {
  const out = join(cwd, 'out');
  const [folder] = existsSync(out) ? readdirSync(out) : [];
  return folder && join(out, folder);
}

/** What the runs in the result folder of a working folder say of themselves, for whoever looks into a failure. */
export function problemsIn(cwd: string): string {
  const path = join(folderIn(cwd) ?? cwd, JOURNAL_FILE);
  if (!existsSync(path)) return '';
  return JSON.stringify(
    [...readFileSync(path, 'utf8').matchAll(/"problems":(\[.*?\])/g)].map(([, problems]) => problems),
  );
}

/** What of a result folder is the same each time. */
export interface Found {
  /** Names of all files. */
  readonly files: readonly string[];
  readonly results: unknown;
  /** Whether every run can be compared, so that there are charts: not where a busy machine stood still for seconds. */
  readonly valid: boolean;
}

/** Read a result folder. */
export function read({ command, either = [] }: Scene, folder: string): Found {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name !== LOCK_FILE)
    .sort();
  const valid = command !== 'run' || journalOf(folder).runs.every((run) => run.valid);
  return { files, results: RESULTS[command](folder, either), valid };
}

/** Of two folders, the files that only one of them has and validity does not explain. @returns null: none */
export function otherFiles(before: Found, after: Found): string | null {
  const [a, b] = [before, after].map(({ files }) =>
    before.valid && after.valid ? files : files.filter((name) => !/^charts(?:\/|$)/.test(name)),
  );
  return isDeepStrictEqual(a, b) ? null : `other files: ${difference(a, b)}`;
}

function journalOf(folder: string) {
  const path = join(folder, JOURNAL_FILE);
  return parseJournal(readFileSync(path, 'utf8'), path, 'run');
}

const json = <T>(folder: string, file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as T;

const RESULTS: Readonly<Record<Scene['command'], (folder: string, either: readonly string[]) => unknown>> = {
  run(folder, either) {
    const { runs, observed, ended, damage } = journalOf(folder);
    const { variants, experiment } = json<Results>(folder, 'results.json');
    const counts = ({ id, status, outcomes, waves }: (typeof runs)[number]) => ({
      id,
      status,
      outcomes: asOne(outcomes, either),
      waves: waves.map((wave) => asOne(wave.outcomes, either)),
    });
    return {
      runs: runs.map(counts).sort((a, b) => a.id.localeCompare(b.id)),
      observed: observed.map(({ id }) => id).sort(),
      verdicts: variants.map(({ name, verdict }) => [name, verdict?.verdict ?? null]),
      status: [experiment.status, ended?.status, damage],
    };
  },
  search: (folder) =>
    json<SearchReport>(folder, 'search.json').arms.map(({ name, interval, problem, steps }) => ({
      ...{ name, interval, problem },
      steps: steps.filter(({ discarded }) => !discarded).map(({ rate, notHeld }) => [rate, notHeld]),
    })),
  fixes: (folder) => json<FixReport>(folder, 'fixes.json').tables,
};

/** Outcomes, of which some are one, by the name of the first. */
function asOne(outcomes: Outcomes, either: readonly string[]): Outcomes {
  const [name] = either;
  const together = either.reduce((sum, one) => sum + (outcomes[one] ?? 0), 0);
  if (name === undefined || together === 0) return outcomes;
  return { ...Object.fromEntries(Object.entries(outcomes).filter(([one]) => !either.includes(one))), [name]: together };
}

/** The first few lines in which two things differ. */
export function difference(before: unknown, after: unknown): string {
  const lines = (value: unknown) => JSON.stringify(value, null, 1).split('\n');
  const [a, b] = [lines(before), lines(after)];
  const gone = a.filter((line) => !b.includes(line)).slice(0, 5);
  const come = b.filter((line) => !a.includes(line)).slice(0, 5);
  return `without ${gone.join(' ')}, with ${come.join(' ')}`;
}
