/**
 * A search on this machine; on a fleet search-on-fleet.ts makes it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../domain/error.js';
import { PROFILE_FILE, SEARCH_FOLDER } from '../experiment/folder.js';
import { readJournal } from '../experiment/journal.js';
import type { Places } from '../experiment/places.js';
import { type SearchOverrides, searchOptions, searchRates } from '../experiment/rate-search.js';
import { reopen, resumeSession, type Session, start } from '../experiment/session.js';
import type { LoadedProfile } from '../profile/load.js';
import { finishSearch } from './finish-search.js';
import { commandLine, onFleet, type RunOptions, type Shown } from './options.js';
import { note } from './terminal.js';

/** Search for the rates of a profile. @param dir the new result folder; absent: one in `out` @returns the exit code */
export async function startSearch(
  loaded: LoadedProfile,
  options: RunOptions & SearchOverrides,
  dir?: string,
): Promise<number> {
  const { experiment } = loaded;
  if (options.together)
    throw new UserError(
      '--together is of a rate that is given, and the profile asks for one; leave it out, or give the profile a rate',
    );
  // What a fleet takes is not loaded for a search on this machine.
  if (onFleet(options)) return (await import('./search-on-fleet.js')).startSearchOnFleet(loaded, options, dir);
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
export async function resumeSearch(dir: string, options: RunOptions): Promise<number> {
  if (onFleet(options)) return (await import('./search-on-fleet.js')).resumeSearchOnFleet(dir, options);
  return resumeSession(dir, 'search', note, (session) => {
    if (session.contents.begin.fleet)
      throw new UserError(
        `a fleet has begun ${dir}, and its steps are of other machines; resume it there: --fleet WHERE`,
      );
    return reopen(
      session,
      () => true,
      note,
      (places) => finish(session, places, options),
    );
  });
}

function finish(session: Session<'search'>, places: Places, options: Shown): Promise<number> {
  return finishSearch(session, places.warnings, options, ({ say, ...on }) =>
    searchRates(session, places, {
      ...on,
      onStep(arm, rate, why, { how, seconds }) {
        const [at, time] = [Number(rate.toPrecision(4)), Number(seconds.toPrecision(2))];
        say(`${arm}: ${why} at ${at}/s for ${time} s (${how})`);
      },
    }),
  );
}
