/**
 * The lab's network: a client and an origin namespace joined by a veth pair. The client's addresses lie on its loopback device
 * and are routed, so that fifty of them need one neighbour entry and no ARP; every address is from a net set aside for labs.
 *
 *     client namespace                                        origin namespace
 *     lo: the profile's addresses      198.18.0.1 ─ veth ─ 198.18.0.2      lo: 198.19.0.1 …
 *
 * A proxy under test takes the client's place, and the clients, on addresses of the lab, have a namespace before it:
 *
 *     client namespace                                        proxy namespace
 *     lo: 198.18.128.1 …               198.18.1.1 ─ veth ─ 198.18.1.2      lo: the profile's addresses
 *
 * To a program with an internet the origin is every address of both families that is not its own: it has a default route to the origin, and
 * there every address is local. Nothing else has a route, in either namespace.
 */

import { familyOf, isLoopback } from '../../domain/addresses.js';
import { LAB_ADDRESSES as ADDRESSES } from '../../domain/lab-addresses.js';
import type { Target } from '../../domain/target.js';
import { SystemCallError } from '../../kernel/errno.js';
import { openRouteControl, type RouteControl } from '../../kernel/rtnetlink.js';
import { hasIpv6 } from '../../load/origin/internet/any-address.js';
import {
  CLIENT_LINK,
  CLIENT_MAC,
  ORIGIN_LINK,
  ORIGIN_MAC,
  TO_CLIENTS_LINK,
  TO_CLIENTS_MAC,
  TO_PROXY_LINK,
  TO_PROXY_MAC,
} from './links.js';

/** Above the well-known ports and below the default ephemeral range. */
const FIRST_PORT = 9000;

/**
 * The (address, port) pairs that the lab's origin serves.
 * @param loopback on loopback addresses, which are there without being added: on the host itself, and for clients that are on
 * loopback addresses too. IPv4 has all of 127.0.0.0/8; IPv6 has ::1 alone, so that further addresses become further ports.
 * @param before pairs that others serve, on addresses (::1: ports) of their own
 */
export function originTargets(
  family: 4 | 6,
  loopback: boolean,
  addresses: number,
  ports: number,
  before: readonly Target[] = [],
): Target[] {
  const single = loopback && family === 6;
  const [hosts, perHost] = single ? [1, addresses * ports] : [addresses, ports];
  const used = single ? before.length : new Set(before.map(({ address }) => address)).size;
  const host = (i: number) => {
    if (!loopback) return ADDRESSES[family].originAddress(i);
    return family === 4 ? `127.127.${(i + 1) >> 8}.${(i + 1) & 255}` : '::1';
  };
  return Array.from({ length: hosts * perHost }, (_, i) => ({
    address: single ? host(0) : host(used + (i % hosts)),
    port: FIRST_PORT + (single ? used : 0) + Math.floor(i / hosts),
  }));
}

/** Behind all hosts of the main load. */
const FIRST_NEIGHBOUR_HOST = 0x7f00;

/** A neighbour in the role under test: its addresses, and the host that it talks to. */
export interface NeighbourRoute {
  readonly addresses: readonly string[];
  readonly target: Target;
}

/** Where the i-th neighbour of an experiment talks to: a host of its own, so that its routes and its counts are its own. */
export function neighbourTarget(family: 4 | 6, i: number): Target {
  return { address: ADDRESSES[family].originAddress(FIRST_NEIGHBOUR_HOST + i), port: FIRST_PORT };
}

/** The address of the i-th neighbour, where the profile gives none. */
export function neighbourAddress(family: 4 | 6, i: number): string {
  return ADDRESSES[family].neighbourAddress(i);
}

/** Do something with the network of this namespace. */
export function withControl<T>(work: (control: RouteControl) => T): T {
  const control = openRouteControl();
  try {
    return work(control);
  } finally {
    control.close();
  }
}

/** Whether this namespace can have a veth pair. @returns undefined, or the errno of the refusal */
export function vethRefusal(): number | undefined {
  return withControl((control) => {
    try {
      control.addVeth('bs-probe0', CLIENT_MAC, 'bs-probe1', ORIGIN_MAC, process.pid);
      return undefined;
    } catch (error) {
      if (error instanceof SystemCallError) return error.errno;
      throw error;
    }
  });
}

/**
 * The side of the role under test: the pair, its addresses, the route to the origin. Throws SystemCallError.
 * @param unbound the address of a socket that is not bound to one; absent: the first of the addresses
 */
export function setUpClient(
  addresses: readonly string[],
  family: 4 | 6,
  originPid: number,
  neighbours: readonly NeighbourRoute[] = [],
  unbound?: string,
): void {
  const net = ADDRESSES[family];
  withControl((control) => {
    control.linkUp('lo');
    control.addVeth(CLIENT_LINK, CLIENT_MAC, ORIGIN_LINK, ORIGIN_MAC, originPid);
    for (const address of withUnbound(addresses, unbound)) control.addAddress('lo', address, net.hostPrefix);
    control.addAddress(CLIENT_LINK, net.client, net.linkPrefix);
    control.linkUp(CLIENT_LINK);
    control.addNeighbour(CLIENT_LINK, net.origin, ORIGIN_MAC);
    // An unbound socket (strategy connect) gets the first address, so that its ports are counted where the reader looks.
    control.addRoute(net.originNet, net.originNetPrefix, net.origin, CLIENT_LINK, unbound ?? addresses[0]);
    for (const other of otherFamilies(neighbours, family)) {
      const { client, origin, linkPrefix } = ADDRESSES[other];
      control.addAddress(CLIENT_LINK, client, linkPrefix);
      control.addNeighbour(CLIENT_LINK, origin, ORIGIN_MAC);
    }
    addNeighbours(control, neighbours, CLIENT_LINK, (of) => ADDRESSES[of].origin);
  });
}

/** Families of programs beside that are not the load's. */
function otherFamilies(neighbours: readonly NeighbourRoute[], family: 4 | 6): Set<4 | 6> {
  const all = new Set(neighbours.map(({ target }) => familyOf(target.address)));
  all.delete(family);
  return all;
}

/** The addresses of a role, with that of its unbound sockets where it is another. */
export function withUnbound(addresses: readonly string[], unbound: string | undefined): readonly string[] {
  return unbound === undefined || addresses.includes(unbound) ? addresses : [...addresses, unbound];
}

/** A neighbour that does not bind has its own address too, by the route to the host that it talks to. */
export function addNeighbours(
  control: RouteControl,
  neighbours: readonly NeighbourRoute[],
  link: string,
  gatewayOf: (family: 4 | 6) => string,
): void {
  for (const { addresses: own, target } of neighbours) {
    const family = familyOf(target.address);
    const { hostPrefix } = ADDRESSES[family];
    for (const address of own) control.addAddress('lo', address, hostPrefix);
    control.addRoute(target.address, hostPrefix, gatewayOf(family), link, own[0]);
  }
}

/**
 * The origin's side, in its own namespace, once the client has moved the pair's end there. Throws SystemCallError.
 * @param addresses of the load's family, and of neighbours that have another
 */
export function setUpOrigin(addresses: readonly string[], family: 4 | 6): void {
  const here = [...new Set([family, ...addresses.map(familyOf)])].map((family) => ADDRESSES[family]);
  withControl((control) => {
    control.linkUp('lo');
    for (const address of addresses) control.addAddress('lo', address, ADDRESSES[familyOf(address)].hostPrefix);
    for (const { origin, linkPrefix } of here) control.addAddress(ORIGIN_LINK, origin, linkPrefix);
    control.linkUp(ORIGIN_LINK);
    for (const { client, any } of here) {
      control.addNeighbour(ORIGIN_LINK, client, CLIENT_MAC);
      control.addRoute(any, 0, client, ORIGIN_LINK);
    }
  });
}

/** The families that an internet has here. */
const families = (): readonly (4 | 6)[] => (hasIpv6() ? [4, 6] : [4]);

/** Names that can have addresses of their own. */
const MOST_NAMES = 0x7e00;

/** The addresses of the n-th name that a program looks up, one of each family; undefined: there are no more. @param only this family */
export function namedAddresses(nth: number, only: 4 | 6 | null): string[] | undefined {
  const wanted = only === null ? families() : [only];
  return nth < MOST_NAMES ? wanted.map((family) => ADDRESSES[family].namedAddress(nth)) : undefined;
}

/** Where a program with an internet finds the resolver. */
export function resolverAddresses(): string[] {
  return families().map((family) => ADDRESSES[family].origin);
}

/** The addresses of a program with an internet: its own, and one of the lab's in a family in which it has none. */
export function withBothFamilies(addresses: readonly string[]): string[] {
  const lacking = families().filter((family) => !addresses.some((address) => familyOf(address) === family));
  return [...addresses, ...lacking.map((family) => ADDRESSES[family].programAddress)];
}

/**
 * The side of a program with an internet: the pair, its addresses, and a way to everywhere. What does not bind has the first address of
 * the family. @param addresses of both families @param unbound as of setUpClient @throws SystemCallError
 */
export function joinInternet(
  addresses: readonly string[],
  originPid: number,
  neighbours: readonly NeighbourRoute[] = [],
  unbound?: string,
): void {
  withControl((control) => {
    control.linkUp('lo');
    control.addVeth(CLIENT_LINK, CLIENT_MAC, ORIGIN_LINK, ORIGIN_MAC, originPid);
    for (const address of withUnbound(addresses, unbound))
      control.addAddress('lo', address, ADDRESSES[familyOf(address)].hostPrefix);
    for (const family of families())
      control.addAddress(CLIENT_LINK, ADDRESSES[family].client, ADDRESSES[family].linkPrefix);
    control.linkUp(CLIENT_LINK);
    for (const family of families()) {
      const { origin, any } = ADDRESSES[family];
      const own = [unbound, ...addresses].find((address) => address !== undefined && familyOf(address) === family);
      control.addNeighbour(CLIENT_LINK, origin, ORIGIN_MAC);
      control.addRoute(any, 0, origin, CLIENT_LINK, own);
    }
    addNeighbours(control, neighbours, CLIENT_LINK, (of) => ADDRESSES[of].origin);
  });
}

/** The origin's side of an internet, in its own namespace. @param addresses of the program @throws SystemCallError */
export function becomeInternet(addresses: readonly string[]): void {
  withControl((control) => {
    control.linkUp('lo');
    for (const family of families())
      control.addAddress(ORIGIN_LINK, ADDRESSES[family].origin, ADDRESSES[family].linkPrefix);
    control.linkUp(ORIGIN_LINK);
    for (const family of families()) {
      control.addNeighbour(ORIGIN_LINK, ADDRESSES[family].client, CLIENT_MAC);
      control.ownNet(ADDRESSES[family].any, 0);
    }
    for (const address of addresses) {
      const { client, hostPrefix } = ADDRESSES[familyOf(address)];
      control.addRoute(address, hostPrefix, client, ORIGIN_LINK);
    }
  });
}

/** One namespace for both roles, for a kernel without veth: the origin's addresses beside the client's. */
export function setUpShared(addresses: readonly string[], targets: readonly Target[], family: 4 | 6): void {
  const own = [...addresses, ...targets.map(({ address }) => address)].filter((address) => !isLoopback(address));
  withControl((control) => {
    control.linkUp('lo');
    for (const address of new Set(own)) control.addAddress('lo', address, ADDRESSES[family].hostPrefix);
  });
}

/**
 * Where a proxy listens for its clients: addresses, so that many listeners take one port number of the proxy's range and not as many.
 */
export function proxyAddresses(family: 4 | 6, count: number): string[] {
  const { toClients, proxyListener } = ADDRESSES[family];
  return count === 1 ? [toClients] : Array.from({ length: count }, (_, i) => proxyListener(i));
}

/** The clients' own side of the link, where a subject listens that is partly in their namespace. */
export function clientSideAddress(family: 4 | 6): string {
  return ADDRESSES[family].toProxy;
}

/** The first `count` addresses of a proxy's clients. */
export function clientAddresses(family: 4 | 6, count: number): string[] {
  return Array.from({ length: count }, (_, i) => ADDRESSES[family].clientAddress(i));
}

/** The clients' side of the link to a proxy: the pair and their addresses. Throws SystemCallError. */
export function setUpClientsOfProxy(addresses: readonly string[], family: 4 | 6, proxyPid: number): void {
  const net = ADDRESSES[family];
  withControl((control) => {
    control.linkUp('lo');
    control.addVeth(TO_PROXY_LINK, TO_PROXY_MAC, TO_CLIENTS_LINK, TO_CLIENTS_MAC, proxyPid);
    for (const address of addresses) control.addAddress('lo', address, net.hostPrefix);
    control.addAddress(TO_PROXY_LINK, net.toProxy, net.linkPrefix);
    control.linkUp(TO_PROXY_LINK);
    control.addNeighbour(TO_PROXY_LINK, net.toClients, TO_CLIENTS_MAC);
    control.addRoute(net.proxyNet, net.proxyNetPrefix, net.toClients, TO_PROXY_LINK);
  });
}

/** The proxy's side of the link to its clients, once they have moved the pair's end there. Throws SystemCallError. */
export function setUpProxyToClients(family: 4 | 6, listeners: number): void {
  const net = ADDRESSES[family];
  withControl((control) => {
    control.addAddress(TO_CLIENTS_LINK, net.toClients, net.linkPrefix);
    if (listeners > 1)
      for (const address of proxyAddresses(family, listeners)) control.addAddress('lo', address, net.hostPrefix);
    control.linkUp(TO_CLIENTS_LINK);
    control.addNeighbour(TO_CLIENTS_LINK, net.toProxy, TO_PROXY_MAC);
    control.addRoute(net.clientNet, net.clientNetPrefix, net.toProxy, TO_CLIENTS_LINK);
  });
}
