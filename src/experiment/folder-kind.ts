/**
 * Which command has made a result folder, told by the journal in it. Each goes on with its own folders only.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Of `run`: the experiment, and each run when it was made. */
export const JOURNAL_FILE = 'journal.ndjson';
/** Of `search`: what is searched, and each step when it was made. */
export const SEARCH_JOURNAL = 'steps.ndjson';
/** Of `fixes`: a folder for each part of the table, with the journal of an experiment; and the table, which may be passed on alone. */
export const FIXES_WORK = 'work';
export const FIXES_FILE = 'fixes.json';

export type FolderKind = 'run' | 'search' | 'fixes';

const KINDS: readonly { kind: FolderKind; holds: readonly string[]; what: string; goOn: (dir: string) => string }[] = [
  {
    kind: 'run',
    holds: [JOURNAL_FILE],
    what: 'an experiment',
    goOn: (dir) => `bindstorm run --resume ${dir}, or make its reports again with: bindstorm report ${dir}`,
  },
  {
    kind: 'search',
    holds: [SEARCH_JOURNAL],
    what: 'a search',
    goOn: (dir) => `bindstorm search --resume ${dir}, which makes its report again too`,
  },
  {
    kind: 'fixes',
    holds: [FIXES_WORK, FIXES_FILE],
    what: 'a table of fixes',
    goOn: (dir) => `bindstorm fixes --resume ${dir}, and the options that it was begun with`,
  },
];

/** Whether a folder is one that the command has made. */
export function isOfKind(dir: string, wanted: FolderKind): boolean {
  return KINDS.some(({ kind, holds }) => kind === wanted && holds.some((name) => existsSync(join(dir, name))));
}

/** @returns undefined for a folder that holds the work of `wanted`, or of nothing known; else a sentence that says what to do */
export function anotherKind(dir: string, wanted: FolderKind): string | undefined {
  if (isOfKind(dir, wanted)) return undefined;
  const other = KINDS.find(({ kind }) => isOfKind(dir, kind));
  if (other === undefined) return undefined;
  const { what } = KINDS.find(({ kind }) => kind === wanted)!;
  return `${dir} holds ${other.what} and not ${what}; go on with: ${other.goOn(dir)}`;
}
