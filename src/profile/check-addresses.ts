/**
 * The local addresses of an arm: expanded, and refused where the lab cannot have them or they would hide the problem. Pure.
 */
import { canonicalAddress, expandCidr, expandRange, familyOf, isLoopback, unfitAddress } from '../domain/addresses.js';
import { LABS, type LabKind } from '../domain/lab.js';
import { labNetOf } from '../domain/reserved.js';
import { orReport, quote } from '../domain/units.js';
import type { AddressInput } from './merge.js';
import type { Path, Report } from './problem.js';

/**
 * The address of connections that are bound to none.
 * @param addresses those that the program is told to use; empty when they are in doubt themselves
 * @returns canonical; undefined where the profile does not tell it, or a problem was reported
 */
export function checkUnbound(
  { unbound }: AddressInput,
  addresses: readonly string[],
  lab: LabKind,
  report: Report,
): string | undefined {
  const where: Path = ['addresses', 'unbound'];
  const [first] = addresses;
  if (unbound === undefined || first === undefined) return undefined;
  if (!LABS[lab].ownNamespace) {
    report(
      `unbound is an address that the lab adds, and the ${lab} lab has those of this machine: remove unbound, or use lab: { kind: netns }`,
      where,
    );
    return undefined;
  }
  const address = attempt(() => canonicalAddress(unbound), report, where);
  if (address === undefined || !isFit(address, lab, report, where)) return undefined;
  const problem = addresses.includes(address)
    ? `${address} is one of the addresses that the program is told to use, so that nothing would tell the two apart: use another`
    : familyOf(address) === familyOf(first)
      ? undefined
      : `${address} and ${first} are of two families: use an address of the same family`;
  if (problem === undefined) return address;
  report(problem, where);
  return undefined;
}

type Source = 'cidr' | 'range' | 'list';
const SOURCES: readonly Source[] = ['cidr', 'range', 'list'];

/**
 * Expand and check an address set.
 * @returns canonical addresses in the order of use; empty when a problem was reported
 */
export function checkAddresses(input: AddressInput, lab: LabKind, report: Report): string[] {
  const named = SOURCES.filter((source) => input[source] !== undefined);
  const [source, second] = named;
  if (source === undefined) {
    report('addresses needs one of cidr, range or list, for example "cidr: 10.50.0.0/24"', ['addresses']);
    return [];
  }
  if (second !== undefined) {
    report(`${named.join(' and ')} both say which addresses to use; remove one of them`, ['addresses', second]);
    return [];
  }
  const expanded = expand(input, report);
  const known = new Set<string>();
  const sound = expanded.every((address, i) => {
    const block = blockOf(address);
    return known.has(block) || (isFit(address, lab, report, place(source, i)) && known.add(block));
  });
  return sound && (source !== 'list' || isOneSet(expanded, report)) ? expanded : [];
}

/** What an address begins with: no network that is reserved is smaller, but for ::1 and :: itself. */
function blockOf(address: string): string {
  const block = address.slice(0, Math.max(address.lastIndexOf('.'), address.lastIndexOf(':')) + 1);
  return block === '::' ? address : block;
}

function place(source: Source, i: number): Path {
  return source === 'list' ? ['addresses', 'list', i] : ['addresses', source];
}

function expand({ cidr, range, list, count }: AddressInput, report: Report): string[] {
  if (list !== undefined) {
    if (count !== undefined) {
      report('count does not go with a list, which is used whole: remove count, or shorten the list', [
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
  return orReport(parse, (message) => report(message, ...places));
}

function isFit(address: string, lab: LabKind, report: Report, where: Path): boolean {
  const problem = unfitness(address, lab);
  if (problem !== undefined) report(`${address} is ${problem}`, where);
  return problem === undefined;
}

function unfitness(address: string, lab: LabKind): string | undefined {
  const unfit = unfitAddress(address);
  if (unfit?.includes('documentation')) {
    const own = !LABS[lab].ownNamespace
      ? 'put an address of this machine here'
      : 'use private ones, for example 10.50.0.0/24';
    return `${unfit} and so a placeholder: ${own}`;
  }
  if (unfit !== undefined)
    return `${unfit}; local addresses must be unicast: use private ones, for example 10.50.0.0/24`;
  if (!LABS[lab].ownNamespace) return undefined;
  if (isLoopback(address)) {
    return 'a loopback address, where tcp_tw_reuse=2 (the default) reuses TIME_WAIT and would hide the problem: use private addresses, for example 10.50.0.0/24';
  }
  const net = labNetOf(address);
  return net === undefined
    ? undefined
    : `in ${net}, the network that the lab uses for its own links and origin: use another, for example 10.50.0.0/24`;
}

function isOneSet(addresses: readonly string[], report: Report): boolean {
  const seen = new Map<string, number>();
  for (const [i, address] of addresses.entries()) {
    const before = seen.get(address);
    if (before !== undefined) {
      report(`${quote(address)} is in the list twice (it is item ${before + 1} too): remove one`, [
        'addresses',
        'list',
        i,
      ]);
      return false;
    }
    seen.set(address, i);
    if (familyOf(address) !== familyOf(addresses[0]!)) {
      report(
        `${address} and ${addresses[0]} are of two families; the addresses of one arm must be of one: keep IPv4 or IPv6, and give the other a variant of its own`,
        ['addresses', 'list', i],
      );
      return false;
    }
  }
  return true;
}
