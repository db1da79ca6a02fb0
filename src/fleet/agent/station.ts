/**
 * An experiment's labs on the machine of an agent: tried once, used for all its units.
 */
import { withLabs } from '../../experiment/labs.js';
import { findPlaces, type Places } from '../../experiment/places.js';
import { type CommonBegin, differences, sameSubjects } from '../../experiment/session.js';
import type { Note } from '../../lab/lab.js';
import { deferred } from '../../machine/promises.js';
import type { Experiment } from '../../plan/plan.js';

export interface Station {
  readonly places: Places;
  /** Release the labs. */
  close(): Promise<void>;
}

/** Try in this machine's labs what an experiment needs, and keep them. Rejects with LabError. */
export async function openStation(experiment: Experiment, note: Note): Promise<Station> {
  const found = deferred<Places>();
  const closing = deferred();
  const whole = withLabs(note, async (makeLab) => {
    found.resolve(await findPlaces(experiment, (kernel, provided) => makeLab(provided, kernel, true)));
    await closing.promise;
  });
  whole.catch(found.reject);
  const places = await found.promise;
  return {
    places,
    close() {
      closing.resolve();
      return whole;
    },
  };
}

/** Why runs of an experiment that was begun elsewhere are not to be made here; null: they are like those of any other machine. */
export function whyNotHere(begin: CommonBegin, places: Places): string | null {
  if (places.findings.length > 0) return places.findings.map(({ message }) => message).join('; ');
  // Of another CPU only the times differ, and pairs stay on one machine.
  const changed = differences(begin, places, ['kernel', 'lab']);
  if (changed.length > 0) return `it is not like the machine that began it: ${changed.join('; ')}`;
  return sameSubjects(begin.experiment, places.experiment)
    ? null
    : 'a kernel or a proxy is of another version than where the experiment was begun';
}
