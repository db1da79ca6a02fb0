/**
 * The work that every contender does, and what it says afterwards.
 */
import type { Target } from '../src/domain/target.js';

/** Connections opened and closed by one thread, the client closing first. Plain data: it crosses to other processes. */
export interface Churn {
  readonly strategy: Strategy;
  /** Connections to make. A count, not a time, so that every contender leaves the same number of sockets in TIME_WAIT. */
  readonly attempts: number;
  /** The first so many are made before the clock starts: caches fill, and two of the contenders compile themselves. */
  readonly warmUp: number;
  /** Handshakes under way at once. */
  readonly inFlight: number;
  /** Local addresses, taken in turn; `connect` leaves the choice to the route. */
  readonly sources: readonly string[];
  /** Destinations, taken in turn so that each (source, destination) pair gets the same share (src/load/picker.ts). */
  readonly targets: readonly Target[];
}

export const STRATEGIES = ['connect', 'bind-no-port', 'bind-reuseaddr'] as const;
export type Strategy = (typeof STRATEGIES)[number];

export interface Sample {
  readonly ok: number;
  readonly failed: number;
  /** How many outcomes the times below are of: all but the warm-up. */
  readonly timed: number;
  /** From the end of the warm-up to the last outcome. */
  readonly seconds: number;
  /** CPU time of the process meanwhile, user and system, all its threads. */
  readonly cpuSeconds: number;
}

export const CONTENDERS = ['bindstorm', 'c', 'c-books', 'c-epoll', 'node', 'bindstorm-reset'] as const;
export type Contender = (typeof CONTENDERS)[number];

/** How tables name them. */
export const CONTENDER_TITLES: Record<Contender, string> = {
  bindstorm: 'bindstorm',
  c: 'C',
  'c-books': 'C, same books',
  'c-epoll': 'C, epoll only',
  node: 'node:net',
  'bindstorm-reset': 'bindstorm, closing with a reset',
};

/** Sockets that stay behind: a reset leaves none. */
export function leftBehind(contender: Contender, attempts: number): number {
  return contender === 'bindstorm-reset' ? 0 : attempts;
}

/** Whether a contender is measured with a strategy: node:net has no IP_BIND_ADDRESS_NO_PORT, and a reset is the same for all. */
export function canDo(contender: Contender, strategy: Strategy): boolean {
  if (contender === 'bindstorm-reset') return strategy === 'connect';
  return contender !== 'node' || strategy !== 'bind-no-port';
}

/** Whether it is churn.c, and so needs a compiler. */
export function isC(contender: Contender): boolean {
  return contender === 'c' || contender === 'c-books' || contender === 'c-epoll';
}
