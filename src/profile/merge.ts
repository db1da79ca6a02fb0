/**
 * A variant laid over the baseline: it changes only what it names. Pure; says nothing about whether the outcome makes sense.
 */

import { type StrategyName, strategyOf } from '../domain/strategy.js';
import type { ProfileInput } from './schema.js';

export type AddressInput = Exclude<ProfileInput['addresses'], string>;
export type DestinationsInput = NonNullable<ProfileInput['destinations']>;
export type LoadInput = Partial<ProfileInput['load']>;

/** The long form of `addresses`, which may be written as a bare CIDR. */
export function addressInput(addresses: ProfileInput['addresses']): AddressInput {
  return typeof addresses === 'string' ? { cidr: addresses } : addresses;
}

/**
 * A new cidr, range or list replaces the old one, whichever it was. `count` and `pick` stay unless named; only a range or list
 * drops the count of before, as it spells its own size.
 */
export function mergeAddresses(base: AddressInput, own: AddressInput): AddressInput {
  const { cidr, range, list, ...rest } = base;
  const newSource = own.cidr !== undefined || own.range !== undefined || own.list !== undefined;
  if (!newSource) return { ...base, ...own };
  const { count, ...kept } = rest;
  return own.cidr !== undefined && count !== undefined ? { count, ...kept, ...own } : { ...kept, ...own };
}

/** Targets replace the lab's own origin, and the other way round; addresses and ports replace each their own. */
export function mergeDestinations(base: DestinationsInput, own: DestinationsInput): DestinationsInput {
  const { targets, ...inLab } = base;
  if (own.targets !== undefined) return own;
  return own.addresses !== undefined || own.ports !== undefined ? { ...inLab, ...own } : { ...base, ...own };
}

/**
 * Each key of a load replaces its own, `arrival` as a whole. A port list that the baseline's strategy needs is dropped with a
 * strategy that has no use for it.
 */
export function mergeLoad(base: LoadInput, own: LoadInput): LoadInput {
  const merged = { ...base, ...own };
  if (own.strategy === undefined || own.ports !== undefined || usesPorts(own.strategy)) return merged;
  const { ports, ...rest } = merged;
  return rest;
}

/** Whether a strategy picks from a port list that a profile may give. */
export function usesPorts(strategy: StrategyName): boolean {
  const { port, options } = strategyOf(strategy);
  return port === 'program' || options.includes('IP_LOCAL_PORT_RANGE');
}
