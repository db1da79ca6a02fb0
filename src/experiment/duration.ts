/**
 * How long runs take: what `plan` says beforehand, and after which time a run is given up. Pure.
 *
 * `slower` is how many times as long as on a quiet machine the CPU's part takes (busy.ts); what the clock decides takes as long as ever.
 */

import type { ArmPrediction } from '../capacity/arm-prediction.js';
import { parseKernelVersion } from '../capacity/kernel-version.js';
import { predictArm } from '../capacity/predict.js';
import { TIME_WAIT_LATEST_SECONDS } from '../capacity/time-wait.js';
import type { Runner } from '../domain/guest.js';
import { LABS, labOverheadMs } from '../domain/lab.js';
import { strategyOf } from '../domain/strategy.js';
import { setsMachine } from '../lab/vm/machine-wide.js';
import { arrivalDurationMs, LONGEST_OWN_MS, scheduledAttempts } from '../plan/arrival.js';
import { fillBoundMs } from '../plan/fill-bound.js';
import { armId, guestOf } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { armsOfLoads, loadsOf } from '../plan/scenario.js';
import type { Environment } from '../results/schema.js';
import { proxySubjectOf } from '../subjects/index.js';
import { observedAtOnce, planObservations } from './order.js';

/** Attempts per second that `fill` is expected to reach at least, before the slow wall. */
const FILL_RATE = 10_000;
/** The same through a proxy, which then is what is waited for. */
const PROXY_FILL_RATE = 1_000;
/** What a program that ends by itself is expected to take. */
const OWN_MS = 1_000;
/** Starting a proxy and its role. */
const PROXY_OVERHEAD_MS = 400;

/** What it takes to observe a proxy: attaching to the kernel, or the slowness of its calls. */
const OBSERVATION_MS = 2_000;

/** Expected milliseconds of load in one run, the searches past the slow wall included where the machine is known. */
export function expectedLoadMs(arm: Arm, known?: KnownMachine, slower = 1): number {
  return Math.max(...armsOfLoads(arm).map((one) => expectedOfOne(one, known, slower)));
}

function expectedOfOne(arm: Arm, known: KnownMachine, slower: number): number {
  const plain = plainLoadMs(arm, slower);
  const slow = searchMs(arm, known) * slower;
  const { arrival } = arm.load;
  if (arrival.shape !== 'fill') return Math.max(plain, slow);
  const bound = fillBoundMs(arrival);
  return Math.min(plain + slow, bound === null ? Number.POSITIVE_INFINITY : Math.max(plain, arrival.waves * bound));
}

/** A proxy searches on one CPU, load workers on as many as there are. */
function searchMs(arm: Arm, known: KnownMachine): number {
  if (known === undefined) return 0;
  const at = arm.proxy ? 1 : Math.min(arm.load.workers, known.cpus);
  return (predictedOn(arm, known).searchSeconds / at) * 1000;
}

function plainLoadMs(arm: Arm, slower: number): number {
  const { arrival } = arm.load;
  if (arrival.shape === 'own' && arrival.attempts !== null) return OWN_MS * slower;
  const paced = arrivalDurationMs(arrival);
  if (paced !== null) return paced;
  if (arrival.shape === 'own') return OWN_MS * slower;
  if (arrival.shape !== 'fill') return 0;
  const attempts = scheduledAttempts(arrival) ?? 30_000;
  const wave = (attempts / arrival.waves / (arm.proxy ? PROXY_FILL_RATE : FILL_RATE)) * 1000 * slower;
  return arrival.waves * Math.min(wave, fillBoundMs(arrival) ?? wave) + (arrival.waves - 1) * arrival.pauseMs;
}

/** Expected milliseconds of an experiment, labs included. @param blocks that are made of it, warm-ups included; absent: all */
export function expectedExperimentMs(
  experiment: Experiment,
  environmentOf: (kernel: string | undefined) => KnownMachine,
  slower = 1,
  blocks = experiment.warmup + experiment.repeat,
): number {
  const of = (arm: Arm) => expectedRunMs(experiment, arm, environmentOf(arm.kernel), slower);
  const block = experiment.arms.filter(({ absent }) => !absent).reduce((sum, arm) => sum + of(arm), 0);
  const arms = planObservations(experiment).map((run) => experiment.arms.find((arm) => armId(arm) === armId(run))!);
  const atOnce = observedAtOnce(experiment, environmentOf(arms[0]?.kernel)?.cpus ?? 1);
  const observed =
    arms.reduce((sum, arm) => sum + of(arm) + OBSERVATION_MS, 0) / Math.min(atOnce, Math.max(1, arms.length));
  return (block * blocks) / (experiment.atOnce ?? 1) + observed;
}

/** The CPU's part of a run is foreseen within this factor: a choice, held against recorded durations in docs/internals/predictions.md. */
const WITHIN = 2;

/**
 * Between which milliseconds an experiment is expected to end: where all is decided at the first look and the CPU's part takes half as long,
 * and where no look decides anything and that takes twice as long.
 */
export function expectedSpanMs(
  experiment: Experiment,
  environmentOf: (kernel: string | undefined) => KnownMachine,
  slower: number,
): { readonly least: number; readonly most: number } {
  const { warmup, repeat, looks } = experiment;
  return {
    least: expectedExperimentMs(experiment, environmentOf, slower / WITHIN, warmup + (looks?.[0] ?? repeat)),
    most: expectedExperimentMs(experiment, environmentOf, slower * WITHIN),
  };
}

/** What a run takes on a quiet machine: what the clock decides, and what its CPUs have to do. */
export interface RunCost {
  readonly clockMs: number;
  readonly cpuMs: number;
}

/** The two parts of a run of an arm. */
export function runCost(experiment: Experiment, arm: Arm, known: KnownMachine): RunCost {
  const clockMs = expectedRunMs(experiment, arm, known, 0);
  return { clockMs, cpuMs: expectedRunMs(experiment, arm, known) - clockMs };
}

/** Milliseconds from the beginning of a load to the end of its neighbours, if that is later than its own. */
function withNeighboursMs({ neighbours = [] }: Pick<Experiment, 'neighbours'>, loadMs: number): number {
  const ends = neighbours.map(({ afterMs, load }) => (afterMs ?? loadMs) + (arrivalDurationMs(load.arrival) ?? 0));
  return Math.max(loadMs, ...ends);
}

/** By how much neighbours may make a run longer, at the most. */
export function neighboursMs({ neighbours = [] }: { readonly neighbours?: Experiment['neighbours'] }): number {
  const lasting = neighbours.map(
    ({ afterMs, load }) => (afterMs ?? 0) + (arrivalDurationMs(load.arrival) ?? 0) + load.timeoutMs,
  );
  return Math.max(0, ...lasting);
}

/** Expected milliseconds of one run of an arm, its lab included. */
function expectedRunMs(experiment: Experiment, arm: Arm, known: KnownMachine, slower = 1): number {
  const boots = setsMachine(arm, known && parseKernelVersion(known.kernel, known.hz));
  const overhead = labOverheadMs(experiment.lab, guestOf(experiment, arm.kernel)?.engine, boots);
  return (
    withNeighboursMs(experiment, expectedLoadMs(arm, known, slower)) +
    (arm.load.recovery?.withinMs ?? 0) +
    drainMs(experiment, arm, known) +
    (overhead + proxyOverheadMs(arm)) * slower
  );
}

function proxyOverheadMs({ proxy }: Arm): number {
  if (proxy === undefined) return 0;
  return proxySubjectOf(proxy.kind).network?.usualStartMs ?? PROXY_OVERHEAD_MS;
}

/** What is known of the machine where runs are made; undefined: nothing. */
export type KnownMachine = Pick<Environment, 'kernel' | 'hz' | 'defaults' | 'cpus'> | undefined;

function predictedOn(arm: Arm, known: NonNullable<KnownMachine>): ArmPrediction {
  return predictArm(arm, parseKernelVersion(known.kernel, known.hz), known.defaults);
}

/** On the host a run waits, so long at the most, until the ports of the run before are out of TIME_WAIT (agent/free-ports.ts). */
export function longestDrainMs(lab: Experiment['lab'], arm: Arm): number {
  const closes = loadsOf(arm).some(({ load }) => load.close === 'client');
  return !LABS[lab].ownNamespace && closes ? TIME_WAIT_LATEST_SECONDS * 1000 : 0;
}

/** The same where what other runs may have left within a minute could matter to this one; 0 where it could not. */
export function drainMs(experiment: Pick<Experiment, 'lab' | 'arms'>, arm: Arm, known: KnownMachine): number {
  const most = longestDrainMs(experiment.lab, arm);
  if (most === 0 || known === undefined) return most;
  const left = experiment.arms.map((other) => {
    const { prediction } = predictedOn(other, known);
    const taken = Math.min(scheduledAttempts(other.load.arrival) ?? Infinity, prediction.concurrent ?? Infinity);
    const sources = strategyOf(other.load.strategy).address === 'chosen' ? other.addresses.length : 1;
    const runs = Math.ceil(most / (expectedLoadMs(other) + labOverheadMs(experiment.lab, undefined)));
    return Math.ceil(taken / sources) * runs;
  });
  return Math.max(...left) > predictedOn(arm, known).spare ? most : 0;
}

/** A busy machine may take so many times as long for what its CPU has to do. */
const BUSY = 5;

/**
 * Milliseconds after which a run is stuck rather than slow. Generous: past the slow wall a fill makes a few hundred attempts
 * per second, and on an emulated CPU of a busy machine some tens.
 * @param runner what runs the guest, if there is one
 */
export function runDeadlineMs(arm: Arm, runner?: Runner, known?: KnownMachine): number {
  return Math.max(...armsOfLoads(arm).map((one) => deadlineMs(one, runner) + BUSY * searchMs(one, known)));
}

function deadlineMs(arm: Arm, runner: Runner | undefined): number {
  const { arrival } = arm.load;
  const network = arm.proxy ? (proxySubjectOf(arm.proxy.kind).network?.longestStartMs(arm.proxy) ?? 0) : 0;
  // The last attempt of a recovery may take its time-out.
  const after = arm.load.recovery ? arm.load.recovery.withinMs * 1.5 + arm.load.timeoutMs : 0;
  const waiting = 2 * arm.load.timeoutMs + 60_000 + network + after;
  if (arrival.shape === 'own') return (arrival.durationMs ?? LONGEST_OWN_MS) * 1.5 + waiting;
  if (arrival.shape !== 'fill') return expectedLoadMs(arm) * 1.5 + waiting;
  const attempts = scheduledAttempts(arrival) ?? Number.POSITIVE_INFINITY;
  const bound = fillBoundMs(arrival);
  const within = bound === null ? Number.POSITIVE_INFINITY : arrival.waves * bound * 1.5;
  return (
    Math.min(within, (attempts / (runner === 'qemu-tcg' ? 20 : 100)) * 1000) +
    arrival.waves * (arrival.pauseMs + arm.load.timeoutMs) +
    waiting
  );
}
