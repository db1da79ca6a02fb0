/**
 * Parsers of command-line options.
 */
import { InvalidArgumentError } from 'commander';
import { ENGINES, type Engine, kernelNameProblem } from '../profile/guest.js';
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

const LABS = ['netns', 'vm', 'host'] as const satisfies readonly Experiment['lab'][];

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

/** A Debian suite, `running`, or a path. */
export function kernelOption(text: string): string {
  const problem = kernelNameProblem(text);
  if (problem !== undefined) throw new InvalidArgumentError(`${problem}.`);
  return text;
}
