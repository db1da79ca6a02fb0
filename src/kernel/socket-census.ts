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
import { NETLINK_SOCK_DIAG, type Netlink, openNetlink } from './netlink.js';
import { createPairCounts, MAPPED } from './pair-counts.js';
import { isSet, PORT_MAP_WORDS, type PortParity, parityOf, portsIn, set, setRange } from './port-map.js';
import { anyFamilyRequest, BOUND_INACTIVE, LISTEN, TCP_STATES, TCPDIAG_GETSOCK } from './sock-diag.js';
import { createSocketSample, type SocketSample } from './socket-sample.js';
import type { SocketTotals } from './socket-totals.js';
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
  /** Of the ports of the address itself. */
  readonly parity: PortParity;
}

/** A socket that listens on a port which the kernel could hand out. */
interface ExposedListener {
  readonly address: string;
  readonly port: number;
  readonly inode: number;
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
  /** Sockets that a process has open, exposed listeners too; their labels are those of {@link socketLabel}. */
  readonly inodes: InodeSet;
  /** A sample of the open connections, by the number of the local address; null: they are not of TCP. */
  readonly open: SocketSample | null;
  /** The number that stands for an address in labels and in the sample; undefined: it has no socket that counts. */
  readonly numberOf: (address: string) => number | undefined;
  /** Sockets that listen on a port of the range that is not reserved, up to a thousand of them. */
  readonly exposed: readonly ExposedListener[];
  /** Connections of a socket to itself: what connect() makes of a port of the range on which nobody listens any more. */
  readonly selfConnected: readonly { readonly address: string; readonly port: number }[];
}

/** What a label says: the number of the local address, those above the last one alike, and the TCP state. */
function socketLabel(address: number, state: number): number {
  return (Math.min(address, LAST_NUMBER) << 4) | state;
}

/** The two parts of a label. */
export function ofSocketLabel(label: number): { readonly address: number; readonly state: string } {
  return { address: label >>> 4, state: TCP_STATES[label & 15] ?? 'UNKNOWN' };
}

/** Whether a label is that of a socket that listens. */
export function isListenerLabel(label: number): boolean {
  return (label & 15) === LISTEN;
}

export interface SocketCensus {
  /** Count. What it returns is good until the next count. @throws SystemCallError */
  take(ports: EphemeralPorts): Census;
  close(): void;
}

/** A count of several namespaces, one after the other, in the same memory. */
export interface SharedCensus {
  /**
   * Count the sockets of the namespace that a socket was opened in ({@link openSockDiag}). What it returns is good until the next count.
   * @param totals of that namespace: where they say that there is nothing to list, and the machine has very many sockets, nothing is
   * @throws SystemCallError
   */
  take(netlink: Netlink, ports: EphemeralPorts, totals?: SocketTotals | null): Census;
}

/** Pairs of local address and destination that are counted apart; their table takes up to 3 MB. */
const PAIRS = 32_768;
const TOP_DESTINATIONS = 10;
const CONNECTED = ~((1 << LISTEN) | (1 << BOUND_INACTIVE)) >>> 0;
/** The kernel looks for unconnected sockets in another table, in which every socket is: with very many it would double the work. */
const MOST_FOR_UNCONNECTED = 100_000;
/** A walk past as many takes about five milliseconds; with fewer, all that there is is listed, whatever the counters say. */
const MANY_OF_MACHINE = 20_000;
const STATES = TCP_STATES.length;
const ESTABLISHED = 1;
const LAST_NUMBER = 4095;
const MOST_LISTED = 1000;
/** Local IPv4 addresses whose numbers are found without a search. */
const RECENT_BITS = 8;

/** A netlink socket that lists the sockets of the network namespace that the calling thread is in. @throws SystemCallError */
export function openSockDiag(): Netlink {
  return openNetlink(NETLINK_SOCK_DIAG);
}

/** Open a census of the network namespace that the calling thread is in. @throws SystemCallError */
export function openCensus(): SocketCensus {
  const netlink = openSockDiag();
  const census = createCensus();
  return { take: (ports) => census.take(netlink, ports), close: () => netlink.close() };
}

/** A census without a namespace yet. */
export function createCensus(): SharedCensus {
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
  const open = createSocketSample();
  const usable = new Uint32Array(PORT_MAP_WORDS);
  /** Ports that somebody listens on, on any address, and by address. */
  const listened = new Uint32Array(PORT_MAP_WORDS);
  const listeners: (Uint32Array | null)[] = [];
  let anyV4 = 0;
  let anyV6 = 0;
  const totals = { all: 0, listening: 0, incoming: 0, other: 0 };
  const exposed: { local: number; port: number; inode: number }[] = [];
  const selfConnected: { local: number; port: number }[] = [];

  function reset({ range, reserved }: EphemeralPorts): void {
    exposed.length = 0;
    selfConnected.length = 0;
    addresses.clear();
    recentNumbers.fill(0);
    pairs.clear();
    for (const map of [...taken, ...listeners]) if (map) spareMaps.push(map.fill(0));
    taken.length = 0;
    listeners.length = 0;
    states.fill(0);
    inodes.clear();
    open.clear();
    usable.fill(0);
    setRange(usable, range, true);
    for (const each of reserved) setRange(usable, each, false);
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
      map = spareMaps.pop() ?? new Uint32Array(PORT_MAP_WORDS);
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
    if (!isSet(usable, port)) return;
    mark(taken, local, port);
    if (exposed.length === MOST_LISTED) return;
    const inode = view.getUint32(from + 68, true);
    inodes.add(inode, socketLabel(local, LISTEN));
    exposed.push({ local, port, inode });
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
    if (inode !== 0) inodes.add(inode, socketLabel(local, state));
    if (state === ESTABLISHED) open.offer(local, view, from);
    const remotePort = view.getUint16(from + 6, false);
    // Bound, and connected to nothing yet.
    if (remotePort === 0) return;
    if (remotePort === port && selfConnected.length < MOST_LISTED && isOwnPeer(view, from))
      selfConnected.push({ local, port });
    if (view.getUint8(from) === AF_INET) pairs.addV4(local, remotePort, view.getUint32(from + 24, true));
    else pairs.addV6(local, remotePort, view, from + 24);
  }

  function dump(netlink: Netlink, states: number, onMessage: (view: DataView, from: number) => void): void {
    const errno = netlink.dump(TCPDIAG_GETSOCK, anyFamilyRequest(states), onMessage);
    if (errno !== 0) throw new SystemCallError('sock_diag', errno);
  }

  function textOf(number: number): string {
    return addressText((word) => addresses.wordOf(number, word));
  }

  function collect(range: PortRange): Omit<Census, 'unconnected'> {
    const numbers = new Map<string, number>();
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
      const address = textOf(local);
      numbers.set(address, local);
      used.push({
        address,
        parity: parityOf(own, range),
        ports: portsIn(
          own,
          (isV4(local) ? [anyV4, anyV6] : [anyV6]).map((any) => taken[any] ?? null),
        ),
        sockets,
        states: counted,
        largest: largest.get(local) ?? null,
      });
    }
    const destinations = [...perDestination.values()].sort(byCount).slice(0, TOP_DESTINATIONS);
    return {
      addresses: used,
      destinations,
      missed: pairs.missed(),
      sockets: { ...totals },
      inodes,
      open,
      numberOf: (address) => numbers.get(address),
      exposed: exposed.map(({ local, ...rest }) => ({ address: textOf(local), ...rest })),
      selfConnected: selfConnected.map(({ local, port }) => ({ address: textOf(local), port })),
    };
  }

  return {
    take(netlink, ports, known = null) {
      reset(ports);
      const isMany = known !== null && known.machine > MANY_OF_MACHINE;
      // Listeners first, because they tell which connections came in. They have a table of their own, which is small.
      dump(netlink, 1 << LISTEN, onListener);
      if (!isMany || known.hashed > totals.all) dump(netlink, CONNECTED, onSocket);
      const unconnected = totals.all <= MOST_FOR_UNCONNECTED;
      // Kernels before 6.8 know no such state and answer with nothing.
      if (unconnected && (!isMany || known.unconnected > 0)) dump(netlink, 1 << BOUND_INACTIVE, onSocket);
      return { ...collect(ports.range), unconnected };
    },
  };
}

/** Most sockets first; equal ones in the order of their names, so that a table stays calm. */
function byCount(a: Destination, b: Destination): number {
  return b.sockets - a.sockets || (a.address < b.address ? -1 : a.address > b.address ? 1 : a.port - b.port);
}

/** Whether both ends of a socket have one address: 16 bytes, of which IPv4 has the first four and the others are 0. */
function isOwnPeer(view: DataView, from: number): boolean {
  for (let at = from + 8; at < from + 24; at += 4)
    if (view.getUint32(at, true) !== view.getUint32(at + 16, true)) return false;
  return true;
}

/** The text of four words in network order, as a little-endian reader sees them; IPv4-mapped addresses as IPv4. */
function addressText(wordOf: (word: number) => number): string {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (let word = 0; word < 4; word++) view.setUint32(4 * word, wordOf(word), true);
  if (wordOf(0) === 0 && wordOf(1) === 0 && wordOf(2) === MAPPED) return bytes.subarray(12).join('.');
  return ipaddr.fromByteArray([...bytes]).toString();
}
