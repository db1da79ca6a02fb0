/**
 * A complete Results object from what the controller has. Pure.
 */

import type { Bounds } from '../capacity/bounds.js';
import { destinationCount } from '../plan/arrival.js';
import { armId, experimentOn, kernelsOf } from '../plan/kernels.js';
import { leftOutInWords } from '../plan/left-out.js';
import type { Arm, Experiment, KernelFactor } from '../plan/plan.js';
import {
  type Environment,
  type KernelResult,
  type Prediction,
  type RealCapacity,
  type Results,
  type Run,
  SCHEMA_VERSION,
  type Variant,
} from '../results/schema.js';
import { agreementOf, disagreementWarnings } from './agreement.js';
import { alreadyHeldSentence } from './already-held.js';
import { compareArms } from './compare.js';
import type { ComparisonInput } from './compare-on.js';
import { joinSummaries, joinWarnings, type KernelPart, unheldThresholds } from './kernels.js';
import { runsNeeded } from './sequential.js';
import { summarise } from './summary.js';
import { requiredSentence, sustainedSentence } from './sustained.js';
import { evaluateThresholds } from './thresholds.js';
import { experimentWarnings } from './warnings.js';

export interface ResultsInput extends ComparisonInput {
  readonly experiment: Experiment;
  /** Of all arms, in any order, warm-ups included. */
  readonly runs: readonly Run[];
  /** One for each arm, at most, in which the system calls of its proxy were counted: it is part of no comparison. */
  readonly observed?: readonly Run[];
  readonly environment: Environment;
  /** With several kernels: the environment of each, in the experiment's order. */
  readonly environments?: readonly Environment[];
  /** Arm → prediction, one for each arm; with several kernels, and for `deterministic` too, by the arm's id (`armId`). */
  readonly predictions: ReadonlyMap<string, Prediction>;
  /** Arm → what it comes to on a machine. */
  readonly real?: (arm: string) => RealCapacity | undefined;
  /** Arm → what can be said of its counts where they are not exact. */
  readonly bounds?: (arm: string) => Bounds | null;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Runs of the whole experiment if no arm is stopped, warm-ups included. */
  readonly runsPlanned: number;
  /** The command that repeats it. */
  readonly command: string;
  /** The profile as it was written. */
  readonly profileText: string;
}

/**
 * Compare, judge and sum up. A run that failed is done; one that was interrupted is not.
 * @throws Error when an arm has no prediction or the experiment no baseline
 */
export function assembleResults(input: ResultsInput): Results {
  const { experiment, runs } = input;
  const { arms: _, ...described } = experiment;
  const parts = kernelsOf(experiment).map((kernel) => partOn(input, kernel));
  const runsDone = runs.filter((run) => run.status !== 'interrupted').length;
  const runsPlanned = input.runsPlanned - parts.reduce((sum, { spared }) => sum + spared, 0);
  return {
    schemaVersion: SCHEMA_VERSION,
    experiment: {
      ...described,
      startedAt: input.startedAt,
      finishedAt: input.finishedAt,
      status: runsDone < runsPlanned ? 'partial' : 'complete',
      runsPlanned,
      runsDone,
      command: input.command,
      profile: input.profileText,
    },
    environment: input.environment,
    ...(experiment.kernels
      ? { kernels: experiment.kernels.map((kernel, i) => kernelResult(kernel, input, parts[i]!.summary)) }
      : {}),
    variants: parts.flatMap(({ variants }) => variants),
    thresholds: [...parts.flatMap(({ thresholds }) => thresholds), ...unheldThresholds(experiment)],
    warnings: [...leftOutInWords(experiment), ...joinWarnings(parts)],
    summary: joinSummaries(parts, experiment),
  };
}

/** What the results say of one kernel; of all where the kernel is no factor. No run of another kernel is seen here. */
function partOn(input: ResultsInput, kernel: string | undefined): KernelPart {
  const experiment = experimentOn(input.experiment, kernel);
  const runs = input.runs.filter((run) => run.kernel === kernel);
  const ran = { ...experiment, arms: experiment.arms.filter(({ absent }) => !absent) };
  const deterministic = (name: string) => input.deterministic(armId({ name, kernel }));
  const compared: ComparisonInput = {
    experiment: ran,
    runs,
    deterministic,
    ...(input.timesToTell ? { timesToTell: (name) => input.timesToTell!(armId({ name, kernel })) } : {}),
    engineOf: () => environmentOf(input, kernel).engine,
  };
  const verdicts = compareArms(compared);
  const observed = input.observed?.filter((run) => run.kernel === kernel) ?? [];
  const judged = { experiment: ran, runs, verdicts, deterministic, observed };
  const variants = [...experiment.arms]
    .sort((a, b) => Number(b.baseline) - Number(a.baseline))
    .map((arm): Variant => {
      const described = describe(arm, input.predictions, input.real?.(armId(arm)));
      const own = runs.filter((run) => run.variant === arm.name).sort((a, b) => a.order - b.order);
      const counted = observed.find((run) => run.variant === arm.name);
      return {
        ...described,
        deterministic: deterministic(arm.name),
        agreement: agreementOf({
          ...described,
          runs: own,
          deterministic: deterministic(arm.name),
          bounds: input.bounds?.(armId(arm)) ?? null,
        }),
        runs: own,
        ...(counted ? { observed: counted } : {}),
        verdict: verdicts.get(arm.name) ?? null,
      };
    });
  return {
    kernel,
    spared: ran.arms.length * ran.repeat - runsNeeded(compared),
    variants,
    thresholds: evaluateThresholds(ran, runs, deterministic).map((result) =>
      kernel === undefined ? result : { ...result, kernel },
    ),
    warnings: [...experimentWarnings(judged), ...disagreementWarnings(variants)],
    summary: [
      alreadyHeldSentence(variants, experiment.requiredRate),
      // What was asked for goes before what the lab, with its own load, has shown.
      requiredSentence(variants, experiment.requiredRate),
      summarise(judged),
      sustainedSentence(variants, experiment.requiredRate),
    ]
      .filter(Boolean)
      .join(' '),
  };
}

function kernelResult({ name, guest }: KernelFactor, input: ResultsInput, summary: string): KernelResult {
  return { name, guest, environment: environmentOf(input, name), summary };
}

function environmentOf(
  { experiment, environment, environments }: ResultsInput,
  kernel: string | undefined,
): Environment {
  return environments?.[kernelsOf(experiment).indexOf(kernel)] ?? environment;
}

function describe(
  arm: Arm,
  predictions: ReadonlyMap<string, Prediction>,
  real: RealCapacity | undefined,
): Omit<Variant, 'runs' | 'verdict'> {
  const prediction = predictions.get(armId(arm));
  if (!prediction) throw new Error(`there is no prediction for ${arm.name}`);
  return {
    name: arm.name,
    description: arm.description,
    baseline: arm.baseline,
    changes: arm.changes,
    sysctls: arm.sysctls,
    strategy: arm.load.strategy,
    load: arm.load,
    ...(arm.scenarios ? { scenarios: arm.scenarios } : {}),
    ...(arm.proxy ? { proxy: arm.proxy } : {}),
    addresses: { count: arm.addresses.length, first: arm.addresses[0] ?? '', last: arm.addresses.at(-1) ?? '' },
    destinations: destinationCount(arm.destinations),
    prediction,
    ...(real ? { real } : {}),
    ...(arm.kernel === undefined ? {} : { kernel: arm.kernel }),
    ...(arm.missing ? { missing: arm.missing } : {}),
    ...(arm.absent ? { absent: true } : {}),
  };
}
