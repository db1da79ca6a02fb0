/**
 * `bindstorm plan`: what a profile would do here, without load.
 */
import type { Command } from 'commander';
import { counted } from '../analysis/format.js';
import { smallestPairs } from '../analysis/statistics.js';
import { type KernelVersion, parseKernelVersion } from '../capacity/kernel-version.js';
import { predictArm } from '../capacity/predict.js';
import type { Needed } from '../capacity/sizing.js';
import { expectedExperimentMs } from '../experiment/duration.js';
import { type MakeLab, withLabs } from '../experiment/labs.js';
import { planRuns } from '../experiment/order.js';
import { findPlaces, type Places } from '../experiment/places.js';
import { shortagesByKernel } from '../experiment/shortages.js';
import { LabInterrupted } from '../lab/lab.js';
import { arrivalDurationMs, destinationCount, scheduledAttempts } from '../plan/arrival.js';
import { armId, experimentOn, kernelsOf } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { neighbourInWords } from '../profile/changes.js';
import type { LoadedProfile } from '../profile/load.js';
import { EXIT, explainError } from './exit.js';
import { overrides, type RunOptions, withOptions } from './options.js';
import { rateOption } from './parsers.js';
import { type ArmCapacity, capacityLines, perSecond } from './plan-capacity.js';
import { readProfile } from './profile-file.js';
import { formatLeft } from './progress.js';
import { note } from './terminal.js';
import { wrap } from './wrap.js';

interface PlanOptions extends RunOptions {
  readonly rate?: number;
}

interface PlannedArm extends ArmCapacity {
  readonly name: string;
  /** With several kernels. */
  readonly kernel?: string;
  /** What the kernel lacks of what the arm names → since or until when kernels have it; with `absent` the arm is not run. */
  readonly missing?: Readonly<Record<string, string>>;
  readonly absent?: boolean;
  readonly changes: readonly string[];
  readonly addresses: number;
  readonly destinations: number;
  readonly attempts: number | null;
  /** The kind of proxy under test, in which the prediction's call fails; null: the harness's own sockets. */
  readonly proxy: string | null;
  /** With `--rate`: how many local addresses it takes to bear that rate for ever. */
  readonly needed?: { readonly rate: number; readonly full: Needed };
  /** Whether the outcome counts of a run are the same each time, and why. */
  readonly deterministic: boolean;
  readonly why: string;
}

interface Plan {
  readonly experiment: string;
  readonly description: string | null;
  readonly runs: number;
  readonly expectedSeconds: number;
  /** The release; with several kernels, that of the first. */
  readonly kernel: string;
  /** With several kernels: their names and releases. */
  readonly kernels?: readonly { readonly name: string; readonly release: string }[];
  readonly goal: string;
  readonly arms: readonly PlannedArm[];
  /** What this machine lacks for it, or what a reader must know. */
  readonly notes: readonly string[];
}

/** Adds the command. */
export function registerPlan(program: Command): void {
  withOptions(
    program
      .command('plan')
      .description('what would run, for how long, the predicted capacity, and what this machine lacks; no load')
      .argument('<profile>', 'a shipped profile such as quickstart, or a path'),
    ['lab', 'kernel', 'engine', 'box', 'repeat', 'json'],
  )
    .option(
      '--rate <rate>',
      'also: how many addresses each arm needs to sustain this rate, for example 50000/s',
      rateOption,
    )
    .addHelpText('after', '\nExample:\n  bindstorm plan squid-2014\n  bindstorm plan squid-2014 --rate 5000/s')
    .action(async (name: string, options: PlanOptions) => {
      const loaded = readProfile(name, overrides(options));
      const places = await tryPlaces(loaded);
      if (places.ok && places.value.findings.length > 0) throw loaded.refuse(places.value.findings);
      const experiment = places.ok ? places.value.experiment : loaded.experiment;
      const plan = describe(experiment, places, options.rate);
      process.stdout.write(options.json ? `${JSON.stringify(plan)}\n` : render(plan, experiment));
      process.exitCode = places.ok ? EXIT.ok : EXIT.noLab;
    });
}

type Attempted<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** Without a lab the arithmetic still holds, so its lack is a note of the plan. */
async function tryPlaces({ experiment }: LoadedProfile): Promise<Attempted<Places>> {
  try {
    const find = (makeLab: MakeLab) => findPlaces(experiment, (kernel) => makeLab(experiment, kernel));
    return { ok: true, value: await withLabs(note, find) };
  } catch (error) {
    if (error instanceof LabInterrupted) throw error;
    return { ok: false, reason: explainError(error).message };
  }
}

function describe(experiment: Experiment, places: Attempted<Places>, rate: number | undefined): Plan {
  const known = places.ok ? places.value.all : [];
  const parts = kernelsOf(experiment).map((name) => {
    const environment = known.find((place) => place.name === name)?.environment;
    const release = environment?.kernel ?? '6.18';
    const version = parseKernelVersion(release, environment?.hz);
    const part = experimentOn(experiment, name);
    const arms = part.arms.map((arm) => describeArm(arm, version, environment?.defaults ?? {}, part, rate));
    return { name, release, environment, part, arms };
  });
  const [first] = parts;
  return {
    experiment: experiment.name,
    description: experiment.description,
    runs: planRuns(experiment).length,
    expectedSeconds: expectedExperimentMs(experiment) / 1000,
    kernel: first!.release,
    ...(experiment.kernels ? { kernels: parts.map(({ name, release }) => ({ name: name!, release })) } : {}),
    goal: experiment.goal,
    arms: parts.flatMap(({ arms }) => arms),
    notes: [
      ...(places.ok
        ? places.value.warnings
        : [`it cannot run here: ${places.reason}`, `the arithmetic is for Linux ${first!.release}`]),
      ...shortagesByKernel(
        experiment,
        (kernel) => known.find((place) => place.name === kernel)?.environment,
        (id) => parts.flatMap(({ arms }) => arms).find((arm) => armId(arm) === id)!.prediction,
      ),
      ...(experiment.search
        ? ['the rate is searched for (find: max-rate): runs, attempts and times are those of one step of it']
        : new Set(parts.flatMap(({ part, arms }) => repeatNotes(part, arms)))),
    ],
  };
}

function describeArm(
  arm: Arm,
  kernel: KernelVersion,
  defaults: Readonly<Record<string, string>>,
  experiment: Experiment,
  rate: number | undefined,
): PlannedArm {
  const { prediction, walls, determinism, addressesFor } = predictArm(arm, kernel, defaults);
  const durationMs = arrivalDurationMs(arm.load.arrival);
  return {
    name: arm.name,
    ...(arm.kernel === undefined ? {} : { kernel: arm.kernel }),
    ...(arm.missing ? { missing: arm.missing } : {}),
    ...(arm.absent ? { absent: true } : {}),
    changes: arm.changes,
    addresses: arm.addresses.length,
    destinations: destinationCount(arm.destinations),
    attempts: scheduledAttempts(arm.load.arrival),
    seconds: durationMs === null ? null : durationMs / 1000,
    prediction,
    walls,
    proxy: arm.proxy?.kind ?? null,
    ...(rate === undefined ? {} : { needed: { rate, full: addressesFor(rate) } }),
    ...determinism(experiment),
  };
}

/** How many repeats a claim about the noisy variants needs. */
function repeatNotes({ repeat }: Experiment, planned: readonly PlannedArm[]): string[] {
  const arms = planned.filter(({ absent }) => !absent);
  const noisy = arms.filter((arm, i) => i > 0 && !(arm.deterministic && arms[0]!.deterministic)).length;
  const needed = (comparisons: number) => smallestPairs(comparisons);
  const notes: string[] = [];
  if (noisy > 0 && repeat < needed(noisy)) {
    notes.push(
      `${noisy} of ${arms.length - 1} variants vary from run to run; to call any of them better or worse takes repeat: ${needed(noisy)}, and the profile says ${repeat}`,
    );
  }
  if (repeat < needed(arms.length - 1)) {
    notes.push(
      `times and CPU always vary: a claim about a guardrail takes repeat: ${needed(arms.length - 1)} with ${arms.length - 1} variants, and the profile says ${repeat}`,
    );
  }
  return notes;
}

function render(plan: Plan, experiment: Experiment): string {
  const width = Math.min(process.stdout.columns ?? 100, 120);
  const size = planRuns({ ...experiment, warmup: 0, repeat: 1 }).length;
  const lines = [
    experiment.search
      ? `${plan.experiment}: a search for the highest rate of ${counted(plan.arms.length, 'arm')}, some fifteen steps each (bindstorm search)`
      : `${plan.experiment}: ${plan.runs} runs (${experiment.warmup} warm-up and ${experiment.repeat} measured blocks of ${size}), about ${formatLeft(plan.expectedSeconds * 1000)}`,
  ];
  if (plan.description) lines.push(...wrap(plan.description, width));
  if (plan.kernels) {
    lines.push('', `Goal: ${plan.goal}, on each of ${counted(plan.kernels.length, 'kernel')}.`);
    for (const kernel of plan.kernels) lines.push(...renderKernel(kernel, plan, width));
  } else {
    lines.push('', `Goal: ${plan.goal}. Expected on Linux ${plan.kernel}, by arithmetic:`, '');
    for (const arm of plan.arms) lines.push(...renderArm(arm, plan.arms[0]!, width));
  }
  if (experiment.neighbours)
    lines.push(
      '',
      'Neighbours, beside every arm:',
      ...experiment.neighbours.map((each) => `  ${neighbourInWords(each)}`),
    );
  if (plan.notes.length > 0) {
    lines.push('', 'Notes:');
    for (const note of plan.notes)
      lines.push(...wrap(note, width - 4).map((line, i) => `${i === 0 ? '  - ' : '    '}${line}`));
  }
  return `${lines.join('\n')}\n`;
}

/** What the arithmetic says of one kernel. What is as on the first one is named only. */
function renderKernel({ name, release }: { name: string; release: string }, plan: Plan, width: number): string[] {
  const textsOn = (kernel: string) => {
    const arms = plan.arms.filter((arm) => arm.kernel === kernel);
    return arms.map((arm) => ({ arm, lines: renderArm(arm, arms[0]!, width) }));
  };
  const first = plan.kernels![0]!.name;
  const before = name === first ? [] : textsOn(first);
  const texts = textsOn(name);
  const isTheSame = ({ arm, lines }: (typeof texts)[number]) =>
    before.some((other) => other.arm.name === arm.name && other.lines.join() === lines.join());
  const same = texts.filter(isTheSame).map(({ arm }) => arm.name);
  return [
    '',
    `${name}: expected on Linux ${release}, by arithmetic:`,
    '',
    ...texts.filter((text) => !isTheSame(text)).flatMap(({ lines }) => lines),
    ...(same.length > 0
      ? wrap(`the same as on ${first}: ${same.join(', ')}`, width - 2).map((line) => `  ${line}`)
      : []),
  ];
}

function renderArm(arm: PlannedArm, baseline: PlannedArm, width: number): string[] {
  const { prediction, attempts, missing = {} } = arm;
  const lacking = Object.entries(missing).map(([name, life]) => `${name} (${life})`);
  if (arm.absent) {
    const reason = `not run: not on this kernel: ${lacking.join(', ')}`;
    return [`  ${arm.name}`, ...wrap(reason, width - 6).map((line) => `      ${line}`)];
  }
  const number = (value: number) => Math.round(value).toLocaleString('en');
  const tried = attempts === null ? 'as many attempts as it takes' : counted(attempts, 'attempt');
  const at = prediction.concurrent === null ? 'no closed form' : `${number(prediction.concurrent)} at once`;
  const forEver = prediction.sustained === null ? '' : `, ${perSecond(prediction.sustained)} for ever`;
  const facts = [
    ...(lacking.length > 0 ? [`without ${lacking.join(', ')}, which this kernel lacks`] : []),
    `${tried} from ${counted(arm.addresses, 'address')} to ${counted(arm.destinations, 'destination')}`,
    `capacity ${at}${forEver} (${prediction.formula}), then ${prediction.fails}${arm.proxy === null ? '' : ` in ${arm.proxy}`}`,
    // What the baseline's lines have said already is not said again.
    ...(arm === baseline || prediction.rule !== baseline.prediction.rule ? [prediction.rule] : []),
    ...capacityLines(arm, baseline),
    ...expectedOutcomes(arm),
    ...(arm.needed ? [`for ${perSecond(arm.needed.rate)} for ever: ${neededText(arm.needed.full)}`] : []),
  ];
  const title = `  ${arm.name}${arm.changes.length > 0 ? `: ${arm.changes.join('; ')}` : ''}`;
  return [title, ...facts.flatMap((fact) => wrap(fact, width - 6).map((line) => `      ${line}`))];
}

function neededText(needed: Needed): string {
  switch (needed.kind) {
    case 'addresses':
      return `${counted(needed.addresses, 'address')}, each of which bears ${perSecond(needed.perAddress)}`;
    case 'useless':
      return `no number of addresses is enough: ${needed.why}`;
    case 'unlimited':
      return `one address: ${needed.why}`;
    case 'unknown':
      return `no closed form: ${needed.why}`;
  }
}

/** Where the kernel's rules alone decide: how the attempts of each run will end. */
function expectedOutcomes({ attempts, deterministic, prediction, proxy }: PlannedArm): string[] {
  if (!deterministic || attempts === null || prediction.concurrent === null) return [];
  const ok = Math.min(attempts, prediction.concurrent);
  const failing = attempts - ok;
  const how = proxy === null ? prediction.fails : `failures (${prediction.fails} in ${proxy})`;
  return [
    `so each run will have ${ok.toLocaleString('en')} ok${failing > 0 ? ` and ${failing.toLocaleString('en')} ${how}` : ''}`,
  ];
}
