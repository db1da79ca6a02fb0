/**
 * Tor (torproject.org) as an exit with OutboundBindAddressExit. Before 0.4.7.13 it binds `address:0` before it connects; from then on
 * with IP_BIND_ADDRESS_NO_PORT. SO_REUSEADDR is set in both. Pure.
 */
import type { TorSettings } from '../settings.js';
import type { ProxyFacts } from '../subject.js';

/** The first release with IP_BIND_ADDRESS_NO_PORT for exit streams (ChangeLog of 0.4.7.13, January 2023). */
const NO_PORT_SINCE = [0, 4, 7, 13];

export const tor: ProxyFacts<TorSettings> = {
  debianPackage: 'tor',
  reverse: false,
  strategy: (_, version) =>
    version !== null && isBefore(version, NO_PORT_SINCE) ? 'bind-reuseaddr' : 'bind-no-port-reuseaddr',
  version: { args: ['--version'], pattern: /^Tor version (\d+(?:\.\d+)+)/m },
};

function isBefore(version: string, since: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [i, part] of since.entries()) {
    const own = parts[i] ?? 0;
    if (own !== part) return own < part;
  }
  return false;
}
