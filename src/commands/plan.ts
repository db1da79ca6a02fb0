/**
 * `bindstorm plan`: what a profile would do here, without load.
 */
import type { Command } from 'commander';
import { counted } from '../analysis/format.js';
import { smallestPairs } from '../analysis/statistics.js';
import { isDeterministic } from '../capacity/deterministic.js';
import { type KernelVersion, parseKernelVersion } from '../capacity/kernel-version.js';
import { predictArm } from '../capacity/predict.js';
import { expectedExperimentMs } from '../experiment/duration.js';
import { planRuns } from '../experiment/order.js';
import { type Rehearsal, rehearse } from '../experiment/rehearsal.js';
import { shortages } from '../experiment/shortages.js';
import { destinationCount, scheduledAttempts } from '../profile/arrival.js';
import type { Engine } from '../profile/guest.js';
import type { LoadedProfile } from '../profile/load.js';
import type { Arm, Experiment } from '../profile/plan.js';
import type { Prediction } from '../results/schema.js';
import { EXIT, explainError } from './exit.js';
import { labOf } from './labs.js';
import { engineOption, integerOption, kernelOption, labOption } from './options.js';
import { readProfile } from './profile-file.js';
import { formatLeft } from './progress.js';
import { wrap } from './wrap.js';

interface PlanOptions {
  readonly lab?: Experiment['lab'];
  readonly kernel?: string;
  readonly engine?: Engine;
  readonly repeat?: number;
  readonly json: boolean;
}

interface PlannedArm {
  readonly name: string;
  readonly changes: readonly string[];
  readonly addresses: number;
  readonly destinations: number;
  readonly attempts: number | null;
  readonly prediction: Prediction;
  /** Whether the outcome counts of a run are the same each time, and why. */
  readonly deterministic: boolean;
  readonly why: string;
}

interface Plan {
  readonly experiment: string;
  readonly description: string | null;
  readonly runs: number;
  readonly expectedSeconds: number;
  readonly kernel: string;
  readonly goal: string;
  readonly arms: readonly PlannedArm[];
  /** What this machine lacks for it, or what a reader must know. */
  readonly notes: readonly string[];
}

export function registerPlan(program: Command): void {
  program
    .command('plan')
    .description(
      'what would run, how long, which capacity the arithmetic expects, and what this machine lacks; no load',
    )
    .argument('<profile>', 'a profile that ships, as quickstart, or a path')
    .option('--lab <kind>', 'netns (the default), vm, or host', labOption)
    .option(
      '--kernel <name>',
      'with the VM lab: a Debian suite, as bookworm, "running", or the path of a kernel',
      kernelOption,
    )
    .option(
      '--engine <name>',
      'with the VM lab: uml (User-Mode Linux) or qemu; else what boots the kernel',
      engineOption,
    )
    .option(
      '--repeat <n>',
      'pairs of runs per variant, instead of what the profile says',
      integerOption('--repeat', 1, 1000),
    )
    .option('--json', 'as JSON', false)
    .addHelpText('after', '\nExample:\n  bindstorm plan squid-2014')
    .action(async (name: string, options: PlanOptions) => {
      const loaded = readProfile(name, {
        lab: options.lab,
        kernel: options.kernel,
        engine: options.engine,
        repeat: options.repeat,
      });
      const rehearsal = await tryRehearsal(loaded);
      if (rehearsal.ok && rehearsal.value.findings.length > 0) throw loaded.refuse(rehearsal.value.findings);
      const plan = describe(loaded.experiment, rehearsal);
      process.stdout.write(options.json ? `${JSON.stringify(plan)}\n` : render(plan, loaded.experiment));
      process.exitCode = rehearsal.ok ? EXIT.ok : EXIT.noLab;
    });
}

type Attempted<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** Without a lab the arithmetic still holds, so its lack is a note of the plan. */
async function tryRehearsal({ experiment }: LoadedProfile): Promise<Attempted<Rehearsal>> {
  try {
    return { ok: true, value: await rehearse(experiment, labOf(experiment)) };
  } catch (error) {
    return { ok: false, reason: explainError(error).message };
  }
}

function describe(experiment: Experiment, rehearsal: Attempted<Rehearsal>): Plan {
  const environment = rehearsal.ok ? rehearsal.value.environment : null;
  const kernel = environment?.kernel ?? '6.18';
  const version = parseKernelVersion(kernel);
  const defaults = environment?.defaults ?? {};
  const arms = experiment.arms.map((arm) => describeArm(arm, version, defaults));
  return {
    experiment: experiment.name,
    description: experiment.description,
    runs: planRuns(experiment).length,
    expectedSeconds: expectedExperimentMs(experiment) / 1000,
    kernel,
    goal: experiment.goal,
    arms,
    notes: [
      ...(rehearsal.ok
        ? rehearsal.value.warnings
        : [`it cannot run here: ${rehearsal.reason}`, `the arithmetic is for Linux ${kernel}`]),
      ...(environment
        ? shortages(
            experiment,
            environment,
            arms.map(({ prediction }) => prediction),
          )
        : []),
      ...repeatNotes(experiment, arms),
    ],
  };
}

function describeArm(arm: Arm, kernel: KernelVersion, defaults: Readonly<Record<string, string>>): PlannedArm {
  return {
    name: arm.name,
    changes: arm.changes,
    addresses: arm.addresses.length,
    destinations: destinationCount(arm.destinations),
    attempts: scheduledAttempts(arm.load.arrival),
    prediction: predictArm(arm, kernel, defaults),
    ...isDeterministic(arm, kernel, defaults),
  };
}

/** How many repeats a claim about the noisy variants needs. */
function repeatNotes({ repeat }: Experiment, arms: readonly PlannedArm[]): string[] {
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
  const lines = [
    `${plan.experiment}: ${plan.runs} runs (${experiment.warmup} warm-up and ${experiment.repeat} measured blocks of ${plan.arms.length}), about ${formatLeft(plan.expectedSeconds * 1000)}`,
  ];
  if (plan.description) lines.push(...wrap(plan.description, width));
  lines.push('', `Goal: ${plan.goal}. Expected on Linux ${plan.kernel}, by arithmetic:`, '');
  for (const arm of plan.arms) lines.push(...renderArm(arm, plan.arms[0]!, width));
  if (plan.notes.length > 0) {
    lines.push('', 'Notes:');
    for (const note of plan.notes)
      lines.push(...wrap(note, width - 4).map((line, i) => `${i === 0 ? '  - ' : '    '}${line}`));
  }
  return `${lines.join('\n')}\n`;
}

function renderArm(arm: PlannedArm, baseline: PlannedArm, width: number): string[] {
  const { prediction, attempts } = arm;
  const number = (value: number) => Math.round(value).toLocaleString('en');
  const tried = attempts === null ? 'as many attempts as it takes' : counted(attempts, 'attempt');
  const at = prediction.concurrent === null ? 'no closed form' : `${number(prediction.concurrent)} at once`;
  const forEver = prediction.sustained === null ? '' : `, ${number(prediction.sustained)}/s for ever`;
  const facts = [
    `${tried} from ${counted(arm.addresses, 'address')} to ${counted(arm.destinations, 'destination')}`,
    `capacity ${at}${forEver} (${prediction.formula}), then ${prediction.fails}`,
    // What the baseline's lines have said already is not said again.
    ...(arm === baseline || prediction.rule !== baseline.prediction.rule ? [prediction.rule] : []),
    ...expectedOutcomes(arm),
  ];
  const title = `  ${arm.name}${arm.changes.length > 0 ? `: ${arm.changes.join('; ')}` : ''}`;
  return [title, ...facts.flatMap((fact) => wrap(fact, width - 6).map((line) => `      ${line}`))];
}

/** Where the kernel's rules alone decide: how the attempts of each run will end. */
function expectedOutcomes({ attempts, deterministic, prediction }: PlannedArm): string[] {
  if (!deterministic || attempts === null || prediction.concurrent === null) return [];
  const ok = Math.min(attempts, prediction.concurrent);
  const failing = attempts - ok;
  return [
    `so each run will have ${ok.toLocaleString('en')} ok${failing > 0 ? ` and ${failing.toLocaleString('en')} ${prediction.fails}` : ''}`,
  ];
}
