/**
 * Where an agent makes its units: in the labs of its machine. An agent that is simulated has another.
 */
import { makeUnit } from './make-unit.js';
import { openStation } from './station.js';

export interface Workshop {
  readonly openStation: typeof openStation;
  readonly makeUnit: typeof makeUnit;
}

export const HERE: Workshop = { openStation, makeUnit };
