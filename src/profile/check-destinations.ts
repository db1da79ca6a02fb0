/**
 * Where the attempts of an arm go: the lab's own origin, or targets outside that are on the profile's allow list. Pure.
 */
import { familyOf } from '../domain/addresses.js';
import { formatTarget } from '../domain/format.js';
import type { Target } from '../domain/target.js';
import { UnitError } from '../domain/units.js';
import type { Destinations, Experiment } from '../plan/plan.js';
import { parseTarget } from '../plan/targets.js';
import type { Report } from './blame.js';
import { DESTINATIONS } from './defaults.js';
import type { DestinationsInput } from './merge.js';
import type { Finding } from './problem.js';

/** Each destination of the lab is a listening socket, and so a descriptor of the origin. */
export const MAX_DESTINATIONS = 10_000;

/** The allow list in canonical form; entries that are no targets are reported. */
export function checkAllowList(allow: readonly string[] | undefined, findings: Finding[]): ReadonlySet<string> {
  const allowed = new Set<string>();
  for (const [i, text] of (allow ?? []).entries()) {
    const target = tryTarget(text, (message) => findings.push({ path: ['allow', i], message }));
    if (target) allowed.add(formatTarget(target));
  }
  return allowed;
}

/**
 * Check an arm's destinations.
 * @param addresses the arm's local addresses; empty when they are in doubt themselves
 */
export function checkDestinations(
  input: DestinationsInput,
  addresses: readonly string[],
  lab: Experiment['lab'],
  allowed: ReadonlySet<string>,
  report: Report,
): Destinations {
  const { targets } = input;
  if (targets === undefined) return labDestinations(input, report);
  if (input.addresses !== undefined || input.ports !== undefined) {
    const key = input.addresses === undefined ? 'ports' : 'addresses';
    report(`found targets and ${key}; ${key} speaks of the lab's own origin: keep one of the two`, [
      'destinations',
      key,
    ]);
  }
  if (lab !== 'host') {
    report(
      `found targets outside the lab, and a ${lab} lab has no way out: remove targets to use the lab's own origin, or set lab: { kind: host }`,
      ['destinations', 'targets'],
    );
  }
  return { kind: 'external', targets: checkTargets(targets, addresses[0], allowed, report) };
}

function checkTargets(
  targets: readonly string[],
  local: string | undefined,
  allowed: ReadonlySet<string>,
  report: Report,
): Target[] {
  const seen = new Set<string>();
  return targets.flatMap((text, i) => {
    const where = ['destinations', 'targets', i];
    const target = tryTarget(text, (message) => report(message, where));
    if (!target) return [];
    const canonical = formatTarget(target);
    if (!allowed.has(canonical)) {
      report(
        `found ${canonical}, which is not on the allow list; a target outside the lab must be on it, port included: add allow: ["${canonical}"] if you may load it`,
        where,
      );
    } else if (seen.has(canonical)) {
      report(`found ${canonical} twice; every target gets the same share of the load: remove one`, where);
    } else if (local !== undefined && familyOf(local) !== familyOf(target.address)) {
      report(
        `found ${canonical}, but the local addresses are IPv${familyOf(local)}, as ${local}; a connection has one family: use targets and addresses of the same`,
        where,
        ['addresses'],
      );
    }
    seen.add(canonical);
    return [target];
  });
}

function labDestinations(input: DestinationsInput, report: Report): Destinations {
  const { addresses = DESTINATIONS.addresses, ports = DESTINATIONS.ports } = input;
  if (addresses * ports > MAX_DESTINATIONS) {
    report(
      `found ${addresses} addresses × ${ports} ports = ${addresses * ports} destinations; at most ${MAX_DESTINATIONS} are allowed: lower one of the two`,
      ['destinations', 'ports'],
      ['destinations', 'addresses'],
    );
  }
  return { kind: 'lab', addresses, ports };
}

/** @returns undefined for what is no target, which is reported */
export function tryTarget(text: string, report: (message: string) => void): Target | undefined {
  try {
    return parseTarget(text);
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    report(error.message);
    return undefined;
  }
}
