/**
 * What a profile need not say, each with its reason. Times in milliseconds.
 */

import type { Arrival, LoadPlan } from '../plan/plan.js';

/** A fresh network namespace a run: TIME_WAIT of one run cannot leak into the next, and the host is not touched. */
export const LAB = 'netns';

/** Linux 6.1: the oldest kernel that most servers may still have. */
export const KERNEL = 'bookworm';

/** The harness's own sockets, so that nothing but the kernel decides. */
export const SUBJECT = 'direct';

/** Every (address, destination) pair gets the same share: exhaustion comes at an exact count, equal in each run. */
export const PICK = 'round-robin';

/** One destination is the worst case (a tuple differs in nothing but the local side), and what a proxy before one backend has. */
export const DESTINATIONS = { addresses: 1, ports: 1 } as const;

/** All of a load but its arrival, which a profile must give. */
export const LOAD: Omit<LoadPlan, 'arrival' | 'pick'> = {
  /** One thread opens more connections per second than the port range of one address can carry. */
  workers: 1,
  /** What a program does that was not told otherwise. */
  strategy: 'connect',
  /** Only the side that closes first has TIME_WAIT. Closing at the server would exhaust nothing here and hide the problem. */
  close: 'client',
  /** Programs close and go on; they do not wait for the other side. */
  drain: false,
  /** Short connections: ports are held by TIME_WAIT alone, which is the case that operators see. */
  holdMs: 0,
  /** Above a lost SYN's first two retransmissions (1 s and 3 s), so that one lost packet is no failure. */
  timeoutMs: 5000,
  /** No payload: what is under test is the connection. */
  exchange: null,
  /** It opens several times as many connections a second, and is exact. */
  engine: 'socket',
  /** A connection for each request is what runs out of ports. */
  keepAlive: false,
  tls: false,
  /** Of the subject direct. */
  protocol: 'tcp',
  /** The head of the answer is enough to end a request. */
  body: 0,
  /** An origin that accepts is what a real one does; listen-only would fill its accept queue. */
  sink: 'accept',
  /** What the descriptor limit allows. */
  maxInFlight: null,
  /** The kernel's own ip_local_port_range. */
  ports: null,
  /** At 2000/s an attempt is due every 0.5 ms: twenty late in a row is the generator's fault and no longer jitter. */
  lagBudgetMs: 10,
  /** Behind an address there is one machine, whose clock the kernel keeps. */
  clocks: 1,
};

/** A reverse proxy accepts before it connects: only a byte that the origin sent says that it did. */
export const EXCHANGE_THROUGH = { request: 1, response: 1 } as const;

export const FILL = {
  /** Keeps a CPU busy; even 64 workers stay below the usual accept queue (net.core.somaxconn, 4096). */
  inFlight: 32,
  waves: 1,
  /** Above `tcp_tw_reuse_delay` (1 s), so that a second wave shows what tcp_tw_reuse gives back. */
  pauseMs: 1500,
} as const;

/** An exact sign-flip test over 10 pairs can reach p = 0.002, which survives Holm's correction over some 20 comparisons. */
export const REPEAT = 10;

/** The first block pays for cold caches and lazy compilation. */
export const WARMUP = 1;

/** Any fixed number: equal profiles give equal orders and arrivals. */
export const SEED = 1;

/**
 * The metric that a fix must improve. A fill counts how much fits; for every other arrival the question is how much fails,
 * by whatever errno, since a fix may move the failure from bind to connect.
 */
export function defaultGoal(arrival: Arrival): string {
  return arrival.shape === 'fill' ? 'capacity' : 'failures.share';
}

/** Fast failures can hide slow successes, and a longer port search costs CPU: what users feel and what operators pay. */
export const GUARDRAILS: readonly string[] = ['latency.total.p99', 'cpu.perConnection'];
