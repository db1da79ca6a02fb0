/**
 * The local addresses of an arm: expanded, and refused where the lab cannot have them or they would hide the problem. Pure.
 */
import { canonicalAddress, expandCidr, expandRange, familyOf, isLoopback, unfitAddress } from '../domain/addresses.js';
import { labNetOf } from '../domain/reserved.js';
import { quote, UnitError } from '../domain/units.js';
import type { Experiment } from '../plan/plan.js';
import type { Report } from './blame.js';
import type { AddressInput } from './merge.js';
import type { Path } from './problem.js';

type Source = 'cidr' | 'range' | 'list';
const SOURCES: readonly Source[] = ['cidr', 'range', 'list'];

/**
 * Expand and check an address set.
 * @returns canonical addresses in the order of use; empty when a problem was reported
 */
export function checkAddresses(input: AddressInput, lab: Experiment['lab'], report: Report): string[] {
  const named = SOURCES.filter((source) => input[source] !== undefined);
  const [source, second] = named;
  if (source === undefined) {
    report('found no addresses; give one of cidr, range or list, as "cidr: 10.50.0.0/24"', ['addresses']);
    return [];
  }
  if (second !== undefined) {
    report(`found ${named.join(' and ')}; the addresses come from one of them: remove the other`, [
      'addresses',
      second,
    ]);
    return [];
  }
  const expanded = expand(input, report);
  const sound = expanded.every((address, i) => isFit(address, lab, report, place(source, i)));
  return sound && isOneSet(expanded, report) ? expanded : [];
}

function place(source: Source, i: number): Path {
  return source === 'list' ? ['addresses', 'list', i] : ['addresses', source];
}

function expand({ cidr, range, list, count }: AddressInput, report: Report): string[] {
  if (list !== undefined) {
    if (count !== undefined) {
      report('found count beside a list; a list is used whole: remove count, or shorten the list', [
        'addresses',
        'count',
      ]);
      return [];
    }
    const addresses = list.map((text, i) => attempt(() => canonicalAddress(text), report, ['addresses', 'list', i]));
    return addresses.every((address) => address !== undefined) ? addresses : [];
  }
  const [key, text, expandTo] =
    cidr !== undefined ? (['cidr', cidr, expandCidr] as const) : (['range', range!, expandRange] as const);
  // One address first: it fails for what is wrong with the text itself, the whole set for what is wrong with the count.
  if (attempt(() => expandTo(text, 1), report, ['addresses', key]) === undefined) return [];
  return attempt(() => expandTo(text, count), report, ['addresses', 'count'], ['addresses', key]) ?? [];
}

function attempt<T>(parse: () => T, report: Report, ...places: [Path, ...Path[]]): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    report(error.message, ...places);
    return undefined;
  }
}

function isFit(address: string, lab: Experiment['lab'], report: Report, where: Path): boolean {
  const problem = unfitness(address, lab);
  if (problem !== undefined) report(`found ${address}, ${problem}`, where);
  return problem === undefined;
}

function unfitness(address: string, lab: Experiment['lab']): string | undefined {
  const unfit = unfitAddress(address);
  if (unfit?.includes('documentation')) {
    const own = lab === 'host' ? 'put an address of this machine here' : 'use private ones, as 10.50.0.0/24';
    return `${unfit} and so a placeholder: ${own}`;
  }
  if (unfit !== undefined) return `${unfit}; local addresses must be unicast: use private ones, as 10.50.0.0/24`;
  if (lab === 'host') return undefined;
  if (isLoopback(address)) {
    return 'a loopback address; tcp_tw_reuse=2, the default, reuses TIME_WAIT on loopback only, which would hide the problem: use private addresses, as 10.50.0.0/24';
  }
  const net = labNetOf(address);
  return net === undefined
    ? undefined
    : `which is in ${net}, the network that the lab uses for its own links and origin: use another, as 10.50.0.0/24`;
}

function isOneSet(addresses: readonly string[], report: Report): boolean {
  const seen = new Map<string, number>();
  for (const [i, address] of addresses.entries()) {
    const before = seen.get(address);
    if (before !== undefined) {
      report(`found ${quote(address)} again (it is item ${before + 1} too); addresses must differ: remove one`, [
        'addresses',
        'list',
        i,
      ]);
      return false;
    }
    seen.set(address, i);
    if (familyOf(address) !== familyOf(addresses[0]!)) {
      report(
        `found ${address} beside ${addresses[0]}; the addresses of one arm must be of one family: keep IPv4 or IPv6, and give the other a variant of its own`,
        ['addresses', 'list', i],
      );
      return false;
    }
  }
  return true;
}
