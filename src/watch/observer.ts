/**
 * Looks into one network namespace, again and again: its ports and its sockets, who has them open, and why they fill up. Reads only.
 */
import { release } from 'node:os';
import { parseKernelVersion } from '../capacity/kernel-version.js';
import { TIME_WAIT_LATEST_SECONDS, TIME_WAIT_SECONDS, timerTick } from '../capacity/timer-wheel.js';
import { EXIT, UserError, unlessThrown } from '../domain/error.js';
import type { Transport } from '../domain/protocol.js';
import { LOCAL_PORT_RANGE, parseLocalPortRange } from '../domain/sysctl-syntax.js';
import { parsePortList } from '../domain/units.js';
import { addressToSample } from '../gauge/cause.js';
import { layersOf } from '../gauge/layers.js';
import { type ExposedPort, type Look, makeLook } from '../gauge/look.js';
import { type Alarms, capacityOf, readAddresses, type Wall } from '../gauge/reading.js';
import { createTrend } from '../gauge/trend.js';
import { monotonicMicros } from '../kernel/libc.js';
import type { NetworkNamespace } from '../kernel/namespace.js';
import { sampleActivity } from '../kernel/socket-activity.js';
import { type Census, type EphemeralPorts, openSockDiag, type SharedCensus } from '../kernel/socket-census.js';
import type { Processes } from '../kernel/socket-owners.js';
import type { SocketTotals } from '../kernel/socket-totals.js';
import { readSysctl } from '../kernel/sysctl.js';
import { tapOfDefaultRoute } from '../kernel/tap-route.js';
import { timerFrequency } from '../kernel/timer-frequency.js';
import { createOwnerSearch, NO_OWNERSHIP, type Ownership } from './owners.js';

export interface ObserverOptions {
  readonly alarms: Alarms;
  readonly wall: Wall | 'auto';
  /** Look for the processes that have the sockets open. */
  readonly owners: boolean;
  /** From when on an open connection counts as idle, ms. */
  readonly idle: number;
  /** Whose sockets, TCP's or UDP's. */
  readonly transport: Transport;
}

export interface Observer {
  /**
   * Count, now.
   * @param processes of this machine, asked for when owners are looked for
   * @param process by which the namespace was named
   * @param totals of one of many namespaces: what they say is not there is not listed, where that would be a walk past very many sockets of others
   * @throws SystemCallError, UserError
   */
  look(processes: () => Processes, process: Look['process'], totals?: SocketTotals | null): Look;
  close(): void;
}

const EVERY_SECONDS = 60;

/** Begin to look into a namespace. @param census whose memory several observers may share @throws SystemCallError */
export function openObserver(
  namespace: NetworkNamespace,
  census: SharedCensus,
  { alarms, wall, owners, idle, transport }: ObserverOptions,
): Observer {
  const netlink = namespace.within(openSockDiag);
  const trend = createTrend();
  const ownersOf = owners ? createOwnerSearch(namespace.id) : null;
  const timeWaitSeconds = timeWaitLasts();
  const tapOf = nowAndThen(() => namespace.within(tapOfDefaultRoute));

  return {
    look(processes, process, totals = null) {
      const began = monotonicMicros();
      const ports = namespace.within(readPorts);
      const capacity = capacityOf(ports, transport);
      const at = new Date();
      const counted = census.take(netlink, ports, totals);
      const addresses = readAddresses(counted.addresses, capacity, alarms, transport === 'udp' ? 'ports' : wall);
      const growth = trend.note(began / 1e6, addresses, capacity.hardWall);
      const sampled = transport === 'udp' ? null : addressToSample(addresses, alarms);
      const { open } = counted;
      const number = sampled === null ? undefined : counted.numberOf(sampled);
      const activity =
        open === null || number === undefined ? null : namespace.within(() => sampleActivity(open, number, idle));
      const lookMs = (monotonicMicros() - began) / 1000;
      const ownership = ownersOf?.(counted, began / 1e6, processes) ?? null;
      return makeLook({
        at: at.toISOString(),
        namespace: namespace.id,
        transport,
        process,
        capacity,
        alarms,
        addresses,
        growth,
        activity,
        idleMs: idle,
        timeWaitSeconds,
        holder: (ownership ?? NO_OWNERSHIP).holder,
        destinations: counted.destinations,
        missed: counted.missed,
        sockets: counted.sockets,
        unconnected: counted.unconnected,
        owners: ownership?.owners ?? null,
        layers: layersOf(ownership?.owners.owners ?? [], tapOf(began / 1e6)),
        exposed: exposedPorts(counted, ownership ?? NO_OWNERSHIP),
        selfConnected: counted.selfConnected,
        lookMs,
      });
    },
    close() {
      netlink.close();
    },
  };
}

/** What seldom changes, read again after a minute. */
function nowAndThen<T>(read: () => T): (now: number) => T {
  let latest: { readonly value: T; readonly at: number } | null = null;
  return (now) => {
    if (latest === null || now - latest.at >= EVERY_SECONDS) latest = { value: read(), at: now };
    return latest.value;
  };
}

function exposedPorts({ exposed }: Census, { listener }: Pick<Ownership, 'listener'>): ExposedPort[] {
  return exposed
    .map(({ address, port, inode }) => ({ address, port, owner: listener(inode) }))
    .sort((a, b) => a.port - b.port);
}

/** Seconds until the last TIME_WAIT of a moment is over: the timer of this kernel rounds up. */
function timeWaitLasts(): number {
  return unlessThrown(
    () => TIME_WAIT_SECONDS + timerTick(TIME_WAIT_SECONDS, parseKernelVersion(release(), timerFrequency())),
    TIME_WAIT_LATEST_SECONDS,
  );
}

function readPorts(): EphemeralPorts {
  const range = readSysctl(LOCAL_PORT_RANGE);
  if (!range.ok)
    throw new UserError(`net.ipv4.ip_local_port_range cannot be read (${range.errno}); is /proc mounted?`, {
      exitCode: EXIT.noLab,
    });
  // Absent before Linux 2.6.35.
  const reserved = readSysctl('net.ipv4.ip_local_reserved_ports');
  return { range: parseLocalPortRange(range.value), reserved: parsePortList(reserved.ok ? reserved.value : '') };
}
