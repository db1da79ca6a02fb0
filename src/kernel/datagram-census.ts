/**
 * Every UDP socket of a network namespace, counted by local address, in the form of the census of TCP (socket-census.ts). A socket that has no
 * local address has its port on all of them, and one that is yet to get a port needs one that nobody has on any: the row of all addresses.
 * Nothing came in, nobody listens, and there are no tuples. Machines have few UDP sockets, so that a row each in a table is enough.
 */
import { SystemCallError } from './errno.js';
import { createInodeSet } from './inode-set.js';
import { AF_INET, AF_INET6 } from './libc.js';
import type { Netlink } from './netlink.js';
import { isSet, PORT_MAP_WORDS, portsIn, set, setRange } from './port-map.js';
import { addressIn, dumpRequest, SOCK_DIAG_BY_FAMILY, TCP_STATES } from './sock-diag.js';
import type { AddressUse, Census, EphemeralPorts, SharedCensus } from './socket-census.js';

/** What stands for the address of all addresses together. */
const ALL = '*';
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
/** Connected sockets are ESTABLISHED, the others CLOSE, which ss(8) writes as UNCONN. */
const ALL_STATES = 0xffffffff;

interface Counted {
  readonly ports: Uint32Array;
  readonly states: Record<string, number>;
  sockets: number;
}

/** A census of UDP without a namespace yet. */
export function createDatagramCensus(): SharedCensus {
  const inodes = createInodeSet();
  return {
    take(netlink, ports) {
      inodes.clear();
      return takeCensus(netlink, ports, inodes);
    },
  };
}

function takeCensus(netlink: Netlink, ports: EphemeralPorts, inodes: Census['inodes']): Census {
  const usable = usablePorts(ports);
  const rows = new Map<string, Counted>();
  const totals = { all: 0, listening: 0, incoming: 0, other: 0 };
  const rowOf = (address: string): Counted => {
    const known = rows.get(address);
    if (known) return known;
    const row = { ports: new Uint32Array(PORT_MAP_WORDS), states: {}, sockets: 0 };
    rows.set(address, row);
    return row;
  };
  for (const family of [AF_INET, AF_INET6]) {
    const errno = netlink.dump(SOCK_DIAG_BY_FAMILY, dumpRequest(family, ALL_STATES, 'udp'), (view, from) => {
      totals.all++;
      // struct inet_diag_msg, as in socket-census.ts.
      const port = view.getUint16(from + 4, false);
      if (!isSet(usable, port)) {
        totals.other++;
        return;
      }
      const address = addressIn(view, from + 8, family);
      const state = TCP_STATES[view.getUint8(from + 1)] ?? 'UNKNOWN';
      for (const row of [rowOf(ALL), ...(WILDCARDS.has(address) ? [] : [rowOf(address)])]) {
        set(row.ports, port);
        row.sockets++;
        row.states[state] = (row.states[state] ?? 0) + 1;
      }
      if (WILDCARDS.has(address)) set(rowOf('').ports, port);
      const inode = view.getUint32(from + 68, true);
      if (inode !== 0) inodes.add(inode);
    });
    // Without IPv6 there are none of it.
    if (errno !== 0 && family === AF_INET) throw new SystemCallError('sock_diag', errno);
  }
  return {
    addresses: usesOf(rows),
    destinations: [],
    missed: 0,
    sockets: totals,
    unconnected: true,
    inodes,
    open: null,
    numberOf: () => undefined,
    exposed: [],
    selfConnected: [],
  };
}

/** The rows as the census of TCP has them; the row without a name has the ports of sockets without an address. */
function usesOf(rows: ReadonlyMap<string, Counted>): AddressUse[] {
  const everywhere = rows.get('')?.ports ?? null;
  return [...rows]
    .filter(([address]) => address !== '')
    .map(([address, { ports, sockets, states }]) => ({
      address,
      ports: portsIn(ports, [everywhere]),
      sockets,
      states,
      largest: null,
      parity: { first: 0, other: 0, lower: { first: 0, other: 0 } },
    }));
}

function usablePorts({ range, reserved }: EphemeralPorts): Uint32Array {
  const usable = new Uint32Array(PORT_MAP_WORDS);
  setRange(usable, range, true);
  for (const each of reserved) setRange(usable, each, false);
  return usable;
}
