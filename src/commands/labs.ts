/**
 * The lab that an experiment asks for.
 */
import { hostLab } from '../lab/host.js';
import type { Lab } from '../lab/lab.js';
import { netnsLab } from '../lab/netns.js';
import { vmLab } from '../lab/vm/vm.js';
import type { Experiment } from '../profile/plan.js';

export function labOf({ lab, guest }: Experiment): Lab {
  if (lab === 'host') return hostLab();
  return lab === 'vm' && guest ? vmLab(guest, (text) => process.stderr.write(`${text}\n`)) : netnsLab();
}
