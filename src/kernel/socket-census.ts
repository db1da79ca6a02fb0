/**
 * Every TCP socket of a network namespace, counted by local address: which ephemeral ports are taken, in which states, and by which
 * destinations. A NETLINK_SOCK_DIAG dump (sock_diag(7)) is read as it streams in and added up in flat arrays, so that memory does
 * not grow with the number of sockets: one bit a port and local address, and a bounded table of destinations.
 *
 * Connections that came in are told from those that went out by their local port: one that is listened on. TIME_WAIT and the
 * other states without a process count like open sockets, because the kernel's search for a port does not tell them apart.
 */
import ipaddr from 'ipaddr.js';
import type { PortRange } from '../domain/units.js';
import { SystemCallError } from './errno.js';
import { createInodeSet, type InodeSet } from './inode-set.js';
import { AF_INET } from './libc.js';
import { NETLINK_SOCK_DIAG, openNetlink } from './netlink.js';
import { createPairCounts, MAPPED } from './pair-counts.js';
import { anyFamilyRequest, BOUND_INACTIVE, LISTEN, TCP_STATES, TCPDIAG_GETSOCK } from './sock-diag.js';
import { createWordTable } from './word-table.js';

/** The ports that the kernel hands out. */
export interface EphemeralPorts {
  /** `ip_local_port_range`, which serves IPv6 too. */
  readonly range: PortRange;
  /** `ip_local_reserved_ports`: never handed out. */
  readonly reserved: readonly PortRange[];
}

interface Destination {
  readonly address: string;
  readonly port: number;
  readonly sockets: number;
}

/** What one local address has. Ports and sockets are those of outgoing connections on ephemeral ports. */
export interface AddressUse {
  readonly address: string;
  /** Distinct ports that cannot be bound on this address: its own, and those that are bound for all addresses. */
  readonly ports: number;
  readonly sockets: number;
  /** TCP state → sockets. */
  readonly states: Readonly<Record<string, number>>;
  /** The destination with the most of these sockets; null: there is none. */
  readonly largest: Destination | null;
}

export interface Census {
  /** The local addresses with such sockets, in no order. */
  readonly addresses: readonly AddressUse[];
  /** The destinations with the most sockets over all local addresses, most first. */
  readonly destinations: readonly (Destination & { readonly localAddresses: number })[];
  /** The counts of destinations may be this much too low; 0 as long as there are not very many. */
  readonly missed: number;
  /** All sockets seen, and what was left out of the rest: listening ones, connections that came in, and other ports. */
  readonly sockets: {
    readonly all: number;
    readonly listening: number;
    readonly incoming: number;
    readonly other: number;
  };
  /** Whether sockets that are bound and not connected were looked for: not among very many, and not before Linux 6.8. */
  readonly unconnected: boolean;
  /** Sockets that a process has open. */
  readonly inodes: InodeSet;
}

export interface SocketCensus {
  /** Count. @throws SystemCallError */
  take(ports: EphemeralPorts): Census;
  close(): void;
}

/** Pairs of local address and destination that are counted apart; their table takes up to 3 MB. */
const PAIRS = 32_768;
const TOP_DESTINATIONS = 10;
const CONNECTED = ~((1 << LISTEN) | (1 << BOUND_INACTIVE)) >>> 0;
/** The kernel looks for unconnected sockets in another table, in which every socket is: with very many it would double the work. */
const MOST_FOR_UNCONNECTED = 100_000;
const STATES = TCP_STATES.length;
const BITMAP = 65_536 / 32;
/** Local IPv4 addresses whose numbers are found without a search. */
const RECENT_BITS = 8;

/** Open a census of the network namespace that the calling thread is in. @throws SystemCallError */
export function openCensus(): SocketCensus {
  const netlink = openNetlink(NETLINK_SOCK_DIAG);
  const addresses = createWordTable(4);
  const pairs = createPairCounts(PAIRS);
  /** Local IPv4 addresses by a part of their hash, and their numbers + 1; 0: none. */
  const recentWords = new Uint32Array(1 << RECENT_BITS);
  const recentNumbers = new Uint32Array(1 << RECENT_BITS);
  /** By local address: ports in use; null: none so far. */
  const taken: (Uint32Array | null)[] = [];
  const spareMaps: Uint32Array[] = [];
  let states = new Uint32Array(STATES * 64);
  const inodes = createInodeSet();
  const usable = new Uint32Array(BITMAP);
  /** Ports that somebody listens on, on any address, and by address. */
  const listened = new Uint32Array(BITMAP);
  const listeners: (Uint32Array | null)[] = [];
  let anyV4 = 0;
  let anyV6 = 0;
  const totals = { all: 0, listening: 0, incoming: 0, other: 0 };

  function reset({ range, reserved }: EphemeralPorts): void {
    addresses.clear();
    recentNumbers.fill(0);
    pairs.clear();
    for (const map of [...taken, ...listeners]) if (map) spareMaps.push(map.fill(0));
    taken.length = 0;
    listeners.length = 0;
    states.fill(0);
    inodes.clear();
    usable.fill(0);
    for (let port = range.low; port <= range.high; port++) set(usable, port);
    for (const { low, high } of reserved)
      for (let port = low; port <= high; port++) usable[port >>> 5]! &= ~(1 << (port & 31));
    listened.fill(0);
    anyV4 = numberOf(0, 0, MAPPED, 0);
    anyV6 = numberOf(0, 0, 0, 0);
    Object.assign(totals, { all: 0, listening: 0, incoming: 0, other: 0 });
  }

  function numberOf(a: number, b: number, c: number, d: number): number {
    const { key } = addresses;
    key[0] = a;
    key[1] = b;
    key[2] = c;
    key[3] = d;
    const number = addresses.entry();
    if (number === taken.length) {
      taken.push(null);
      listeners.push(null);
      if ((number + 1) * STATES > states.length) {
        const wider = new Uint32Array(states.length * 2);
        wider.set(states);
        states = wider;
      }
    }
    return number;
  }

  function numberOfV4(word: number): number {
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - RECENT_BITS);
    if (recentWords[slot] !== word || recentNumbers[slot] === 0) {
      recentWords[slot] = word;
      recentNumbers[slot] = numberOf(0, 0, MAPPED, word) + 1;
    }
    return recentNumbers[slot]! - 1;
  }

  function mark(maps: (Uint32Array | null)[], local: number, port: number): void {
    let map = maps[local];
    if (!map) {
      map = spareMaps.pop() ?? new Uint32Array(BITMAP);
      maps[local] = map;
    }
    set(map, port);
  }

  /**
   * struct inet_diag_msg (include/uapi/linux/inet_diag.h): family, state, timer, retrans; id.sport, id.dport (big-endian); id.src[4]
   * at 8, id.dst[4] at 24, interface, cookie[2]; expires, rqueue, wqueue, uid at 52; inode at 68.
   */
  function localOf(view: DataView, from: number): number {
    return view.getUint8(from) === AF_INET
      ? numberOfV4(view.getUint32(from + 8, true))
      : numberOf(
          view.getUint32(from + 8, true),
          view.getUint32(from + 12, true),
          view.getUint32(from + 16, true),
          view.getUint32(from + 20, true),
        );
  }

  function onListener(view: DataView, from: number): void {
    totals.all++;
    totals.listening++;
    const port = view.getUint16(from + 4, false);
    const local = localOf(view, from);
    set(listened, port);
    mark(listeners, local, port);
    if (isSet(usable, port)) mark(taken, local, port);
  }

  const isV4 = (local: number) =>
    addresses.wordOf(local, 2) === MAPPED && addresses.wordOf(local, 1) === 0 && addresses.wordOf(local, 0) === 0;

  /** What is bound to all addresses concerns each; `::` also those of IPv4 (without IPV6_V6ONLY, which is not asked for). */
  function cameIn(local: number, port: number): boolean {
    if (!isSet(listened, port)) return false;
    const at = (address: number) => {
      const map = listeners[address];
      return map ? isSet(map, port) : false;
    };
    return at(local) || at(anyV6) || (isV4(local) && at(anyV4));
  }

  function onSocket(view: DataView, from: number): void {
    totals.all++;
    const port = view.getUint16(from + 4, false);
    const local = localOf(view, from);
    if (cameIn(local, port)) {
      totals.incoming++;
      return;
    }
    if (!isSet(usable, port)) {
      totals.other++;
      return;
    }
    mark(taken, local, port);
    const state = view.getUint8(from + 1);
    states[local * STATES + (state < STATES ? state : 0)]!++;
    const inode = view.getUint32(from + 68, true);
    if (inode !== 0) inodes.add(inode);
    const remotePort = view.getUint16(from + 6, false);
    // Bound, and connected to nothing yet.
    if (remotePort === 0) return;
    if (view.getUint8(from) === AF_INET) pairs.addV4(local, remotePort, view.getUint32(from + 24, true));
    else pairs.addV6(local, remotePort, view, from + 24);
  }

  function dump(states: number, onMessage: (view: DataView, from: number) => void): void {
    const errno = netlink.dump(TCPDIAG_GETSOCK, anyFamilyRequest(states), onMessage);
    if (errno !== 0) throw new SystemCallError('sock_diag', errno);
  }

  function textOf(number: number): string {
    return addressText((word) => addresses.wordOf(number, word));
  }

  function collect(): Omit<Census, 'unconnected'> {
    const perDestination = new Map<
      string,
      { address: string; port: number; sockets: number; localAddresses: number }
    >();
    const largest = new Map<number, Destination>();
    pairs.forEach((sockets, local, port, wordOf) => {
      const address = addressText(wordOf);
      if (sockets > (largest.get(local)?.sockets ?? 0)) largest.set(local, { address, port, sockets });
      const key = `${address} ${port}`;
      const sum = perDestination.get(key) ?? { address, port, sockets: 0, localAddresses: 0 };
      sum.sockets += sockets;
      sum.localAddresses++;
      perDestination.set(key, sum);
    });
    const used: AddressUse[] = [];
    for (let local = 0; local < taken.length; local++) {
      const own = taken[local] ?? null;
      if (own === null) continue;
      const counted: Record<string, number> = {};
      let sockets = 0;
      for (let state = 0; state < STATES; state++) {
        const count = states[local * STATES + state]!;
        if (count === 0) continue;
        counted[TCP_STATES[state]!] = count;
        sockets += count;
      }
      // An address on which ports are only listened on has nothing to run out of.
      if (sockets === 0) continue;
      used.push({
        address: textOf(local),
        ports: bitsIn(
          own,
          (isV4(local) ? [anyV4, anyV6] : [anyV6]).map((any) => taken[any] ?? null),
        ),
        sockets,
        states: counted,
        largest: largest.get(local) ?? null,
      });
    }
    const destinations = [...perDestination.values()].sort(byCount).slice(0, TOP_DESTINATIONS);
    return { addresses: used, destinations, missed: pairs.missed(), sockets: { ...totals }, inodes };
  }

  return {
    take(ports) {
      reset(ports);
      // Listeners first, because they tell which connections came in.
      dump(1 << LISTEN, onListener);
      dump(CONNECTED, onSocket);
      const unconnected = totals.all <= MOST_FOR_UNCONNECTED;
      // Kernels before 6.8 know no such state and answer with nothing.
      if (unconnected) dump(1 << BOUND_INACTIVE, onSocket);
      return { ...collect(), unconnected };
    },
    close: () => netlink.close(),
  };
}

function set(map: Uint32Array, port: number): void {
  map[port >>> 5]! |= 1 << (port & 31);
}

function isSet(map: Uint32Array, port: number): boolean {
  return (map[port >>> 5]! & (1 << (port & 31))) !== 0;
}

/** Most sockets first; equal ones in the order of their names, so that a table stays calm. */
function byCount(a: Destination, b: Destination): number {
  return b.sockets - a.sockets || (a.address < b.address ? -1 : a.address > b.address ? 1 : a.port - b.port);
}

/** Bits that are set in `own` or in one of the others. */
function bitsIn(own: Uint32Array, others: readonly (Uint32Array | null)[]): number {
  let sum = 0;
  for (let i = 0; i < BITMAP; i++) {
    let word = own[i]!;
    for (const other of others) if (other) word |= other[i]!;
    word -= (word >>> 1) & 0x55555555;
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
    sum += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return sum;
}

/** The text of four words in network order, as a little-endian reader sees them; IPv4-mapped addresses as IPv4. */
function addressText(wordOf: (word: number) => number): string {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (let word = 0; word < 4; word++) view.setUint32(4 * word, wordOf(word), true);
  if (wordOf(0) === 0 && wordOf(1) === 0 && wordOf(2) === MAPPED) return bytes.subarray(12).join('.');
  return ipaddr.fromByteArray([...bytes]).toString();
}
