/**
 * The one rule of nf_tables that a lab needs, through netlink instead of nft(8): TPROXY, which gives packets for any address and port to
 * one listening socket, without NAT and without connection tracking (Documentation/networking/tproxy.rst). The socket must be
 * transparent (IP_TRANSPARENT), and the addresses local by a route.
 *
 *     table inet bindstorm { chain all { type filter hook prerouting priority mangle; meta l4proto tcp tproxy to :PORT accept } }
 */
import { SystemCallError } from './errno.js';
import {
  attribute,
  concat,
  cString,
  NETLINK_NETFILTER,
  type NetlinkMessage,
  NLM_F_ACK,
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
const NFPROTO_INET = 1;
const NF_INET_PRE_ROUTING = 0;
/** NF_IP_PRI_MANGLE */
const PRIORITY = -150;
const NF_ACCEPT = 1;
const IPPROTO_TCP = 6;
const NFT_REG_VERDICT = 0;
const NFT_REG_1 = 1;
const NFT_META_L4PROTO = 16;
const NFT_CMP_EQ = 0;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;

const TABLE = cString('bindstorm');
const CHAIN = cString('all');

/** The module of TPROXY is not there. Other errnos are of the system, as EPERM. */
const ABSENT = 'TPROXY of nf_tables (CONFIG_NFT_TPROXY, Linux 4.19)';

/**
 * Give every TCP packet that comes into this network namespace, IPv4 and IPv6, to the transparent listener on a port.
 * @throws SystemCallError when the kernel refuses; ENOENT: it has no TPROXY
 */
export function divertTcp(port: number): void {
  const netlink = openNetlink(NETLINK_NETFILTER);
  const hook = concat(field(1, NF_INET_PRE_ROUTING), field(2, PRIORITY));
  const rule = concat(
    expression('meta', field(1, NFT_REG_1), field(2, NFT_META_L4PROTO)),
    expression('cmp', field(1, NFT_REG_1), field(2, NFT_CMP_EQ), value(3, Uint8Array.of(IPPROTO_TCP))),
    expression('immediate', field(1, NFT_REG_1), value(2, Uint8Array.of(port >> 8, port & 255))),
    // NFTA_TPROXY_FAMILY, NFTA_TPROXY_REG_PORT
    expression('tproxy', field(1, NFPROTO_UNSPEC), field(3, NFT_REG_1)),
    expression('immediate', field(1, NFT_REG_VERDICT), attribute(2, attribute(NFTA_DATA_VERDICT, field(1, NF_ACCEPT)))),
  );
  const errno = netlink.transaction([
    { type: NFNL_MSG_BATCH_BEGIN, flags: 0, payload: header(NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES) },
    table(NFT_MSG_NEWTABLE, NLM_F_CREATE, attribute(1, TABLE)),
    table(
      NFT_MSG_NEWCHAIN,
      NLM_F_CREATE,
      // NFTA_CHAIN_TABLE, _NAME, _HOOK, _TYPE
      concat(attribute(1, TABLE), attribute(3, CHAIN), attribute(4, hook), attribute(7, cString('filter'))),
    ),
    table(
      NFT_MSG_NEWRULE,
      NLM_F_CREATE | NLM_F_ACK,
      // NFTA_RULE_TABLE, _CHAIN, _EXPRESSIONS
      concat(attribute(1, TABLE), attribute(2, CHAIN), attribute(4, rule)),
    ),
    { type: NFNL_MSG_BATCH_END, flags: 0, payload: header(NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES) },
  ]);
  netlink.close();
  if (errno !== 0) throw new SystemCallError('nf_tables', errno, ABSENT);
}

function table(message: number, flags: number, attributes: Uint8Array): NetlinkMessage {
  return { type: (NFNL_SUBSYS_NFTABLES << 8) | message, flags, payload: concat(header(NFPROTO_INET, 0), attributes) };
}

/** struct nfgenmsg: family, version, and the subsystem in network order. */
function header(family: number, subsystem: number): Uint8Array {
  return Uint8Array.of(family, 0, subsystem >> 8, subsystem & 255);
}

/** NFTA_LIST_ELEM with NFTA_EXPR_NAME and NFTA_EXPR_DATA. */
function expression(name: string, ...attributes: readonly Uint8Array[]): Uint8Array {
  return attribute(1, concat(attribute(1, cString(name)), attribute(2, concat(...attributes))));
}

/** A number of 32 bits in network order. */
function field(type: number, number: number): Uint8Array {
  return attribute(type, Uint8Array.of(number >> 24, number >> 16, number >> 8, number));
}

function value(type: number, bytes: Uint8Array): Uint8Array {
  return attribute(type, attribute(NFTA_DATA_VALUE, bytes));
}
