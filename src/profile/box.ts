/**
 * What the Vagrant lab brings up, and what becomes of it. Pure.
 */
import { z } from 'zod';
import type { Finding } from './problem.js';
import { quote } from './units.js';

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

interface LabInput {
  readonly kind?: string;
  readonly box?: string | undefined;
  readonly after?: Box['after'] | undefined;
  readonly between?: Box['between'] | undefined;
}

/**
 * What the Vagrant lab brings up; undefined for the other labs.
 * @param asked the box that the command line names
 */
export function checkBox(
  input: LabInput | undefined,
  lab: string,
  asked: string | undefined,
  findings: Finding[],
): Box | undefined {
  for (const key of ['box', 'after', 'between'] as const) {
    // As for the VM lab: the command line may run the profile elsewhere, but a profile for another lab must not name a box.
    if (input?.[key] === undefined || input.kind === 'vagrant') continue;
    findings.push({
      path: ['lab', key],
      message: `found ${quote(input[key])}, but only the vagrant lab has a box: use kind: vagrant, or remove ${key}`,
      at: 'key',
    });
  }
  const problem = input?.box === undefined ? undefined : boxNameProblem(input.box);
  if (problem !== undefined) findings.push({ path: ['lab', 'box'], message: problem });
  if (lab === 'vagrant')
    return {
      name: asked ?? input?.box ?? BOX,
      after: input?.after ?? AFTER_DEFAULT,
      between: input?.between ?? BETWEEN_DEFAULT,
    };
  if (asked !== undefined) {
    findings.push({
      path: input ? ['lab'] : [],
      message: `found --box, which names what the vagrant lab brings up, but the lab is ${lab}: add --lab vagrant`,
    });
  }
  return undefined;
}
