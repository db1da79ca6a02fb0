/**
 * The places where an experiment's runs are made: one lab, or one for each kernel, each asked beforehand what it can do.
 */
import { listed } from '../analysis/format.js';
import { parseKernelVersion } from '../capacity/kernel-version.js';
import { judgeSysctl } from '../capacity/sysctl-catalogue.js';
import { sysctlLife } from '../capacity/sysctl-presence.js';
import { type Lab, LabError, type Note } from '../lab/lab.js';
import { waitingFor } from '../machine/heartbeat.js';
import { experimentOn, kernelsOf, onNoKernel } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { type Finding, saidOnce } from '../profile/problem.js';
import type { Environment } from '../results/schema.js';
import { fetchPrograms } from './fetched-programs.js';
import { fitToKernels, inWords } from './fit.js';
import type { BeginOf } from './journal-entry.js';
import { programObstacles, proxiesOf } from './proxies.js';
import { type Examination, endlessFill, examine, type Rehearsal, rehearse } from './rehearsal.js';

/** Where the runs of one kernel are made; of all, where the kernel is no factor. */
export interface Place extends Omit<Rehearsal, 'findings'> {
  /** The kernel's name where there are several. */
  readonly name: string | undefined;
  readonly lab: Lab;
}

/** What is known of a place, also of one on another machine. */
export type KnownPlace = Pick<Place, 'name' | 'environment' | 'kernel'>;

/** The lab for a kernel's name, or for undefined the only one, of an experiment whose programs are here. */
export type LabOf = (kernel: string | undefined, experiment: Experiment) => Lab;

export interface PlacesOf<P extends KnownPlace> {
  /** What can be run: with several kernels, what each of them lacks is written into its arms. */
  readonly experiment: Experiment;
  /** One, or one a kernel, in the experiment's order. */
  readonly all: readonly [P, ...P[]];
  /** Why the profile cannot run here; empty when it can. */
  readonly findings: readonly Finding[];
  /** What a reader of the results must know. */
  readonly warnings: readonly string[];
}

/** On this machine. */
export type Places = PlacesOf<Place>;
/** Wherever they are. */
export type KnownPlaces = PlacesOf<KnownPlace>;

/** The place for a kernel's name; the only one where the kernel is no factor. */
export function placeFor<P extends KnownPlace>({ all }: Pick<PlacesOf<P>, 'all'>, kernel: string | undefined): P {
  return all.find(({ name }) => name === kernel) ?? all[0];
}

/** What is known of the machine of each place, by its kernel's name. */
export function environmentsOf(places: Pick<KnownPlaces, 'all'>): (kernel: string | undefined) => Environment {
  return (kernel) => placeFor(places, kernel).environment;
}

/** The places that a journal says. */
export function placesIn({
  experiment,
  environment,
  kernels,
}: Pick<BeginOf<'run'>, 'experiment' | 'environment' | 'kernels'>): KnownPlaces {
  const known = (name: string | undefined, environment: Environment): KnownPlace => ({
    name,
    environment,
    kernel: parseKernelVersion(environment.kernel, environment.hz),
  });
  const [first, ...rest] = kernelsOf(experiment).map((name, i) => known(name, kernels?.[i] ?? environment));
  return { experiment, all: [first!, ...rest], findings: [], warnings: [] };
}

/**
 * Rehearse an experiment, once on each of its kernels. Rejects with LabError when a lab cannot be had.
 * @param labOf the lab for a kernel's name, or for undefined the only one, and for the experiment whose programs are here
 * @param options.fetchTor gives the path of a suite's Tor
 * @param options.say told every ten seconds that this is waited for
 */
export function findPlaces(
  wanted: Experiment,
  labOf: LabOf,
  { fetchTor, say }: { readonly fetchTor?: Parameters<typeof fetchPrograms>[1]; readonly say?: Note } = {},
): Promise<Places> {
  return waitingFor(
    'the rehearsal, which tries in a lab what the profile needs',
    rehearsed(wanted, labOf, fetchTor),
    say,
  );
}

async function rehearsed(
  wanted: Experiment,
  labOf: LabOf,
  fetchTor: Parameters<typeof fetchPrograms>[1] | undefined,
): Promise<Places> {
  for (const name of kernelsOf(wanted)) labOf(name, wanted).refuse?.();
  const { experiment, warnings } = await fetchPrograms(wanted, fetchTor);
  if (experiment.kernels === undefined) {
    const lab = labOf(undefined, experiment);
    const { findings, ...rehearsal } = await rehearse(experiment, lab);
    return {
      experiment: rehearsal.experiment,
      all: [{ name: undefined, lab, ...rehearsal }],
      findings,
      warnings: [...warnings, ...rehearsal.warnings],
    };
  }
  const places: (Place & Examination)[] = [];
  for (const { name } of experiment.kernels) {
    const lab = labOf(name, experiment);
    places.push({ name, lab, ...(await ask(experimentOn(experiment, name), lab, name)) });
  }
  const fit = fitToKernels(experiment, new Map(places.map((place) => [place.name!, place])));
  const [first, ...rest] = places;
  return {
    ...fit,
    findings: saidOnce([
      ...fit.findings,
      ...programObstacles(experiment, proxiesOf(experiment), places[0]!.check),
      ...places.flatMap(({ name, kernel, environment }) =>
        experimentOn(fit.experiment, name).arms.flatMap((arm) =>
          arm.absent ? [] : endlessFill(arm, kernel, environment),
        ),
      ),
    ]),
    all: [first!, ...rest],
    warnings: [
      ...warnings,
      ...places.flatMap(({ name, warnings }) => warnings.map((text) => `${name}: ${text}`)),
      ...leftOut(fit.experiment),
    ],
  };
}

/** A guest is thrown away, so that whatever may be a sysctl of its kernel can be tried: its answer counts, not what is known. */
async function ask(part: Experiment, lab: Lab, name: string): Promise<Examination> {
  try {
    return await examine(
      part,
      lab,
      (kernel) => (sysctl) => judgeSysctl(sysctl, kernel, 'kernel').ok || sysctlLife(sysctl, kernel) !== undefined,
    );
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    const { message, cause, remedy } = error;
    throw new LabError(`the kernel ${name}: ${message}`, { cause, ...(remedy === null ? {} : { remedy }) });
  }
}

/** What is not run, or not as the profile says, and where. */
function leftOut({ arms }: Experiment): string[] {
  const nowhere = onNoKernel(arms);
  const changed = arms.filter(({ absent, missing }) => absent || missing);
  const same = (a: Arm, b: Arm) => a.name === b.name && a.absent === b.absent && inWords(a) === inWords(b);
  const firsts = changed.filter((arm, i) => changed.findIndex((other) => same(arm, other)) === i);
  return firsts.map((arm) => {
    const kernels = listed(changed.filter((other) => same(arm, other)).map(({ kernel }) => kernel!));
    if (!arm.absent) return `${arm.name} runs on ${kernels} without what is not there (${inWords(arm)})`;
    return nowhere.includes(arm.name)
      ? `${arm.name} is not run: on none of these kernels (${inWords(arm)})`
      : `${arm.name} is not run on ${kernels}: not on this kernel (${inWords(arm)})`;
  });
}
