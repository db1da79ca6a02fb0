/**
 * What the Vagrant lab brings up, and what becomes of it. Pure.
 */
import { z } from 'zod';
import { quote } from '../domain/units.js';

/** What is done with the box at the end of the experiment. */
export const AFTER = ['destroy', 'revert', 'keep'] as const;
/** What is done between two runs in the same box. */
export const BETWEEN = ['restore', 'revert'] as const;

export const boxSchema = z.object({
  /** A machine of vagrant/Vagrantfile. */
  name: z.string(),
  after: z.enum(AFTER),
  between: z.enum(BETWEEN),
});
export type Box = z.infer<typeof boxSchema>;

/** Linux 6.1, the kernel that the VM lab boots by itself too. */
export const BOX = 'bookworm';
/** A lab is thrown away. */
export const AFTER_DEFAULT = 'destroy' as const satisfies Box['after'];
/** Every run has namespaces of its own, so that only the sysctls of the whole machine need putting back, which takes no time. */
export const BETWEEN_DEFAULT = 'restore' as const satisfies Box['between'];

/** Why this is no name of a machine, or undefined. */
export function boxNameProblem(name: string): string | undefined {
  // A dash at its front would be an option of vagrant(1), and slashes would be a regular expression.
  if (/^[A-Za-z0-9][\w.-]{0,62}$/.test(name)) return undefined;
  return `found ${quote(name)}; a box is the name of a machine in the Vagrantfile, as ${BOX}`;
}
