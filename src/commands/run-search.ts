/**
 * A search from its lab to its report.
 */
import { join } from 'node:path';
import type { Places } from '../experiment/places.js';
import { type SearchOverrides, searchOptions, searchRates } from '../experiment/rate-search.js';
import { reopen, resumeSession, type Session, start } from '../experiment/session.js';
import { createHeartbeat } from '../machine/heartbeat.js';
import { interruptible } from '../machine/interrupts.js';
import { replaceFile } from '../machine/replace-file.js';
import type { LoadedProfile } from '../profile/load.js';
import { renderSearchMarkdown, searchLines } from '../report/search.js';
import type { SearchReport } from '../results/search.js';
import { EXIT } from './exit.js';
import { commandLine, type RunOptions, type Shown } from './options.js';
import { note, print } from './terminal.js';

/** Search for the rates of a profile in a new result folder. @returns the exit code */
export function startSearch(loaded: LoadedProfile, options: RunOptions & SearchOverrides): Promise<number> {
  const { experiment } = loaded;
  const searched = searchOptions(experiment, options);
  return start(
    {
      loaded,
      out: options.out,
      name: `${experiment.name}-search`,
      command: commandLine(),
      begin: (common) => ({ ...common, kind: 'search', options: searched }),
      isFirst: () => true,
    },
    note,
    (session, places) => finish(session, places, options),
  );
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
  const { dir } = session;
  for (const text of places.warnings) note(`note: ${text}`);
  const heartbeat = createHeartbeat(quiet ? () => {} : note);
  const report = await interruptible(note, (signal) =>
    searchRates(session, places, {
      signal,
      onStep(arm, rate, why, { how, seconds }) {
        const [at, time] = [Number(rate.toPrecision(4)), Number(seconds.toPrecision(2))];
        const step = `${arm}: ${why} at ${at}/s for ${time} s (${how})`;
        if (!quiet) note(step);
        heartbeat.waitFor(() => step);
      },
      onReport(report) {
        replaceFile(join(dir, 'search.json'), `${JSON.stringify(report, null, 1)}\n`);
        replaceFile(join(dir, 'search.md'), renderSearchMarkdown(report));
      },
    }),
  ).finally(heartbeat.stop);
  print(
    json ? `${JSON.stringify({ ...report, folder: dir })}\n` : `${searchLines(report).join('\n')}\nResults: ${dir}\n`,
  );
  const code = exitCodeOf(report.arms);
  if (code !== EXIT.ok) note(`resume with: bindstorm search --resume ${dir}`);
  return code;
}

function exitCodeOf(arms: SearchReport['arms']): number {
  if (arms.some(({ problem }) => problem === 'interrupted')) return EXIT.interrupted;
  return arms.some(({ problem }) => problem !== null) ? EXIT.runFailed : EXIT.ok;
}
