/**
 * One look of the gauge: what `bindstorm watch --json` prints, and what the table and the metrics are made from. Pure.
 */
import type { Transport } from '../domain/protocol.js';
import type { Census } from '../kernel/socket-census.js';
import type { Process } from '../kernel/socket-owners.js';
import { type Diagnosis, type DiagnosisInput, diagnose } from './cause.js';
import { diagnoseDatagrams } from './datagram-cause.js';
import type { Layer } from './layers.js';
import type { AddressReading, Alarms, Capacity, Level } from './reading.js';
import { worstLevel } from './reading.js';
import type { Refusals } from './refused.js';
import type { Growth } from './trend.js';

export interface AddressLook extends AddressReading {
  /** Null at the first look. */
  readonly growthPerSecond: number | null;
  /** Until the hard wall at this rate; 0: reached; null: not known, or nothing grows. */
  readonly secondsToHardWall: number | null;
}

/** A process with sockets on ephemeral ports. */
interface LookOwner extends Process {
  readonly sockets: number;
  /** TCP state → sockets. */
  readonly states: Readonly<Record<string, number>>;
  /** Whether a sample of its descriptors was counted, because there are very many. */
  readonly estimated: boolean;
}

export interface LookOwners {
  /** Most sockets first. A socket that several processes share counts for each. */
  readonly owners: readonly LookOwner[];
  /** Processes whose descriptors may not be read. */
  readonly unreadable: number;
  /** Whether the search was given up because there are too many descriptors. */
  readonly incomplete: boolean;
}

/** A port that is listened on and that the kernel may hand out to another program while nobody listens on it. */
export interface ExposedPort {
  readonly address: string;
  readonly port: number;
  /** Who listens; null: not known. */
  readonly owner: Process | null;
}

export interface Look extends Pick<Census, 'destinations' | 'missed' | 'sockets' | 'unconnected' | 'selfConnected'> {
  /** ISO 8601. */
  readonly at: string;
  /** `net:[4026531840]`. */
  readonly namespace: string;
  /** Whose sockets. */
  readonly transport: Transport;
  /** The process by which the namespace was named; null: it was named otherwise. The namespace may outlive it. */
  readonly process: { readonly pid: number; readonly running: boolean } | null;
  readonly capacity: Capacity;
  readonly alarms: Alarms;
  /** The worst of the addresses. */
  readonly level: Level;
  /** Why the ports fill up. */
  readonly cause: Diagnosis;
  /** The fullest first. */
  readonly addresses: readonly AddressLook[];
  /** Null where they were not looked for. */
  readonly owners: LookOwners | null;
  /** Programs that carry the connections of what is inside of them, and whether this namespace is inside of one. */
  readonly layers: readonly Layer[];
  /** What was refused while it was looked; null: it was not asked for. */
  readonly refused: Refusals | null;
  /** By port. */
  readonly exposed: readonly ExposedPort[];
  /** What the look itself took. */
  readonly lookMs: number;
}

export type LookInput = Omit<Look, 'level' | 'addresses' | 'cause' | 'refused'> &
  Pick<DiagnosisInput, 'activity' | 'idleMs' | 'timeWaitSeconds' | 'holder'> & {
    readonly addresses: readonly AddressReading[];
    readonly growth: ReadonlyMap<string, Growth>;
  };

/** Adds growth, the time left, the worst level and the reason to a reading of addresses. */
export function makeLook({
  growth,
  addresses,
  activity,
  idleMs,
  timeWaitSeconds,
  holder,
  at,
  namespace,
  process,
  ...rest
}: LookInput): Look {
  const { capacity, alarms } = rest;
  return {
    at,
    namespace,
    process,
    level: worstLevel(addresses),
    cause:
      rest.transport === 'udp'
        ? diagnoseDatagrams(addresses)
        : diagnose({ capacity, alarms, addresses, activity, idleMs, timeWaitSeconds, holder }),
    ...rest,
    refused: null,
    addresses: addresses.map((reading) => ({
      ...reading,
      growthPerSecond: growth.get(reading.address)?.perSecond ?? null,
      secondsToHardWall: growth.get(reading.address)?.secondsLeft ?? null,
    })),
  };
}
