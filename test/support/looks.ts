/**
 * Counts and looks of the gauge for tests: what a caller leaves out is plausible and the same every time.
 */
import { type Look, makeLook } from '../../src/gauge/look.js';
import { capacityOf, readAddresses } from '../../src/gauge/reading.js';
import type { Growth } from '../../src/gauge/trend.js';
import type { AddressUse } from '../../src/kernel/socket-census.js';

export const ALARMS = { slow: 0.5, hard: 1 } as const;

/** Ports of an address that no two sockets share, in TIME_WAIT. */
export function countOf(address: string, ports: number, more: Partial<AddressUse> = {}): AddressUse {
  return {
    address,
    ports,
    sockets: ports,
    states: { TIME_WAIT: ports },
    largest: { address: '203.0.113.9', port: 443, sockets: ports },
    parity: { first: 0, other: ports, lower: { first: 0, other: ports } },
    ...more,
  };
}

export interface LookNumbers {
  readonly growth?: Readonly<Record<string, Growth>>;
  readonly more?: Partial<Look>;
}

/** A range of 1000 ports without reserved ones. */
export function lookOf(counts: readonly AddressUse[], { growth = {}, more = {} }: LookNumbers = {}): Look {
  const capacity = capacityOf({ range: { low: 40_000, high: 40_999 }, reserved: [] });
  return {
    ...makeLook({
      at: '2026-01-02T03:04:05.678Z',
      namespace: 'net:[4026531840]',
      transport: 'tcp',
      process: null,
      capacity,
      alarms: ALARMS,
      addresses: readAddresses(counts, capacity, ALARMS),
      growth: new Map(Object.entries(growth)),
      destinations: [{ address: '203.0.113.9', port: 443, sockets: 1234, localAddresses: 2 }],
      missed: 0,
      unconnected: true,
      owners: { owners: [], unreadable: 0, incomplete: false },
      layers: [],
      exposed: [],
      selfConnected: [],
      activity: null,
      idleMs: 60_000,
      timeWaitSeconds: 62.048,
      holder: () => null,
      sockets: { all: 5678, listening: 1, incoming: 2, other: 3 },
      lookMs: 12.3456,
    }),
    ...more,
  };
}
