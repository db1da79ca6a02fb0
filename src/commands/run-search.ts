/**
 * A search from its lab to its report.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../domain/error.js';
import { PROFILE_FILE, SEARCH_FILE, SEARCH_FOLDER } from '../experiment/folder.js';
import { withLockedFolder } from '../experiment/folder-lock.js';
import { readJournal } from '../experiment/journal.js';
import type { Places } from '../experiment/places.js';
import { type SearchOverrides, searchOptions, searchRates } from '../experiment/rate-search.js';
import { reopen, resumeSession, type Session, start } from '../experiment/session.js';
import { createHeartbeat } from '../machine/heartbeat.js';
import { interruptible } from '../machine/interrupts.js';
import { replaceFile } from '../machine/replace-file.js';
import type { LoadedProfile } from '../profile/load.js';
import { renderSearchHtml, renderSearchMarkdown } from '../report/render.js';
import { searchLines } from '../report/search.js';
import type { SearchReport } from '../results/search.js';
import { EXIT } from './exit.js';
import { commandLine, onFleet, type RunOptions, type Shown } from './options.js';
import { present } from './present.js';
import { note, print } from './terminal.js';

/** Search for the rates of a profile. @param dir the new result folder; absent: one in `out` @returns the exit code */
export function startSearch(
  loaded: LoadedProfile,
  options: RunOptions & SearchOverrides,
  dir?: string,
): Promise<number> {
  const { experiment } = loaded;
  if (onFleet(options))
    throw new UserError('a fleet makes no searches: leave --fleet out, or give the profile a rate that it asks for');
  const searched = searchOptions(experiment, options);
  return start(
    {
      loaded,
      out: options.out,
      name: `${experiment.name}-search`,
      dir,
      command: commandLine(),
      begin: (common) => ({ ...common, kind: 'search', options: searched }),
      isFirst: () => true,
    },
    note,
    (session, places) => finish(session, places, options),
  );
}

/**
 * Search for the rates of the arms of a run, in a folder within its own, so that its report has them.
 * @param load reads the profile at a path @returns the exit code
 */
export function searchWithin(
  folder: string,
  load: (profile: string) => LoadedProfile,
  options: RunOptions & SearchOverrides,
): Promise<number> {
  // Says what is wrong with a folder that is none of a run.
  readJournal(folder, 'run');
  const dir = join(folder, SEARCH_FOLDER);
  if (existsSync(dir))
    throw new UserError(
      `${folder} has a search already; resume it with: bindstorm search --resume ${dir}, or remove that folder to search again`,
    );
  return startSearch(load(join(folder, PROFILE_FILE)), options, dir);
}

/** Make the steps that are missing in a folder. @returns the exit code */
export function resumeSearch(dir: string, options: Shown): Promise<number> {
  return resumeSession(dir, 'search', note, (session) =>
    reopen(
      session,
      () => true,
      note,
      (places) => finish(session, places, options),
    ),
  );
}

/** Make the steps that are missing, and say what was found. @returns the exit code */
async function finish(session: Session<'search'>, places: Places, { json, quiet }: Shown): Promise<number> {
  const { dir, contents } = session;
  const { requiredRate } = contents.begin.experiment;
  for (const text of places.warnings) note(`note: ${text}`);
  const heartbeat = createHeartbeat(quiet ? () => {} : note);
  const report = await interruptible(note, (signal) =>
    searchRates(session, places, {
      signal,
      onStep(arm, rate, why, { how, seconds }) {
        const [at, time] = [Number(rate.toPrecision(4)), Number(seconds.toPrecision(2))];
        const step = `${arm}: ${why} at ${at}/s for ${time} s (${how})`;
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
  if (code !== EXIT.ok) note(`resume with: bindstorm search --resume ${dir}`);
  return code;
}

function exitCodeOf(arms: SearchReport['arms']): number {
  if (arms.some(({ problem }) => problem === 'interrupted')) return EXIT.interrupted;
  return arms.some(({ problem }) => problem !== null) ? EXIT.runFailed : EXIT.ok;
}
