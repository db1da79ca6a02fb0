/**
 * Where an experiment runs: the lab, and the kernels or the box that go with it. What the command line says takes the place of what the
 * profile does; a profile whose keys do not go with its own lab is a mistake. Pure.
 */
import { type Engine, engineFor, engineProblem, kernelNameProblem } from '../domain/guest.js';
import { LAB_KINDS, LABS, type LabKind, type LabTraits } from '../domain/lab.js';
import { complete } from '../domain/setting.js';
import { quote } from '../domain/units.js';
import { BOX_SETTINGS, boxNameProblem } from '../plan/box.js';
import { LAB_SETTINGS } from '../plan/experiment-settings.js';
import { kernelNames } from '../plan/kernels.js';
import type { Experiment, Guest } from '../plan/plan.js';
import type { Finding } from './problem.js';
import type { ProfileInput } from './schema.js';

/** What the command line says instead of the profile. */
export interface AskedLab {
  readonly lab?: LabKind | undefined;
  /** What `--kernel` names: one kernel, or several to compare. */
  readonly kernels?: readonly string[] | undefined;
  readonly engine?: Engine | undefined;
  /** What boots the kernel in a file; undefined when it cannot be told. Reading files is the caller's part. */
  readonly engineOf?: (path: string) => Engine | undefined;
  readonly box?: string | undefined;
}

type Machine = LabTraits['machine'];

/** The labs that a key of `lab` is for, by what they run on. */
const ONLY: readonly (readonly ['engine' | 'kernel' | 'box' | 'after' | 'between', Machine])[] = [
  ['engine', 'guest'],
  ['kernel', 'guest'],
  ['box', 'box'],
  ['after', 'box'],
  ['between', 'box'],
];

/** The lab of an experiment, and what it brings up. */
export function checkLab(
  input: ProfileInput,
  asked: AskedLab,
  findings: Finding[],
): Pick<Experiment, 'lab' | 'guest' | 'kernels' | 'box'> {
  const lab = asked.lab ?? input.lab?.kind ?? LAB_SETTINGS.kind.default;
  checkKeys(input, findings);
  checkPermission(input, lab, findings);
  checkList(input, asked, findings);
  const { machine } = LABS[lab];
  const wrong = (message: string) => findings.push({ path: input.lab ? ['lab'] : [], message });
  const options = { '--kernel': asked.kernels, '--engine': asked.engine };
  for (const [option, value] of Object.entries(options))
    if (value !== undefined && machine !== 'guest')
      wrong(`${option} is for the ${kindWith('guest')} lab, but the lab is ${lab}: add --lab ${kindWith('guest')}`);
  if (asked.box !== undefined && machine !== 'box')
    wrong(`--box is for the ${kindWith('box')} lab, but the lab is ${lab}: add --lab ${kindWith('box')}`);
  if (machine === 'box') {
    const { box, after, between } = input.lab ?? {};
    return { lab, box: complete(BOX_SETTINGS, { name: asked.box ?? box, after, between }) };
  }
  return machine === 'guest' ? { lab, ...guests(input, asked, findings) } : { lab };
}

function kindWith(machine: Machine): LabKind {
  return LAB_KINDS.find((kind) => LABS[kind].machine === machine)!;
}

/** A profile for one lab may be run in another by the command line, but must fit its own. */
function checkKeys({ lab, kernels }: ProfileInput, findings: Finding[]): void {
  for (const [key, machine] of ONLY) {
    if (lab?.[key] === undefined || LABS[lab.kind].machine === machine) continue;
    const what = `the ${lab.kind} lab has no "${key}"`;
    const why = machine === 'guest' ? ' (it runs on the kernel of this machine)' : '';
    const message = `${what}${why}; use kind: ${kindWith(machine)}, or remove ${key}`;
    findings.push({ path: ['lab', key], message, at: 'key' });
  }
  const problems = {
    kernel: lab?.kernel === undefined ? undefined : kernelNameProblem(lab.kernel),
    box: lab?.box === undefined ? undefined : boxNameProblem(lab.box),
  };
  for (const [key, message] of Object.entries(problems))
    if (message !== undefined) findings.push({ path: ['lab', key], message });
  if (kernels !== undefined && lab?.kernel !== undefined)
    findings.push({
      path: ['lab', 'kernel'],
      message: `lab.kernel (${quote(lab.kernel)}) and kernels both say what is booted; remove one of the two`,
      at: 'key',
    });
}

/** A lab that loads this machine itself, and may write its sysctls, is to be allowed by the profile. */
function checkPermission({ lab, allowHostChanges }: ProfileInput, kind: LabKind, findings: Finding[]): void {
  if (!LABS[kind].guarded || allowHostChanges === true) return;
  findings.push({
    path: allowHostChanges === false ? ['allowHostChanges'] : lab ? ['lab'] : [],
    message: `the ${kind} lab loads and may change this machine itself, which the profile must allow: add "allowHostChanges: true" at the top, or use lab: { kind: ${LAB_SETTINGS.kind.default} }`,
  });
}

/** The kernels that the profile lists, each with its engine. */
function listed({ kernels = [], lab }: ProfileInput, asked: AskedLab): Guest[] {
  return kernels.map((entry) => {
    const { kernel, engine } = typeof entry === 'string' ? { kernel: entry, engine: undefined } : entry;
    return guest(kernel, asked.engine ?? engine ?? lab?.engine, asked);
  });
}

function guest(kernel: string, engine: Engine | undefined, { engineOf = () => undefined }: AskedLab): Guest {
  return { engine: engine ?? engineFor(kernel, engineOf), kernel };
}

function checkList(input: ProfileInput, asked: AskedLab, findings: Finding[]): void {
  const list = listed(input, asked);
  for (const [i, { kernel, engine }] of list.entries()) {
    const path = typeof input.kernels![i] === 'string' ? ['kernels', i] : ['kernels', i, 'kernel'];
    const problem = kernelNameProblem(kernel);
    const first = list.findIndex((other) => other.kernel === kernel && other.engine === engine);
    if (problem !== undefined) findings.push({ path, message: problem });
    else if (first < i)
      findings.push({
        path,
        message: `${quote(kernel)} is in the list twice with the same engine (kernels[${first}]); remove one`,
      });
  }
  const kinds = [input.lab?.kind, asked.lab].map((kind) => LABS[kind ?? LAB_SETTINGS.kind.default].machine);
  if (input.kernels === undefined || kinds.includes('guest')) return;
  const found = input.lab ? `the ${input.lab.kind} lab runs` : 'without "lab" it would run';
  findings.push({
    path: ['kernels'],
    message: `kernels names what guests boot, but ${found} on the kernel of this machine: write lab: { kind: ${kindWith('guest')} }, or remove kernels`,
    at: 'key',
  });
}

/**
 * What is booted. That the profile lists kernels makes the kernel a factor, also when the command line leaves only one of them: what
 * that kernel lacks is then still a column and no error.
 */
function guests(input: ProfileInput, asked: AskedLab, findings: Finding[]): Pick<Experiment, 'guest' | 'kernels'> {
  const list = listed(input, asked);
  const engine = asked.engine ?? input.lab?.engine;
  const isFactor = input.kernels !== undefined || (asked.kernels?.length ?? 0) > 1;
  const one = asked.kernels?.[0] ?? input.lab?.kernel ?? LAB_SETTINGS.kernel.default;
  const all = !isFactor
    ? [guest(one, engine, asked)]
    : (asked.kernels?.flatMap((kernel) => {
        // A kernel that the profile lists too keeps its engines.
        const known = list.filter((other) => other.kernel === kernel);
        return known.length > 0 ? known : [guest(kernel, engine, asked)];
      }) ?? list);
  for (const each of all) {
    const mismatch = engineProblem(each);
    if (mismatch !== undefined) findings.push({ path: input.kernels ? ['kernels'] : ['lab'], message: mismatch });
  }
  const names = kernelNames(all);
  return isFactor ? { kernels: all.map((each, i) => ({ name: names[i]!, guest: each })) } : { guest: all[0]! };
}
