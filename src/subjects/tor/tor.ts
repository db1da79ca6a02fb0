/**
 * Tor (torproject.org) as an exit with OutboundBindAddressExit. Before 0.4.7.13 it binds `address:0` before it connects; from then on
 * with IP_BIND_ADDRESS_NO_PORT. SO_REUSEADDR is set in both. Pure.
 */
import { familyOf } from '../../domain/addresses.js';
import { network } from '../define.js';
import { likeItsClient } from '../ending.js';
import type { SayProblem } from '../settings.js';
import type { ArmOfProxy } from '../subject.js';
import { keptNetworks } from './cache.js';
import { gencertBeside } from './gencert.js';
import { portsBesideClients } from './layout.js';
import { SETTINGS, type TorSettings } from './settings.js';

/** The suite whose Tor, 0.4.5, is older than IP_BIND_ADDRESS_NO_PORT. */
const OLD_SUITE = 'bullseye';
/** Each outgoing address is an exit, a process of its own. */
const MOST_EXITS = 8;
/** From the cache, the role included. */
const USUAL_START_MS = 2_500;
/** From nothing at most: some bootstraps, and then a start from what they left. */
const STARTS = 4;

/** The first release with IP_BIND_ADDRESS_NO_PORT for exit streams (ChangeLog of 0.4.7.13, January 2023). */
const NO_PORT_SINCE = [0, 4, 7, 13];

export const tor = network('tor', SETTINGS, {
  debianPackage: 'tor',
  reverse: false,
  protocols: () => ['socks5'],
  strategy({ suite }, version) {
    const isOld = version === null ? suite === OLD_SUITE : isBefore(version, NO_PORT_SINCE);
    return isOld ? 'bind-reuseaddr' : 'bind-no-port-reuseaddr';
  },
  version: { args: ['--version'], pattern: /^Tor version (\d+(?:\.\d+)+)/m },
  programs: ['tor', 'tor-gencert'],
  // Its own nodes, keys for its authority, and the networks that this machine has made before: a guest forgets its own.
  belongings: ({ suite }, binary) => ({
    programs: ['nsenter', ...(suite === null ? [gencertBeside(binary) ?? 'tor-gencert'] : [])],
    files: keptNetworks(),
  }),
  check,
  ending: (_, load) => likeItsClient(load, 'client'),
  // With nothing left to read; TIME_WAIT follows, whenever that is.
  closesWithClient: true,
  network: { portsBesideClients, usualStartMs: USUAL_START_MS, longestStartMs: ({ deadline }) => STARTS * deadline },
  start: async (settings, input) => (await import('./network.js')).startTorNetwork(settings, input),
});

function check(_: TorSettings, { addresses }: ArmOfProxy, say: SayProblem): void {
  if (addresses.length > MOST_EXITS)
    say(
      `${addresses.length} addresses need as many exits, since a Tor has one OutboundBindAddressExit; the lab has at most ${MOST_EXITS}: use count: ${MOST_EXITS}`,
      ['addresses'],
    );
  const [first] = addresses;
  if (first !== undefined && familyOf(first) === 6)
    say(`the private Tor network of the lab is IPv4 only, and ${first} is IPv6; use addresses such as 10.50.0.1`, [
      'addresses',
    ]);
}

function isBefore(version: string, since: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [i, part] of since.entries()) {
    const own = parts[i] ?? 0;
    if (own !== part) return own < part;
  }
  return false;
}
