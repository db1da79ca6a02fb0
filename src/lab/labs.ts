/**
 * The labs by their kinds.
 */
import { needsConntrack } from '../capacity/sysctl-presence.js';
import type { LabKind } from '../domain/lab.js';
import { experimentOn, guestOf } from '../plan/kernels.js';
import type { Experiment } from '../plan/plan.js';
import type { ProxySettings } from '../subjects/index.js';
import { hostLab } from './host.js';
import type { Lab, Note } from './lab.js';
import { netnsLab } from './netns.js';
import { vagrantLab } from './vagrant/vagrant.js';
import { vmLab } from './vm/vm.js';

/** @param kernel the name of one where the experiment has several */
type MakeLab = (experiment: Experiment, kernel: string | undefined, note: Note) => Lab;

const LABS: Readonly<Record<LabKind, MakeLab>> = {
  netns: netnsLab,
  host: hostLab,
  vagrant: (experiment, _, note) => vagrantLab(experiment.box!, note, subjectsOf(experiment)),
  vm(experiment, kernel, note) {
    // In all guests or in none: what only some arms load would be a second difference between them.
    const conntrack = experiment.arms.some(({ sysctls }) => Object.keys(sysctls).some(needsConntrack));
    const nat = experiment.arms.some(({ router }) => router !== undefined);
    const own = experimentOn(experiment, kernel);
    const subjects = subjectsOf(own);
    return vmLab(guestOf(experiment, kernel)!, note, { conntrack, nat, serving: own.arms, subjects });
  },
};

/** What is under test, of which another machine is given the programs. */
function subjectsOf({ arms }: Experiment): ProxySettings[] {
  return arms.flatMap(({ proxy }) => (proxy ? [proxy] : []));
}

/**
 * The lab that an experiment asks for.
 * @param kernel the name of one where the experiment has several
 * @param note called with a message before slow steps
 */
export const labOf: MakeLab = (experiment, kernel, note) => LABS[experiment.lab](experiment, kernel, note);
