/**
 * A look as metrics for Prometheus: conventional names, base units. Pure. Destinations are no labels: there are too many of them, and they change.
 */
import { CLASSES } from './cause.js';
import { counter, type Family, gauge, renderFamilies, type Sample } from './exposition.js';
import type { AddressLook, Look } from './look.js';
import type { NodeLook } from './node-look.js';
import { natFamilies } from './node-nat.js';
import { LEVELS } from './reading.js';
import { REFUSALS, type Refusals } from './refused.js';
import { workloadLabels } from './workload.js';

type Labels = Readonly<Record<string, string>>;

/** The look at one namespace, and what each of its samples is labelled with. */
interface Labelled {
  readonly look: Omit<Look, 'process' | 'refused'>;
  readonly labels: Labels;
}

/** @param looks how many there have been, this one included */
export function renderMetrics(look: Look, looks: number): string {
  const running = look.process === null ? [] : [{ value: look.process.running ? 1 : 0 }];
  const text = renderFamilies('bindstorm_watch_', [
    ...familiesOf([{ look, labels: {} }]),
    gauge(
      'process_running',
      '1: the process of --pid runs, 0: it has ended, and what is counted is what is left of its namespace. Absent without --pid.',
      running,
    ),
    ...ownFamilies(look.lookMs, look.at, looks),
  ]);
  return text + renderFamilies('bindstorm_', refusedFamilies(look.refused));
}

/** The same of every namespace of a machine. @param looks how many there have been, this one included */
export function renderNodeMetrics(node: NodeLook, looks: number): string {
  const { namespaces, skipped } = node;
  const each = namespaces.map((look) => ({
    look,
    labels: { netns: look.namespace.replace(/\D+/g, ''), ...workloadLabels(look.workload) },
  }));
  const text = renderFamilies('bindstorm_watch_', [
    ...familiesOf(each),
    gauge(
      'workload_sockets',
      'Open sockets on ephemeral ports by who has them, where several share a namespace. TIME_WAIT is of nobody.',
      each.flatMap(({ look, labels: { netns } }) =>
        (look.workloads ?? []).flatMap(({ workload, states }) =>
          Object.entries(states).map(([state, value]) => ({
            labels: { netns: netns!, ...workloadLabels(workload), state },
            value,
          })),
        ),
      ),
    ),
    gauge('namespaces', 'Network namespaces that were looked into.', [{ value: namespaces.length }]),
    gauge('skipped_namespaces', 'Network namespaces that could not be looked into.', [{ value: skipped.length }]),
    ...ownFamilies(node.lookMs, node.at, looks),
  ]);
  const nats = each.flatMap(({ look: { nat }, labels }) => (nat === null ? [] : [{ nat, labels }]));
  return (
    text +
    renderFamilies('bindstorm_nat_', natFamilies(nats)) +
    renderFamilies('bindstorm_', refusedFamilies(node.refused))
  );
}

/** Neither pids nor addresses are labels: there are too many of them, and they change. */
function refusedFamilies(refused: Refusals | null): Family[] {
  if (refused === null) return [];
  const isCounted = refused.kind === 'counted';
  const counting = gauge(
    'refused_calls_counting',
    '1: refused calls are counted, 0: they cannot be, without rights or eBPF.',
    [{ value: isCounted ? 1 : 0 }],
  );
  if (!isCounted) return [counting];
  const sums = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const { call, errno, protocol, refusal, command, workload, namespace, count } of refused.calls) {
    const labels = {
      call,
      errno,
      protocol: protocol ?? 'none',
      refusal,
      program: command,
      netns: namespace.replace(/\D+/g, ''),
      ...(workload === null ? {} : workloadLabels(workload)),
    };
    const key = JSON.stringify(labels);
    const sum = sums.get(key) ?? { labels, value: 0 };
    sum.value += count;
    sums.set(key, sum);
  }
  return [
    counting,
    counter(
      'refused_calls_total',
      'Calls that the kernel refused, by program and errno; refusal: no-port, taken (the port that was named), or other.',
      [...sums.values()],
    ),
    counter(
      'refusals_total',
      'The same sums by sort of refusal alone: there from the start, so that a first one shows in rate() and increase().',
      REFUSALS.map((refusal) => ({ labels: { refusal }, value: refused.sums[refusal] })),
    ),
    counter('refused_calls_lost_total', 'Refused calls that are in no row, because the table of the kernel was full.', [
      { value: refused.lost },
    ]),
  ];
}

/** Of the gauge itself. */
function ownFamilies(lookMs: number, at: string, looks: number): Family[] {
  return [
    gauge('look_duration_seconds', 'How long this look took.', [{ value: lookMs / 1000 }]),
    gauge('look_timestamp_seconds', 'When this look was taken, in seconds since 1970.', [
      { value: Date.parse(at) / 1000 },
    ]),
    counter('looks_total', 'Looks since the gauge was started.', [{ value: looks }]),
  ];
}

function familiesOf(all: readonly Labelled[]): Family[] {
  const one = (value: (look: Labelled['look']) => number): Sample[] =>
    all.map(({ look, labels }) => ({ labels, value: value(look) }));
  const of = (samples: (look: Labelled['look']) => readonly Sample[]): Sample[] =>
    all.flatMap(({ look, labels }) =>
      samples(look).map((sample) => ({ labels: { ...labels, ...sample.labels }, value: sample.value })),
    );
  const each = (value: (address: AddressLook) => number | null): Sample[] =>
    of(({ addresses }) =>
      addresses.flatMap((address) => {
        const found = value(address);
        return found === null ? [] : [{ labels: { address: address.address }, value: found }];
      }),
    );
  return [
    gauge(
      'ephemeral_ports',
      'Ports that the kernel hands out on each local address: ip_local_port_range without the reserved ones. The hard wall.',
      one(({ capacity }) => capacity.ports),
    ),
    gauge(
      'slow_wall_ports',
      'Half of the ports, of UDP 98 %: from here on each search for a port is slow.',
      one(({ capacity }) => capacity.slowWall),
    ),
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
      of(({ addresses }) => addresses.map(({ address, wall, fill }) => ({ labels: { address, wall }, value: fill }))),
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
      'Sockets on ephemeral ports by local address and state.',
      // A state that any address has is there for all of them: a series that is absent at 0 drops out of every sum.
      of(({ addresses }) => {
        const seen = statesOf(addresses);
        return addresses.flatMap(({ address, states }) =>
          seen.map((state) => ({ labels: { address, state }, value: states[state] ?? 0 })),
        );
      }),
    ),
    gauge(
      'all_sockets',
      'All sockets of the namespace: of TCP, or with --udp of UDP.',
      one(({ sockets }) => sockets.all),
    ),
    gauge(
      'level',
      '0: ok, 1: an address has reached the slow wall, 2: one has reached the hard wall (or the thresholds that were given).',
      one(({ level }) => LEVELS.indexOf(level)),
    ),
    gauge(
      'cause',
      'Why the ports fill up: 1 for the class that holds, 0 for the others.',
      of(({ cause }) => CLASSES.map((name) => ({ labels: { class: name }, value: name === cause.class ? 1 : 0 }))),
    ),
    gauge(
      'user_mode_network_sockets',
      'Sockets that pasta, slirp4netns, gvproxy or QEMU has for what is inside of it, which shares the ports here.',
      of(({ layers }) =>
        layers.flatMap((layer) =>
          layer.kind === 'carries'
            ? [{ labels: { program: layer.command, pid: String(layer.pid) }, value: layer.sockets }]
            : [],
        ),
      ),
    ),
    gauge(
      'exposed_listeners',
      'Sockets that listen on a port of the range that is not reserved: an outgoing connection may take it while nobody listens.',
      one(({ exposed }) => exposed.length),
    ),
    gauge(
      'self_connections',
      'Connections of a socket to itself, on a port of the range on which nobody listened.',
      one(({ selfConnected }) => selfConnected.length),
    ),
  ];
}

function statesOf(addresses: readonly AddressLook[]): string[] {
  return [...new Set(addresses.flatMap(({ states }) => Object.keys(states)))];
}
