/**
 * Where the attempts of an arm go: the lab's own origin, or targets outside that are on the profile's allow list. Pure.
 */
import { familyOf } from '../domain/addresses.js';
import { formatTarget } from '../domain/format.js';
import { LABS, type LabKind } from '../domain/lab.js';
import { complete } from '../domain/setting.js';
import type { Target } from '../domain/target.js';
import { orReport } from '../domain/units.js';
import { DESTINATION_SETTINGS, type Destinations } from '../plan/destinations.js';
import { parseTarget } from '../plan/targets.js';
import type { DestinationsInput } from './merge.js';
import type { Finding, Report } from './problem.js';

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
  lab: LabKind,
  allowed: ReadonlySet<string>,
  report: Report,
): Destinations {
  const { targets } = input;
  if (targets === undefined) return labDestinations(input, report);
  if (input.addresses !== undefined || input.ports !== undefined) {
    const key = input.addresses === undefined ? 'ports' : 'addresses';
    report(`targets and ${key} do not go together (${key} is about the lab's own origin); keep one of the two`, [
      'destinations',
      key,
    ]);
  }
  if (!LABS[lab].reaches) {
    report(
      `targets are outside the lab, and the ${lab} lab has no way out: remove targets to use the lab's own origin, or write lab: { kind: host }`,
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
      report(notAllowed(canonical), where);
    } else if (seen.has(canonical)) {
      report(`${canonical} is in the list twice; every target gets the same share of the load: remove one`, where);
    } else if (local !== undefined && familyOf(local) !== familyOf(target.address)) {
      report(
        `${canonical} and the local addresses (${local}, …) are of two families; a connection has one: use targets and addresses of the same`,
        where,
        ['addresses'],
      );
    }
    seen.add(canonical);
    return [target];
  });
}

function labDestinations(input: DestinationsInput, report: Report): Destinations {
  const { addresses, ports } = complete(DESTINATION_SETTINGS, input);
  if (addresses * ports > MAX_DESTINATIONS) {
    report(
      `${addresses} addresses × ${ports} ports are ${addresses * ports} destinations; at most ${MAX_DESTINATIONS} are allowed: lower one of the two`,
      ['destinations', 'ports'],
      ['destinations', 'addresses'],
    );
  }
  return { kind: 'lab', addresses, ports };
}

/** The target that a text names; undefined for none, which is reported. */
export function tryTarget(text: string, report: (message: string) => void): Target | undefined {
  return orReport(() => parseTarget(text), report);
}

/** Why a target cannot be used. @param canonical its address and port */
export function notAllowed(canonical: string): string {
  return `${canonical} is not on the allow list; a target outside the lab must be on it, port included: add allow: ["${canonical}"] if you may load it`;
}
