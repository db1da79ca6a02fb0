/**
 * The lab that an experiment asks for.
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
import { explainError } from './exit.js';

/**
 * @param kernel the name of one where the experiment has several
 * @param ahead runs follow, of which the first is in this lab
 */
export function labOf(experiment: Experiment, kernel?: string, ahead = false): Lab {
  const guest = guestOf(experiment, kernel);
  if (experiment.lab === 'host') return hostLab();
  if (experiment.lab === 'vagrant' && experiment.box) return vagrantLab(experiment.box, note);
  // In all guests or in none: what only some arms load would be a second difference between them.
  const conntrack = experiment.arms.some(({ sysctls }) => Object.keys(sysctls).some(needsConntrack));
  const lab = experiment.lab === 'netns' || guest === undefined ? netnsLab() : vmLab(guest, note, { conntrack });
  return ahead ? openingAhead(lab) : lab;
}

/** Do something with labs, which `work` adds to a list; afterwards all are released, however it ended. */
export async function releasing<T>(work: (labs: Lab[]) => Promise<T>): Promise<T> {
  const labs: Lab[] = [];
  const release = async () => {
    for (const lab of labs) await lab.release?.();
  };
  let result: T;
  try {
    result = await work(labs);
  } catch (error) {
    await release().catch((another: unknown) => note(explainError(another).message));
    throw error;
  }
  await release();
  return result;
}

/** Say something beside the results. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
