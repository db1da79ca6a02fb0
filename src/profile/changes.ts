/**
 * What a variant changes, in words, from the two complete arms: so it says what takes effect, not what the file repeats.
 */

import { formatDuration, formatTarget, plural } from '../domain/format.js';
import { changesOf } from '../domain/setting.js';
import { destinationCount } from '../plan/arrival.js';
import { formatArrival } from '../plan/arrival-settings.js';
import { formatDestinations } from '../plan/destinations.js';
import { LOAD_SETTINGS } from '../plan/load-settings.js';
import type { Arm, Neighbour, Scenario } from '../plan/plan.js';
import { loadsOf } from '../plan/scenario.js';
import { proxySubjectOf, routerSubjectOf } from '../subjects/index.js';
import type { CompleteArm } from './complete.js';

/**
 * The differences of an arm from the baseline, one text each, as `net.ipv4.tcp_tw_reuse = 1`, `strategy bind → bind-no-port`,
 * `100 addresses (was 50)`. Empty for an A/A variant.
 */
export function changesInWords(baseline: CompleteArm, arm: CompleteArm): string[] {
  return [
    ...subjectChanges(baseline.proxy, arm.proxy),
    ...routerChanges(baseline.router, arm.router),
    ...viaChanges(baseline.via, arm.via),
    ...sysctlChanges(baseline.sysctls, arm.sysctls),
    ...(['client', 'router', 'origin'] as const).flatMap((role) =>
      sysctlChanges(baseline.roles?.[role] ?? {}, arm.roles?.[role] ?? {}).map((change) => `${role}: ${change}`),
    ),
    ...loadChanges(baseline, arm),
    ...scenarioChanges(baseline, arm),
    ...addressChanges(baseline.addresses, arm.addresses),
    ...unboundChanges(baseline, arm),
    ...destinationChanges(baseline, arm),
  ];
}

/** `monitoring: beside, connect, constant 100/s for 1s, after the load`. */
export function neighbourInWords({ name, where, addresses, load, service, afterMs }: Neighbour): string {
  const begins = afterMs === null ? ', after the load' : afterMs > 0 ? `, from ${formatDuration(afterMs)} on` : '';
  if (service) {
    const { ports, downMs } = service;
    return `${name}: listens on ${ports.low} to ${ports.high}, restarts ${formatArrival(load.arrival)}, each time ${formatDuration(downMs)} down${begins}`;
  }
  const how = where === 'beside' ? load.strategy : load.protocol;
  const from = addresses.length > 0 ? ` from ${addresses.join(', ')}` : '';
  return `${name}: ${where}, ${how}${from}, ${formatArrival(load.arrival)}${begins}`;
}

/** The settings of a proxy; both are of one kind. */
function subjectChanges(before: Arm['proxy'], after: Arm['proxy']): string[] {
  if (!before || !after) return [];
  return changesOf(proxySubjectOf(after.kind).settings, before, after);
}

function routerChanges(before: Arm['router'], after: Arm['router']): string[] {
  return before && after ? changesOf(routerSubjectOf(after.kind).settings, before, after) : [];
}

function viaChanges(before: Arm['via'], after: Arm['via']): string[] {
  if (!before || !after) return [];
  const [from, to] = [formatTarget(before), formatTarget(after)];
  return from === to ? [] : [`target ${from} → ${to}`];
}

function sysctlChanges(before: Arm['sysctls'], after: Arm['sysctls']): string[] {
  return Object.entries(after)
    .filter(([name, value]) => before[name] !== value)
    .map(([name, value]) => `${name} = ${value}${before[name] === undefined ? '' : ` (was ${before[name]})`}`);
}

/** `bulk: strategy bind → connect`; what it has from the first load is said once. */
function scenarioChanges(before: CompleteArm, after: CompleteArm): string[] {
  const [[first, ...were], [now, ...are]] = [loadsOf(before), loadsOf(after)];
  const said = loadChanges(first, { ...now, proxy: after.proxy });
  return are.flatMap((scenario, i) => {
    const was = were[i]!;
    const own = scenario.shared && was.shared ? [] : destinationChanges(was, scenario);
    const changes = [...loadChanges(was, { ...scenario, proxy: after.proxy }), ...own];
    return changes.filter((change) => !said.includes(change)).map((change) => `${scenario.name}: ${change}`);
  });
}

/** `bulk: bind, constant 100/s for 1s, to 1 address × 4 ports of its own`. */
export function scenarioInWords({ name, load, destinations }: Scenario, proxied: boolean): string {
  const to = destinations === undefined ? '' : `, to ${formatDestinations(destinations)} of its own`;
  return `${name}: ${proxied ? load.protocol : load.strategy}, ${formatArrival(load.arrival)}${to}`;
}

type Loaded = Pick<CompleteArm, 'load'> & { readonly proxy?: CompleteArm['proxy'] };

function loadChanges(before: Loaded, after: Loaded): string[] {
  const changes = changesOf(LOAD_SETTINGS, before.load, after.load);
  // A proxy's own ports are a setting of it.
  return after.proxy ? changes.filter((text) => !text.startsWith('ports ')) : changes;
}

function addressChanges(before: readonly string[], after: readonly string[]): string[] {
  const common = Math.min(before.length, after.length);
  const sameStart = before.slice(0, common).every((address, i) => address === after[i]);
  const count = `${after.length} ${plural('address', after.length)}`;
  if (sameStart) return before.length === after.length ? [] : [`${count} (was ${before.length})`];
  return [`${count} from ${after[0]} (was ${before.length} from ${before[0]})`];
}

function unboundChanges({ unbound: before }: CompleteArm, { unbound: after }: CompleteArm): string[] {
  const said = (address: string | undefined) => address ?? 'the first address';
  return before === after ? [] : [`unbound connections from ${said(after)} (was ${said(before)})`];
}

/** Whether a change, in the words of `destinationChanges`, is of where the load goes, which is nobody's to set on a machine. */
export function isDestinationChange(change: string): boolean {
  return /^(?:\d+ )?destinations? /.test(change);
}

function destinationChanges(
  before: Pick<CompleteArm, 'destinations'>,
  after: Pick<CompleteArm, 'destinations'>,
): string[] {
  const [from, to] = [before.destinations, after.destinations];
  const [fromCount, toCount] = [destinationCount(from), destinationCount(to)];
  const bothInLab = from.kind === 'lab' && to.kind === 'lab';
  if (bothInLab && fromCount !== toCount) return [`${toCount} ${plural('destination', toCount)} (was ${fromCount})`];
  const [fromText, toText] = [formatDestinations(from), formatDestinations(to)];
  return fromText === toText ? [] : [`destinations ${toText} (was ${fromText})`];
}
