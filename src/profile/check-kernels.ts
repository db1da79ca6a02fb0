/**
 * `kernels` of a profile, or several of `--kernel`: which kernels the experiment compares, and that they are named once, by right
 * names, and for the VM lab. Pure.
 */
import { type Engine, engineFor, engineProblem, kernelNameProblem } from '../domain/guest.js';
import { quote } from '../domain/units.js';
import { kernelNames } from '../plan/kernels.js';
import type { Experiment, Guest, KernelFactor } from '../plan/plan.js';
import type { Finding } from './problem.js';
import type { ProfileInput } from './schema.js';

export interface Asked {
  readonly kernels?: readonly string[];
  readonly engine?: Engine | undefined;
  /** What boots the kernel in a file. */
  readonly engineOf?: (path: string) => Engine | undefined;
}

/**
 * The kernels of the experiment, undefined where the kernel is no factor of it. That the profile lists kernels makes it one, also
 * when the command line leaves only one of them: what that kernel lacks is then still a column and no error.
 * @param asked what `--kernel` and `--engine` say; they take the place of what the profile does
 */
export function checkKernels(
  input: ProfileInput,
  lab: Experiment['lab'],
  asked: Asked,
  findings: Finding[],
): KernelFactor[] | undefined {
  const engineOf = (kernel: string, engine?: Engine) =>
    asked.engine ?? engine ?? input.lab?.engine ?? engineFor(kernel, asked.engineOf ?? (() => undefined));
  const listed = (input.kernels ?? []).map((entry): Guest => {
    const { kernel, engine } = typeof entry === 'string' ? { kernel: entry, engine: undefined } : entry;
    return { kernel, engine: engineOf(kernel, engine) };
  });
  checkList(input, listed, findings);
  if (input.kernels !== undefined && input.lab?.kind !== 'vm' && lab !== 'vm') {
    const found = input.lab ? `the ${input.lab.kind} lab runs` : 'without "lab" it would run';
    findings.push({
      path: ['kernels'],
      message: `found a list of kernels, but ${found} on the kernel of this machine: write lab: { kind: vm }, or remove kernels`,
      at: 'key',
    });
  }
  if (lab !== 'vm' || (input.kernels === undefined && (asked.kernels?.length ?? 0) < 2)) return undefined;
  const guests =
    asked.kernels?.flatMap((kernel) => {
      // A kernel that the profile lists too keeps its engines.
      const known = listed.filter((guest) => guest.kernel === kernel);
      return known.length > 0 ? known : [{ kernel, engine: engineOf(kernel) }];
    }) ?? listed;
  for (const guest of guests) {
    const mismatch = engineProblem(guest);
    if (mismatch !== undefined) findings.push({ path: input.kernels ? ['kernels'] : ['lab'], message: mismatch });
  }
  const names = kernelNames(guests);
  return guests.map((guest, i) => ({ name: names[i]!, guest }));
}

function checkList(input: ProfileInput, listed: readonly Guest[], findings: Finding[]): void {
  if (input.kernels !== undefined && input.lab?.kernel !== undefined) {
    findings.push({
      path: ['lab', 'kernel'],
      message: `found ${quote(input.lab.kernel)}, but kernels names what is to be booted: remove one of the two`,
      at: 'key',
    });
  }
  for (const [i, { kernel, engine }] of listed.entries()) {
    const path = typeof input.kernels![i] === 'string' ? ['kernels', i] : ['kernels', i, 'kernel'];
    const problem = kernelNameProblem(kernel);
    const first = listed.findIndex((guest) => guest.kernel === kernel && guest.engine === engine);
    if (problem !== undefined) findings.push({ path, message: problem });
    else if (first < i) {
      findings.push({
        path,
        message: `found ${quote(kernel)}, which kernels[${first}] has already, on the same engine: remove one`,
      });
    }
  }
}
