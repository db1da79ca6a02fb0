/**
 * A complete Results object from what the controller has. Pure.
 */

import { destinationCount } from '../profile/arrival.js';
import type { Arm, Experiment } from '../profile/plan.js';
import {
  type Environment,
  type Prediction,
  type Results,
  type Run,
  SCHEMA_VERSION,
  type Variant,
} from '../results/schema.js';
import { type ComparisonInput, compareArms } from './compare.js';
import { summarise } from './summary.js';
import { evaluateThresholds } from './thresholds.js';
import { experimentWarnings } from './warnings.js';

export interface ResultsInput extends ComparisonInput {
  readonly experiment: Experiment;
  /** Of all arms, in any order, warm-ups included. */
  readonly runs: readonly Run[];
  readonly environment: Environment;
  /** Arm → prediction, one for each arm. */
  readonly predictions: ReadonlyMap<string, Prediction>;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Runs of the whole experiment, warm-ups included. */
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
  const { arms, ...described } = experiment;
  const verdicts = compareArms(input);
  const runsDone = runs.filter((run) => run.status !== 'interrupted').length;
  return {
    schemaVersion: SCHEMA_VERSION,
    experiment: {
      ...described,
      startedAt: input.startedAt,
      finishedAt: input.finishedAt,
      status: runsDone < input.runsPlanned ? 'partial' : 'complete',
      runsPlanned: input.runsPlanned,
      runsDone,
      command: input.command,
      profile: input.profileText,
    },
    environment: input.environment,
    variants: [...arms]
      .sort((a, b) => Number(b.baseline) - Number(a.baseline))
      .map((arm) => ({
        ...describe(arm, input.predictions),
        runs: runs.filter((run) => run.variant === arm.name).sort((a, b) => a.order - b.order),
        verdict: verdicts.get(arm.name) ?? null,
      })),
    thresholds: evaluateThresholds(experiment, runs),
    warnings: experimentWarnings({ experiment, runs, verdicts }),
    summary: summarise({ experiment, runs, verdicts }),
  };
}

function describe(arm: Arm, predictions: ReadonlyMap<string, Prediction>): Omit<Variant, 'runs' | 'verdict'> {
  const prediction = predictions.get(arm.name);
  if (!prediction) throw new Error(`there is no prediction for ${arm.name}`);
  return {
    name: arm.name,
    description: arm.description,
    baseline: arm.baseline,
    changes: arm.changes,
    sysctls: arm.sysctls,
    strategy: arm.load.strategy,
    load: arm.load,
    ...(arm.proxy ? { proxy: arm.proxy } : {}),
    addresses: { count: arm.addresses.length, first: arm.addresses[0] ?? '', last: arm.addresses.at(-1) ?? '' },
    destinations: destinationCount(arm.destinations),
    prediction,
  };
}
