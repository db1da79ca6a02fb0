/**
 * Connection tracking of a network namespace, through ctnetlink: its counters and what is in its table, counted without keeping entries.
 * conntrack(8) reads the same with -S and -L (include/uapi/linux/netfilter/nfnetlink_conntrack.h).
 */
import { addressText } from '../domain/addresses.js';
import { EPERM, SystemCallError } from './errno.js';
import { NETLINK_NETFILTER, openNetlink } from './netlink.js';

const NFNL_SUBSYS_CTNETLINK = 1;
const GET = (NFNL_SUBSYS_CTNETLINK << 8) | 1;
const GET_STATS_CPU = (NFNL_SUBSYS_CTNETLINK << 8) | 4;
/** struct nfgenmsg. */
const HEADER = 4;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_STATUS = 3;
const CTA_PROTOINFO = 4;
const IPS_SEEN_REPLY = 1 << 1;
const IPS_SRC_NAT = 1 << 4;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER stand above it. */
const TYPE_MASK = 0x3fff;

/** enum tcp_conntrack. */
const TCP_STATES = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
];

/** CTA_STATS_*, by their names in conntrack -S. */
const COUNTERS: Readonly<Record<number, string>> = {
  2: 'found',
  4: 'invalid',
  9: 'insert_failed',
  10: 'drop',
  11: 'early_drop',
  12: 'error',
  13: 'search_restart',
  14: 'clash_resolve',
  15: 'chaintoolong',
};

/** What a kernel lacks that answers ENOENT or EINVAL. */
const ABSENT = 'conntrack over netlink (CONFIG_NF_CT_NETLINK)';

/** Source ports of one NAT address, protocol, and destination address and port: what a NAT runs out of. */
interface NatPool {
  readonly address: string;
  readonly protocol: 'tcp' | 'udp';
  readonly destination: { readonly address: string; readonly port: number };
  entries: number;
  /** Lowest and highest port in use. */
  low: number;
  high: number;
}

export interface ConntrackCensus {
  readonly entries: number;
  /** TCP state, or of UDP `UNREPLIED` and `REPLIED`, → entries. */
  readonly states: Readonly<Record<string, number>>;
  /** Of translated sources, the fullest first. */
  readonly pools: readonly NatPool[];
  /** Entries whose source port is the client's own, and those that have another. */
  readonly kept: number;
  readonly moved: number;
}

/**
 * The counters of this namespace since it began, over all CPUs; those that are zero are there too.
 * @throws SystemCallError; without CAP_NET_ADMIN EPERM
 */
export function readConntrackStats(): Record<string, number> {
  const stats: Record<string, number> = Object.fromEntries(Object.values(COUNTERS).map((name) => [name, 0]));
  const netlink = openNetlink(NETLINK_NETFILTER);
  const errno = netlink.dump(GET_STATS_CPU, new Uint8Array(HEADER), (view, from, to) => {
    eachAttribute(view, from + HEADER, to, (type, at) => {
      const name = COUNTERS[type];
      if (name !== undefined) stats[name]! += view.getUint32(at);
    });
  });
  netlink.close();
  if (errno !== 0) throw new SystemCallError('conntrack', errno, ABSENT);
  return stats;
}

/**
 * Count the entries of this namespace. @throws SystemCallError
 */
export function takeConntrackCensus(): ConntrackCensus {
  const states: Record<string, number> = {};
  const pools = new Map<string, NatPool>();
  let [entries, kept, moved] = [0, 0, 0];
  const netlink = openNetlink(NETLINK_NETFILTER);
  const errno = netlink.dump(GET, new Uint8Array(HEADER), (view, from, to) => {
    const entry = readEntry(view, from + HEADER, to);
    const { original, reply, status } = entry;
    if (original.protocol !== IPPROTO_TCP && original.protocol !== IPPROTO_UDP) return;
    entries++;
    const state = stateOf(entry);
    states[state] = (states[state] ?? 0) + 1;
    if (original.sourcePort === reply.destinationPort) kept++;
    else moved++;
    if ((status & IPS_SRC_NAT) !== 0) countInPool(pools, reply);
  });
  netlink.close();
  if (errno !== 0) throw new SystemCallError('conntrack', errno, ABSENT);
  return { entries, states, pools: [...pools.values()].sort((a, b) => b.entries - a.entries), kept, moved };
}

/** How often the dump of GET is interrupted by changes does not matter: an entry is counted once or not at all. */
function countInPool(pools: Map<string, NatPool>, reply: Tuple): void {
  const protocol = reply.protocol === IPPROTO_TCP ? 'tcp' : 'udp';
  const key = `${reply.destination} ${protocol} ${reply.source} ${reply.sourcePort}`;
  const port = reply.destinationPort;
  const pool = pools.get(key);
  if (pool === undefined) {
    const destination = { address: reply.source, port: reply.sourcePort };
    pools.set(key, { address: reply.destination, protocol, destination, entries: 1, low: port, high: port });
    return;
  }
  pool.entries++;
  pool.low = Math.min(pool.low, port);
  pool.high = Math.max(pool.high, port);
}

interface Tuple {
  source: string;
  destination: string;
  protocol: number;
  sourcePort: number;
  destinationPort: number;
}

interface Entry {
  readonly original: Tuple;
  readonly reply: Tuple;
  readonly status: number;
  /** null: it is not TCP. */
  readonly tcpState: number | null;
}

function stateOf({ tcpState, status }: Entry): string {
  if (tcpState !== null) return TCP_STATES[tcpState] ?? `STATE_${tcpState}`;
  return (status & IPS_SEEN_REPLY) === 0 ? 'UNREPLIED' : 'REPLIED';
}

function readEntry(view: DataView, from: number, to: number): Entry {
  const original = noTuple();
  const reply = noTuple();
  let status = 0;
  let tcpState: number | null = null;
  eachAttribute(view, from, to, (type, at, end) => {
    if (type === CTA_TUPLE_ORIG) readTuple(view, at, end, original);
    else if (type === CTA_TUPLE_REPLY) readTuple(view, at, end, reply);
    else if (type === CTA_STATUS) status = view.getUint32(at);
    else if (type === CTA_PROTOINFO)
      // CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_STATE
      eachAttribute(view, at, end, (protocol, inner, last) => {
        if (protocol === 1)
          eachAttribute(view, inner, last, (which, place) => {
            if (which === 1) tcpState = view.getUint8(place);
          });
      });
  });
  return { original, reply, status, tcpState };
}

function noTuple(): Tuple {
  return { source: '', destination: '', protocol: 0, sourcePort: 0, destinationPort: 0 };
}

/** CTA_TUPLE_IP and CTA_TUPLE_PROTO with what is in them. */
function readTuple(view: DataView, from: number, to: number, tuple: Tuple): void {
  eachAttribute(view, from, to, (part, at, end) => {
    if (part === 1)
      eachAttribute(view, at, end, (type, place, last) => {
        const address = addressText(new Uint8Array(view.buffer, view.byteOffset + place, last - place));
        // CTA_IP_V4_SRC, _V4_DST, _V6_SRC, _V6_DST
        if (type === 1 || type === 3) tuple.source = address;
        else if (type === 2 || type === 4) tuple.destination = address;
      });
    else if (part === 2)
      eachAttribute(view, at, end, (type, place) => {
        if (type === 1) tuple.protocol = view.getUint8(place);
        else if (type === 2) tuple.sourcePort = view.getUint16(place);
        else if (type === 3) tuple.destinationPort = view.getUint16(place);
      });
  });
}

/** @param onAttribute given where the value of each begins and ends */
function eachAttribute(
  view: DataView,
  from: number,
  to: number,
  onAttribute: (type: number, at: number, end: number) => void,
): void {
  for (let at = from; at + 4 <= to; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > to) return;
    onAttribute(view.getUint16(at + 2, true) & TYPE_MASK, at + 4, at + length);
    at += (length + 3) & ~3;
  }
}

/** What to do where it cannot be read. */
export function conntrackRemedy({ errno }: SystemCallError): string {
  return errno === EPERM
    ? 'run it as root, in a container with CAP_NET_ADMIN'
    : 'load the module that lists connections: modprobe nf_conntrack_netlink';
}
