/** The model's input for a case of the oracle of UDP. */
import type { KernelVersion } from '../../src/capacity/kernel-version.js';
import type { PredictInput } from '../../src/capacity/predict.js';
import { optionsOf } from '../../src/domain/strategy.js';
import { type DatagramCase, OWN_RANGE, RANGE } from '../support/datagram-oracle.js';
import { input, KERNEL } from './inputs.js';

/** What the model is asked about a case. */
export function datagramInput(one: DatagramCase, kernel: KernelVersion = KERNEL): PredictInput {
  return {
    ...input({
      strategy: one.strategy,
      range: RANGE,
      programPorts: OWN_RANGE,
      datagram: { options: optionsOf(one.strategy, one.options), peer: one.peer, sockets: 'each' },
      addresses: one.addresses,
      destinations: one.destinations,
      family: one.family,
    }),
    kernel,
  };
}
