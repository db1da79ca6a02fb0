/**
 * A look as metrics for Prometheus: conventional names, base units. Pure. Destinations are no labels: there are too many of them, and they change.
 */
import { type Family, renderFamilies, type Sample } from './exposition.js';
import type { AddressLook, Look } from './look.js';
import { LEVELS } from './reading.js';

/** @param looks how many there have been, this one included */
export function renderMetrics(look: Look, looks: number): string {
  return renderFamilies('bindstorm_watch_', families(look, looks));
}

function families({ addresses, capacity, level, process, sockets, at, lookMs }: Look, looks: number): Family[] {
  const one = (value: number): Sample[] => [{ value }];
  const seen = statesOf(addresses);
  const each = (value: (address: AddressLook) => number | null): Sample[] =>
    addresses.flatMap((address) => {
      const found = value(address);
      return found === null ? [] : [{ labels: { address: address.address }, value: found }];
    });
  return [
    {
      name: 'ephemeral_ports',
      type: 'gauge',
      help: 'Ports that the kernel hands out on each local address: ip_local_port_range without the reserved ones. The hard wall.',
      samples: one(capacity.ports),
    },
    {
      name: 'slow_wall_ports',
      type: 'gauge',
      help: 'Half of the ports: from here on each search for a port is slow.',
      samples: one(capacity.slowWall),
    },
    {
      name: 'ports_in_use',
      type: 'gauge',
      help: 'Distinct ephemeral ports in use on a local address, TIME_WAIT included.',
      samples: each(({ ports }) => ports),
    },
    {
      name: 'largest_destination_sockets',
      type: 'gauge',
      help: 'Sockets of a local address to its busiest destination (address and port).',
      samples: each(({ largest }) => largest?.sockets ?? null),
    },
    {
      name: 'fill_ratio',
      type: 'gauge',
      help: 'What counts against the wall, divided by the hard wall; the label says what counts: ports, or the busiest destination.',
      samples: addresses.map(({ address, wall, fill }) => ({ labels: { address, wall }, value: fill })),
    },
    {
      name: 'growth_per_second',
      type: 'gauge',
      help: 'Ports (or sockets to the busiest destination) gained per second, over the last minute.',
      samples: each(({ growthPerSecond }) => growthPerSecond),
    },
    {
      name: 'exhaustion_seconds',
      type: 'gauge',
      help: 'Seconds until the hard wall at this growth; absent while nothing grows.',
      samples: each(({ secondsToHardWall }) => secondsToHardWall),
    },
    {
      name: 'sockets',
      type: 'gauge',
      help: 'Sockets on ephemeral ports by local address and TCP state.',
      // A state that any address has is there for all of them: a series that is absent at 0 drops out of every sum.
      samples: addresses.flatMap(({ address, states }) =>
        seen.map((state) => ({ labels: { address, state }, value: states[state] ?? 0 })),
      ),
    },
    {
      name: 'all_sockets',
      type: 'gauge',
      help: 'All TCP sockets of the namespace.',
      samples: one(sockets.all),
    },
    {
      name: 'level',
      type: 'gauge',
      help: '0: ok, 1: an address has reached the slow wall, 2: one has reached the hard wall (or the thresholds that were given).',
      samples: one(LEVELS.indexOf(level)),
    },
    {
      name: 'process_running',
      type: 'gauge',
      help: '1: the process of --pid runs, 0: it has ended, and what is counted is what is left of its namespace. Absent without --pid.',
      samples: process === null ? [] : one(process.running ? 1 : 0),
    },
    { name: 'look_duration_seconds', type: 'gauge', help: 'How long this look took.', samples: one(lookMs / 1000) },
    {
      name: 'look_timestamp_seconds',
      type: 'gauge',
      help: 'When this look was taken, in seconds since 1970.',
      samples: one(Date.parse(at) / 1000),
    },
    { name: 'looks_total', type: 'counter', help: 'Looks since the gauge was started.', samples: one(looks) },
  ];
}

function statesOf(addresses: readonly AddressLook[]): string[] {
  return [...new Set(addresses.flatMap(({ states }) => Object.keys(states)))];
}
