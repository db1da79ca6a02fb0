/**
 * From a count of sockets to what an operator asks: how full is each local address, how far are the two walls, and when will the
 * hard one be reached? Pure.
 *
 * The walls are of a local address, of P = the ports in `ip_local_port_range` without the reserved ones:
 *
 * - the slow wall, P/2. `bind()` to port 0 looks among the ports of one parity first, `connect()` among those of the other. Once
 *   that half is full each call searches it in vain, before it turns to the other half: measured on 16,000 ports, 2 to 6 µs a call
 *   below, 100 µs at the wall, above 1.6 ms for `bind()` and 0.4 ms for `connect()` (inet_csk_find_open_port() in
 *   net/ipv4/inet_connection_sock.c, __inet_hash_connect() in net/ipv4/inet_hashtables.c). Nothing fails yet. Where it lies for each way to bind: capacity/slow-wall.ts.
 * - the hard wall, P: EADDRINUSE from `bind()`, EADDRNOTAVAIL from `connect()`.
 *
 * What runs into them depends on how the port was chosen. A program that binds to port 0 needs a port that no other socket of the
 * address has, so the ports count. One that leaves the choice to `connect()` needs a port that no other socket to the same
 * destination has, so the sockets to the busiest destination count. The kernel does not say which it was; shared ports do.
 *
 * UDP has no parity and no tuples: its slow wall is at 98 %, and the ports count.
 */
import { SLOW_SHARE } from '../domain/datagram.js';
import type { Transport } from '../domain/protocol.js';
import { portCount } from '../domain/units.js';
import type { AddressUse, EphemeralPorts } from '../kernel/socket-census.js';
import { type ChosenBy, chosenBy } from './chosen.js';

export const LEVELS = ['ok', 'slow', 'hard'] as const;
export type Level = (typeof LEVELS)[number];

/** What fills up: the ports of the address, or the tuples with its busiest destination. */
export const WALLS = ['ports', 'destination'] as const;
export type Wall = (typeof WALLS)[number];

export interface Capacity {
  readonly low: number;
  readonly high: number;
  /** Ports of the range that are never handed out. */
  readonly reserved: number;
  /** P: what is left. */
  readonly ports: number;
  readonly slowWall: number;
  readonly hardWall: number;
}

/** Shares of P from which on a level holds. */
export interface Alarms {
  readonly slow: number;
  readonly hard: number;
}

export interface AddressReading extends AddressUse {
  /** Who chose the ports, as far as they tell. */
  readonly chosenBy: ChosenBy | null;
  readonly wall: Wall;
  /** Ports, or sockets to the busiest destination. */
  readonly used: number;
  /** used / P; 0 to 1, above only where ports were left over from a wider range. */
  readonly fill: number;
  readonly level: Level;
}

/** Of the ports of an address, those in use from which each search is slow. */
export const SLOW_SHARES: Readonly<Record<Transport, number>> = { tcp: 0.5, udp: SLOW_SHARE };

/** Ports of the range that are left when the reserved ones, whose ranges may overlap, are taken out. */
export function capacityOf({ range, reserved }: EphemeralPorts, transport: Transport = 'tcp'): Capacity {
  const out = new Set<number>();
  for (const { low, high } of reserved)
    for (let port = Math.max(low, range.low); port <= Math.min(high, range.high); port++) out.add(port);
  const ports = portCount(range) - out.size;
  const slowWall = Math.floor(ports * SLOW_SHARES[transport]);
  return { ...range, reserved: out.size, ports, slowWall, hardWall: ports };
}

/**
 * From this many sockets a port on, ports count as shared. At a fill that matters, connect() to several destinations shares far
 * more (drawn blindly from a half of which nine tenths are taken: 2.6 sockets a port), and bind() to port 0 none at all.
 */
const SHARED = 1.5;

/** What fills up first, as far as the sockets tell. */
export function wallOf({ ports, sockets }: Pick<AddressUse, 'ports' | 'sockets'>): Wall {
  return sockets >= SHARED * ports ? 'destination' : 'ports';
}

/**
 * Each address against its walls, the fullest first.
 * @param wall which wall counts; `auto`: {@link wallOf}
 */
export function readAddresses(
  counts: readonly AddressUse[],
  capacity: Capacity,
  alarms: Alarms,
  wall: Wall | 'auto' = 'auto',
): AddressReading[] {
  return counts
    .map((count) => readAddress(count, capacity, alarms, wall === 'auto' ? wallOf(count) : wall))
    .sort((a, b) => b.fill - a.fill || compareTexts(a.address, b.address));
}

function readAddress(count: AddressUse, { ports }: Capacity, alarms: Alarms, wall: Wall): AddressReading {
  const used = wall === 'ports' ? count.ports : (count.largest?.sockets ?? 0);
  const fill = ports > 0 ? used / ports : 1;
  return {
    ...count,
    chosenBy: chosenBy(count, ports),
    wall,
    used,
    fill,
    level: fill >= alarms.hard ? 'hard' : fill >= alarms.slow ? 'slow' : 'ok',
  };
}

/** The worst of all; ok where there is none. */
export function worstLevel(readings: readonly Pick<AddressReading, 'level'>[]): Level {
  return LEVELS[Math.max(0, ...readings.map(({ level }) => LEVELS.indexOf(level)))]!;
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
