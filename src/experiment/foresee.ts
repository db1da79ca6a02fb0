/**
 * What the model says of a program before any of its changes was tried: by its settings, which of a program that was looked at in a first run
 * say what was seen there. Pure.
 */
import { atMachineScale } from '../capacity/at-scale.js';
import { parseKernelVersion } from '../capacity/kernel-version.js';
import { experimentOn } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import type { Environment, RealCapacity } from '../results/schema.js';
import { proxySubjectOf } from '../subjects/index.js';

/**
 * What an arm is expected to come to with the ports of a machine.
 * @returns undefined where the subject is no program of the user's: of others the settings say all that is known
 */
export function foresee(
  arm: Arm,
  experiment: Experiment,
  { kernel, hz, defaults, engine }: Pick<Environment, 'kernel' | 'hz' | 'defaults' | 'engine'>,
): RealCapacity | undefined {
  if (!arm.proxy || !proxySubjectOf(arm.proxy.kind).entrance) return undefined;
  const baseline = experimentOn(experiment, arm.kernel).arms.find((each) => each.baseline) ?? arm;
  return atMachineScale(arm, baseline, parseKernelVersion(kernel, hz), defaults, experiment.neighbours, engine);
}

/** The same of each arm of an experiment. */
export function foreseeAll(
  experiment: Experiment,
  environment: Parameters<typeof foresee>[2],
): { readonly name: string; readonly real: RealCapacity }[] {
  return experiment.arms.flatMap((arm) => {
    const real = foresee(arm, experiment, environment);
    return real === undefined ? [] : { name: arm.name, real };
  });
}
