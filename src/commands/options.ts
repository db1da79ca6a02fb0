/**
 * Parsers of command-line options.
 */
import { InvalidArgumentError } from 'commander';
import { boxNameProblem } from '../profile/box.js';
import { ENGINES, type Engine, kernelNameProblem, MAX_KERNELS } from '../profile/guest.js';
import type { Experiment } from '../profile/plan.js';

/** A whole number within bounds. */
export function integerOption(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`${name} takes a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

const LABS = ['netns', 'vm', 'vagrant', 'host'] as const satisfies readonly Experiment['lab'][];

export function labOption(text: string): Experiment['lab'] {
  const lab = LABS.find((name) => name === text);
  if (!lab) throw new InvalidArgumentError(`Allowed are ${LABS.join(', ')}; other labs are not in this version.`);
  return lab;
}

export function engineOption(text: string): Engine {
  const engine = ENGINES.find((name) => name === text);
  if (!engine) throw new InvalidArgumentError(`Allowed are ${ENGINES.join(', ')}.`);
  return engine;
}

export const ENGINE_HELP = 'with the VM lab: uml (User-Mode Linux) or qemu; else what boots the kernel';
export const KERNEL_HELP =
  'with the VM lab: a Debian suite, as bookworm, "running", or the path of a kernel; several, as bookworm,trixie, side by side';

export const LAB_HELP = 'netns (the default), vm, vagrant, or host';
export const BOX_HELP = 'with the Vagrant lab: a machine of the Vagrantfile, as bookworm';

/** A machine of the Vagrantfile. */
export function boxOption(text: string): string {
  const problem = boxNameProblem(text);
  if (problem !== undefined) throw new InvalidArgumentError(`${problem}.`);
  return text;
}

/** Debian suites, `running`, or paths, separated by commas. */
export function kernelOption(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  const problem = names.map(kernelNameProblem).find((found) => found !== undefined);
  if (problem !== undefined) throw new InvalidArgumentError(`${problem}.`);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new InvalidArgumentError(`found ${twice} twice; each kernel is named once.`);
  if (names.length > MAX_KERNELS)
    throw new InvalidArgumentError(`found ${names.length} kernels; at most ${MAX_KERNELS} are compared.`);
  return names;
}
