/**
 * The neighbours of a profile: each completed to a load of its own, and refused where it could not run. Pure.
 */
import { LABS, type LabKind } from '../domain/lab.js';
import { quote } from '../domain/units.js';
import { arrivalDurationMs } from '../plan/arrival.js';
import type { Arm, Neighbour } from '../plan/plan.js';
import { baseOf, protocolsOf, proxySubjectOf, type SubjectKind, subjectOf } from '../subjects/index.js';
import { checkAddresses } from './check-addresses.js';
import { checkLoad } from './check-load.js';
import { checkLoadOfSubject } from './check-subject.js';
import { completeLoad, isOwnSockets, SUBJECT } from './complete.js';
import { usesPorts } from './merge.js';
import type { Finding, Path } from './problem.js';
import type { ProfileInput } from './schema.js';

type NeighbourInput = NonNullable<ProfileInput['neighbours']>[number];
type Baseline = Pick<Arm, 'addresses' | 'proxy' | 'load'>;
/** Report at a path inside of the neighbour. */
type ReportOwn = (message: string, ...path: Path) => void;

/**
 * The neighbours, complete.
 * @param baseline whose addresses, proxy and load a neighbour must go with
 */
export function checkNeighbours(
  input: ProfileInput,
  kind: SubjectKind,
  lab: LabKind,
  baseline: Baseline,
  findings: Finding[],
): Neighbour[] {
  const neighbours = input.neighbours ?? [];
  const isElsewhere = subjectOf(kind).role === 'elsewhere';
  if (neighbours.length > 0 && (!LABS[lab].ownNamespace || isElsewhere)) {
    const what = isElsewhere ? 'an external proxy' : `the ${lab} lab`;
    findings.push({
      path: ['neighbours'],
      message: `${what} cannot have neighbours, which need a lab and a proxy of their own: use lab: { kind: netns } with another subject, or remove neighbours`,
    });
    return [];
  }
  return neighbours.map((neighbour, i) => {
    const report = (message: string, ...path: Path) => {
      findings.push({ path: ['neighbours', i, ...path], message });
    };
    const first = neighbours.findIndex(({ name }) => name === neighbour.name);
    if (first < i) report(`${quote(neighbour.name)} is the name of neighbours[${first}] too: rename one`, 'name');
    return checkNeighbour(neighbour, kind, lab, baseline, report);
  });
}

function checkNeighbour(
  input: NeighbourInput,
  kind: SubjectKind,
  lab: LabKind,
  baseline: Baseline,
  report: ReportOwn,
): Neighbour {
  const { name, where = 'beside', rate, durationMs: own, afterMs = 0, addresses = [], protocol, body, ...rest } = input;
  const { listen, downMs, ...keys } = rest;
  // A service through a proxy is refused as such, and not for what it lacks as a client.
  const isThrough = where === 'through' && listen === undefined;
  if (isThrough && isOwnSockets(kind))
    report('where: through needs a proxy, and the subject is direct: write "where: beside"', 'where');
  if (isThrough && baseline.proxy && baseOf(baseline.proxy) && proxySubjectOf(baseline.proxy.kind).reverse)
    report(
      'where: through needs a listener and a server of its own, and your configuration file has neither: write "where: beside"',
      'where',
    );
  const spoken = protocolsOf(SUBJECT, undefined);
  const isForeign = !isThrough && protocol !== undefined && !spoken.includes(protocol);
  if (isForeign)
    report(
      `a neighbour beside the load speaks ${spoken.join(' or ')}, not ${protocol}: remove protocol, or write "where: through"`,
      'protocol',
    );
  for (const key of isThrough ? (['addresses', 'strategy'] as const) : (['body'] as const)) {
    if (input[key] === undefined) continue;
    const why = isThrough ? 'through a proxy, the proxy chooses' : 'only clients of a proxy have it';
    report(
      `a neighbour ${where} the load has no "${key}" (${why}): remove ${key}, or write "where: ${isThrough ? 'beside' : 'through'}"`,
      key,
    );
  }
  checkService(input, where, report);
  if (input.strategy !== undefined && usesPorts(input.strategy))
    report(
      `strategy ${input.strategy} needs a list of ports, and a neighbour has none: use another strategy`,
      'strategy',
    );
  // What is refused is not looked at again.
  const named = {
    ...keys,
    ...(protocol === undefined || isForeign ? {} : { protocol }),
    ...(isThrough && body !== undefined ? { body } : {}),
  };
  const list = checkOwnAddresses(addresses, lab, baseline, report);
  const durationMs = own ?? restOf(baseline, afterMs);
  if (durationMs === null)
    report(
      'the key "duration" is missing, and how long the load lasts after this neighbour has begun is not known beforehand: add "duration: 2s"',
    );
  const proxy = isThrough ? baseline.proxy : undefined;
  const subject = isThrough ? kind : SUBJECT;
  const arrival = { shape: 'constant', rate, durationMs: durationMs ?? 1000 } as const;
  const load = completeLoad({ ...named, arrival }, subject, proxy);
  // What is found of its load is found at its own keys, which are not in a map called load.
  const atOwnKey = (message: string, [, key]: Path) => {
    if (key === undefined || key === 'arrival') report(message);
    else report(message, key);
  };
  checkLoad(load, 1, atOwnKey);
  checkLoadOfSubject(load, named, subject, proxy, atOwnKey);
  const service = listen && { service: { ports: listen, downMs: downMs ?? DOWN_MS } };
  return { name, where, addresses: list, load, ...service, afterMs };
}

/** A restart of a small program takes about as long. */
const DOWN_MS = 10;
/** What only a neighbour that opens connections has. */
const OF_CONNECTIONS = ['addresses', 'strategy', 'holdMs', 'timeoutMs', 'exchange'] as const;
const WRITTEN: Readonly<Record<string, string>> = { holdMs: 'hold', timeoutMs: 'timeout' };

function checkService(input: NeighbourInput, where: Neighbour['where'], report: ReportOwn): void {
  if (input.listen === undefined) {
    if (input.downMs !== undefined)
      report('down is of a neighbour that listens: add "listen: 40150", or remove down', 'down');
    return;
  }
  if (where !== 'beside') report('a neighbour that listens is a program of its own: write "where: beside"', 'where');
  for (const key of OF_CONNECTIONS) {
    if (input[key] === undefined) continue;
    const written = WRITTEN[key] ?? key;
    report(`a neighbour that listens opens no connection, so it has no "${written}": remove ${written}`, written);
  }
}

/** What is left of a load that is paced; null where that is not known. */
function restOf({ load }: Baseline, afterMs: number | null): number | null {
  const whole = arrivalDurationMs(load.arrival);
  return whole === null || afterMs === null || whole <= afterMs ? null : whole - afterMs;
}

function checkOwnAddresses(list: string[], lab: LabKind, baseline: Baseline, report: ReportOwn): string[] {
  if (list.length === 0) return [];
  const own = checkAddresses({ list }, lab, (message, [, , item]) =>
    item === undefined ? report(message, 'addresses') : report(message, 'addresses', item),
  );
  for (const [i, address] of own.entries()) {
    if (baseline.addresses.includes(address))
      report(
        `${address} is an address of the load; a neighbour needs addresses of its own: use another`,
        'addresses',
        i,
      );
  }
  return own;
}
