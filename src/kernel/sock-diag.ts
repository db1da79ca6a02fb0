/**
 * Who holds which local port, from the kernel itself: a NETLINK_SOCK_DIAG dump (sock_diag(7)) of the TCP sockets of this network
 * namespace, TIME_WAIT included. Measured (bench/README.md): 0.2 to 0.5 µs a socket, so 3 ms for 10,000 and 23 ms for 60,000,
 * nearly all of it the kernel's walk and copy; what is done here with a socket takes less than 0.1 µs.
 */
import ipaddr from 'ipaddr.js';
import type { Transport } from '../domain/protocol.js';
import { EINVAL, ENOENT, SystemCallError } from './errno.js';
import { AF_INET, AF_INET6 } from './libc.js';
import { concat, NETLINK_SOCK_DIAG, openNetlink, words } from './netlink.js';

export const SOCK_DIAG_BY_FAMILY = 20;
/** The same before Linux 3.3, under the name inet_diag, with the same answers (include/linux/inet_diag.h). */
export const TCPDIAG_GETSOCK = 18;
/** Numbers of protocols (RFC 790). UDP can be asked for since Linux 3.3 (net/ipv4/udp_diag.c). */
const PROTOCOL_NUMBERS: Readonly<Record<Transport, number>> = { tcp: 6, udp: 17 };
const ALL_STATES = 0xffffffff;

/** Names of the TCP states (include/net/tcp_states.h), as ss(8) and netstat(8) write them. */
export const TCP_STATES = [
  'UNKNOWN',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
] as const;
const TIME_WAIT = 6;
const CLOSE = 7;
export const LISTEN = 10;
/** Only to ask for them, since Linux 6.8: sockets that are bound and not connected. The answer says CLOSE. */
export const BOUND_INACTIVE = 13;

/**
 * The payload of a SOCK_DIAG_BY_FAMILY request for a dump of the sockets of one family: struct inet_diag_req_v2
 * (include/uapi/linux/inet_diag.h), that is family, protocol, extensions, padding, states, and an id that matches every socket.
 * @param states one bit a state, such as `1 << LISTEN`
 */
export function dumpRequest(family: number, states = ALL_STATES, transport: Transport = 'tcp'): Uint8Array {
  return concat(new Uint8Array([family, PROTOCOL_NUMBERS[transport], 0, 0]), words(states), new Uint8Array(48));
}

/**
 * The payload of a TCPDIAG_GETSOCK request for a dump of TCP sockets of both families in one walk over the kernel's table: struct
 * inet_diag_req, that is family, lengths, extensions, an id that matches every socket, states, and a cursor. The older of two
 * requests (2.6.14), and the only one that takes every family (inet_diag_dump_compat() in net/ipv4/inet_diag.c).
 * @param states one bit a state, such as `1 << LISTEN`
 * @param extensions one bit an attribute that is wanted beside
 */
export function anyFamilyRequest(states: number, extensions = 0): Uint8Array {
  return concat(new Uint8Array([0, 0, 0, extensions]), new Uint8Array(48), words(states, 0));
}

/** Length of the payload of a TCPDIAG_GETSOCK request, struct inet_diag_req. */
export const ONE_SOCKET_BYTES = 60;

/**
 * Write the payload of a TCPDIAG_GETSOCK request for one TCP socket, which is refused where there is none (ENOENT) or another (ESTALE).
 * @param into where {@link ONE_SOCKET_BYTES} from `at` on are 0
 * @param id struct inet_diag_sockid, as a dump has it
 * @param extensions one bit an attribute that is wanted beside
 */
export function writeOneSocketRequest(
  into: Uint8Array,
  at: number,
  family: number,
  id: Uint8Array,
  extensions: number,
): void {
  into[at] = family;
  into[at + 3] = extensions;
  into.set(id, at + 4);
  for (let byte = 0; byte < 4; byte++) into[at + 52 + byte] = ALL_STATES >>> (8 * byte);
}

interface SocketSnapshot {
  /** State → sockets; states without a socket are left out. Not counted: LISTEN, and the other ends of sockets that are. */
  readonly states: Record<string, number>;
  /** Distinct local ports in use of each watched address, in the order in which the addresses were given. */
  readonly portsPerAddress: number[];
  /** The sum over the watched addresses. */
  readonly portsInUse: number;
  /** Of the sockets of each watched address, those in TIME_WAIT. */
  readonly timeWaitPerAddress: number[];
}

export interface SocketObserver {
  /** Take a snapshot. Throws SystemCallError. */
  snapshot(): SocketSnapshot;
  close(): void;
}

/**
 * @param addresses the local addresses whose ports are counted
 * @param range the ephemeral range; sockets on other local ports do not count as ports in use
 * @param options onlyThese: count the states of sockets of the watched addresses only; transport: of which protocol, TCP unless named. A
 *   UDP socket without a local address has its port on all of them, and is counted at the first
 */
export function createSocketObserver(
  addresses: readonly string[],
  range: { low: number; high: number },
  {
    onlyThese = false,
    transport = 'tcp',
  }: { readonly onlyThese?: boolean; readonly transport?: Transport | undefined } = {},
): SocketObserver {
  const netlink = openNetlink(NETLINK_SOCK_DIAG);
  const isIpv6 = (address: string) => address.includes(':');
  // Without an address there are none to count, and the states are those of IPv4.
  const families = [AF_INET, AF_INET6].filter((each) =>
    addresses.length === 0 ? each === AF_INET : addresses.some((address) => isIpv6(address) === (each === AF_INET6)),
  );
  const indexOf = new Map(addresses.map((address, i) => [keyOf(address), i]));
  // One bit a port and address: a port that several sockets share counts once.
  const seen = addresses.map(() => new Uint32Array(65_536 / 32));
  const used = new Uint32Array(addresses.length);
  const timeWait = new Uint32Array(addresses.length);
  const perState = new Uint32Array(TCP_STATES.length);
  const requests = families.map((family) => ({
    request: dumpRequest(family, ALL_STATES, transport),
    // struct inet_diag_req: family, two prefix lengths, ext, an empty id, states, dbs. It is longer, so that a kernel which knows
    // only this one refuses the other as too short.
    oldRequest: concat(new Uint8Array([family, 0, 0, 0]), new Uint8Array(48), words(ALL_STATES, 0)),
  }));
  const udp = transport === 'udp';
  let old = false;

  function onMessage(view: DataView, from: number): void {
    // struct inet_diag_msg: family, state, timer, retrans; id.sport, id.dport (big-endian); id.src[4], id.dst[4], …
    const state = view.getUint8(from + 1);
    if (state === LISTEN) return;
    const addressAt = view.getUint8(from) === AF_INET ? ipv4At : ipv6At;
    const local = addressAt(view, from + 8);
    const index = indexOf.get(local) ?? (udp && WILDCARDS.has(local) && addresses.length > 0 ? 0 : undefined);
    // The other end of a watched socket: in one namespace with it, or on a kernel that shows those of all (before Linux 3.6).
    if (index === undefined && indexOf.has(addressAt(view, from + 24))) return;
    if (index !== undefined || !onlyThese) perState[state < TCP_STATES.length ? state : 0]!++;
    if (index === undefined) return;
    if (state === TIME_WAIT) timeWait[index]!++;
    const port = view.getUint16(from + 4, false);
    if (port < range.low || port > range.high) return;
    const bits = seen[index]!;
    const mask = 1 << (port & 31);
    if ((bits[port >>> 5]! & mask) === 0) {
      bits[port >>> 5]! |= mask;
      used[index]!++;
    }
  }

  return {
    snapshot() {
      perState.fill(0);
      used.fill(0);
      timeWait.fill(0);
      for (const bits of seen) bits.fill(0);
      for (const { request, oldRequest } of requests) {
        let errno = old ? 0 : netlink.dump(SOCK_DIAG_BY_FAMILY, request, onMessage);
        // A kernel that cannot be asked for UDP: nothing is seen of it.
        if (udp && (errno === EINVAL || errno === ENOENT)) continue;
        old ||= errno === EINVAL;
        if (old) errno = netlink.dump(TCPDIAG_GETSOCK, oldRequest, onMessage);
        if (errno !== 0) throw new SystemCallError('sock_diag', errno);
      }
      const states: Record<string, number> = {};
      perState.forEach((n, state) => {
        if (n > 0) states[udp && state === CLOSE ? 'UNCONN' : TCP_STATES[state]!] = n;
      });
      const portsPerAddress = Array.from(used);
      return {
        states,
        portsPerAddress,
        portsInUse: portsPerAddress.reduce((sum, n) => sum + n, 0),
        timeWaitPerAddress: Array.from(timeWait),
      };
    },
    close: () => netlink.close(),
  };
}

interface Listener {
  readonly address: string;
  readonly port: number;
}

/** Visit the messages of the kernel about sockets of this namespace that listen. Throws SystemCallError. */
function eachListener(visit: (view: DataView, from: number, family: number) => void): void {
  const netlink = openNetlink(NETLINK_SOCK_DIAG);
  for (const family of [AF_INET, AF_INET6]) {
    const request = dumpRequest(family, 1 << LISTEN);
    const errno = netlink.dump(SOCK_DIAG_BY_FAMILY, request, (view, from) => void visit(view, from, family));
    // Without IPv6 nothing listens there.
    if (errno !== 0 && family === AF_INET) throw new SystemCallError('sock_diag', errno);
  }
  netlink.close();
}

/** Where sockets of this namespace listen. Throws SystemCallError. */
export function listeners(): Listener[] {
  const found: Listener[] = [];
  eachListener((view, from, family) =>
    found.push({ address: addressIn(view, from + 8, family), port: view.getUint16(from + 4, false) }),
  );
  return found;
}

/** Connections of this namespace that nobody has accepted yet: of a socket that listens, struct inet_diag_msg has them as idiag_rqueue. Throws SystemCallError. */
export function unaccepted(): number {
  let waiting = 0;
  eachListener((view, from) => {
    waiting += view.getUint32(from + 56, true);
  });
  return waiting;
}

/** The text of an address of a message. @param family AF_INET or AF_INET6 */
export function addressIn(view: DataView, at: number, family: number): string {
  const bytes = Array.from({ length: family === AF_INET ? 4 : 16 }, (_, i) => view.getUint8(at + i));
  return ipaddr.fromByteArray(bytes).toString();
}

/** Whether a connection to this address and port finds a listener in this namespace: of that address, or of all. Throws SystemCallError. */
export function isListening({ address, port }: Listener): boolean {
  const all = [ipaddr.parse(address).toString(), '::', ...(address.includes(':') ? [] : ['0.0.0.0'])];
  return listeners().some((each) => each.port === port && all.includes(each.address));
}

/** 0.0.0.0 and ::, as they come in a message. */
const WILDCARDS: ReadonlySet<number | string> = new Set([0, '0:0:0:0']);

/** An IPv4 address as the little-endian word of the kernel's message, an IPv6 address as hexadecimal text. */
function keyOf(address: string): number | string {
  const bytes = Uint8Array.from(ipaddr.parse(address).toByteArray());
  const view = new DataView(bytes.buffer);
  return bytes.length === 4 ? view.getUint32(0, true) : hex(view, 0);
}

function ipv4At(view: DataView, at: number): number {
  return view.getUint32(at, true);
}

/** A socket of IPv6 may be connected by IPv4, as those of Java are: its addresses are IPv4-mapped (RFC 4291, 2.5.5.2). */
function ipv6At(view: DataView, at: number): number | string {
  const isMapped = view.getUint32(at) === 0 && view.getUint32(at + 4) === 0 && view.getUint32(at + 8) === 0xffff;
  return isMapped ? ipv4At(view, at + 12) : hex(view, at);
}

function hex(view: DataView, at: number): string {
  return `${view.getUint32(at).toString(16)}:${view.getUint32(at + 4).toString(16)}:${view.getUint32(at + 8).toString(16)}:${view.getUint32(at + 12).toString(16)}`;
}
