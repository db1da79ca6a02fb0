/** What a contender over UDP is asked to do. Pure. */
import type { SocketShare } from '../src/domain/datagram.js';
import type { Target } from '../src/domain/target.js';

/** Of a datagram, and of its answer. */
export const BYTES = 64;

export interface DatagramWork {
  /** A socket for each attempt, connected and closed with its answer; or one for all. */
  readonly sockets: SocketShare;
  readonly attempts: number;
  /** The first so many are made before the clock starts. */
  readonly warmUp: number;
  readonly inFlight: number;
  readonly targets: readonly Target[];
}
