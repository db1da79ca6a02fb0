/**
 * How a load speaks to its target, and over which transport. What asks for the transport asks here, never for the name of a protocol.
 */

export const PROTOCOLS = ['tcp', 'connect', 'get', 'socks5', 'udp', 'dns', 'turn'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** TCP and UDP have port tables of their own and share nothing (measured: 20 ports carry 20 sockets of each). */
export type Transport = 'tcp' | 'udp';

const TRANSPORT: Readonly<Record<Protocol, Transport>> = {
  tcp: 'tcp',
  connect: 'tcp',
  get: 'tcp',
  socks5: 'tcp',
  udp: 'udp',
  dns: 'udp',
  turn: 'udp',
};

/** The transport of a protocol. @example transportOf('get') // 'tcp' */
export function transportOf(protocol: Protocol): Transport {
  return TRANSPORT[protocol];
}
