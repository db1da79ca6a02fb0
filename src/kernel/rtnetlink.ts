/**
 * The little of rtnetlink(7) that a lab needs: links up, a veth pair, addresses, routes, neighbours. Through netlink instead of
 * ip(8), so that a lab needs nothing installed. Throws SystemCallError with what was attempted.
 */
import { addressBytes } from '../domain/addresses.js';
import { SystemCallError } from './errno.js';
import { AF_INET, AF_INET6 } from './libc.js';
import {
  attribute,
  concat,
  cString,
  NETLINK_ROUTE,
  type Netlink,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  openNetlink,
  words,
} from './netlink.js';

const RTM_NEWLINK = 16;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const RTM_NEWNEIGH = 28;
const RTM_GETLINK = 18;
const IFF_UP = 1;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_LINKINFO = 18;
const IFLA_NET_NS_PID = 19;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_F_NODAD = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NUD_PERMANENT = 0x80;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_HOST = 254;
const RTN_UNICAST = 1;
const RTN_LOCAL = 2;

export interface RouteControl {
  linkUp(name: string): void;
  /** A veth pair; `peer` starts its life in the network namespace of the process `peerPid`. Both ends get fixed MAC addresses. */
  addVeth(name: string, mac: string, peer: string, peerMac: string, peerPid: number): void;
  addAddress(link: string, address: string, prefix: number): void;
  /** A route to `destination/prefix` through `gateway`; `source` is what an unbound socket uses. */
  addRoute(destination: string, prefix: number, gateway: string, link: string, source?: string): void;
  /** Make every address of a net this machine's own (ip-route(8), "local"); before other routes to the same net. */
  ownNet(net: string, prefix: number): void;
  addNeighbour(link: string, address: string, mac: string): void;
  close(): void;
}

/** Control of the network namespace that the calling thread is in. */
export function openRouteControl(): RouteControl {
  const netlink = openNetlink(NETLINK_ROUTE);
  const check = (errno: number, what: string): void => {
    if (errno !== 0) throw new SystemCallError('rtnetlink', errno, what);
  };
  return {
    linkUp: (name) =>
      check(
        netlink.request(RTM_NEWLINK, 0, concat(linkMessage(IFF_UP), attribute(IFLA_IFNAME, cString(name)))),
        `set ${name} up`,
      ),
    addVeth(name, mac, peer, peerMac, peerPid) {
      const peerInfo = concat(
        linkMessage(0),
        attribute(IFLA_IFNAME, cString(peer)),
        attribute(IFLA_ADDRESS, macBytes(peerMac)),
        attribute(IFLA_NET_NS_PID, words(peerPid)),
      );
      const info = concat(
        attribute(IFLA_INFO_KIND, cString('veth')),
        attribute(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, peerInfo)),
      );
      const message = concat(
        linkMessage(0),
        attribute(IFLA_IFNAME, cString(name)),
        attribute(IFLA_ADDRESS, macBytes(mac)),
        attribute(IFLA_LINKINFO, info),
      );
      check(netlink.request(RTM_NEWLINK, NLM_F_CREATE, message), `add the veth pair ${name} and ${peer}`);
    },
    addAddress(link, address, prefix) {
      const bytes = addressBytes(address);
      // struct ifaddrmsg: family, prefixlen, flags, scope, index
      const header = concat(
        new Uint8Array([familyOf(address), prefix, IFA_F_NODAD, 0]),
        words(linkIndex(netlink, link)),
      );
      const message = concat(header, attribute(IFA_LOCAL, bytes), attribute(IFA_ADDRESS, bytes));
      check(netlink.request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, message), `add ${address}/${prefix} to ${link}`);
    },
    addRoute(destination, prefix, gateway, link, source) {
      // struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags
      const header = concat(
        new Uint8Array([familyOf(gateway), prefix, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_UNIVERSE, RTN_UNICAST]),
        words(0),
      );
      const message = concat(
        header,
        prefix > 0 ? attribute(RTA_DST, addressBytes(destination)) : new Uint8Array(0),
        attribute(RTA_GATEWAY, addressBytes(gateway)),
        attribute(RTA_OIF, words(linkIndex(netlink, link))),
        source ? attribute(RTA_PREFSRC, addressBytes(source)) : new Uint8Array(0),
      );
      check(
        netlink.request(RTM_NEWROUTE, NLM_F_CREATE, message),
        `add a route to ${destination}/${prefix} through ${gateway}`,
      );
    },
    ownNet(net, prefix) {
      const header = concat(
        new Uint8Array([familyOf(net), prefix, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_HOST, RTN_LOCAL]),
        words(0),
      );
      const message = concat(
        header,
        prefix > 0 ? attribute(RTA_DST, addressBytes(net)) : new Uint8Array(0),
        attribute(RTA_OIF, words(linkIndex(netlink, 'lo'))),
      );
      check(netlink.request(RTM_NEWROUTE, NLM_F_CREATE, message), `make every address of ${net}/${prefix} local`);
    },
    addNeighbour(link, address, mac) {
      // struct ndmsg: family, pad, pad, ifindex, state, flags, type
      const header = concat(
        new Uint8Array([familyOf(address), 0, 0, 0]),
        words(linkIndex(netlink, link)),
        new Uint8Array([NUD_PERMANENT, 0, 0, 0]),
      );
      const message = concat(header, attribute(NDA_DST, addressBytes(address)), attribute(NDA_LLADDR, macBytes(mac)));
      check(
        netlink.request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, message),
        `add the neighbour ${address} to ${link}`,
      );
    },
    close: () => netlink.close(),
  };
}

/** struct ifinfomsg: family, pad, type, index, flags, change mask. */
function linkMessage(flags: number): Uint8Array {
  return concat(words(0, 0, flags, flags));
}

function linkIndex(netlink: Netlink, name: string): number {
  let index = 0;
  // A link is looked up by name in the answer instead of with if_nametoindex(3), which would need one more C function.
  const errno = netlink.dump(RTM_GETLINK, linkMessage(0), (view, from, to) => {
    if (nameOf(view, from + 16, to) === name) index = view.getInt32(from + 4, true);
  });
  if (errno !== 0 || index === 0) throw new SystemCallError('rtnetlink', errno || 19, `find the link ${name}`);
  return index;
}

function nameOf(view: DataView, from: number, to: number): string | undefined {
  for (let at = from; at + 4 <= to; ) {
    const length = view.getUint16(at, true);
    if (length < 4) return undefined;
    if (view.getUint16(at + 2, true) === IFLA_IFNAME) {
      return new TextDecoder().decode(new Uint8Array(view.buffer, at + 4, length - 5));
    }
    at += (length + 3) & ~3;
  }
  return undefined;
}

function familyOf(address: string): number {
  return address.includes(':') ? AF_INET6 : AF_INET;
}

function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(':').map((byte) => Number.parseInt(byte, 16)));
}
