/**
 * What the kernel's rules for choosing a local port allow a strategy: how many connections at once, and how many a second,
 * sustained. Arithmetic, and where there is no closed form a simulation of the search. Pure.
 *
 * The one door for everything that is asked about an arm: {@link predictArm}. A set-up without a profile: `question.ts`.
 */
import { withoutNoPort } from '../domain/strategy.js';
import type { Arm, Neighbour } from '../plan/plan.js';
import { armsOfLoads, withStrategy } from '../plan/scenario.js';
import type { Prediction } from '../results/schema.js';
import { proxySubjectOf } from '../subjects/index.js';
import type { ArmPrediction } from './arm-prediction.js';
import { hasOption } from './bind-era.js';
import { boundsOf } from './bounds.js';
import { isDeterministic } from './deterministic.js';
import { evidenceFor } from './evidence.js';
import { heldByNeighbours } from './held-by-neighbours.js';
import type { KernelVersion } from './kernel-version.js';
import { limitOf } from './limit.js';
import { addUp, mixtureOf, notModelled, unlikeSums, withoutRates } from './mixture.js';
import { behindNat } from './nat/predict.js';
import { neverFails } from './never-fails.js';
import { inputOf, type PredictInput } from './predict-input.js';
import { occupancyOf } from './rate-step.js';
import { searchSeconds } from './search-cost.js';
import { usablePorts } from './search-order.js';
import { simulateArm } from './simulator/load.js';
import { addressesFor, type Spread, sustainedRates } from './sizing.js';
import { slowWall } from './slow-wall.js';
import { sparePorts } from './spare-ports.js';
import { wallsOf } from './time-until.js';

export type { PredictInput } from './predict-input.js';

/**
 * Predict a strategy's ceilings in a network namespace, by arithmetic alone.
 * @returns `concurrent`: tuples at once, null where there is no closed form; `sustained`: connections per second that last when
 *   each is held `holdMs` and closed as told, null where ports do not limit it or there is no closed form
 */
export function predict(input: PredictInput): Prediction {
  const { top, after, rate } = limitOf(input);
  const hold = input.holdMs / 1000;
  const known = (top.concurrent !== null || top.unbounded === true) && after.latest !== null;
  return {
    concurrent: top.concurrent,
    ...(top.unbounded ? { unbounded: true } : {}),
    sustained: rate?.value ?? null,
    limited: rate !== null ? 'by ports' : known ? 'not by ports' : 'not modelled',
    again: after.seconds === null || after.latest === null ? null : hold + after.latest,
    fails: top.fails,
    formula: rate === null ? top.formula : `${top.formula}; ${rate.text}`,
    rule: top.fails.startsWith('setsockopt') ? `${top.rule}.` : `${top.rule}; ${after.why}.`,
    source: top.source,
    slowWall: slowWall(input, top),
    known: evidenceFor(input, top),
  };
}

function perAddress(input: PredictInput): ArmPrediction['perAddress'] {
  return { slow: predict(input).slowWall?.walked ?? null, hard: usablePorts(input) };
}

/**
 * All that is predicted for an arm of an experiment, in a namespace where nothing else than its neighbours holds ports.
 * @param defaults sysctls as read in a fresh lab, name → value; the arm's own come on top
 * @throws UnitError when `ip_local_port_range` is no range
 * @example predictArm(arm, parseKernelVersion('6.18'), environment.defaults).prediction.concurrent
 */
export function predictArm(
  arm: Arm,
  kernel: KernelVersion,
  defaults: Readonly<Record<string, string>>,
  neighbours: readonly Neighbour[] = [],
): ArmPrediction {
  const there = onKernel(arm, kernel);
  const own = predictAlone(there, kernel, defaults, neighbours);
  return there.router ? behindNat(there, there.router, own, kernel, defaults) : own;
}

/** Without the option a proxy falls back to a plain bind(). The load's own strategy fails instead: it is there to test the option. */
function onKernel(arm: Arm, kernel: KernelVersion): Arm {
  return arm.proxy && hasOption(kernel, 'IP_BIND_ADDRESS_NO_PORT') === 'no' ? withStrategy(arm, withoutNoPort) : arm;
}

/** The same of the role under test alone, whatever router it is behind. */
function predictAlone(
  arm: Arm,
  kernel: KernelVersion,
  defaults: Readonly<Record<string, string>>,
  neighbours: readonly Neighbour[],
): ArmPrediction {
  const alone = inputOf(arm, kernel, defaults);
  const input = { ...alone, ...heldByNeighbours(neighbours, arm, kernel, defaults) };
  if (arm.scenarios) return predictLoads(arm, (one) => predictAlone(one, kernel, defaults, neighbours), input);
  const draws = arm.proxy !== undefined && proxySubjectOf(arm.proxy.kind).draws?.(arm.proxy) === true;
  const spread: Spread = { pick: draws || arm.load.pick === 'random' ? 'random' : 'round-robin', loss: LOSS };
  const capacity = () => spreadOut(predict(input), input, spread);
  return {
    get capacity() {
      return capacity();
    },
    get prediction() {
      const prediction = capacity();
      const simulated = prediction.concurrent === null ? simulateArm(arm, input) : null;
      return simulated === null ? prediction : { ...prediction, simulated };
    },
    get perAddress() {
      return perAddress(input);
    },
    get spare() {
      return sparePorts(arm, perAddress(input), input);
    },
    get searchSeconds() {
      return searchSeconds(arm, predict(input), usablePorts(input));
    },
    get walls() {
      return wallsOf(arm, input);
    },
    get occupancy() {
      return occupancyOf(input);
    },
    get bounds() {
      // Neighbours that come late leave it what it would have alone.
      const most = boundsOf(arm, alone, spread.pick === 'round-robin');
      const least = boundsOf(arm, input, spread.pick === 'round-robin');
      return most && least && { ...least, concurrent: most.concurrent };
    },
    get neverFails() {
      return neverFails(arm, input);
    },
    determinism: (experiment) => isDeterministic(arm, input, defaults, experiment),
    addressesFor: (rate, wall) => addressesFor(input, rate, wall, spread),
  };
}

/** Of connections that are spread at random: at most 1 in 10,000 is refused. */
const LOSS = 1e-4;

/** The rates of a prediction as its connections are spread: at random, some address is full long before all are. */
function spreadOut(prediction: Prediction, input: PredictInput, spread: Spread): Prediction {
  const { hard, slow } = sustainedRates(input, spread);
  const { slowWall } = prediction;
  if (hard === prediction.sustained) return prediction;
  return {
    ...prediction,
    sustained: hard,
    formula: `${prediction.formula}; at random, with at most 1 in 10,000 refused, ${Math.floor(((hard ?? 0) / (prediction.sustained ?? 1)) * 100)} % of it`,
    ...(slowWall ? { slowWall: { ...slowWall, rate: slow } } : {}),
  };
}

/** The same of an arm with several loads. @param predictOne of one load alone @param input of the first */
function predictLoads(arm: Arm, predictOne: (arm: Arm) => ArmPrediction, input: PredictInput): ArmPrediction {
  const mixture = mixtureOf(arm, limitOf(input).top);
  const arms = mixture.kind === 'unknown' ? armsOfLoads(arm) : mixture.arms;
  const parts = arms.map((part) => ({ arm: part, ...predictOne(part) }));
  const first = parts[0]!;
  const unlike = mixture.kind === 'apart' ? unlikeSums(parts) : mixture.kind === 'unknown' ? mixture.why : null;
  const isOne = mixture.kind === 'one' && mixture.sustained;
  const together = (of: 'prediction' | 'capacity') => {
    switch (mixture.kind) {
      case 'unknown':
        return notModelled(first[of], mixture.why);
      case 'apart':
        return addUp(parts.map((part) => part[of]));
      case 'one':
        return isOne ? first[of] : withoutRates(first[of]);
    }
  };
  return {
    ...first,
    prediction: together('prediction'),
    capacity: together('capacity'),
    bounds: isOne ? first.bounds : null,
    walls: isOne ? first.walls : { slow: null, hard: null },
    determinism(experiment) {
      if (unlike !== null) return { deterministic: false, why: `${unlike}.` };
      const all = parts.map((part) => part.determinism(experiment));
      return all.find(({ deterministic }) => !deterministic) ?? all[0]!;
    },
    addressesFor: (rate, wall) =>
      isOne ? first.addressesFor(rate, wall) : { kind: 'unknown', why: 'the loads have rates of their own' },
  };
}
