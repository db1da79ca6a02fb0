/**
 * A proxy under test: three roles in a namespace each. The clients have addresses of the lab's, enough that they never run out of ports.
 */
import { familyOf } from '../../domain/addresses.js';
import { transportOf } from '../../domain/protocol.js';
import { parseLocalPortRange } from '../../domain/sysctl-syntax.js';
import type { Target } from '../../domain/target.js';
import { createPool } from '../../load/pool.js';
import { sum } from '../../load/shared.js';
import { scheduledAttempts } from '../../plan/arrival.js';
import type { LoadPlan } from '../../plan/plan.js';
import { listenersFor, type ProxySettings, proxySubjectOf } from '../../subjects/index.js';
import { internetOf } from '../../subjects/internet.js';
import type { NetworkTraits } from '../../subjects/subject.js';
import {
  clientAddresses,
  clientSideAddress,
  proxyAddresses,
  setUpClientsOfProxy,
  withBothFamilies,
  withUnbound,
} from '../place/network.js';
import { isOwnHere, machineOf, ownNetwork } from '../place/own-kernel.js';
import { applyLabSysctls, applySysctls, ephemeralRange } from '../place/sysctls.js';
import type { RunSpec } from '../protocol.js';
import { PROBE_SEED } from '../recovery.js';
import { type LaunchedOrigin, launchOrigin } from '../roles/launch.js';
import { hostsOfLoads, placeLoads, poolInputs } from '../roles/loads.js';
import {
  beside,
  besideInput,
  expectedSources,
  hostsOf,
  type Neighbours,
  openNeighbours,
  placeNeighbours,
} from '../roles/neighbours.js';
import { connectOrigin } from '../roles/origin-client.js';
import { openProxyRole } from '../roles/proxy-client.js';
import { leftovers, type Setup } from '../setup.js';

/** Above the well-known ports, below the ephemeral ones, and what many proxies have by default. */
const PROXY_PORT = 3128;

/** What a client that leaves the choice to the kernel may be given. */
const ALL_PORTS = { low: 1, high: 65_535 };

/** A client has all ports that a program may have, and gets those in TIME_WAIT back after a second. */
const CLIENT_SYSCTLS: Readonly<Record<string, string>> = {
  'net.ipv4.ip_local_port_range': '1024 65535',
  'net.ipv4.tcp_tw_reuse': '1',
};
/** Before 3.13 and 4.10 one value is everybody's, and the proxy's is the one that is asked about. */
function ofClients(sysctls: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(sysctls).filter(([name]) => isOwnHere(name)));
}

const RANGE = 'net.ipv4.ip_local_port_range';

/** How many connections one client address can have in a run. @param sysctls of the proxy */
function connectionsOfOne({ [RANGE]: range }: Readonly<Record<string, string>>): number {
  if (isOwnHere(RANGE)) return PER_CLIENT_ADDRESS;
  const { low, high } = range === undefined ? ephemeralRange() : parseLocalPortRange(range);
  return Math.max(1, Math.floor((high - low + 1) / 2));
}

/** Connections of one client address in a run: below half of its ports, where the kernel's search for one slows. */
const PER_CLIENT_ADDRESS = 20_000;
/** Where nobody knows the number of attempts. */
const UNKNOWN_ATTEMPTS = 200_000;
const MOST_CLIENT_ADDRESSES = 4096;

/**
 * How many addresses the clients need for each of the proxy's, so that ports are never short there.
 * @param outgoing addresses of the proxy
 * @param wanted by the profile; null: it does not say
 * @param perAddress connections of one in a run
 */
export function clientAddressesEach(
  loads: readonly Pick<LoadPlan, 'arrival'>[],
  outgoing: number,
  wanted: number | null = null,
  perAddress = PER_CLIENT_ADDRESS,
): number {
  if (wanted !== null) return Math.min(wanted, Math.floor(MOST_CLIENT_ADDRESSES / outgoing));
  const attempts = sum(loads.map(({ arrival }) => scheduledAttempts(arrival) ?? UNKNOWN_ATTEMPTS));
  const needed = Math.ceil(attempts / (perAddress * outgoing));
  return Math.max(1, Math.min(needed, Math.floor(MOST_CLIENT_ADDRESSES / outgoing)));
}

/** Set up what a load through a proxy under test needs. Rejects with what could not be done; ProxyFailed when that is the proxy. */
export async function setUpProxy(
  spec: RunSpec,
  settings: ProxySettings,
  launched: LaunchedOrigin | null,
  onPhase: (phase: 'sysctls' | 'origin') => void,
): Promise<Setup> {
  const { arm } = spec;
  if (spec.network !== 'veth' || arm.destinations.kind !== 'lab')
    throw new Error('a proxy under test needs a namespace of its own, and this lab cannot provide one');
  onPhase('sysctls');
  applyLabSysctls();

  const outgoing = arm.addresses;
  const family = familyOf(outgoing[0]!);
  const { reverse: inLines, network, entrance, standing } = proxySubjectOf(settings.kind);
  const door = entrance?.(settings) ?? null;
  const internet = 'names' in settings && isForInternet(arm.load) ? internetOf(settings) : null;
  const reverse = door?.reverse ?? inLines;
  const client = {
    ...applySysctls(ofClients({ ...CLIENT_SYSCTLS, ...reservedFor(network, family) })),
    ...applySysctls(arm.roles?.client ?? {}),
  };

  onPhase('origin');
  const loads = placeLoads(arm, family, false);
  const each = clientAddressesEach(
    loads.map(({ load }) => load),
    outgoing.length,
    settings.clients,
    connectionsOfOne(arm.sysctls),
  );
  const placed = placeNeighbours(spec.neighbours, family);
  const through = placed.filter(({ neighbour }) => neighbour.where === 'through');
  // Behind the clients of the load, each neighbour's: one for each outgoing address.
  const clients = groups(clientAddresses(family, (each + through.length) * outgoing.length), each + through.length);
  const addresses = clients.flatMap((group) => group.slice(0, each));
  const targets = loads.flatMap((load) => (load.shared ? [] : load.targets));
  const destinations = [...targets, ...through.map(({ target }) => target)];
  const listen: [Target, ...Target[]] = network
    ? [besideClients(family)]
    : door
      ? inRole(family, 1, door.port)
      : inRole(family, listenersFor(settings, destinations.length));
  // Any program, and one with a file of its own, may know by itself where it passes on what it is asked.
  const listeners = listen.length === 1 ? destinations.map(() => listen[0]) : listen;
  const clientsOf = (of: typeof loads, seed: number) =>
    createPool(
      poolInputs(of, seed, ALL_PORTS, ({ targets: own }) => ({
        addresses,
        via: {
          proxy: listen[0],
          outgoing: outgoing.length,
          ...(reverse ? { listeners: own.map((target) => listeners[targets.indexOf(target)]!) } : {}),
        },
      })),
    );
  const [origin, proxy, pool] = await Promise.all([
    connectOrigin(launched?.ownNamespace ? launched : launchOrigin(true)),
    openProxyRole(settings),
    clientsOf(loads, spec.seed),
  ]);
  let neighbours: Neighbours | undefined;
  const close = () => {
    neighbours?.close();
    proxy.close();
    origin.stop();
  };
  try {
    await proxy.reach(() => setUpClientsOfProxy(clients.flat(), family, proxy.pid));
    const joining = {
      family,
      outgoing,
      originPid: origin.pid,
      internet: internet !== null,
      listeners: listen.length,
      neighbours: beside(placed).map(({ addresses: own, target }) => ({ addresses: [...own], target })),
      unbound: arm.unbound,
      ...machineOf(spec),
      ports: arm.load.ports,
      transport: transportOf(arm.load.protocol),
      sysctls: arm.sysctls,
    };
    const link = await origin.reach(() => proxy.setUpNetwork(joining));
    const sysctls = arm.roles?.origin;
    const sources = expectedSources(arm, beside(placed));
    const place =
      internet &&
      (await origin.openInternet({
        addresses: [...withUnbound(withBothFamilies(outgoing), arm.unbound)],
        ...sources,
        internet,
        requests: null,
        sysctls,
      }));
    const serving = place
      ? place.sysctls
      : origin.serve({
          network: 'veth',
          family,
          hosts: hostsOfLoads(loads),
          neighbours: hostsOf(placed),
          ...sources,
          sysctls,
        });
    const starting = proxy.start({
      listen,
      destinations,
      outgoing,
      clients,
      clientNamespace: ownNetwork(),
      ...(place ? { internet: place } : {}),
      own: false,
      attached: false,
      attempts: null,
      observe: spec.observe,
    });
    const opening = openNeighbours(
      placed.map((own) => {
        const { neighbour, target } = own;
        if (neighbour.where === 'beside')
          return { neighbour, namespace: proxy.namespace, input: besideInput(own, link.range, spec.seed) };
        const n = through.indexOf(own);
        const listener = reverse ? { listeners: [listeners[targets.length + n]!] } : {};
        const input = {
          plan: neighbour.load,
          addresses: clients.map((group) => group[each + n]!),
          via: { proxy: listen[0], outgoing: outgoing.length, ...listener },
          targets: [target],
          ports: ALL_PORTS,
          seed: spec.seed,
        };
        return { neighbour, namespace: null, input };
      }),
    );
    // Whichever fails, the others are not waited for, and the neighbours are closed when they come.
    void opening.then(
      (opened) => {
        neighbours = opened;
      },
      () => {},
    );
    const [originSysctls, opened] = await Promise.all([serving, opening, starting]);
    return {
      pool,
      origin,
      neighbours: opened,
      proxy,
      observer: null,
      range: link.range,
      reserved: link.reserved,
      sysctls: link.sysctls,
      roles: { client, origin: originSysctls },
      problems: standing ? [] : leftovers(await proxy.stats()),
      alone: true,
      aftermath: {
        free: proxy.free,
        openProbe: (plan) => clientsOf([{ ...loads[0]!, load: plan }], spec.seed + PROBE_SEED),
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Whether the load says nothing of how it is answered, so that the lab's internet can. Bytes, and times, only the origin of a load has. */
function isForInternet({ exchange, body, close, tls, protocol, holdMs }: LoadPlan): boolean {
  return exchange === null && body === 0 && close !== 'server' && !tls && (protocol !== 'get' || holdMs === 0);
}

/** Where the clients find a proxy: in its role. */
function inRole(family: 4 | 6, count: number, port = PROXY_PORT): [Target, ...Target[]] {
  const [first, ...others] = proxyAddresses(family, count).map((address) => ({ address, port }));
  return [first!, ...others];
}

/** Where they find a network, whose ports are then not those of the role. */
function besideClients(family: 4 | 6): Target {
  return { address: clientSideAddress(family), port: PROXY_PORT };
}

/** Ports in the clients' namespace that are not theirs. */
function reservedFor(network: NetworkTraits<never> | undefined, family: 4 | 6): Record<string, string> {
  if (network === undefined) return {};
  return { 'net.ipv4.ip_local_reserved_ports': network.portsBesideClients(besideClients(family)).join(',') };
}

function groups(addresses: readonly string[], size: number): string[][] {
  return Array.from({ length: addresses.length / size }, (_, i) => addresses.slice(i * size, (i + 1) * size));
}
