/**
 * The strategies: how an outbound socket gets its local address and port before it connects.
 * One row a strategy; what the row means in system calls is `load/strategy.ts`, what it can hold is `capacity/`.
 */

import type { Transport } from './protocol.js';

export interface Strategy {
  /** What `bind()` is called with: not called, the attempt's own local address, or the wildcard address. */
  readonly address: 'none' | 'chosen' | 'any';
  /** Who chooses the port: `connect()`, `bind()` with port 0, the first `sendto()`, or the program from a list of its own. */
  readonly port: 'connect' | 'bind' | 'sendto' | 'program';
  /** Socket options set before `bind()`. */
  readonly options: readonly SocketOption[];
  /** The first mainline kernel that has it, where that is not older than 2.6.32. */
  readonly since?: string;
  /** The only transport that it exists on; absent: TCP and UDP alike. */
  readonly only?: Transport;
  /** Programs known to do this. */
  readonly usedBy: string;
}

export const SOCKET_OPTIONS = [
  'SO_REUSEADDR',
  'SO_REUSEPORT',
  'IP_BIND_ADDRESS_NO_PORT',
  'IP_LOCAL_PORT_RANGE',
] as const;
export type SocketOption = (typeof SOCKET_OPTIONS)[number];

/** A strategy that binds the attempt's own local address: who chooses the port, the options, who does it, and since which kernel. */
function chosen(port: Strategy['port'], options: readonly SocketOption[], usedBy: string, since?: string): Strategy {
  return { address: 'chosen', port, options, usedBy, ...(since !== undefined && { since }) };
}

const [REUSE, REUSEPORT, NO_PORT, RANGE] = SOCKET_OPTIONS;

export const STRATEGIES = {
  connect: { address: 'none', port: 'connect', options: [], usedBy: 'any program without a configured source address' },
  bind: chosen('bind', [], 'Squid 5 and older with tcp_outgoing_address, tinyproxy, dante'),
  'bind-reuseaddr': chosen('bind', [REUSE], 'Node.js (libuv) localAddress, Apache Traffic Server, Tor before 0.4.7.13'),
  'bind-reuseport': chosen('bind', [REUSEPORT], 'seen in folklore only', '3.9'),
  'bind-no-port': chosen('connect', [NO_PORT], 'nginx proxy_bind, Squid 6', '4.2'),
  'bind-no-port-reuseaddr': chosen(
    'connect',
    [REUSE, NO_PORT],
    'HAProxy source, Tor 0.4.7.13 and newer with OutboundBindAddress',
    '4.2',
  ),
  'bind-explicit-port': chosen('program', [REUSE], 'HAProxy source with a port range'),
  'bind-explicit-port-reuseport': chosen('program', [REUSEPORT], 'own allocators', '3.9'),
  'bind-explicit-port-exclusive': chosen('program', [], 'nginx proxy_bind with a port'),
  'bind-any': { ...chosen('bind', [], 'programs that bind to 0.0.0.0 or :: before they connect'), address: 'any' },
  'bind-any-reuseaddr': {
    ...chosen('bind', [REUSE], 'the same, through a library that sets SO_REUSEADDR'),
    address: 'any',
  },
  'local-port-range': chosen('connect', [NO_PORT, RANGE], 'programs written for it (Cloudflare)', '6.3'),
  sendto: {
    address: 'none',
    port: 'sendto',
    options: [],
    only: 'udp',
    usedBy: 'UDP programs that neither bind nor connect, and name the peer of each datagram',
  },
} as const satisfies Record<string, Strategy>;

export type StrategyName = keyof typeof STRATEGIES;

/** All of them. */
export const EVERY_STRATEGY = Object.keys(STRATEGIES) as StrategyName[];
/** Those of TCP, which UDP has too. */
export const STRATEGY_NAMES = EVERY_STRATEGY.filter((name) => strategyOf(name).only === undefined);

/** The options of a strategy, and others beside them, each once. */
export function optionsOf(name: StrategyName, others: readonly SocketOption[] = []): SocketOption[] {
  return [...new Set([...strategyOf(name).options, ...others])];
}

/** The first mainline kernel that has an option; undefined: all that are known here have it. */
export function optionSince(option: SocketOption): string | undefined {
  return STRATEGY_NAMES.map(strategyOf).find(({ options }) => options.at(-1) === option)?.since;
}

/**
 * The strategy of a program that ignores the refusal of IP_BIND_ADDRESS_NO_PORT: its bind() takes a port. HAProxy, nginx, Squid 6 and Tor
 * ignore it; each was tested.
 */
export function withoutNoPort(name: StrategyName): StrategyName {
  if (!strategyOf(name).options.includes(NO_PORT)) return name;
  return strategyOf(name).options.includes(REUSE) ? 'bind-reuseaddr' : 'bind';
}

/** The row of a strategy. */
export function strategyOf(name: StrategyName): Strategy {
  return STRATEGIES[name];
}
