/**
 * The kernel as a factor of an experiment: the same arms on several kernels. Whatever compares works on one kernel's part of the
 * experiment, so that no verdict can cross kernels. Pure.
 */
import type { Experiment, Guest } from './plan.js';

/** What tells one arm from the others of an experiment: the variant, and its kernel where there are several. */
interface Place {
  readonly kernel?: string | undefined;
}

/** `no-port`, with several kernels `no-port@trixie`; unique in the experiment, and fit for a file name. */
export function armId(arm: Place & ({ readonly name: string } | { readonly variant: string })): string {
  const name = 'name' in arm ? arm.name : arm.variant;
  return arm.kernel === undefined ? name : `${name}@${arm.kernel}`;
}

/** The names of the kernels; one undefined where the kernel is no factor. */
export function kernelsOf({ kernels }: Pick<Experiment, 'kernels'>): [string | undefined, ...(string | undefined)[]] {
  const [first, ...rest] = (kernels ?? []).map(({ name }) => name);
  return [first, ...rest];
}

/** The part of an experiment that is about one kernel; the whole where the kernel is no factor. */
export function experimentOn(experiment: Experiment, kernel: string | undefined): Experiment {
  if (kernel === undefined) return experiment;
  return {
    ...experiment,
    kernels: experiment.kernels!.filter(({ name }) => name === kernel),
    arms: experiment.arms.filter((arm) => arm.kernel === kernel),
  };
}

/** What the VM lab boots for an arm, or for a kernel's name; undefined for other labs. */
export function guestOf(
  experiment: Pick<Experiment, 'guest' | 'kernels'>,
  kernel: string | undefined,
): Guest | undefined {
  return kernel === undefined ? experiment.guest : experiment.kernels?.find(({ name }) => name === kernel)?.guest;
}

/** Names of the variants that no kernel of the experiment can run. */
export function onNoKernel(
  arms: readonly { readonly name: string; readonly absent?: boolean | undefined }[],
): string[] {
  const names = [...new Set(arms.map(({ name }) => name))];
  return names.filter((name) => arms.every((arm) => arm.name !== name || arm.absent === true));
}

/**
 * A name for each kernel: the suite's, or the file's; with the engine where one kernel runs on two, and with a number where
 * files of equal names lie in several folders.
 */
export function kernelNames(guests: readonly Guest[]): string[] {
  const names: string[] = [];
  for (const guest of guests) {
    const twice = guests.some((other) => other.kernel === guest.kernel && other.engine !== guest.engine);
    const base = plain(guest.kernel) + (twice ? `-${guest.engine}` : '');
    let name = base;
    for (let i = 2; names.includes(name); i++) name = `${base}-${i}`;
    names.push(name);
  }
  return names;
}

/** The last part of a path, with nothing in it that a file name or a shell would stumble over. */
function plain(kernel: string): string {
  const file = kernel.split('/').findLast((part) => part !== '') ?? kernel;
  return (
    file
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[-.]+/, '')
      .slice(0, 40) || 'kernel'
  );
}
