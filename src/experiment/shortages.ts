/**
 * What a machine lacks for an experiment, from its descriptor limit and defaults: what would hide the limit that is to be
 * measured. Pure.
 */
import { endingOf } from '../capacity/predict-input.js';
import { grouped } from '../domain/grouped.js';
import { openAtOnce, scheduledAttempts } from '../plan/arrival.js';
import { armId, experimentOn, kernelsOf } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { armsOfLoads } from '../plan/scenario.js';
import type { Environment, Prediction } from '../results/schema.js';

/** As many as a profile may ask for. */
export const MOST_WORKERS = 64;
/** Left for the process's own descriptors. */
const RESERVE = 200;

/** Sockets that a table of descriptors has room for. @param limit of open files */
export function descriptorsOf(limit: number): number {
  return Math.max(0, limit - RESERVE);
}

/**
 * Those of each kernel of an experiment, as sentences.
 * @param environmentOf by the kernel's name; undefined: nothing is known of it
 * @param predictionOf by the arm's id
 */
export function shortagesByKernel(
  experiment: Experiment,
  environmentOf: (kernel: string | undefined) => Environment | undefined,
  predictionOf: (arm: string) => Prediction,
): string[] {
  return kernelsOf(experiment).flatMap((name) => {
    const part = experimentOn(experiment, name);
    const environment = environmentOf(name);
    const predictions = part.arms.map((arm) => predictionOf(armId(arm)));
    return environment === undefined ? [] : shortages(part, environment, predictions);
  });
}

/** Those of one machine, as sentences. @param predictions one per arm, in their order */
export function shortages(
  experiment: Experiment,
  environment: Environment,
  predictions: readonly Prediction[],
): string[] {
  return experiment.arms.flatMap((arm, i) =>
    arm.absent
      ? []
      : [
          ...armsOfLoads(arm).flatMap((one) => descriptorShortage(one, environment, predictions[i]!)),
          ...timeWaitShortage(arm, environment, predictions[i]!),
        ],
  );
}

function descriptorShortage(arm: Arm, { descriptors }: Environment, prediction: Prediction): string[] {
  const { load } = arm;
  const open = Math.min(
    openAtOnce(load),
    load.arrival.shape === 'hold' ? Infinity : (prediction.concurrent ?? Infinity),
  );
  // A proxy has a descriptor on each side of a connection. Load workers have a table of their own each (load/worker.ts).
  const wanted = open * (arm.proxy ? 2 : 1);
  const tables = arm.proxy ? 1 : load.workers;
  const limit = Math.min(descriptors, ownLimit(arm) ?? descriptors);
  if (wanted <= descriptorsOf(limit) * tables) return [];
  const many = Number.isFinite(wanted)
    ? `${grouped(Math.round(wanted))} sockets`
    : 'as many sockets as there are ports';
  const who = arm.proxy ? 'a process' : 'a worker';
  const workers = Math.ceil(wanted / descriptorsOf(limit));
  const remedies = [
    'Raise the limit (ulimit -n)',
    ...(arm.proxy || workers > MOST_WORKERS ? [] : [`set load.workers to ${workers}`]),
    'or use fewer addresses or a smaller range',
  ];
  return [
    `${armId(arm)} needs ${many} open at once${arm.proxy ? ' in the proxy' : ''}, but ${who} may have only ${grouped(limit)} descriptors here; attempts beyond that are shed, and the run cannot be compared. ${remedies.join(', ')}`,
  ];
}

/** Over tcp_max_tw_buckets a socket is closed without TIME_WAIT, which hides the exhaustion (net/ipv4/tcp_minisocks.c). */
function timeWaitShortage(arm: Arm, { defaults }: Environment, prediction: Prediction): string[] {
  const name = 'net.ipv4.tcp_max_tw_buckets';
  // An arm that sets it has its reason; what it does then is in the run's warnings (TCPTimeWaitOverflow).
  if (arm.sysctls[name] !== undefined) return [];
  const buckets = Number(defaults[name] ?? Number.POSITIVE_INFINITY);
  const ending = armsOfLoads(arm).filter((one) => endingOf(one) === 'client');
  const attempts = ending.map(({ load }) => scheduledAttempts(load.arrival) ?? Number.POSITIVE_INFINITY);
  const most = Math.min(
    attempts.reduce((sum, count) => sum + count, 0),
    prediction.concurrent ?? 0,
  );
  if (most <= buckets) return [];
  return [
    `${armId(arm)} may leave ${grouped(most)} sockets in TIME_WAIT, more than ${name} (${grouped(buckets)}); the excess skips TIME_WAIT and hides the exhaustion. Raise it in the profile's sysctls`,
  ];
}

/** The descriptors that the profile gives the proxy. */
function ownLimit({ proxy }: Arm): number | null {
  return proxy && 'descriptors' in proxy ? proxy.descriptors : null;
}
