/**
 * The inverse question: how many addresses a rate needs. Pure.
 */
import { ceiling } from './ceiling.js';
import { limitOf } from './limit.js';
import type { PredictInput } from './predict-input.js';
import { slowWall } from './slow-wall.js';
import { offeredFor } from './spread.js';

export interface Spread {
  /** How connections are dealt out to addresses and destinations. */
  readonly pick: 'round-robin' | 'random';
  /** For `random`: the share of connections that may be refused. */
  readonly loss: number;
}

/** What a set-up sustains, in connections a second; null: ports do not limit it, or there is no closed form. */
export interface SustainedRates {
  readonly hard: number | null;
  readonly slow: number | null;
}

/** The rates at which a set-up reaches its walls. */
export function sustainedRates(input: PredictInput, spread: Spread): SustainedRates {
  const { top, rate } = limitOf(input);
  const slow = slowWall(input, top)?.rate ?? null;
  if (spread.pick === 'round-robin') return { hard: rate?.value ?? null, slow };
  const places = top.sources * top.targets;
  const shrink = (tuples: number, value: number | null) =>
    value === null || tuples === 0 ? value : (value * offeredFor(tuples, spread.loss)) / tuples;
  const half = Math.floor(top.ports / 2);
  return {
    hard: places === 1 ? (rate?.value ?? null) : shrink(top.ports, rate?.value ?? null),
    slow: places === 1 || slow === null || half === 0 ? slow : slow * quietShare(half),
  };
}

/** The mean at which a Poisson variable stays below n for 99 of 100 instants, as a share of n. */
function quietShare(n: number): number {
  const root = (-2.326 + Math.sqrt(2.326 ** 2 + 4 * n)) / 2;
  return root ** 2 / n;
}

export type Needed =
  /** @property perAddress connections a second that each address sustains */
  | { readonly kind: 'addresses'; readonly addresses: number; readonly perAddress: number }
  /** `useless`: no number of addresses is enough. `unlimited`: one is. `unknown`: there is no closed form. */
  | { readonly kind: 'useless' | 'unlimited' | 'unknown'; readonly why: string };

/**
 * How many addresses a rate needs so that a set-up stays below a wall at that rate, sustained.
 * @param rate connections a second
 */
export function addressesFor(input: PredictInput, rate: number, wall: 'hard' | 'slow', spread: Spread): Needed {
  const one = { ...input, addresses: 1 };
  const { top, after } = limitOf(one);
  if (top.unbounded) return { kind: 'unlimited', why: top.rule };
  if (top.concurrent === null) return { kind: 'unknown', why: top.rule };
  if (top.concurrent === 0) return { kind: 'useless', why: top.rule };
  const lasting = sustainedRates({ ...one, addresses: 2 }, spread)[wall];
  if (lasting === null)
    return {
      kind: 'unlimited',
      why: wall === 'slow' ? 'this search has no slow wall, or no rate leads there' : after.why,
    };
  const [alone, two] = [sustainedRates(one, spread)[wall]!, lasting];
  if (rate <= alone) return { kind: 'addresses', addresses: 1, perAddress: alone };
  if (ceiling({ ...input, addresses: 2 }).concurrent === top.concurrent || two <= alone)
    return { kind: 'useless', why: top.rule };
  const perAddress = two / 2;
  return { kind: 'addresses', addresses: Math.ceil(rate / perAddress - 1e-9), perAddress };
}
