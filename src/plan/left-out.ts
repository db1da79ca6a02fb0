/**
 * What is said of variants that were left out before anything started. Pure.
 */
import type { Experiment } from './plan.js';

/** One sentence each, without a full stop. */
export function leftOutInWords({ leftOut = [] }: Pick<Experiment, 'leftOut'>): string[] {
  return leftOut.map(({ name, why }) => `${name} is not run: ${why}`);
}
