/**
 * Which local address and which destination an attempt uses. Pure.
 */

import { randomStream } from '../domain/random.js';
import type { LoadPlan } from '../plan/plan.js';

export interface Picker {
  /** Choose for the n-th attempt (0-based) of the whole load; read the answer from the two fields. */
  pick(n: number): void;
  address: number;
  destination: number;
  /**
   * How often this (address, destination) pair was picked before, in a numbering that no two workers share: the program's own
   * port list (`bind-explicit-port`) is walked by it.
   */
  visit: number;
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
    case 'random': {
      const random = randomStream(seed, `pick/${worker}`);
      // Every worker meets every pair, so each takes the visits that are its own number modulo the workers.
      const next = new Uint32Array(addresses * destinations).fill(worker);
      return {
        address: 0,
        destination: 0,
        visit: 0,
        pick() {
          this.address = Math.floor(random() * addresses);
          this.destination = Math.floor(random() * destinations);
          const pair = this.address * destinations + this.destination;
          this.visit = next[pair]!;
          next[pair]! += workers;
        },
      };
    }
    case 'round-robin':
    case 'by-worker': {
      const sharers = pick === 'by-worker' ? workers : 1;
      const own = Array.from({ length: addresses }, (_, i) => i).filter((i) => i % sharers === worker % sharers);
      return {
        address: 0,
        destination: 0,
        visit: 0,
        pick(n) {
          const k = Math.floor(n / sharers);
          const i = k % own.length;
          const round = Math.floor(k / own.length);
          this.address = own[i]!;
          this.destination = (i + round) % destinations;
          this.visit = Math.floor(round / destinations);
        },
      };
    }
  }
}
