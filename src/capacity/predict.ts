/**
 * What the kernel's rules for choosing a local port let a strategy do: how many connections at once, and how many a second
 * for ever. Arithmetic, and where there is no closed form a simulation of the search. Pure.
 */
import type { Arm } from '../plan/plan.js';
import type { Prediction } from '../results/schema.js';
import type { KernelVersion } from './kernel-version.js';
import { knownOf } from './known.js';
import { limitOf } from './limit.js';
import { inputOf, type PredictInput } from './predict-input.js';
import { simulateArm } from './simulator/load.js';
import { slowWall } from './slow-wall.js';

export type { PredictInput } from './predict-input.js';

/**
 * Predict a strategy's ceilings in a network namespace, by arithmetic alone.
 * @returns `concurrent`: tuples at once, null where there is no closed form; `sustained`: connections per second that can go
 *   on for ever when each is held `holdMs` and closed as told, null where ports do not limit it or there is no closed form
 */
export function predict(input: PredictInput): Prediction {
  const { top, after, rate } = limitOf(input);
  return {
    concurrent: top.concurrent,
    sustained: rate?.value ?? null,
    fails: top.fails,
    formula: rate === null ? top.formula : `${top.formula}; ${rate.text}`,
    rule: top.fails.startsWith('setsockopt') ? `${top.rule}.` : `${top.rule}; ${after.why}.`,
    source: top.source,
    slowWall: slowWall(input, top),
    known: knownOf(input, top),
  };
}

/**
 * The prediction for an arm of an experiment, in a namespace where nothing else holds ports. Where there is no closed form its
 * attempts are simulated.
 * @throws UnitError when `ip_local_port_range` is no range
 */
export function predictArm(arm: Arm, kernel: KernelVersion, defaults: Readonly<Record<string, string>>): Prediction {
  const input = inputOf(arm, kernel, defaults);
  const prediction = predict(input);
  const simulated = prediction.concurrent === null ? simulateArm(arm, input) : null;
  return simulated === null ? prediction : { ...prediction, simulated };
}
