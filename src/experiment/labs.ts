/**
 * The labs of an experiment, each released in the end.
 */
import { messageOf } from '../domain/error.js';
import { unsupportedPlatform } from '../kernel/libc.js';
import { type Lab, LabError, type Note } from '../lab/lab.js';
import { labOf } from '../lab/labs.js';
import { preparingRuns } from '../lab/prepared-runs.js';
import type { Experiment } from '../plan/plan.js';

export type { Note } from '../lab/lab.js';

/**
 * Makes the lab that an experiment asks for.
 * @param kernel the name of one where the experiment has several
 * @param ahead runs follow, of which the first is in this lab: it may be made ready before it is opened
 */
export type MakeLab = (experiment: Experiment, kernel: string | undefined, ahead?: boolean) => Lab;

/**
 * Do something with labs; afterwards all that were made are released, however it ended. Rejects with LabError where there can be none.
 * @param note called with a message before slow steps
 */
export async function withLabs<T>(note: Note, work: (makeLab: MakeLab) => Promise<T>): Promise<T> {
  const platform = unsupportedPlatform();
  if (platform !== undefined) throw new LabError(platform);
  const labs: Lab[] = [];
  const release = async () => {
    for (const lab of labs) await lab.release?.();
  };
  let result: T;
  try {
    result = await work((experiment, kernel, ahead = false) => {
      const lab = labOf(experiment, kernel, note);
      labs.push(ahead ? preparingRuns(lab) : lab);
      return labs.at(-1)!;
    });
  } catch (error) {
    await release().catch((another: unknown) => note(messageOf(another)));
    throw error;
  }
  await release();
  return result;
}
