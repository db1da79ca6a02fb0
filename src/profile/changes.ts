/**
 * What a variant changes, in words, from the two complete arms: so it says what takes effect, not what the file repeats.
 */

import { formatDuration, formatTarget, plural } from '../domain/format.js';
import { changesOf } from '../domain/setting.js';
import { destinationCount } from '../plan/arrival.js';
import { formatArrival, formatDestinations } from '../plan/format.js';
import type { Arm, LoadPlan, Neighbour } from '../plan/plan.js';
import { proxySubjectOf } from '../subjects/index.js';

type Complete = Pick<Arm, 'sysctls' | 'roles' | 'proxy' | 'via' | 'load' | 'addresses' | 'destinations'>;

/**
 * The differences of an arm from the baseline, one text each, as `net.ipv4.tcp_tw_reuse = 1`, `strategy bind → bind-no-port`,
 * `100 addresses (was 50)`. Empty for an A/A variant.
 */
export function changesInWords(baseline: Complete, arm: Complete): string[] {
  return [
    ...subjectChanges(baseline.proxy, arm.proxy),
    ...viaChanges(baseline.via, arm.via),
    ...sysctlChanges(baseline.sysctls, arm.sysctls),
    ...(['client', 'origin'] as const).flatMap((role) =>
      sysctlChanges(baseline.roles?.[role] ?? {}, arm.roles?.[role] ?? {}).map((change) => `${role}: ${change}`),
    ),
    ...loadChanges(baseline, arm),
    ...addressChanges(baseline.addresses, arm.addresses),
    ...destinationChanges(baseline, arm),
  ];
}

/** `monitoring: beside, connect, constant 100/s for 1s, after the load`. */
export function neighbourInWords({ name, where, addresses, load, afterMs }: Neighbour): string {
  const how = where === 'beside' ? load.strategy : load.protocol;
  const from = addresses.length > 0 ? ` from ${addresses.join(', ')}` : '';
  const begins = afterMs === null ? ', after the load' : afterMs > 0 ? `, from ${formatDuration(afterMs)} on` : '';
  return `${name}: ${where}, ${how}${from}, ${formatArrival(load.arrival)}${begins}`;
}

/** The settings of a proxy; both are of one kind. */
function subjectChanges(before: Arm['proxy'], after: Arm['proxy']): string[] {
  if (!before || !after) return [];
  return changesOf(proxySubjectOf(after.kind).settings, before, after);
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

/** Each setting of a load in words. `satisfies` makes a new key of the plan a compile error here. */
const LOAD_WORDS = {
  strategy: (load) => load.strategy,
  workers: (load) => `${load.workers}`,
  pick: (load) => load.pick,
  arrival: (load) => formatArrival(load.arrival),
  close: (load) => load.close,
  drain: (load) => (load.drain ? 'yes' : 'no'),
  holdMs: (load) => (load.holdMs === null ? 'to the end' : formatDuration(load.holdMs)),
  timeoutMs: (load) => formatDuration(load.timeoutMs),
  exchange: (load) => (load.exchange ? `${load.exchange.request} B out, ${load.exchange.response} B back` : 'none'),
  engine: (load) => load.engine,
  keepAlive: (load) => (load.keepAlive ? 'on' : 'off'),
  tls: (load) => (load.tls ? 'on' : 'off'),
  protocol: (load) => load.protocol,
  body: (load) => `${load.body} B`,
  sink: (load) => load.sink,
  maxInFlight: (load) => (load.maxInFlight === null ? 'no limit' : `${load.maxInFlight}`),
  ports: (load) => (load.ports ? `${load.ports.low}-${load.ports.high}` : "the kernel's range"),
  lagBudgetMs: (load) => formatDuration(load.lagBudgetMs),
  clocks: (load) => `${load.clocks}`,
} satisfies Record<keyof LoadPlan, (load: LoadPlan) => string>;

const LABELS: Partial<Record<keyof LoadPlan, string>> = {
  holdMs: 'hold',
  timeoutMs: 'timeout',
  lagBudgetMs: 'lagBudget',
};

function loadChanges(before: Complete, after: Complete): string[] {
  return (Object.keys(LOAD_WORDS) as (keyof LoadPlan)[]).flatMap((key) => {
    // A proxy's own ports are a setting of it.
    if (key === 'ports' && after.proxy) return [];
    const [from, to] = [LOAD_WORDS[key](before.load), LOAD_WORDS[key](after.load)];
    return from === to ? [] : [`${LABELS[key] ?? key} ${from} → ${to}`];
  });
}

function addressChanges(before: readonly string[], after: readonly string[]): string[] {
  const common = Math.min(before.length, after.length);
  const sameStart = before.slice(0, common).every((address, i) => address === after[i]);
  const count = `${after.length} ${plural('address', after.length)}`;
  if (sameStart) return before.length === after.length ? [] : [`${count} (was ${before.length})`];
  return [`${count} from ${after[0]} (was ${before.length} from ${before[0]})`];
}

function destinationChanges(before: Complete, after: Complete): string[] {
  const [from, to] = [before.destinations, after.destinations];
  const [fromCount, toCount] = [destinationCount(from), destinationCount(to)];
  const bothInLab = from.kind === 'lab' && to.kind === 'lab';
  if (bothInLab && fromCount !== toCount) return [`${toCount} ${plural('destination', toCount)} (was ${fromCount})`];
  const [fromText, toText] = [formatDestinations(from), formatDestinations(to)];
  return fromText === toText ? [] : [`destinations ${toText} (was ${fromText})`];
}
