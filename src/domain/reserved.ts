/**
 * The networks that the netns lab keeps for itself: the links between its namespaces and the addresses of its origin. A
 * profile's own addresses must lie elsewhere.
 */
import ipaddr from 'ipaddr.js';
import { familyOf } from './addresses.js';

/** 198.18.0.0/15 is set aside for benchmarks of network devices (RFC 2544 §C.2.2), so no operator's own address is in it. */
export const LAB_NET_V4 = '198.18.0.0/15';

/** A locally assigned prefix (RFC 4193), used for nothing but the lab. */
export const LAB_NET_V6 = 'fdb5::/32';

const NETS = { 4: ipaddr.parseCIDR(LAB_NET_V4), 6: ipaddr.parseCIDR(LAB_NET_V6) };

/**
 * The lab's own network that a valid address lies in.
 * @returns its CIDR, or undefined
 */
export function labNetOf(address: string): string | undefined {
  const family = familyOf(address);
  const [net, prefix] = NETS[family];
  if (!ipaddr.parse(address).match(net, prefix)) return undefined;
  return family === 4 ? LAB_NET_V4 : LAB_NET_V6;
}
