/**
 * Whether what is gone on with is where it was begun.
 */
import type { Place } from '../experiment/places.js';
import type { Environment } from '../results/schema.js';

/** What is not as it was when the experiment was begun. */
export function differences(was: Environment, { name, environment: is }: Place): string[] {
  const of = name === undefined ? '' : ` of ${name}`;
  return (['kernel', 'node', 'cpu', 'lab'] as const)
    .filter((key) => was[key] !== is[key])
    .map((key) => `${key}${of} was ${was[key]} and is ${is[key]}`);
}
