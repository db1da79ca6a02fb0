/**
 * A look as metrics for Prometheus: conventional names, base units. Pure. Destinations are no labels: there are too many of them, and they change.
 */
import { counter, type Family, gauge, renderFamilies, type Sample } from './exposition.js';
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
    gauge(
      'ephemeral_ports',
      'Ports that the kernel hands out on each local address: ip_local_port_range without the reserved ones. The hard wall.',
      one(capacity.ports),
    ),
    gauge('slow_wall_ports', 'Half of the ports: from here on each search for a port is slow.', one(capacity.slowWall)),
    gauge(
      'ports_in_use',
      'Distinct ephemeral ports in use on a local address, TIME_WAIT included.',
      each(({ ports }) => ports),
    ),
    gauge(
      'largest_destination_sockets',
      'Sockets of a local address to its busiest destination (address and port).',
      each(({ largest }) => largest?.sockets ?? null),
    ),
    gauge(
      'fill_ratio',
      'What counts against the wall, divided by the hard wall; the label says what counts: ports, or the busiest destination.',
      addresses.map(({ address, wall, fill }) => ({ labels: { address, wall }, value: fill })),
    ),
    gauge(
      'growth_per_second',
      'Ports (or sockets to the busiest destination) gained per second, over the last minute.',
      each(({ growthPerSecond }) => growthPerSecond),
    ),
    gauge(
      'exhaustion_seconds',
      'Seconds until the hard wall at this growth; absent while nothing grows.',
      each(({ secondsToHardWall }) => secondsToHardWall),
    ),
    gauge(
      'sockets',
      'Sockets on ephemeral ports by local address and TCP state.',
      // A state that any address has is there for all of them: a series that is absent at 0 drops out of every sum.
      addresses.flatMap(({ address, states }) =>
        seen.map((state) => ({ labels: { address, state }, value: states[state] ?? 0 })),
      ),
    ),
    gauge('all_sockets', 'All TCP sockets of the namespace.', one(sockets.all)),
    gauge(
      'level',
      '0: ok, 1: an address has reached the slow wall, 2: one has reached the hard wall (or the thresholds that were given).',
      one(LEVELS.indexOf(level)),
    ),
    gauge(
      'process_running',
      '1: the process of --pid runs, 0: it has ended, and what is counted is what is left of its namespace. Absent without --pid.',
      process === null ? [] : one(process.running ? 1 : 0),
    ),
    gauge('look_duration_seconds', 'How long this look took.', one(lookMs / 1000)),
    gauge('look_timestamp_seconds', 'When this look was taken, in seconds since 1970.', one(Date.parse(at) / 1000)),
    counter('looks_total', 'Looks since the gauge was started.', one(looks)),
  ];
}

function statesOf(addresses: readonly AddressLook[]): string[] {
  return [...new Set(addresses.flatMap(({ states }) => Object.keys(states)))];
}
