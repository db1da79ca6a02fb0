/**
 * What is predicted of an arm.
 */
import type { Experiment } from '../plan/plan.js';
import type { Prediction } from '../results/schema.js';
import type { Bounds } from './bounds.js';
import type { Determinism } from './deterministic.js';
import type { Occupancy } from './rate-step.js';
import type { Needed } from './sizing.js';
import type { Walls } from './time-until.js';

/** What the arithmetic says of an arm. Each part is made when it is read. */
export interface ArmPrediction {
  /** Its ceilings; where there is no closed form, with what a simulation of its attempts came to. */
  readonly prediction: Prediction;
  /** The same without the simulation. */
  readonly capacity: Prediction;
  /** Ports in use on one address from which each search is slow (null: none is), and all that there are. */
  readonly perAddress: { readonly slow: number | null; readonly hard: number };
  /** Ports of one address that may be taken when the load begins without any effect; 0: any could matter. */
  readonly spare: number;
  /** Seconds of CPU that the searches for a port of one run take, past the slow wall. */
  readonly searchSeconds: number;
  /** When the load comes to its walls. */
  readonly walls: Walls;
  /** How long each connection keeps its tuple. */
  readonly occupancy: Occupancy;
  /** What can be said of the counts of a run where time decides them; null: nothing. */
  readonly bounds: Bounds | null;
  /** Why a fill that ends at failures never has one; undefined: it may, or is no such fill. */
  readonly neverFails: string | undefined;
  /** Whether every run in the lab of this experiment ends in the same counts. */
  determinism(experiment: Pick<Experiment, 'lab' | 'neighbours'>): Determinism;
  /** How many addresses the arm needs to sustain `rate` connections a second; for random picks at most 1 in 10,000 is refused. */
  addressesFor(rate: number, wall: 'hard' | 'slow'): Needed;
}
