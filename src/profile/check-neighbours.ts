/**
 * The neighbours of a profile: each completed to a load of its own, and refused where it could not run. Pure.
 */

import { familyOf } from '../domain/addresses.js';
import { quote } from '../domain/units.js';
import { arrivalDurationMs } from '../plan/arrival.js';
import { AFTER_LOAD } from '../plan/neighbour.js';
import type { Arm, Experiment, Neighbour } from '../plan/plan.js';
import { type SubjectKind, subjectOf } from '../subjects/index.js';
import { checkAddresses } from './check-addresses.js';
import { checkLoad, planLoad } from './check-load.js';
import { checkLoadOfSubject } from './check-subject.js';
import { SUBJECT } from './defaults.js';
import { usesPorts } from './merge.js';
import type { Finding, Path } from './problem.js';
import type { ProfileInput } from './schema.js';

type NeighbourInput = NonNullable<ProfileInput['neighbours']>[number];

/** @param baseline whose addresses, proxy and load a neighbour must go with */
export function checkNeighbours(
  input: ProfileInput,
  kind: SubjectKind,
  lab: Experiment['lab'],
  baseline: Pick<Arm, 'addresses' | 'proxy' | 'load'>,
  findings: Finding[],
): Neighbour[] {
  const neighbours = input.neighbours ?? [];
  const isElsewhere = subjectOf(kind).role === 'elsewhere';
  if (neighbours.length > 0 && (lab === 'host' || isElsewhere)) {
    const what = isElsewhere ? 'an external proxy' : 'the host lab';
    findings.push({
      path: ['neighbours'],
      message: `found neighbours with ${what}, where nothing is the lab's own: use lab: { kind: netns } with another subject, or remove neighbours`,
    });
    return [];
  }
  return neighbours.map((neighbour, i) => {
    const report = (message: string, ...path: Path) => {
      findings.push({ path: ['neighbours', i, ...path], message });
    };
    const first = neighbours.findIndex(({ name }) => name === neighbour.name);
    if (first < i) report(`found ${quote(neighbour.name)}, which neighbours[${first}] has already: rename one`, 'name');
    return checkNeighbour(neighbour, kind, lab, baseline, report);
  });
}

function checkNeighbour(
  input: NeighbourInput,
  kind: SubjectKind,
  lab: Experiment['lab'],
  baseline: Pick<Arm, 'addresses' | 'proxy' | 'load'>,
  report: (message: string, ...path: Path) => void,
): Neighbour {
  const { name, where = 'beside', rate, duration, after, addresses = [], protocol, body, ...keys } = input;
  const isThrough = where === 'through';
  if (isThrough && subjectOf(kind).role === 'client')
    report(
      'found through, but the subject is direct, and there is no proxy to go through: write "where: beside"',
      'where',
    );
  for (const key of isThrough ? (['addresses', 'strategy'] as const) : (['protocol', 'body'] as const)) {
    if (input[key] === undefined) continue;
    const why = isThrough
      ? 'which is of a program beside the proxy; through it, the proxy chooses'
      : 'which clients of a proxy have';
    report(`found ${key}, ${why}: remove ${key}, or write "where: ${isThrough ? 'beside' : 'through'}"`, key);
  }
  if (input.strategy !== undefined && usesPorts(input.strategy))
    report(
      `found strategy ${input.strategy}, which needs a list of ports, and a neighbour has none: use another`,
      'strategy',
    );
  // What is refused is not looked at again.
  const named = isThrough
    ? { ...keys, ...(protocol === undefined ? {} : { protocol }), ...(body === undefined ? {} : { body }) }
    : keys;
  const own = checkOwnAddresses(addresses, lab, baseline, report);
  const afterMs = after === undefined ? 0 : after === AFTER_LOAD ? null : (after as number);
  const durationMs = (duration as number | undefined) ?? restOf(baseline, afterMs);
  if (durationMs === null)
    report(
      'the key "duration" is missing: nobody knows beforehand how long the load goes on after this neighbour has begun: add "duration: 2s"',
    );
  const proxy = isThrough ? baseline.proxy : undefined;
  const arrival = { shape: 'constant', rate: rate as number, duration: durationMs ?? 1000 } as const;
  const load = planLoad({ ...named, arrival }, undefined, isThrough ? kind : SUBJECT, proxy);
  // What is found of its load is found at its own keys, which are not in a map called load.
  const atOwnKey = (message: string, ...[[, key]]: [Path, ...Path[]]) => {
    if (key === undefined || key === 'arrival') report(message);
    else report(message, key);
  };
  checkLoad(load, 1, atOwnKey);
  checkLoadOfSubject(load, named, isThrough ? kind : SUBJECT, proxy, atOwnKey);
  return { name, where, addresses: own, load, afterMs };
}

/** What is left of a load that is paced; null: nobody knows. */
function restOf({ load }: Pick<Arm, 'load'>, afterMs: number | null): number | null {
  const whole = arrivalDurationMs(load.arrival);
  return whole === null || afterMs === null || whole <= afterMs ? null : whole - afterMs;
}

function checkOwnAddresses(
  list: string[],
  lab: Experiment['lab'],
  baseline: Pick<Arm, 'addresses'>,
  report: (message: string, ...path: Path) => void,
): string[] {
  if (list.length === 0) return [];
  const own = checkAddresses({ list }, lab, (message, [, , item]) =>
    item === undefined ? report(message, 'addresses') : report(message, 'addresses', item),
  );
  for (const [i, address] of own.entries()) {
    if (baseline.addresses.includes(address))
      report(`found ${address}, which the load has: a neighbour has addresses of its own`, 'addresses', i);
    const [first] = baseline.addresses;
    if (first !== undefined && familyOf(address) !== familyOf(first))
      report(`found ${address} beside ${first}; neighbours are of the family of the load`, 'addresses', i);
  }
  return own;
}
