/**
 * The size of an experiment: how many pairs, and how many load workers. What nobody has said is chosen so that the runs can decide; what
 * was said is held against what a verdict takes, before the first run. Pure.
 */
import { guardrailsOf } from '../analysis/compare-on.js';
import { listed } from '../analysis/format.js';
import { looksFor } from '../analysis/looks.js';
import { type Needed, pairsNeeded } from '../analysis/pairs-needed.js';
import type { ArmPrediction } from '../capacity/arm-prediction.js';
import { parseKernelVersion } from '../capacity/kernel-version.js';
import { predictArm } from '../capacity/predict.js';
import { grouped } from '../domain/grouped.js';
import { parseMetric } from '../domain/metric.js';
import { isPaced } from '../load/pacer.js';
import { highestRate, openAtOnce, scheduledAttempts } from '../plan/arrival.js';
import { experimentOn, kernelsOf } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import type { Unsaid } from '../profile/resolve.js';
import type { Environment } from '../results/schema.js';
import { descriptorsOf, MOST_WORKERS } from './shortages.js';
import { armsInVain } from './time-notes.js';

/** By the kernel's name; undefined: nothing is known of it, and the arithmetic is for Linux 6.18. */
export type EnvironmentOf = (
  kernel: string | undefined,
) => Pick<Environment, 'kernel' | 'hz' | 'defaults' | 'cpus' | 'descriptors'> | undefined;

/** Of a fixed number, one more than the least: with the least, every pair has to move the same way, and none may be lost. */
const SPARE_PAIRS = 1;
/**
 * The most pairs where something varies from run to run, and arms are stopped when they are decided: by nine, a difference of four times the
 * spread of a run is found in all but a few of 100 experiments, and one of twice in two of three, among seven variants (docs/statistics.md).
 */
const MOST_PAIRS = 9;

/** Attempts a second that a worker makes with half of a CPU to spare (bench/README.md: 42,000 and 9,000 at its limit). */
const PER_WORKER = { socket: 20_000, http: 4_000 } as const;

/**
 * The experiment with what was left to the tool, and in `chosen` a sentence for each choice that is not the usual one.
 * @param how `looks`: arms are stopped when they are decided, and `repeat` is the most pairs; `fixed`: all pairs are made
 */
export function chooseDesign(
  experiment: Experiment,
  unsaid: Unsaid,
  environmentOf: EnvironmentOf,
  how: 'looks' | 'fixed' = 'looks',
): Experiment {
  if (experiment.search) return experiment;
  const workers = unsaid.includes('workers') ? chooseWorkers(experiment, environmentOf) : null;
  const sized = workers === null ? experiment : withWorkers(experiment, workers.workers);
  const found = unsaid.includes('repeat') ? chooseRepeat(sized, environmentOf, how) : null;
  const chosen = [...(found ? [found.why] : []), ...(workers ? [workers.why] : [])];
  const repeat = found?.repeat ?? sized.repeat;
  const looks = how === 'looks' && repeat >= 2 ? { looks: looksFor(repeat) } : {};
  return { ...sized, repeat, ...looks, ...(chosen.length > 0 ? { chosen } : {}) };
}

function withWorkers(experiment: Experiment, workers: number): Experiment {
  return { ...experiment, arms: experiment.arms.map((arm) => ({ ...arm, load: { ...arm.load, workers } })) };
}

function chooseRepeat(experiment: Experiment, environmentOf: EnvironmentOf, how: 'looks' | 'fixed') {
  const { goal } = experiment;
  const needs = partsOf(experiment, environmentOf).flatMap(({ exact }) =>
    pairsNeeded([goal, ...guardrailsOf(experiment)], exact, how === 'looks' ? MOST_PAIRS : null),
  );
  const most = needs.reduce<Needed | null>((a, b) => (a === null || b.pairs > a.pairs ? b : a), null);
  if (most === null) return null;
  const { metric, noisy, pairs } = most;
  if (noisy === 0)
    return {
      repeat: pairs,
      why: `repeat is ${pairs}, chosen here: the kernel's rules alone decide every count that is compared`,
    };
  return how === 'looks'
    ? {
        repeat: MOST_PAIRS,
        why: `repeat is ${MOST_PAIRS} at most, chosen here: ${variants(noisy)} by ${metric}, and each is looked at after ${listed(looksFor(MOST_PAIRS).map(String))} pairs and stopped where it is decided`,
      }
    : {
        repeat: pairs + SPARE_PAIRS,
        why: `repeat is ${pairs + SPARE_PAIRS}, chosen here: ${variants(noisy)} by ${metric}, which takes ${pairs} pairs, and one to spare`,
      };
}

function variants(noisy: number): string {
  return noisy === 1 ? 'one variant varies from run to run' : `${noisy} variants vary from run to run`;
}

/** For the fastest arm and the one with the most sockets, the same in every arm; null: one is enough, or the picks depend on it. */
function chooseWorkers(experiment: Experiment, environmentOf: EnvironmentOf) {
  const needs = partsOf(experiment, environmentOf).flatMap(({ arms, environment }) =>
    environment === undefined ? [] : arms.map(({ arm, predicted }) => workersFor(arm, predicted, environment)),
  );
  const most = needs.reduce<(typeof needs)[number]>((a, b) => (b.workers > a.workers ? b : a), { workers: 1, why: '' });
  return most.workers === 1 || experiment.arms.some(({ load }) => load.pick === 'by-worker') ? null : most;
}

type Machine = NonNullable<ReturnType<EnvironmentOf>>;

function workersFor(
  arm: Arm,
  predicted: ArmPrediction,
  { cpus, descriptors }: Machine,
): { workers: number; why: string } {
  const { load } = arm;
  const { arrival } = load;
  const rate = isPaced(arrival) ? highestRate(arrival) : 0;
  const byRate = Math.min(Math.ceil(rate / PER_WORKER[load.engine]), cpus);
  const open = Math.min(openAtOnce(load), predicted.prediction.concurrent ?? Number.POSITIVE_INFINITY);
  const each = descriptorsOf(descriptors);
  const bySockets = Number.isFinite(open) && each > 0 ? Math.min(Math.ceil(open / each), MOST_WORKERS) : 1;
  const number = (value: number) => grouped(Math.round(value));
  return bySockets > byRate
    ? {
        workers: bySockets,
        why: `load.workers is ${bySockets}, chosen here: ${number(open)} sockets are open at once, and a worker may have ${number(descriptors)} descriptors`,
      }
    : {
        workers: Math.max(1, byRate),
        why: `load.workers is ${byRate}, chosen here for ${number(rate)} attempts a second`,
      };
}

interface Part {
  readonly environment: ReturnType<EnvironmentOf>;
  readonly arms: readonly { readonly arm: Arm; readonly predicted: ArmPrediction }[];
  /** For each variant: its counts and the baseline's are the same in every run. */
  readonly exact: readonly boolean[];
}

/** What is predicted of the arms that can be run, kernel by kernel. */
function partsOf(experiment: Experiment, environmentOf: EnvironmentOf): Part[] {
  return kernelsOf(experiment).map((kernel) => {
    const environment = environmentOf(kernel);
    const version = parseKernelVersion(environment?.kernel ?? '6.18', environment?.hz);
    const present = experimentOn(experiment, kernel).arms.filter(({ absent }) => !absent);
    const arms = present.map((arm) => ({ arm, predicted: predictArm(arm, version, environment?.defaults ?? {}) }));
    const isExact = ({ predicted }: (typeof arms)[number]) => predicted.determinism(experiment).deterministic;
    const baseline = arms.find(({ arm }) => arm.baseline);
    return {
      environment,
      arms,
      exact: arms
        .filter((each) => each !== baseline)
        .map((each) => isExact(each) && baseline !== undefined && isExact(baseline)),
    };
  });
}

/**
 * What was chosen, and what the pairs that were asked for cannot decide, as sentences.
 * @param which `goal`: nothing of guardrails, nor where a limit is all that is to be measured
 */
export function designNotes(experiment: Experiment, environmentOf: EnvironmentOf, which: 'all' | 'goal'): string[] {
  const useless = whyUseless(experiment, environmentOf);
  const left = which === 'goal' && experiment.thresholds.length > 0 ? [] : undecided(experiment, environmentOf, which);
  return [...(experiment.chosen ?? []), ...(useless === null ? left : [useless])];
}

function undecided(experiment: Experiment, environmentOf: EnvironmentOf, which: 'all' | 'goal'): string[] {
  if (experiment.search) return [];
  const { repeat, goal, looks } = experiment;
  const metrics = which === 'goal' ? [goal] : [goal, ...guardrailsOf(experiment)];
  const needs = partsOf(experiment, environmentOf).flatMap(({ exact }) =>
    pairsNeeded(metrics, exact, looks ? repeat : null).filter(({ pairs }) => repeat < pairs),
  );
  if (needs.length === 0) return [];
  const most = Math.max(...needs.map(({ pairs }) => pairs));
  const short = [...new Set(needs.map(({ metric }) => metric))];
  return [
    `repeat is ${repeat}: by ${listed(short)} it takes ${most} pairs before any variant that varies from run to run can be called better or worse; leave repeat out, or set it to ${most} or more`,
  ];
}

/** Why whatever the runs say would decide nothing, or nothing that is not known; null: they can. */
export function whyUseless(experiment: Experiment, environmentOf: EnvironmentOf): string | null {
  // A limit is measured by one run, and a search is no comparison.
  if (experiment.search || experiment.thresholds.length > 0) return null;
  const parts = partsOf(experiment, environmentOf);
  return tooFew(experiment, parts) ?? allTooShort(experiment, environmentOf) ?? nothingFails(experiment, parts);
}

function tooFew({ repeat, goal, looks }: Experiment, parts: readonly Part[]): string | null {
  const needs = parts.map(({ exact }) => pairsNeeded([goal], exact, looks ? repeat : null)[0]);
  const decidable = parts.some(({ exact }, i) =>
    exact.includes(true) ? repeat >= 2 : repeat >= (needs[i]?.pairs ?? 0),
  );
  if (decidable) return null;
  const least = Math.min(...needs.map((need) => need?.pairs ?? Number.POSITIVE_INFINITY));
  return `repeat is ${repeat}, and it takes ${least} pairs before any variant can be called better or worse by ${goal}: the runs could decide nothing. Leave repeat out to have it chosen, or set it to ${least} or more`;
}

function allTooShort(experiment: Experiment, environmentOf: EnvironmentOf): string | null {
  const vain = armsInVain(experiment, environmentOf);
  const present = experiment.arms.filter(({ baseline, absent }) => !baseline && !absent);
  return present.length > 0 && vain.length === present.length
    ? 'every variant changes a time that is longer than the runs, so none can show an effect. Make the load longer, or use a fill with a second wave after that time'
    : null;
}

/** By the kernel's rules every attempt of every arm succeeds, in each run alike. */
function nothingFails({ goal, neighbours }: Experiment, parts: readonly Part[]): string | null {
  const { failures, neighbour } = parseMetric(goal);
  if (failures === null || neighbour !== null || neighbours !== undefined) return null;
  const succeeds = ({ arm, predicted: { prediction } }: Part['arms'][number]) =>
    prediction.concurrent !== null &&
    prediction.concurrent >= (scheduledAttempts(arm.load.arrival) ?? Number.POSITIVE_INFINITY);
  const all = parts.every(({ arms, exact }) => arms.every(succeeds) && exact.every(Boolean));
  return all
    ? `by the kernel's rules every attempt of every arm succeeds, so no variant could improve ${goal}. Raise the load, or narrow the ports, until the baseline fails`
    : null;
}
