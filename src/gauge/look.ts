/**
 * One look of the gauge: what `bindstorm watch --json` prints, and what the table and the metrics are made from. Pure.
 */
import type { AddressReading, Alarms, Capacity, Destination, Level } from './reading.js';
import { worstLevel } from './reading.js';
import type { Growth } from './trend.js';

export interface AddressLook extends AddressReading {
  /** Null at the first look. */
  readonly growthPerSecond: number | null;
  /** Until the hard wall at this rate; 0: reached; null: not known, or nothing grows. */
  readonly secondsToHardWall: number | null;
}

interface OwnerLook {
  readonly pid: number;
  readonly command: string;
  readonly sockets: number;
}

export interface Look {
  /** ISO 8601. */
  readonly at: string;
  /** `net:[4026531840]`. */
  readonly namespace: string;
  /** The process by which the namespace was named; null: it was named otherwise. The namespace may outlive it. */
  readonly process: { readonly pid: number; readonly running: boolean } | null;
  readonly capacity: Capacity;
  readonly alarms: Alarms;
  /** The worst of the addresses. */
  readonly level: Level;
  /** The fullest first. */
  readonly addresses: readonly AddressLook[];
  /** The destinations with the most sockets. */
  readonly destinations: readonly (Destination & { readonly localAddresses: number })[];
  /** Counts of destinations may be this much too low; 0: they are exact. */
  readonly missed: number;
  /** Whether sockets that are bound and not connected were counted: not with very many sockets, and not before Linux 6.8. */
  readonly unconnected: boolean;
  /** Null where they were not looked for. */
  readonly owners: {
    readonly owners: readonly OwnerLook[];
    /** Processes whose descriptors may not be read. */
    readonly unreadable: number;
    /** Not every process was looked at. */
    readonly incomplete: boolean;
  } | null;
  /** All TCP sockets of the namespace, and those of them that take no ephemeral port. */
  readonly sockets: {
    readonly all: number;
    readonly listening: number;
    readonly incoming: number;
    readonly other: number;
  };
  /** What the look itself took. */
  readonly lookMs: number;
}

export type LookInput = Omit<Look, 'level' | 'addresses'> & {
  readonly addresses: readonly AddressReading[];
  readonly growth: ReadonlyMap<string, Growth>;
};

/** Adds growth, the time left and the worst level to a reading of addresses. */
export function makeLook({ growth, addresses, ...rest }: LookInput): Look {
  return {
    ...rest,
    level: worstLevel(addresses),
    addresses: addresses.map((reading) => ({
      ...reading,
      growthPerSecond: growth.get(reading.address)?.perSecond ?? null,
      secondsToHardWall: growth.get(reading.address)?.secondsLeft ?? null,
    })),
  };
}
