/**
 * A run from its lab to its report, with whoever watches: the progress, the live page.
 */
import { join } from 'node:path';
import { type BlocksEnd, type BlocksInput, type ExperimentEvent, isFirstRun, runBlocks } from '../experiment/blocks.js';
import { busyNow } from '../experiment/busy.js';
import { extended } from '../experiment/journal.js';
import { type KnownPlaces, type Places, placeFor } from '../experiment/places.js';
import { runsLeft } from '../experiment/remaining.js';
import { reopen, resumeSession, type Session, start } from '../experiment/session.js';
import { interruptible } from '../machine/interrupts.js';
import type { LoadedProfile } from '../profile/load.js';
import { applyOf } from '../report/apply.js';
import type { LiveServer } from '../report/live/server.js';
import { shownOf } from '../report/live/shown.js';
import { createProgress } from '../report/progress.js';
import { notFirst } from '../report/sections/change.js';
import type { Results } from '../results/schema.js';
import { confirmed } from './confirmed.js';
import { EXIT, UserError } from './exit.js';
import { commandLine, type RunOptions, type Shown } from './options.js';
import { present, printSummary } from './present.js';
import { note, print } from './terminal.js';

/** Run a profile in a new result folder. @returns the exit code */
export function startRun(
  loaded: LoadedProfile,
  options: Shown & Pick<RunOptions, 'out' | 'force' | 'fixed'>,
  live: LiveServer | null,
): Promise<number> {
  return start(
    {
      loaded,
      out: options.out,
      name: loaded.experiment.name,
      command: commandLine(),
      begin: (common) => ({ ...common, kind: 'run' }),
      isFirst: isFirstRun,
      fixed: options.fixed,
      anyway: (why) => (options.force ? Promise.resolve(true) : confirmed(why, 'Make the runs anyway?')),
    },
    note,
    (session, places) => makeRuns(session, places, onThisMachine(places), options, live),
  );
}

function onThisMachine(places: Places) {
  return { placeOf: (kernel: string | undefined) => placeFor(places, kernel) };
}

/** Make the runs that are missing in a folder, with `--repeat` after as many more as that takes, or only its reports. @returns the exit code */
export function resumeRun(
  dir: string,
  options: Shown & Pick<RunOptions, 'repeat'>,
  live: LiveServer | null,
): Promise<number> {
  return resumeWith(dir, options, live, (session, extend) => {
    const { fleet } = session.contents.begin;
    if (fleet)
      throw new UserError(
        `a fleet has begun ${dir}, and its runs are of other machines; resume it there: --fleet WHERE`,
      );
    return reopen(session, isFirstRun, note, (places) => {
      extend();
      return makeRuns(session, places, onThisMachine(places), options, live);
    });
  });
}

/** Resume a folder. @param work makes the runs that are missing, after `extend` has said how many there are to be @returns the exit code */
export function resumeWith(
  dir: string,
  options: Shown & Pick<RunOptions, 'repeat'>,
  live: LiveServer | null,
  work: (session: Session<'run'>, extend: () => void) => Promise<number>,
): Promise<number> {
  return resumeSession(dir, 'run', note, (found) => {
    const { repeat } = options;
    const session = repeat === undefined ? found : extendedTo(found, repeat);
    if (runsLeft(session.contents) > 0)
      return work(session, () => {
        if (repeat !== undefined) session.journal.append({ type: 'extend', at: new Date().toISOString(), repeat });
      });
    note('nothing was left to run');
    // Killed between its last run and its end.
    if (session.contents.ended === null)
      session.journal.append({ type: 'end', at: new Date().toISOString(), status: 'complete' });
    return show(dir, { how: 'complete' }, options, live);
  });
}

/** The session with more pairs to make; the journal does not say so yet. @throws UserError where they are no more than there are */
function extendedTo(session: Session<'run'>, repeat: number): Session<'run'> {
  const { begin } = session.contents;
  const { repeat: planned } = begin.experiment;
  if (repeat <= planned)
    throw new UserError(
      `${session.dir} has ${planned} pairs of each variant already; --repeat gives their new total: use more than ${planned}, or leave it out`,
    );
  return { ...session, contents: { ...session.contents, begin: extended(begin, repeat) } };
}

/** Make what is missing in a session, and show what came of it. @param by what makes runs @returns the exit code */
export async function makeRuns(
  session: Session<'run'>,
  places: KnownPlaces,
  by: MadeBy,
  options: Shown & Pick<RunOptions, 'fleet'>,
  live: LiveServer | null,
): Promise<number> {
  const shown = { ...shownOf(session.contents, places), slower: busyNow().slower };
  const progress = createProgress({ ...shown, stream: process.stderr, quiet: options.quiet });
  for (const text of shown.notes) progress.note(`note: ${text}`);
  live?.begin(shown);
  const onEvent = (event: ExperimentEvent) => {
    progress.onEvent(event);
    live?.onEvent(event);
  };
  const end = await interruptible(progress.note, (signal) => runBlocks(session, { ...by, signal, onEvent }));
  progress.end();
  return show(session.dir, end, options, live);
}

/** This machine, or others. */
type MadeBy = { [K in 'placeOf' | 'elsewhere']: Pick<Extract<BlocksInput, Record<K, unknown>>, K> }[
  | 'placeOf'
  | 'elsewhere'];

async function show(
  dir: string,
  end: BlocksEnd,
  { json, fleet }: Shown & Pick<RunOptions, 'fleet'>,
  live: LiveServer | null,
): Promise<number> {
  const { results, reports } = await present(dir);
  if (json) print(`${JSON.stringify({ ...results, folder: dir })}\n`);
  else {
    const apply = reports.find((path) => path.endsWith('.conf'));
    const beware = apply === undefined ? null : notFirst(applyOf(results), results);
    printSummary(results, [
      ...(end.how === 'gave-up' ? [`\nGiven up: ${end.reason}`] : []),
      ...(end.how === 'complete'
        ? []
        : [`\nResume with: bindstorm run --resume ${dir}${fleet === undefined ? '' : ` --fleet ${fleet}`}`]),
      `\nReport:  ${join(dir, 'report.html')}`,
      `Results: ${dir}`,
      ...(apply === undefined ? [] : [`Apply:   ${apply}`]),
      ...(beware === null ? [] : [`         Beware: ${beware} (the head of that file says more)`]),
    ]);
  }
  await live?.end(join(dir, 'report.html'));
  return exitCodeOf(results, end);
}

function exitCodeOf(results: Results, end: BlocksEnd): number {
  if (end.how === 'interrupted') return EXIT.interrupted;
  if (results.variants.some(({ runs }) => runs.some(({ status }) => status === 'failed'))) return EXIT.runFailed;
  // No machine was there to make the rest.
  if (end.how === 'gave-up') return EXIT.noLab;
  return results.thresholds.every(({ passed }) => passed) ? EXIT.ok : EXIT.threshold;
}
