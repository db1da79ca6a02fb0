/**
 * The network of a router between the clients and the origin: the clients' link before it, the origin's behind it, and the NAT addresses,
 * which nobody else has, on its loopback device.
 *
 *     client namespace                          router namespace                            origin namespace
 *     lo: the profile's   198.18.1.1 ─ veth ─ 198.18.1.2   198.18.0.1 ─ veth ─ 198.18.0.2   lo: 198.19.0.1 …
 */
import { LAB_ADDRESSES as ADDRESSES } from '../../domain/lab-addresses.js';
import type { RouterSettings } from '../../subjects/index.js';
import { natAddresses } from '../../subjects/nat/rules.js';
import { TO_CLIENTS_LINK, TO_CLIENTS_MAC, TO_PROXY_LINK, TO_PROXY_MAC } from './links.js';
import { addNeighbours, type NeighbourRoute, setUpClient, withControl, withUnbound } from './network.js';

/**
 * The clients' side of a router: the pair, their addresses, and the way to the origin through it. @throws SystemCallError
 * @param unbound as of setUpClient
 */
export function setUpClientsOfRouter(
  addresses: readonly string[],
  family: 4 | 6,
  routerPid: number,
  neighbours: readonly NeighbourRoute[],
  unbound?: string,
): void {
  const net = ADDRESSES[family];
  withControl((control) => {
    control.linkUp('lo');
    control.addVeth(TO_PROXY_LINK, TO_PROXY_MAC, TO_CLIENTS_LINK, TO_CLIENTS_MAC, routerPid);
    for (const address of withUnbound(addresses, unbound)) control.addAddress('lo', address, net.hostPrefix);
    control.addAddress(TO_PROXY_LINK, net.toProxy, net.linkPrefix);
    control.linkUp(TO_PROXY_LINK);
    control.addNeighbour(TO_PROXY_LINK, net.toClients, TO_CLIENTS_MAC);
    control.addRoute(net.originNet, net.originNetPrefix, net.toClients, TO_PROXY_LINK, unbound ?? addresses[0]);
    addNeighbours(control, neighbours, TO_PROXY_LINK, (of) => ADDRESSES[of].toClients);
  });
}

/** A router's two sides, once the clients have moved the pair's end there. @throws SystemCallError */
export function setUpRouter({
  family,
  clients,
  originPid,
  own,
  transparent,
}: {
  readonly family: 4 | 6;
  readonly clients: readonly string[];
  readonly originPid: number;
  /** Its NAT addresses. */
  readonly own: readonly string[];
  /** The addresses of the origin are local, as a transparent proxy needs it. */
  readonly transparent: boolean;
}): void {
  const net = ADDRESSES[family];
  withControl((control) => {
    control.addAddress(TO_CLIENTS_LINK, net.toClients, net.linkPrefix);
    control.linkUp(TO_CLIENTS_LINK);
    control.addNeighbour(TO_CLIENTS_LINK, net.toProxy, TO_PROXY_MAC);
    for (const address of clients) control.addRoute(address, net.hostPrefix, net.toProxy, TO_CLIENTS_LINK);
  });
  setUpClient(
    own.filter((address) => address !== net.client),
    family,
    originPid,
  );
  if (transparent) withControl((control) => control.ownNet(net.originNet, net.originNetPrefix));
}

/** The addresses that the rules of a router translate to: that of its link to the origin, or those that its rule names. */
export function translatedTo(settings: RouterSettings, family: 4 | 6): readonly [string, ...string[]] {
  return natAddresses(settings, family) ?? [ADDRESSES[family].client];
}
