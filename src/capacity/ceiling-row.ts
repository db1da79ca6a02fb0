/**
 * The form of a ceiling: which of P, S and D count, what their product is, and how that is said. Pure.
 */
import { strategyOf } from '../domain/strategy.js';
import type { PredictInput } from './predict-input.js';
import { neverFound, usablePorts } from './search-order.js';

export interface Ceiling {
  /** Tuples at once; null where there is no closed form or no limit, and `rule` says why. */
  readonly concurrent: number | null;
  /** There is no limit: sockets share ports, or have none. */
  readonly unbounded?: true;
  /** There are never more tuples than these. */
  readonly most: number;
  /** P, S and D as far as they count: the ceiling of one source and target, and how many of them there are. */
  readonly ports: number;
  readonly sources: number;
  readonly targets: number;
  readonly fails: string;
  readonly formula: string;
  /** A clause without a final stop. */
  readonly rule: string;
  readonly source: string;
  /**
   * Whether a new socket takes over a tuple in TIME_WAIT at once (given TCP timestamps), since its port is bound before
   * connect(): `random` where the kernel chooses the port to share, and may choose one that is still open.
   */
  readonly takesOver: 'no' | 'yes' | 'random';
}

/** What a way of choosing the port says of its ceiling; the rest follows from the input. */
export interface Row {
  readonly factors: readonly ('P' | 'S' | 'D')[];
  readonly divisor?: number;
  /** Ports that other programs keep from this one though they hold them on other addresses. */
  readonly elsewhere?: number;
  readonly concurrent?: number | null;
  readonly most?: number;
  readonly unbounded?: true;
  readonly formula?: string;
  readonly fails: string;
  readonly rule: string;
  readonly source: string;
  readonly takesOver?: 'no' | 'yes' | 'random';
}

/** The ceiling of a set-up: the product of what counts, with the numbers put in. */
export function row(input: PredictInput, { factors, divisor = 1, elsewhere = 0, ...rest }: Row): Ceiling {
  const missed = neverFound(input);
  const lost = input.heldHere + elsewhere;
  const ports = Math.floor(Math.max(0, usablePorts(input) - lost) / divisor);
  const sources = factors.includes('S') ? input.addresses : 1;
  const targets = factors.includes('D') ? input.destinations : 1;
  const product = ports * sources * targets;
  const values = { P: ports, S: sources, D: targets };
  const usable = lost > 0 ? '(P−M)' : 'P';
  const symbols = factors
    .map((factor) => (factor !== 'P' ? factor : divisor > 1 ? `⌊${usable}/${divisor}⌋` : usable))
    .join('·');
  const numbers = factors.map((factor) => values[factor]).join(' · ');
  const about = rest.concurrent === null ? 'at most ' : '';
  const formula = factors.length === 1 ? `${symbols} = ${product}` : `${symbols} = ${numbers} = ${product}`;
  return {
    concurrent: product,
    most: product,
    formula: about + formula,
    takesOver: 'no',
    ...rest,
    // Without a port there is none to share either: bind() fails.
    ...(ports === 0 && strategyOf(input.strategy).port === 'bind' ? { fails: 'bind:EADDRINUSE' } : {}),
    rule: [
      rest.rule,
      ...(lost > 0 ? [`${lost} ports are lost to other programs, which hold them by bind()`] : []),
      ...(missed === null ? [] : [`port ${missed} is never found: the search reckons with an even number of ports`]),
    ].join('; '),
    ports,
    sources,
    targets,
  };
}
