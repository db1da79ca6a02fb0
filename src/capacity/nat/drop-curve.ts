/**
 * How full a NAT's ports are when it drops the first SYN, and what share it drops at each fill: the seeded simulation of the search, many
 * times. Connections come one after the other and stay. Pure.
 */
import { type Random, randomStream } from '../../domain/random.js';
import { createPortPool, WHOLE } from './port-search.js';

/** Fills between which the share of dropped attempts is counted; the last is up to a full pool. */
export const FILL_BANDS = [0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999] as const;

interface Band {
  readonly from: number;
  readonly to: number;
  /** Of attempts made in it: of which share was dropped, on average and in 95 of 100 runs. */
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

export interface DropCurve {
  readonly ports: number;
  readonly runs: number;
  /** Connections that stood before the first drop, in the middle and in 95 of 100 runs. */
  readonly first: { readonly low: number; readonly median: number; readonly high: number };
  readonly bands: readonly Band[];
}

/** One run: what stood at the first drop, and attempts and drops by band. */
interface Filled {
  readonly first: number;
  readonly attempts: readonly number[];
  readonly drops: readonly number[];
}

/**
 * @param ports of the NAT, up to 64,512 @param runs simulations with the seeds from `seed` on
 * @param inside the share of connections whose client port, drawn at random, lies inside the range: it is kept where it is free
 */
export function dropCurve(ports: number, runs: number, seed: number, inside = 0): DropCurve {
  const all = Array.from({ length: runs }, (_, i) => fillOnce(ports, inside, randomStream(seed + i, `nat/${ports}`)));
  const firsts = all.map(({ first }) => first).sort((a, b) => a - b);
  const bands = FILL_BANDS.map((from, i) => {
    const shares = all
      .filter(({ attempts }) => attempts[i]! > 0)
      .map(({ attempts, drops }) => drops[i]! / attempts[i]!)
      .sort((a, b) => a - b);
    const mean = shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
    return { from, to: FILL_BANDS[i + 1] ?? 1, mean, low: at(shares, 0.025), high: at(shares, 0.975) };
  });
  return {
    ports,
    runs,
    first: { low: at(firsts, 0.025), median: at(firsts, 0.5), high: at(firsts, 0.975) },
    bands,
  };
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(share * (sorted.length - 1))))] ?? 0;
}

function fillOnce(ports: number, inside: number, random: Random): Filled {
  const pool = createPortPool(ports, random);
  const attempts = FILL_BANDS.map(() => 0);
  const drops = FILL_BANDS.map(() => 0);
  let first = ports;
  // A search of a small range fails only when all is taken.
  if (ports <= WHOLE) return { first, attempts, drops };
  while (pool.used < ports) {
    const band = bandOf(pool.used / ports);
    const kept = inside > 0 && random() < inside && pool.keep(Math.floor(random() * ports));
    const dropped = !kept && pool.take() < 0;
    if (band >= 0) {
      attempts[band]!++;
      if (dropped) drops[band]!++;
    }
    if (dropped && first === ports) first = pool.used;
  }
  return { first, attempts, drops };
}

/** Which of the bands a fill lies in; −1: below all. */
export function bandOf(fill: number): number {
  for (let i = FILL_BANDS.length - 1; i >= 0; i--) if (fill >= FILL_BANDS[i]!) return i;
  return -1;
}

export interface HeldConnections {
  readonly ports: number;
  /** Connections that are tried one after the other, and held. */
  readonly attempts: number;
  /** Ports that closed connections hold when they begin; on a kernel that ends such. */
  readonly closing?: number;
  readonly evicts?: boolean;
  /** SYNs that each may send; those that found no port try again behind all others. */
  readonly tries?: number;
}

/** How many of the attempts got through, and how many stood before the first that did not; one number a run. */
export function holdAttempts(
  { ports, attempts, closing = 0, evicts = false, tries = 1 }: HeldConnections,
  runs: number,
  seed: number,
): { readonly ok: readonly number[]; readonly beforeFirstFailure: readonly number[] } {
  const outcomes = Array.from({ length: runs }, (_, run) => {
    const pool = createPortPool(ports, randomStream(seed + run, `nat/held/${ports}`), evicts);
    for (let port = 0; port < closing; port++) {
      pool.keep(port);
      pool.close(port);
    }
    let [ok, before] = [0, -1];
    for (let n = 0; n < attempts; n++) {
      if (pool.take() >= 0) ok++;
      else if (before < 0) before = ok;
    }
    for (let again = 1; again < tries; again++)
      for (let left = attempts - ok; left > 0; left--) if (pool.take() >= 0) ok++;
    return { ok, before: before < 0 ? ok : before };
  });
  return { ok: outcomes.map(({ ok }) => ok), beforeFirstFailure: outcomes.map(({ before }) => before) };
}
