/**
 * Where the gauge looks: a network namespace, its ports and its sockets, and who has them open. Reads only.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, UserError } from '../domain/error.js';
import { LOCAL_PORT_RANGE, parseLocalPortRange } from '../domain/sysctl-syntax.js';
import { parsePortList } from '../domain/units.js';
import { type Look, makeLook } from '../gauge/look.js';
import { type Alarms, capacityOf, readAddresses, type Wall } from '../gauge/reading.js';
import { createTrend } from '../gauge/trend.js';
import { EACCES, EINVAL, ENOENT, EPERM, SystemCallError } from '../kernel/errno.js';
import { monotonicMicros } from '../kernel/libc.js';
import { type NetworkNamespace, openNamespace } from '../kernel/namespace.js';
import { type EphemeralPorts, openCensus, type SocketCensus } from '../kernel/socket-census.js';
import type { Owners } from '../kernel/socket-owners.js';
import { findOwners } from '../kernel/socket-owners.js';
import { readSysctl } from '../kernel/sysctl.js';
import { identityOf, isAlive } from '../machine/process-identity.js';

export interface Place {
  /** That of a process. */
  readonly pid?: number;
  /** A name under /run/netns, as ip-netns(8) makes them, or a path. */
  readonly netns?: string;
}

export interface SourceOptions {
  readonly alarms: Alarms;
  readonly wall: Wall | 'auto';
  /** Look for the processes that have the sockets open. */
  readonly owners: boolean;
}

export interface Source {
  /** @throws UserError when the namespace is not to be looked into any more */
  look(): Look;
  close(): void;
}

/** Processes come and go slowly, and their descriptors are many. */
const OWNERS_EVERY_SECONDS = 10;
const NAMED = '/run/netns';

/** @throws UserError when there is no such namespace, or it may not be entered */
export function openSource(place: Place, { alarms, wall, owners }: SourceOptions): Source {
  // Who it is comes first: a number that is given to another process between the two is then seen.
  const identity = place.pid === undefined ? null : identityOf(place.pid);
  const namespace = openPlace(place);
  const census = explained(place, () => namespace.within(openCensus));
  const trend = createTrend();
  const ownersOf = owners ? createOwnerSearch(namespace.id) : () => null;
  return {
    look() {
      const began = monotonicMicros();
      const ports = explained(place, () => namespace.within(readPorts));
      const capacity = capacityOf(ports);
      const at = new Date();
      const counted = explained(place, () => census.take(ports));
      const addresses = readAddresses(counted.addresses, capacity, alarms, wall);
      const growth = trend.note(began / 1e6, addresses, capacity.hardWall);
      const lookMs = (monotonicMicros() - began) / 1000;
      return makeLook({
        at: at.toISOString(),
        namespace: namespace.id,
        // A descriptor keeps the namespace when the last process in it has ended.
        process: identity && { pid: identity.pid, running: isAlive(identity) },
        capacity,
        alarms,
        addresses,
        growth,
        destinations: counted.destinations,
        missed: counted.missed,
        sockets: counted.sockets,
        unconnected: counted.unconnected,
        owners: ownersOf(counted, began / 1e6),
        lookMs,
      });
    },
    close() {
      census.close();
      namespace.close();
    },
  };
}

/** The owners, looked for again only now and then. */
function createOwnerSearch(namespace: string) {
  let found: Owners | null = null;
  let foundAt = 0;
  return ({ inodes }: ReturnType<SocketCensus['take']>, now: number): Owners => {
    if (found === null || now - foundAt >= OWNERS_EVERY_SECONDS) {
      found = findOwners(inodes, namespace);
      foundAt = now;
    }
    return found;
  };
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

function openPlace({ pid, netns }: Place): NetworkNamespace {
  if (pid !== undefined) return openPid(pid);
  if (netns === undefined) return openNamespace();
  const path = netns.includes('/') ? netns : join(NAMED, netns);
  if (!existsSync(path)) throw new UserError(`there is no network namespace ${path}; ${namesThere()}`);
  return openPath(path, { netns });
}

function openPid(pid: number): NetworkNamespace {
  if (!existsSync(`/proc/${pid}`))
    throw new UserError(`there is no process ${pid}; give the pid as this machine sees it`);
  return openPath(`/proc/${pid}/ns/net`, { pid });
}

function openPath(path: string, place: Place): NetworkNamespace {
  try {
    return openNamespace(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') throw mayNot(place);
    if (code === 'ENOENT') throw new UserError(`there is no network namespace ${path} any more: the process has ended`);
    throw error;
  }
}

function namesThere(): string {
  const names = existsSync(NAMED) ? readdirSync(NAMED) : [];
  const some = names.length > 0 ? `${NAMED} has ${names.slice(0, 10).join(', ')}` : `${NAMED} has none`;
  return `${some}. Name one, give a path, or use --pid with a process that is in it`;
}

/** System calls that are refused for a reason that the user can mend. */
function explained<T>(place: Place, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    if (error.call === 'setns' && error.errno === EPERM) throw mayNot(place);
    if (error.call === 'setns' && error.errno === EINVAL)
      throw new UserError(`${place.netns} is no network namespace; name one of ${NAMED}, or use --pid`);
    if (error.call === 'sock_diag' && (error.errno === ENOENT || error.errno === EACCES || error.errno === EPERM)) {
      throw new UserError(
        `the kernel does not list its sockets (${error.message}); it needs CONFIG_INET_DIAG, as a module: modprobe tcp_diag`,
        { exitCode: EXIT.noLab },
      );
    }
    throw error;
  }
}

function mayNot({ pid, netns }: Place): UserError {
  const whose = pid !== undefined ? `the network namespace of process ${pid}` : `the network namespace ${netns}`;
  const rootless =
    pid === undefined
      ? ''
      : `, or, for a rootless container of your own: nsenter --target ${pid} --user --net --preserve-credentials bindstorm watch`;
  return new UserError(`${whose} may not be entered by this user; run it as root${rootless}`, { exitCode: EXIT.noLab });
}
