/**
 * What a profile need not say of a proxy, each with its reason.
 */
import type { StrategyName } from '../domain/strategy.js';
import type {
  DanteSettings,
  HaproxySettings,
  NginxSettings,
  ProxyKind,
  ProxySettings,
  SquidSettings,
  TorSettings,
} from './settings.js';

export const SQUID: SquidSettings = {
  kind: 'squid',
  binary: 'squid',
  /** One connection to the origin for each request is what runs out of ports. */
  persistent: false,
  /** Exact turns make exact ceilings; a draw fails at 77 % of the room (measured: 50 addresses, 100 ports each). */
  outgoing: 'client-address',
  config: [],
  clients: null,
  descriptors: null,
};

export const HAPROXY: HaproxySettings = {
  kind: 'haproxy',
  binary: 'haproxy',
  config: [],
  clients: null,
  descriptors: null,
  /** A connection holds a port for as long as the client wants; in mode http HAProxy resets its side, which leaves no TIME_WAIT. */
  mode: 'tcp',
  persistent: false,
  ports: null,
};

export const NGINX: NginxSettings = {
  kind: 'nginx',
  binary: 'nginx',
  config: [],
  clients: null,
  descriptors: null,
  /** What nginx is mostly there for. */
  mode: 'http',
  persistent: false,
};

export const DANTE: DanteSettings = { kind: 'dante', binary: 'danted', config: [], clients: null };

export const TOR: TorSettings = {
  kind: 'tor',
  binary: 'tor',
  config: [],
  clients: null,
  suite: null,
  /** Measured: 6 to 23 s from nothing on a quiet machine, 2 s from the cache. */
  deadline: 90_000,
};

export const PROXY: { readonly [K in ProxyKind]: Extract<ProxySettings, { kind: K }> } = {
  squid: SQUID,
  haproxy: HAPROXY,
  nginx: NGINX,
  dante: DANTE,
  tor: TOR,
};

/** How each proxy gets its local address and port, as far as its version does not say otherwise. */
export function strategyOfProxy(proxy: ProxySettings): StrategyName {
  switch (proxy.kind) {
    case 'squid':
    case 'dante':
      return 'bind';
    case 'tor':
      // 0.4.5; IP_BIND_ADDRESS_NO_PORT came with 0.4.7.13.
      return proxy.suite === 'bullseye' ? 'bind-reuseaddr' : 'bind-no-port-reuseaddr';
    case 'haproxy':
      return proxy.ports === null ? 'bind-no-port-reuseaddr' : 'bind-explicit-port';
    case 'nginx':
      return 'bind-no-port';
  }
}
