/**
 * Whole numbers on the command line; in a file of its own, because `watch` starts without what the other options need.
 */
import { InvalidArgumentError } from 'commander';

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
