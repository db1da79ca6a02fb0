/**
 * How a connection of a subject to the origin ends: who closes first has the TIME_WAIT, and what is kept open serves the next request.
 * Measured for every kind, mode and protocol in test/lab/endings.test.ts. Pure.
 */
import type { Protocol } from '../domain/protocol.js';

/** Who closes first: the subject, the origin, or the subject with a RST, which leaves no TIME_WAIT; or it is kept, and used again. */
export type Ending = 'client' | 'server' | 'reset' | 'kept';

/** What of a load decides how connections end. */
export interface EndingLoad {
  readonly protocol: Protocol;
  readonly close: 'client' | 'server' | 'reset';
  /** The client uses its connections again. */
  readonly keepAlive: boolean;
}

/** Of what answers requests, each on a connection of its own unless they are kept. @param own how it ends its own */
export function ofRequests({ close }: EndingLoad, persistent: boolean, own: 'client' | 'reset'): Ending {
  if (close === 'server') return 'server';
  return persistent ? 'kept' : own;
}

/**
 * Of what passes on connections, or makes them itself: as its client ends them.
 * @param onReset what it does when its client ends one by a RST: the same, or an orderly close
 */
export function likeItsClient({ close, keepAlive }: EndingLoad, onReset: 'reset' | 'client'): Ending {
  if (close === 'server') return close;
  if (keepAlive) return 'kept';
  return close === 'reset' ? onReset : close;
}
