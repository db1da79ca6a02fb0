/**
 * What the model foresees of a program and of each change to it, before any is tried. Pure.
 */
import { atOnceText, sustainedText } from '../../analysis/sustained.js';
import type { RealCapacity } from '../../results/schema.js';

/** An arm, and what was foreseen of it. */
export interface Foreseen {
  readonly name: string;
  readonly real: RealCapacity;
}

/** `455/s sustained, 28,232 at once`. */
export function foreseenText(real: RealCapacity): string {
  const sustained = sustainedText(real);
  const isRate = real.kind === 'scaled' && real.sustained !== null;
  const atOnce = atOnceText(real);
  return [`${sustained}${isRate ? ' sustained' : ''}`, ...(atOnce === null ? [] : [atOnce])].join(', ');
}

/** Lines for a terminal: of what this is, and each arm on one. */
export function foreseenLines(arms: readonly Foreseen[]): string[] {
  const width = Math.max(...arms.map(({ name }) => name.length));
  return [
    'Connections of the program as it was in a first run, by the model, with the ports of a machine:',
    ...arms.map(({ name, real }) => `  ${name.padEnd(width)}  ${foreseenText(real)}`),
  ];
}
