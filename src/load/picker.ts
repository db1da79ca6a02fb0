/**
 * Which local address and which destination an attempt uses. Pure.
 */
import type { LoadPlan } from '../profile/plan.js';
import { randomStream } from '../profile/random.js';

export interface Picker {
  /** Choose for the n-th attempt (0-based) of the whole load; read the answer from the two fields. */
  pick(n: number): void;
  address: number;
  destination: number;
}

/**
 * @param addresses S, the number of local addresses
 * @param destinations D
 *
 * `round-robin`: every block of S attempts uses each address once and shifts the destinations by one, so that after S·D
 * attempts each (address, destination) pair had exactly one, also where S and D have a common factor. `random`: each attempt
 * draws both. `by-worker`: round-robin over the worker's own share of the addresses.
 */
export function createPicker(
  pick: LoadPlan['pick'],
  addresses: number,
  destinations: number,
  worker: number,
  workers: number,
  seed: number,
): Picker {
  switch (pick) {
    case 'round-robin':
      return {
        address: 0,
        destination: 0,
        pick(n) {
          this.address = n % addresses;
          this.destination = (this.address + Math.floor(n / addresses)) % destinations;
        },
      };
    case 'random': {
      const random = randomStream(seed, `pick/${worker}`);
      return {
        address: 0,
        destination: 0,
        pick() {
          this.address = Math.floor(random() * addresses);
          this.destination = Math.floor(random() * destinations);
        },
      };
    }
    case 'by-worker': {
      const own = Array.from({ length: addresses }, (_, i) => i).filter((i) => i % workers === worker);
      return {
        address: 0,
        destination: 0,
        pick(n) {
          const k = Math.floor(n / workers);
          const i = k % own.length;
          this.address = own[i]!;
          this.destination = (i + Math.floor(k / own.length)) % destinations;
        },
      };
    }
  }
}
