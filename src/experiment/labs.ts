/**
 * The labs of an experiment, each released in the end.
 */
import { needsConntrack } from '../capacity/sysctl-presence.js';
import { openingAhead } from '../lab/ahead.js';
import { hostLab } from '../lab/host.js';
import type { Lab } from '../lab/lab.js';
import { netnsLab } from '../lab/netns.js';
import { vagrantLab } from '../lab/vagrant/vagrant.js';
import { vmLab } from '../lab/vm/vm.js';
import { guestOf } from '../plan/kernels.js';
import type { Experiment } from '../plan/plan.js';

/** Says something to the user, beside the results. */
export type Note = (text: string) => void;

/**
 * Makes the lab that an experiment asks for.
 * @param kernel the name of one where the experiment has several
 * @param ahead runs follow, of which the first is in this lab: it may be made ready before it is opened
 */
export type MakeLab = (experiment: Experiment, kernel: string | undefined, ahead?: boolean) => Lab;

/**
 * Do something with labs; afterwards all that were made are released, however it ended.
 * @param note called with a message before slow steps
 */
export async function withLabs<T>(note: Note, work: (makeLab: MakeLab) => Promise<T>): Promise<T> {
  const labs: Lab[] = [];
  const release = async () => {
    for (const lab of labs) await lab.release?.();
  };
  let result: T;
  try {
    result = await work((experiment, kernel, ahead = false) => {
      const lab = labOf(experiment, kernel, note);
      labs.push(ahead ? openingAhead(lab) : lab);
      return labs.at(-1)!;
    });
  } catch (error) {
    await release().catch((another: unknown) => note(another instanceof Error ? another.message : String(another)));
    throw error;
  }
  await release();
  return result;
}

function labOf(experiment: Experiment, kernel: string | undefined, note: Note): Lab {
  const guest = guestOf(experiment, kernel);
  if (experiment.lab === 'host') return hostLab();
  if (experiment.lab === 'vagrant' && experiment.box) return vagrantLab(experiment.box, note);
  if (experiment.lab === 'netns' || guest === undefined) return netnsLab();
  // In all guests or in none: what only some arms load would be a second difference between them.
  const conntrack = experiment.arms.some(({ sysctls }) => Object.keys(sysctls).some(needsConntrack));
  return vmLab(guest, note, { conntrack });
}
