/**
 * A search from its session to its report, wherever its steps are made.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PROFILE_FILE, SEARCH_FILE, SEARCH_FOLDER } from '../experiment/folder.js';
import { withLockedFolder } from '../experiment/folder-lock.js';
import type { RateSearchInput } from '../experiment/rate-search.js';
import type { Session } from '../experiment/session.js';
import { createHeartbeat } from '../machine/heartbeat.js';
import { interruptible } from '../machine/interrupts.js';
import { replaceFile } from '../machine/replace-file.js';
import { renderSearchHtml, renderSearchMarkdown } from '../report/render.js';
import { searchLines } from '../report/search.js';
import type { SearchReport } from '../results/search.js';
import { EXIT } from './exit.js';
import type { RunOptions, Shown } from './options.js';
import { present } from './present.js';
import { note, print } from './terminal.js';

/** What a search is given. */
interface Searching extends Pick<RateSearchInput, 'signal' | 'onReport'> {
  /** Told what begins, a line each. */
  readonly say: (text: string) => void;
}

/** Make the steps that are missing, and say what was found. @param search makes them @returns the exit code */
export async function finishSearch(
  { dir, contents }: Session<'search'>,
  warnings: readonly string[],
  { json, quiet, fleet }: Shown & Pick<RunOptions, 'fleet'>,
  search: (on: Searching) => Promise<SearchReport>,
): Promise<number> {
  const { requiredRate } = contents.begin.experiment;
  for (const text of warnings) note(`note: ${text}`);
  const heartbeat = createHeartbeat(quiet ? () => {} : note);
  const report = await interruptible(note, (signal) =>
    search({
      signal,
      say(step) {
        if (!quiet) note(step);
        heartbeat.said();
        heartbeat.waitFor(() => step);
      },
      onReport(report) {
        replaceFile(join(dir, SEARCH_FILE), `${JSON.stringify(report, null, 1)}\n`);
        replaceFile(join(dir, 'search.md'), renderSearchMarkdown(report, requiredRate));
      },
    }),
  ).finally(heartbeat.stop);
  replaceFile(join(dir, 'report.html'), await renderSearchHtml(report, requiredRate));
  // Within the folder of a run: its report has what was found.
  const around = dirname(dir);
  const whole = basename(dir) === SEARCH_FOLDER && existsSync(join(around, PROFILE_FILE));
  if (whole) await withLockedFolder(around, note, () => present(around));
  print(
    json
      ? `${JSON.stringify({ ...report, folder: dir })}\n`
      : `${searchLines(report).join('\n')}\nReport:  ${join(whole ? around : dir, 'report.html')}\nResults: ${dir}\n`,
  );
  const code = exitCodeOf(report.arms);
  if (code !== EXIT.ok)
    note(`resume with: bindstorm search --resume ${dir}${fleet === undefined ? '' : ` --fleet ${fleet}`}`);
  return code;
}

function exitCodeOf(arms: SearchReport['arms']): number {
  if (arms.some(({ problem }) => problem === 'interrupted')) return EXIT.interrupted;
  return arms.some(({ problem }) => problem !== null) ? EXIT.runFailed : EXIT.ok;
}
