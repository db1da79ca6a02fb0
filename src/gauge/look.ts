/**
 * One look of the gauge: what `bindstorm watch --json` prints, and what the table and the metrics are made from. Pure.
 */
import type { Census } from '../kernel/socket-census.js';
import type { Owners } from '../kernel/socket-owners.js';
import type { AddressReading, Alarms, Capacity, Level } from './reading.js';
import { worstLevel } from './reading.js';
import type { Growth } from './trend.js';

export interface AddressLook extends AddressReading {
  /** Null at the first look. */
  readonly growthPerSecond: number | null;
  /** Until the hard wall at this rate; 0: reached; null: not known, or nothing grows. */
  readonly secondsToHardWall: number | null;
}

export interface Look extends Pick<Census, 'destinations' | 'missed' | 'sockets' | 'unconnected'> {
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
  /** Null where they were not looked for. */
  readonly owners: Owners | null;
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
