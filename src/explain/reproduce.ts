/**
 * A profile that reproduces a shortage: small enough to run in seconds, with the usual remedies as variants. Pure.
 */
import { type StrategyName, strategyOf } from '../domain/strategy.js';

/** YAML for `bindstorm run`. */
export function profileFor(strategy: StrategyName): string {
  const { port } = strategyOf(strategy);
  // A named port with SO_REUSEADDR takes over TIME_WAIT, so only connections that are held use up the list.
  const arrival =
    port === 'program' ? '{ shape: fill, attempts: 600 }' : '{ shape: constant, rate: 300/s, duration: 3s }';
  return `name: reproduce-${strategy}
description: 100 ports, 2 addresses, 2 destinations, and more connections than that holds
addresses: { cidr: 10.50.0.0/24, count: 2 }
destinations: { ports: 2 }
load:
  strategy: ${strategy}
  arrival: ${arrival}
sysctls: { net.ipv4.ip_local_port_range: 40000 40099 }
variants:
  - { name: wider-range, sysctls: { net.ipv4.ip_local_port_range: 40000 40999 } }
  - { name: more-addresses, addresses: { count: 20 } }
  - { name: tw-reuse, sysctls: { net.ipv4.tcp_tw_reuse: 1 } }
${strategy === 'bind-no-port' ? '  - { name: no-bind, load: { strategy: connect } }' : '  - { name: no-port, load: { strategy: bind-no-port } }'}
repeat: 3
`;
}
