/**
 * A unit, made in a folder of its own: a result folder as any other, with a journal that is on the disk after each run.
 */
import { runBlocks } from '../../experiment/blocks.js';
import { makeTable } from '../../experiment/catalogue.js';
import { placeFor } from '../../experiment/places.js';
import { beginSession } from '../../experiment/session.js';
import type { Note } from '../../lab/lab.js';
import { makeFolder } from '../../machine/folders.js';
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
}

/** Make it. @returns whether it was made, as far as it can be. Rejects with what is in the way on this machine */
export async function makeUnit({ unit, job, station, dir, signal, note, onRun }: MakeUnit): Promise<boolean> {
  const { begin } = job;
  const { work } = unit;
  if (begin.type !== 'begin') return false;
  makeFolder(dir);
  if (work.kind === 'table' && begin.kind === 'fixes') {
    const { only } = begin.options;
    const isComplete = await makeTable({ name: work, only, dir, command: begin.command, signal, note, onRun });
    return isComplete || !signal.aborted;
  }
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
        },
      }),
  );
  return end.how !== 'interrupted';
}
