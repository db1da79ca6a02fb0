/**
 * How full the ports of a NAT are, by NAT address and destination, and how far each is from the first dropped SYN. Pure.
 */
import { dropCurve } from '../capacity/nat/drop-curve.js';
import { UNNAMED } from '../capacity/nat/unnamed.js';
import { formatTarget } from '../domain/format.js';
import { grouped } from '../domain/grouped.js';
import { type PortRange, portCount } from '../domain/units.js';
import type { ConntrackCensus } from '../kernel/conntrack.js';
import type { PoolUse } from '../kernel/nat-pools.js';
import { counter, gauge, renderFamilies } from './exposition.js';
import { type Level, worstLevel } from './reading.js';
import type { Refusals } from './refused.js';
import { percent, type TableOptions } from './table.js';

/** The pools that a look has at the most, the fullest. */
const MOST_POOLS = 100;
const SEED = 1;

/** When the first SYN is dropped, as shares of a pool: simulated runs of the kernel's search, in 95 of 100 of which it lies between. */
export interface FirstDrop {
  readonly low: number;
  readonly median: number;
}

export interface NatReading extends PoolUse {
  readonly fill: number;
  /** Connections more until the first drop is to be expected; 0: it is past. */
  readonly left: number;
  readonly level: Level;
}

export interface NatLook {
  /** ISO 8601. */
  readonly at: string;
  readonly namespace: string;
  /** Ports of one NAT address. */
  readonly ports: PortRange;
  readonly firstDrop: FirstDrop;
  readonly entries: number;
  readonly states: Readonly<Record<string, number>>;
  readonly level: Level;
  /** The fullest first. */
  readonly pools: readonly NatReading[];
  /** insert_failed since the namespace began, and since the look before (null: there was none). */
  readonly insertFailed: { readonly all: number; readonly since: number | null };
  /** Nobody counts refused calls here: a NAT refuses none. */
  readonly refused: Refusals | null;
  /** What the look itself took. */
  readonly lookMs: number;
}

/** What the simulation says where a rule names no ports; it takes a second, and a test makes it again. */
const UNNAMED_FIRST_DROP = { low: 53_184, median: 55_064 };

/** Where the first drop of a range lies. It is the same each time. */
export function firstDropOf(ports: PortRange): FirstDrop {
  const size = portCount(ports);
  const isUnnamed = ports.low === UNNAMED.low && ports.high === UNNAMED.high;
  const first = isUnnamed ? UNNAMED_FIRST_DROP : simulatedFirstDrop(size);
  return { low: first.low / size, median: first.median / size };
}

/** How many connections stand before the first drop of so many ports. */
export function simulatedFirstDrop(size: number): FirstDrop {
  const { low, median } = dropCurve(size, size > 10_000 ? 15 : 60, SEED).first;
  return { low, median };
}

/** What pools are read against. */
export interface NatBounds {
  readonly ports: PortRange;
  readonly firstDrop: FirstDrop;
  /** Whether packets were dropped since the look before. */
  readonly dropping: boolean;
}

/** Each pool against the first drop, in the order in which they come: the fullest first. */
export function readPools(pools: readonly PoolUse[], { ports, firstDrop, dropping }: NatBounds): NatReading[] {
  const size = portCount(ports);
  return pools.map(({ address, protocol, destination, entries }, i) => {
    const fill = entries / size;
    return {
      ...{ address, protocol, destination, entries, fill },
      left: Math.max(0, Math.floor(firstDrop.low * size) - entries),
      // Which pool a packet was dropped for nobody says; the fullest is the likeliest.
      level: fill >= 1 || (dropping && i === 0) ? 'hard' : fill >= firstDrop.low ? 'slow' : 'ok',
    };
  });
}

export interface NatLookInput
  extends Pick<NatLook, 'at' | 'namespace' | 'ports' | 'firstDrop' | 'insertFailed' | 'lookMs'> {
  readonly census: Pick<ConntrackCensus, 'entries' | 'states' | 'pools'>;
}

/** A look from a count. `slow`: a drop is to be expected; `hard`: the pool is full, or packets were dropped since the look before. */
export function makeNatLook({ census, ...rest }: NatLookInput): NatLook {
  const dropping = (rest.insertFailed.since ?? 0) > 0;
  const pools = readPools(census.pools.slice(0, MOST_POOLS), { ...rest, dropping });
  return {
    ...rest,
    entries: census.entries,
    states: census.states,
    level: worstLevel([...pools, { level: dropping ? 'hard' : 'ok' }]),
    pools,
    refused: null,
  };
}

/** What each level of a NAT is called. */
export const NAT_WORDS: Readonly<Record<Level, string>> = { ok: 'ok', slow: 'first drops', hard: 'drops' };

/** Lines that are not rows of pools. */
const OTHER_LINES = 7;

/** A look as a table. @returns lines without a newline at the end */
export function renderNatTable(look: NatLook, { width, height }: Pick<TableOptions, 'width' | 'height'>): string[] {
  const { ports, firstDrop, pools, insertFailed } = look;
  const shown = pools.slice(0, Math.max(1, height - OTHER_LINES));
  const cells = shown.map(({ address, protocol, destination, entries, fill, left, level }) => [
    address,
    `${formatTarget(destination)} ${protocol}`,
    grouped(entries),
    percent(fill),
    left === 0 ? 'past' : grouped(left),
    NAT_WORDS[level],
  ]);
  const head = ['NAT address', 'destination', 'in use', 'fill', 'to the first drop', ''];
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 2 || i === 3 || i === 4 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  const since = insertFailed.since === null ? '' : `, ${grouped(insertFailed.since)} since the last look`;
  return [
    `${look.at}  ${grouped(look.entries)} tracked connections  ${NAT_WORDS[look.level]}`,
    `ports ${ports.low} to ${ports.high}: ${grouped(portCount(ports))} for each NAT address and destination; SYNs are dropped from ${percent(firstDrop.low)} to ${percent(firstDrop.median)} on`,
    `dropped for want of a port (insert_failed): ${grouped(insertFailed.all)}${since}`,
    '',
    ...(cells.length === 0 ? ['No translated connection.'] : [line(head), ...cells.map(line)]),
    ...(pools.length > shown.length ? [`and ${grouped(pools.length - shown.length)} less full`] : []),
  ].map((text) => (text.length > width ? `${text.slice(0, width - 1)}…` : text));
}

/** One line for a log. */
export function renderNatLine({ at, level, pools: [fullest], insertFailed }: NatLook): string {
  const what = fullest
    ? `${fullest.address} to ${formatTarget(fullest.destination)} has ${grouped(fullest.entries)} (${percent(fullest.fill)})`
    : 'no translated connection';
  return `${at}  ${NAT_WORDS[level]}  ${what}, insert_failed ${grouped(insertFailed.all)}`;
}

/** For Prometheus. @param looks how many there have been, this one included */
export function renderNatMetrics({ pools, insertFailed, ports, firstDrop, lookMs }: NatLook, looks: number): string {
  const each = (of: (pool: NatReading) => number) =>
    pools.map((pool) => ({
      labels: { address: pool.address, destination: formatTarget(pool.destination), protocol: pool.protocol },
      value: of(pool),
    }));
  return renderFamilies('bindstorm_nat_', [
    gauge('ports', 'Ports of one NAT address that the rule names.', [{ value: portCount(ports) }]),
    gauge(
      'ports_in_use',
      'Ports in use of a NAT address towards a destination.',
      each(({ entries }) => entries),
    ),
    gauge(
      'fill_ratio',
      'The same as a share of the ports.',
      each(({ fill }) => fill),
    ),
    gauge('first_drop_ratio', 'Fill from which dropped SYNs are to be expected.', [{ value: firstDrop.low }]),
    counter('insert_failed_total', 'Packets that found no port (conntrack -S).', [{ value: insertFailed.all }]),
    counter('looks_total', 'Looks so far.', [{ value: looks }]),
    gauge('look_seconds', 'What the last look took.', [{ value: lookMs / 1000 }]),
  ]);
}
