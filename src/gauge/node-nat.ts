/**
 * The NAT of each namespace in a look at all of a machine: how full its pools are, in its row, in lines beneath, and as metrics. Pure.
 */
import { formatTarget } from '../domain/format.js';
import type { PortRange } from '../domain/units.js';
import type { PoolUse } from '../kernel/nat-pools.js';
import { counter, type Family, gauge, type Sample } from './exposition.js';
import { type FirstDrop, NAT_WORDS, type NatReading, readPools } from './nat.js';
import { type Level, worstLevel } from './reading.js';
import { counted, percent, thousands } from './table.js';

/** The pools that a row has at the most: a label for each destination is many series. */
const MOST_POOLS = 10;
const MOST_TOLD = 3;

/** What a NAT has in use. */
export interface NatUse {
  /** Ports of one NAT address that are reckoned with: `--nat`. */
  readonly ports: PortRange;
  readonly firstDrop: FirstDrop;
  readonly level: Level;
  /** The fullest first. */
  readonly pools: readonly NatReading[];
  /** Pools that are less full, and not told. */
  readonly more: number;
  /** insert_failed of the namespace since it began, and since the look before (null: there was none). */
  readonly insertFailed: { readonly all: number; readonly since: number | null };
}

/** From what was counted. @param pools the fullest first */
export function makeNatUse(
  pools: readonly PoolUse[],
  { ports, firstDrop, insertFailed }: Pick<NatUse, 'ports' | 'firstDrop' | 'insertFailed'>,
): NatUse {
  const dropping = (insertFailed.since ?? 0) > 0;
  const told = readPools(pools.slice(0, MOST_POOLS), { ports, firstDrop, dropping });
  const level = worstLevel([...told, { level: dropping ? 'hard' : 'ok' }]);
  return { ports, firstDrop, level, pools: told, more: Math.max(0, pools.length - MOST_POOLS), insertFailed };
}

/** The cell of a row: how full the fullest pool is. */
export function natCell({ pools: [fullest] }: NatUse): string {
  return percent(fullest?.fill ?? 0);
}

/** Its pools and what was dropped, in lines. */
export function natLines({ pools, more, insertFailed, level }: NatUse): string[] {
  const since = insertFailed.since === null ? '' : `, ${thousands(insertFailed.since)} since the last look`;
  const told = pools.slice(0, MOST_TOLD);
  const left = pools.length - told.length + more;
  return [
    ...told.map(
      ({ address, protocol, destination, entries, fill, level }) =>
        `${address} to ${formatTarget(destination)} ${protocol}  ${thousands(entries)} ports (${percent(fill)})${level === 'ok' ? '' : `  ${NAT_WORDS[level]}`}`,
    ),
    ...(left > 0 ? [`and ${counted(left, 'pool', 'pools')} less full`] : []),
    ...(insertFailed.all > 0 || level === 'hard'
      ? [`dropped for want of a port (insert_failed): ${thousands(insertFailed.all)}${since}`]
      : []),
  ];
}

/** What a NAT is labelled with, and what it has in use. */
export interface LabelledNat {
  readonly nat: NatUse;
  readonly labels: Readonly<Record<string, string>>;
}

/** By namespace, and by NAT address, protocol and destination. */
export function natFamilies(all: readonly LabelledNat[]): Family[] {
  const each = (value: (pool: NatReading) => number): Sample[] =>
    all.flatMap(({ nat, labels }) =>
      nat.pools.map((pool) => ({
        labels: {
          ...labels,
          address: pool.address,
          destination: formatTarget(pool.destination),
          protocol: pool.protocol,
        },
        value: value(pool),
      })),
    );
  const one = (value: (nat: NatUse) => number): Sample[] =>
    all.map(({ nat, labels }) => ({ labels, value: value(nat) }));
  return [
    gauge(
      'ports_in_use',
      `Ports in use of a NAT address towards a destination; of a namespace the ${MOST_POOLS} fullest.`,
      each(({ entries }) => entries),
    ),
    gauge(
      'fill_ratio',
      'The same as a share of the ports that the rule may use.',
      each(({ fill }) => fill),
    ),
    gauge(
      'first_drop_ratio',
      'Fill from which dropped SYNs are to be expected.',
      one(({ firstDrop }) => firstDrop.low),
    ),
    counter(
      'insert_failed_total',
      'Packets that found no port (conntrack -S).',
      one(({ insertFailed }) => insertFailed.all),
    ),
  ];
}
