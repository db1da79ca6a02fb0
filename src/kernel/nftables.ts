/**
 * Rules of nf_tables through netlink instead of nft(8), so that a lab and a guest need nothing installed: what TPROXY and source NAT take,
 * and no more. An expression is one step of a rule: it loads a register, compares one, or acts (include/uapi/linux/netfilter/nf_tables.h).
 */
import { addressBytes } from '../domain/addresses.js';
import type { PortRange } from '../domain/units.js';
import { SystemCallError } from './errno.js';
import {
  attribute,
  concat,
  cString,
  NETLINK_NETFILTER,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  openNetlink,
} from './netlink.js';

// include/uapi/linux/netfilter/nfnetlink.h and nf_tables.h
const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_NEWRULE = 6;
const NFPROTO_UNSPEC = 0;
const NF_ACCEPT = 1;
const IPPROTO_TCP = 6;
const NFT_REG_VERDICT = 0;
/** Registers of 16 bytes. */
const [REG_1, REG_2, REG_3, REG_4] = [1, 2, 3, 4] as const;
const NFT_META_IIFNAME = 6;
const NFT_META_L4PROTO = 16;
const NFT_PAYLOAD_NETWORK_HEADER = 1;
const NFT_PAYLOAD_TRANSPORT_HEADER = 2;
const NFT_CT_ZONE = 17;
const IP_CT_DIR_ORIGINAL = 0;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFT_NAT_SNAT = 0;
const IFNAMSIZ = 16;

/** NFPROTO_*. */
const FAMILIES = { inet: 1, ip: 2, ip6: 10 } as const;
export type NftFamily = keyof typeof FAMILIES;

/** NF_INET_*, and the priorities that nft(8) names: mangle, dstnat and srcnat, raw. */
const HOOKS = { prerouting: 0, output: 3, postrouting: 4 } as const;
export const NFT_PRIORITY = { raw: -300, mangle: -150, dstnat: -100, srcnat: 100 } as const;

const NF_NAT_RANGE_PROTO_SPECIFIED = 1 << 1;
/** NF_NAT_RANGE_* (include/uapi/linux/netfilter/nf_nat.h), by the words of nft(8). */
const NAT_FLAGS = { random: 1 << 2, persistent: 1 << 3, 'fully-random': 1 << 4 } as const;
export type NatFlag = keyof typeof NAT_FLAGS;

/** One step of a rule, as netlink takes it. */
export type Expression = Uint8Array;

export interface NftChain {
  readonly name: string;
  readonly type: 'filter' | 'nat';
  readonly hook: keyof typeof HOOKS;
  readonly priority: number;
  readonly rules: readonly (readonly Expression[])[];
}

/**
 * Add chains of a table of the network namespace that the calling thread is in.
 * @param lacking what a kernel that answers ENOENT does not have, for the error
 * @throws SystemCallError when the kernel refuses; nothing is then added
 */
export function addChains(family: NftFamily, table: string, chains: readonly NftChain[], lacking: string): void {
  const netlink = openNetlink(NETLINK_NETFILTER);
  const message = (type: number, ...attributes: readonly Uint8Array[]): NetlinkMessage => ({
    type: (NFNL_SUBSYS_NFTABLES << 8) | type,
    flags: NLM_F_CREATE,
    payload: concat(header(FAMILIES[family], 0), ...attributes),
  });
  const own = attribute(1, cString(table));
  const all = [
    message(NFT_MSG_NEWTABLE, own),
    ...chains.flatMap(({ name, type, hook, priority, rules }) => [
      // NFTA_CHAIN_NAME, _HOOK, _TYPE
      message(
        NFT_MSG_NEWCHAIN,
        own,
        attribute(3, cString(name)),
        attribute(4, concat(field(1, HOOKS[hook]), field(2, priority))),
        attribute(7, cString(type)),
      ),
      // NFTA_RULE_CHAIN, _EXPRESSIONS. Without NLM_F_APPEND a rule goes before those that are there.
      ...rules.map((rule) => {
        const added = message(NFT_MSG_NEWRULE, own, attribute(2, cString(name)), attribute(4, concat(...rule)));
        return { ...added, flags: added.flags | NLM_F_APPEND };
      }),
    ]),
  ];
  const last = all.at(-1)!;
  const edge = { flags: 0, payload: header(NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES) };
  const errno = netlink.transaction([
    { type: NFNL_MSG_BATCH_BEGIN, ...edge },
    ...all.slice(0, -1),
    { ...last, flags: last.flags | NLM_F_ACK },
    { type: NFNL_MSG_BATCH_END, ...edge },
  ]);
  netlink.close();
  if (errno !== 0) throw new SystemCallError('nf_tables', errno, lacking);
}

/** `meta l4proto tcp`. */
export const ifTcp: readonly Expression[] = [
  expression('meta', field(1, REG_1), field(2, NFT_META_L4PROTO)),
  isEqual(Uint8Array.of(IPPROTO_TCP)),
];

/** `iifname "NAME"`. */
export function ifFrom(link: string): readonly Expression[] {
  const bytes = new Uint8Array(IFNAMSIZ);
  bytes.set(new TextEncoder().encode(link));
  return [expression('meta', field(1, REG_1), field(2, NFT_META_IIFNAME)), isEqual(bytes)];
}

/** `ip saddr ADDRESS`, or of IPv6. */
export function ifFromAddress(address: string): readonly Expression[] {
  const bytes = addressBytes(address);
  // Where a header has the source address: struct iphdr and struct ipv6hdr.
  const offset = bytes.length === 4 ? 12 : 8;
  return [
    expression(
      'payload',
      field(1, REG_1),
      field(2, NFT_PAYLOAD_NETWORK_HEADER),
      field(3, offset),
      field(4, bytes.length),
    ),
    isEqual(bytes),
  ];
}

/** `numgen inc mod OF 0 == 0`: of so many packets the first, each rule counting by itself. */
export function ifTurn(of: number): readonly Expression[] {
  // NFTA_NG_DREG, _MODULUS, _TYPE (NFT_NG_INCREMENTAL), _OFFSET
  return [expression('numgen', field(1, REG_1), field(2, of), field(3, 0), field(4, 0)), isEqual(hostWord(0))];
}

/** `jhash tcp sport mod OF seed 0 == WHICH`: the packets of a part of the source ports. */
export function ifSourcePort(of: number, which: number): readonly Expression[] {
  return [
    // NFTA_PAYLOAD_DREG, _BASE, _OFFSET, _LEN
    expression('payload', field(1, REG_1), field(2, NFT_PAYLOAD_TRANSPORT_HEADER), field(3, 0), field(4, 2)),
    // NFTA_HASH_SREG, _DREG, _LEN, _MODULUS, _SEED, _OFFSET, _TYPE (NFT_HASH_JENKINS)
    expression(
      'hash',
      field(1, REG_1),
      field(2, REG_1),
      field(3, 2),
      field(4, of),
      field(5, 0),
      field(6, 0),
      field(7, 0),
    ),
    isEqual(hostWord(which)),
  ];
}

/** `tproxy to :PORT accept`. */
export function toTransparent(port: number): readonly Expression[] {
  return [
    load(REG_1, portBytes(port)),
    // NFTA_TPROXY_FAMILY, NFTA_TPROXY_REG_PORT
    expression('tproxy', field(1, NFPROTO_UNSPEC), field(3, REG_1)),
    expression('immediate', field(1, NFT_REG_VERDICT), attribute(2, attribute(NFTA_DATA_VERDICT, field(1, NF_ACCEPT)))),
  ];
}

/** `redirect to :PORT`. */
export function redirectTo(port: number): readonly Expression[] {
  // NFTA_REDIR_REG_PROTO_MIN
  return [load(REG_1, portBytes(port)), expression('redir', field(1, REG_1))];
}

/** `masquerade to :PORTS FLAGS`. @param ports null: those that the kernel takes by itself */
export function masquerade(ports: PortRange | null, flags: readonly NatFlag[]): readonly Expression[] {
  // NFTA_MASQ_FLAGS, _REG_PROTO_MIN, _REG_PROTO_MAX
  return [
    ...loadPorts(ports, REG_1, REG_2),
    expression('masq', ...flagField(1, flags, ports), ...(ports ? [field(2, REG_1), field(3, REG_2)] : [])),
  ];
}

/** `snat to FIRST-LAST:PORTS FLAGS`. */
export function snat(
  [first, last]: readonly [string, string],
  ports: PortRange | null,
  flags: readonly NatFlag[],
): readonly Expression[] {
  const bytes = Uint8Array.from(addressBytes(first));
  return [
    load(REG_1, bytes),
    load(REG_2, Uint8Array.from(addressBytes(last))),
    ...loadPorts(ports, REG_3, REG_4),
    // NFTA_NAT_TYPE, _FAMILY, _REG_ADDR_MIN, _REG_ADDR_MAX, _REG_PROTO_MIN, _REG_PROTO_MAX, _FLAGS
    expression(
      'nat',
      field(1, NFT_NAT_SNAT),
      field(2, bytes.length === 4 ? FAMILIES.ip : FAMILIES.ip6),
      field(3, REG_1),
      field(4, REG_2),
      ...(ports ? [field(5, REG_3), field(6, REG_4)] : []),
      ...flagField(7, flags, ports),
    ),
  ];
}

/** `ct zone set ZONE`, or of the original direction alone. */
export function setZone(zone: number, originalOnly: boolean): readonly Expression[] {
  return [
    load(REG_1, hostShort(zone)),
    // NFTA_CT_KEY, _DIRECTION, _SREG
    expression(
      'ct',
      field(2, NFT_CT_ZONE),
      ...(originalOnly ? [attribute(3, Uint8Array.of(IP_CT_DIR_ORIGINAL))] : []),
      field(4, REG_1),
    ),
  ];
}

/**
 * Give every TCP packet that comes into this network namespace, IPv4 and IPv6, to the transparent listener on a port: TPROXY, without NAT
 * and without connection tracking (Documentation/networking/tproxy.rst). The socket must be transparent (IP_TRANSPARENT), and the addresses
 * local by a route.
 *
 *     table inet bindstorm { chain all { type filter hook prerouting priority mangle; meta l4proto tcp tproxy to :PORT accept } }
 *
 * @throws SystemCallError when the kernel refuses; ENOENT: it has no TPROXY
 */
export function divertTcp(port: number): void {
  const rules = [[...ifTcp, ...toTransparent(port)]];
  addChains(
    'inet',
    'bindstorm',
    [{ name: 'all', type: 'filter', hook: 'prerouting', priority: NFT_PRIORITY.mangle, rules }],
    'TPROXY of nf_tables (CONFIG_NFT_TPROXY, Linux 4.19)',
  );
}

/** Continue when register 1 has these bytes (NFTA_CMP_SREG, _OP with NFT_CMP_EQ, _DATA). */
function isEqual(bytes: Uint8Array): Expression {
  return expression('cmp', field(1, REG_1), field(2, 0), value(3, bytes));
}

function loadPorts(ports: PortRange | null, low: number, high: number): Expression[] {
  return ports ? [load(low, portBytes(ports.low)), load(high, portBytes(ports.high))] : [];
}

/** NFTA_IMMEDIATE_DREG and _DATA. */
function load(register: number, bytes: Uint8Array): Expression {
  return expression('immediate', field(1, register), value(2, bytes));
}

function flagField(type: number, flags: readonly NatFlag[], ports: PortRange | null): Uint8Array[] {
  // Masquerading, unlike the others, looks at its registers of ports only with this flag.
  const all = flags.reduce((sum, flag) => sum | NAT_FLAGS[flag], ports ? NF_NAT_RANGE_PROTO_SPECIFIED : 0);
  return all === 0 ? [] : [field(type, all)];
}

function portBytes(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port & 255);
}

/** Registers that expressions compute have the host's order. */
function hostWord(number: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(number).buffer);
}

function hostShort(number: number): Uint8Array {
  return new Uint8Array(Uint16Array.of(number).buffer);
}

/** struct nfgenmsg: family, version, and the subsystem in network order. */
function header(family: number, subsystem: number): Uint8Array {
  return Uint8Array.of(family, 0, subsystem >> 8, subsystem & 255);
}

/** NFTA_LIST_ELEM with NFTA_EXPR_NAME and NFTA_EXPR_DATA. */
function expression(name: string, ...attributes: readonly Uint8Array[]): Expression {
  return attribute(1, concat(attribute(1, cString(name)), attribute(2, concat(...attributes))));
}

/** A number of 32 bits in network order. */
function field(type: number, number: number): Uint8Array {
  return attribute(type, Uint8Array.of(number >> 24, number >> 16, number >> 8, number));
}

function value(type: number, bytes: Uint8Array): Uint8Array {
  return attribute(type, attribute(NFTA_DATA_VALUE, bytes));
}
