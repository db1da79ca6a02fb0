/**
 * Whether a profile's box goes with its lab. Pure.
 */
import { quote } from '../domain/units.js';
import { AFTER_DEFAULT, BETWEEN_DEFAULT, BOX, type Box, boxNameProblem } from '../plan/box.js';
import type { Finding } from './problem.js';

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
