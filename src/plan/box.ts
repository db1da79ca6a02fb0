/**
 * What the Vagrant lab brings up, and what becomes of it. Pure.
 */
import { z } from 'zod';
import { keptShape, setting } from '../domain/setting.js';
import { quote } from '../domain/units.js';
import { oneOf, text } from '../domain/values.js';

/** What is done with the box at the end of the experiment. */
export const AFTER = ['destroy', 'revert', 'keep'] as const;
/** What is done between two runs in the same box. */
const BETWEEN = ['restore', 'revert'] as const;

/** Linux 6.1, the kernel that the VM lab boots by itself too. */
export const BOX = 'bookworm';

export const BOX_SETTINGS = {
  box: setting(text(), {
    default: BOX,
    keptAs: 'name',
    describe: 'vagrant only: a machine of vagrant/Vagrantfile',
    example: BOX,
  }),
  // A lab is thrown away.
  after: setting(oneOf(AFTER), {
    default: 'destroy',
    describe:
      'vagrant only: what happens to the box at the end; revert: it is put back to its state before the first run and left running',
    example: 'destroy',
  }),
  // Every run has namespaces of its own, so that only the sysctls of the whole machine need putting back, which takes no time.
  between: setting(oneOf(BETWEEN), {
    default: 'restore',
    describe:
      'vagrant only: before each further run, restore the sysctls that are the whole machine’s, or revert the box to its snapshot',
    example: 'restore',
  }),
} as const;

export const boxSchema = z.object(keptShape(BOX_SETTINGS));
export type Box = z.infer<typeof boxSchema>;

/** Why this is no name of a machine, or undefined. */
export function boxNameProblem(name: string): string | undefined {
  // A dash at its front would be an option of vagrant(1), and slashes would be a regular expression.
  if (/^[A-Za-z0-9][\w.-]{0,62}$/.test(name)) return undefined;
  return `${quote(name)} is not a box; use the name of a machine in the Vagrantfile, for example ${BOX}`;
}
