/**
 * What the agent tells a neighbour's process, and what comes back. Both are the same build of this package, one pipe apart.
 */
import type { PoolInput } from '../../load/pool.js';
import type { NeighbourRun } from '../../results/figures.js';

export type NeighbourCommand =
  | {
      readonly type: 'prepare';
      /** The file of the network namespace to be in; null: the agent's. */
      readonly namespace: string | null;
      readonly input: Omit<PoolInput, 'descriptorLimit' | 'descriptorReserve'>;
    }
  /** Begin so many microseconds from now. */
  | { readonly type: 'start'; readonly leadMicros: number }
  /** End early. */
  | { readonly type: 'stop' }
  /** Close what is held, and report. */
  | { readonly type: 'finish' };

export type NeighbourEvent =
  | { readonly type: 'prepared' }
  /** Every attempt has its outcome. */
  | { readonly type: 'drained' }
  | { readonly type: 'report'; readonly report: Omit<NeighbourRun, 'name'> }
  | { readonly type: 'failed'; readonly message: string };
