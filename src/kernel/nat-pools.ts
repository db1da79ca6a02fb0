/**
 * The ports that a NAT has in use, by NAT address, protocol and destination: a dump of connection tracking that only translated connections are in, added
 * up in flat memory. conntrack.ts counts all entries and their states; this is what a look at every namespace of a machine can afford.
 */
import { addressText } from '../domain/addresses.js';
import { SystemCallError } from './errno.js';
import { attribute, concat, NETLINK_NETFILTER, openNetlink } from './netlink.js';
import { createWordTable } from './word-table.js';

/** NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET (include/uapi/linux/netfilter/nfnetlink_conntrack.h). */
const GET = (1 << 8) | 1;
/** struct nfgenmsg. */
const HEADER = 4;
const CTA_TUPLE_REPLY = 2;
const CTA_STATUS = 3;
const CTA_STATUS_MASK = 26;
const IPS_SRC_NAT = 1 << 4;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER stand above it. */
const TYPE_MASK = 0x3fff;
const [CTA_TUPLE_IP, CTA_TUPLE_PROTO] = [1, 2];
/** Of CTA_TUPLE_IP: v4 source and destination, v6 source and destination; of CTA_TUPLE_PROTO: number, source and destination port. */
const [IP_V4_SRC, IP_V4_DST, IP_V6_SRC, IP_V6_DST] = [1, 2, 3, 4];
const [PROTO_NUM, PROTO_SRC_PORT] = [1, 2];
/** Of a key: NAT address (4), destination (4), protocol and destination port. IPv4 has the first word of four. */
const [NAT, DESTINATION, REST] = [0, 4, 8];
const IPV6_BIT = 0x80000000;

/** Source ports of one NAT address towards one destination. */
export interface PoolUse {
  readonly address: string;
  readonly protocol: 'tcp' | 'udp';
  readonly destination: { readonly address: string; readonly port: number };
  readonly entries: number;
}

/**
 * Count the translated sources of the network namespace of the calling thread, the fullest pools first.
 * @throws SystemCallError; without CAP_NET_ADMIN EPERM, without nf_conntrack_netlink EINVAL or ENOENT
 */
export function takeNatPools(): PoolUse[] {
  const table = createWordTable(9);
  let counts = new Uint32Array(64);
  const netlink = openNetlink(NETLINK_NETFILTER);
  const { key } = table;
  const errno = netlink.dump(GET, request(), (view, from, to) => {
    if (!readKey(view, from + HEADER, to, key)) return;
    const pool = table.entry();
    if (pool >= counts.length) {
      const wider = new Uint32Array(counts.length * 2);
      wider.set(counts);
      counts = wider;
    }
    counts[pool]!++;
  });
  netlink.close();
  if (errno !== 0) throw new SystemCallError('conntrack', errno, 'conntrack over netlink (CONFIG_NF_CT_NETLINK)');
  return Array.from({ length: table.size() }, (_, pool): PoolUse => {
    const rest = table.wordOf(pool, REST);
    const textAt = (first: number) => addressOf((word) => table.wordOf(pool, first + word), (rest & IPV6_BIT) !== 0);
    return {
      address: textAt(NAT),
      protocol: ((rest >>> 16) & 0xff) === IPPROTO_TCP ? 'tcp' : 'udp',
      destination: { address: textAt(DESTINATION), port: rest & 0xffff },
      entries: counts[pool]!,
    };
  }).sort((a, b) => b.entries - a.entries || (a.address < b.address ? -1 : 1));
}

/** Only what is translated, which kernels before 5.15 do not understand: they list everything (ctnetlink_alloc_filter()). */
function request(): Uint8Array {
  const status = new Uint8Array(4);
  new DataView(status.buffer).setUint32(0, IPS_SRC_NAT);
  return concat(new Uint8Array(HEADER), attribute(CTA_STATUS, status), attribute(CTA_STATUS_MASK, status));
}

/** Of an entry, from its reply: that goes from the destination to the NAT address. @returns false where it is none of a NAT's sources */
function readKey(view: DataView, from: number, to: number, key: Uint32Array): boolean {
  key.fill(0);
  let isTranslated = false;
  let isCounted = false;
  for (let at = from; at + 4 <= to; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > to) break;
    const type = view.getUint16(at + 2, true) & TYPE_MASK;
    if (type === CTA_TUPLE_REPLY) isCounted = readTuple(view, at + 4, at + length, key);
    else if (type === CTA_STATUS) isTranslated = (view.getUint32(at + 4) & IPS_SRC_NAT) !== 0;
    at += (length + 3) & ~3;
  }
  return isTranslated && isCounted;
}

/** CTA_TUPLE_IP and CTA_TUPLE_PROTO. @returns whether it is of TCP or UDP */
function readTuple(view: DataView, from: number, to: number, key: Uint32Array): boolean {
  let protocol = 0;
  for (let at = from; at + 4 <= to; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > to) break;
    const part = view.getUint16(at + 2, true) & TYPE_MASK;
    for (let inner = at + 4; inner + 4 <= at + length; ) {
      const size = view.getUint16(inner, true);
      if (size < 4) break;
      const type = view.getUint16(inner + 2, true) & TYPE_MASK;
      if (part === CTA_TUPLE_IP) readAddress(view, type, inner + 4, key);
      else if (part === CTA_TUPLE_PROTO && type === PROTO_NUM) {
        protocol = view.getUint8(inner + 4);
        key[REST]! |= protocol << 16;
      } else if (part === CTA_TUPLE_PROTO && type === PROTO_SRC_PORT) key[REST]! |= view.getUint16(inner + 4);
      inner += (size + 3) & ~3;
    }
    at += (length + 3) & ~3;
  }
  return protocol === IPPROTO_TCP || protocol === IPPROTO_UDP;
}

function readAddress(view: DataView, type: number, at: number, key: Uint32Array): void {
  if (type === IP_V4_SRC) key[DESTINATION] = view.getUint32(at);
  else if (type === IP_V4_DST) key[NAT] = view.getUint32(at);
  else if (type === IP_V6_SRC || type === IP_V6_DST) {
    key[REST]! |= IPV6_BIT;
    const first = type === IP_V6_SRC ? DESTINATION : NAT;
    for (let word = 0; word < 4; word++) key[first + word] = view.getUint32(at + 4 * word);
  }
}

function addressOf(wordOf: (word: number) => number, isV6: boolean): string {
  const view = new DataView(new ArrayBuffer(isV6 ? 16 : 4));
  for (let at = 0; at < view.byteLength; at += 4) view.setUint32(at, wordOf(at / 4));
  return addressText(new Uint8Array(view.buffer));
}
