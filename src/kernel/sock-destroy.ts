/**
 * Ends TCP sockets of this network namespace, whatever their state, as `ss -K` does: SOCK_DESTROY of sock_diag(7), since Linux 4.5, where the
 * kernel is built with CONFIG_INET_DIAG_DESTROY; needs CAP_NET_ADMIN. A connection is aborted with RST, a TIME_WAIT just ends (tcp_abort() in
 * net/ipv4/tcp.c), and the port is free at once.
 */
import ipaddr from 'ipaddr.js';
import { ENOENT, SystemCallError } from './errno.js';
import { AF_INET, AF_INET6 } from './libc.js';
import { concat, NETLINK_SOCK_DIAG, openNetlink, words } from './netlink.js';
import { dumpRequest, LISTEN, SOCK_DIAG_BY_FAMILY } from './sock-diag.js';

const SOCK_DESTROY = 21;
/** struct inet_diag_sockid: ports, addresses, interface, cookie. */
const SOCKET_ID = 48;
const ALL_BUT_LISTEN = ~(1 << LISTEN);

/**
 * End all sockets that have one of the local addresses; listeners stay.
 * @param addresses IPv4 or IPv6; an IPv4-mapped one counts as IPv4
 * @returns how many were ended
 * @throws SystemCallError EOPNOTSUPP where the kernel cannot do it
 */
export function destroySockets(addresses: readonly string[]): number {
  const wanted = new Set(addresses.map((address) => ipaddr.parse(address).toString()));
  const netlink = openNetlink(NETLINK_SOCK_DIAG);
  let ended = 0;
  try {
    for (const family of [AF_INET, AF_INET6]) {
      const ids: Uint8Array[] = [];
      const refused = netlink.dump(SOCK_DIAG_BY_FAMILY, dumpRequest(family, ALL_BUT_LISTEN), (view, from) => {
        const local = new Uint8Array(view.buffer, view.byteOffset + from + 8, family === AF_INET ? 4 : 16);
        if (!wanted.has(textOf(local))) return;
        ids.push(new Uint8Array(view.buffer, view.byteOffset + from + 4, SOCKET_ID).slice());
      });
      // Without IPv6 there are no such sockets.
      if (refused !== 0 && family === AF_INET) throw new SystemCallError('sock_diag', refused);
      for (const id of ids) {
        const header = concat(dumpRequest(family).subarray(0, 4), words(ALL_BUT_LISTEN));
        const errno = netlink.request(SOCK_DESTROY, 0, concat(header, id));
        if (errno === 0) ended++;
        else if (errno !== ENOENT) throw new SystemCallError('sock_diag', errno, 'SOCK_DESTROY');
      }
    }
  } finally {
    netlink.close();
  }
  return ended;
}

function textOf(bytes: Uint8Array): string {
  const address = ipaddr.fromByteArray([...bytes]);
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()
    ? address.toIPv4Address().toString()
    : address.toString();
}
