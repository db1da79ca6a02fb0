/**
 * The lab that an experiment asks for.
 */
import { needsConntrack } from '../capacity/sysctl-presence.js';
import { hostLab } from '../lab/host.js';
import type { Lab } from '../lab/lab.js';
import { netnsLab } from '../lab/netns.js';
import { vmLab } from '../lab/vm/vm.js';
import { guestOf } from '../profile/kernels.js';
import type { Experiment } from '../profile/plan.js';

/**
 * @param kernel the name of one where the experiment has several
 * @param ahead runs follow, of which the first is in this lab
 */
export function labOf(experiment: Experiment, kernel?: string, ahead = false): Lab {
  const guest = guestOf(experiment, kernel);
  if (experiment.lab === 'host') return hostLab();
  if (experiment.lab === 'netns' || guest === undefined) return netnsLab();
  // In all guests or in none: what only some arms load would be a second difference between them.
  const conntrack = experiment.arms.some(({ sysctls }) => Object.keys(sysctls).some(needsConntrack));
  return vmLab(guest, (text) => process.stderr.write(`${text}\n`), { conntrack, ahead });
}
