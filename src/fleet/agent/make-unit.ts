/**
 * A unit, made in a folder of its own: a result folder as any other, with a journal that is on the disk after each run.
 */
import { join } from 'node:path';
import { runBlocks } from '../../experiment/blocks.js';
import { makeTable } from '../../experiment/catalogue.js';
import { SEARCH_FILE } from '../../experiment/folder.js';
import type { BeginOf } from '../../experiment/journal-entry.js';
import { placeFor } from '../../experiment/places.js';
import { searchRates } from '../../experiment/rate-search.js';
import { beginSession } from '../../experiment/session.js';
import type { Note } from '../../lab/lab.js';
import { makeFolder } from '../../machine/folders.js';
import { replaceFile } from '../../machine/replace-file.js';
import type { Second } from '../../results/schema.js';
import type { Job, Unit } from '../protocol.js';
import type { Station } from './station.js';

export interface MakeUnit {
  readonly unit: Unit;
  readonly job: Job;
  /** Of a job of runs. */
  readonly station: Station | null;
  readonly dir: string;
  readonly signal: AbortSignal;
  readonly note: Note;
  /** A run begins: its id, or the name of its fix. */
  readonly onRun: (run: string) => void;
  /** What ended in a second of a run. */
  readonly onSecond: (run: string, second: Second) => void;
}

/** Make it. @returns whether it was made, as far as it can be. Rejects with what is in the way on this machine */
export async function makeUnit({ unit, job, station, dir, signal, note, onRun, onSecond }: MakeUnit): Promise<boolean> {
  const { begin } = job;
  const { work } = unit;
  if (begin.type !== 'begin') return false;
  makeFolder(dir);
  if (work.kind === 'table' && begin.kind === 'fixes') {
    const { only } = begin.options;
    const isComplete = await makeTable({ name: work, only, dir, command: begin.command, signal, note, onRun });
    return isComplete || !signal.aborted;
  }
  if (station !== null && work.kind === 'arm' && begin.kind === 'search')
    return searchOne(begin, work, station, dir, signal, onRun);
  if (work.kind !== 'block' || begin.kind !== 'run' || station === null)
    throw new Error(`a ${work.kind} is no unit of the experiment ${unit.experiment}`);
  const { places } = station;
  const end = await beginSession(
    dir,
    begin,
    () => {},
    (session) =>
      runBlocks(session, {
        placeOf: (kernel) => placeFor(places, kernel),
        only: new Set(work.runs),
        signal,
        onEvent: (event) => {
          if (event.type === 'run-start' || event.type === 'observe') onRun(event.planned.id);
          if (event.type === 'sample') onSecond(event.planned.id, event.second);
        },
      }),
  );
  return end.how !== 'interrupted';
}

/** Search for the rate of one arm, in a folder whose journal has the steps from before too. @returns whether it came to its end */
function searchOne(
  begin: BeginOf<'search'>,
  { arm, before }: Extract<Unit['work'], { kind: 'arm' }>,
  { places }: Station,
  dir: string,
  signal: AbortSignal,
  onRun: (run: string) => void,
): Promise<boolean> {
  return beginSession(
    dir,
    begin,
    () => {},
    async (session) => {
      for (const step of before) session.journal.append({ type: 'step', arm, step });
      const { journal, contents } = session;
      const steps = new Map([[arm, before]]);
      await searchRates({ dir, journal, contents: { ...contents, steps } }, places, {
        signal,
        only: new Set([arm]),
        onStep: (_, rate, why) => onRun(`${arm}: ${why} at ${Number(rate.toPrecision(4))}/s`),
        onReport: (report) => replaceFile(join(dir, SEARCH_FILE), JSON.stringify(report)),
      });
      return !signal.aborted;
    },
  );
}
