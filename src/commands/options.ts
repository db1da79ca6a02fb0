/**
 * Parsers of command-line options.
 */
import { InvalidArgumentError } from 'commander';
import { ENGINES, type Engine, kernelNameProblem, MAX_KERNELS } from '../domain/guest.js';
import { LAB_KINDS, type LabKind } from '../domain/lab.js';
import { parseRate, UnitError } from '../domain/units.js';
import { boxNameProblem } from '../plan/box.js';

/** A kind of lab. */
export function labOption(text: string): LabKind {
  const lab = LAB_KINDS.find((name) => name === text);
  if (!lab) throw new InvalidArgumentError(`Allowed are ${LAB_KINDS.join(', ')}.`);
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

/** A fleet has rates that no load generator has. */
export function rateOption(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(k|M)?\/(s|min)$/.exec(text.trim());
  if (!match) return unit(() => parseRate(text));
  const value =
    (Number(match[1]) * (match[2] === 'k' ? 1e3 : match[2] === 'M' ? 1e6 : 1)) / (match[3] === 's' ? 1 : 60);
  if (value <= 0) throw new InvalidArgumentError('A rate must be greater than 0.');
  return value;
}

function unit<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UnitError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}
