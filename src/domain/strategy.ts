/**
 * The strategies: how an outbound socket gets its local address and port before it connects.
 * One row a strategy; what the row means in system calls is `load/strategy.ts`, what it can hold is `capacity/`.
 */

export interface Strategy {
  /** What `bind()` is called with: not called, the attempt's own local address, or the wildcard address. */
  readonly address: 'none' | 'chosen' | 'any';
  /** Who chooses the port: `connect()`, `bind()` with port 0, or the program from a list of its own. */
  readonly port: 'connect' | 'bind' | 'program';
  /** Socket options set before `bind()`. */
  readonly options: readonly SocketOption[];
  /** The first mainline kernel that has it, where that is not older than 2.6.32. */
  readonly since?: string;
  /** Programs known to do this. */
  readonly usedBy: string;
}

export type SocketOption = 'SO_REUSEADDR' | 'SO_REUSEPORT' | 'IP_BIND_ADDRESS_NO_PORT' | 'IP_LOCAL_PORT_RANGE';

export const STRATEGIES = {
  connect: { address: 'none', port: 'connect', options: [], usedBy: 'any program without a configured source address' },
  bind: {
    address: 'chosen',
    port: 'bind',
    options: [],
    usedBy: 'Squid 5 and older with tcp_outgoing_address, tinyproxy, dante',
  },
  'bind-reuseaddr': {
    address: 'chosen',
    port: 'bind',
    options: ['SO_REUSEADDR'],
    usedBy: 'Node.js (libuv) localAddress, Apache Traffic Server, Tor before 0.4.7.13',
  },
  'bind-reuseport': {
    address: 'chosen',
    port: 'bind',
    options: ['SO_REUSEPORT'],
    since: '3.9',
    usedBy: 'seen in folklore only',
  },
  'bind-no-port': {
    address: 'chosen',
    port: 'connect',
    options: ['IP_BIND_ADDRESS_NO_PORT'],
    since: '4.2',
    usedBy: 'nginx proxy_bind, Squid 6',
  },
  'bind-no-port-reuseaddr': {
    address: 'chosen',
    port: 'connect',
    options: ['SO_REUSEADDR', 'IP_BIND_ADDRESS_NO_PORT'],
    since: '4.2',
    usedBy: 'HAProxy source, Tor 0.4.7.13 and newer with OutboundBindAddress',
  },
  'bind-explicit-port': {
    address: 'chosen',
    port: 'program',
    options: ['SO_REUSEADDR'],
    usedBy: 'HAProxy source with a port range',
  },
  'bind-explicit-port-reuseport': {
    address: 'chosen',
    port: 'program',
    options: ['SO_REUSEPORT'],
    since: '3.9',
    usedBy: 'own allocators',
  },
  'bind-explicit-port-exclusive': {
    address: 'chosen',
    port: 'program',
    options: [],
    usedBy: 'nginx proxy_bind with a port',
  },
  'bind-any': {
    address: 'any',
    port: 'bind',
    options: [],
    usedBy: 'programs that bind to 0.0.0.0 or :: before they connect',
  },
  'bind-any-reuseaddr': {
    address: 'any',
    port: 'bind',
    options: ['SO_REUSEADDR'],
    usedBy: 'the same, through a library that sets SO_REUSEADDR',
  },
  'local-port-range': {
    address: 'chosen',
    port: 'connect',
    options: ['IP_BIND_ADDRESS_NO_PORT', 'IP_LOCAL_PORT_RANGE'],
    since: '6.3',
    usedBy: 'programs written for it (Cloudflare)',
  },
} as const satisfies Record<string, Strategy>;

export type StrategyName = keyof typeof STRATEGIES;

export const STRATEGY_NAMES = Object.keys(STRATEGIES) as StrategyName[];

/** The row of a strategy, widened to the common type. */
export function strategyOf(name: StrategyName): Strategy {
  return STRATEGIES[name];
}
