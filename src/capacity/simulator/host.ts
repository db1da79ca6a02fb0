/**
 * One network namespace as its port choice sees it: the bind table, the table of connections with their TIME_WAIT, a clock.
 * Seeded; no I/O. What it leaves out: IPv6, other users, VRFs, listeners, failures of memory.
 */
import type { Random } from '../../domain/random.js';
import { type PortRange, portCount } from '../../domain/units.js';
import { eraOf } from '../ceiling.js';
import { forgetsTimeWait, releasesBuckets } from '../kernel-changes.js';
import { atLeast } from '../kernel-version.js';
import type { PredictInput } from '../predict-input.js';
import { type BindTable, searchPort } from './autobind.js';
import {
  ANY,
  addOwner,
  type Binder,
  barredToConnect,
  conflicts,
  endLive,
  moveOwner,
  newBucket,
  removeOwner,
} from './bucket.js';

type AsPredicted = 'kernel' | 'range' | 'twReuseDelayMs' | 'timestamps' | 'autobindReuse';

export interface HostConfig extends Pick<PredictInput, AsPredicted> {
  readonly reserved: ReadonlySet<number>;
  /** Whether `tcp_tw_reuse` acts on these connections (1, or 2 on loopback addresses). */
  readonly twReuse: boolean;
  readonly timeWaitMs: number;
  /** Whether the peers' sockets are of this machine: up to 4.1 their number changes how bind() searches. */
  readonly peersHere: boolean;
}

export interface Socket {
  binder: Binder;
  port: number;
  /** Key in the table of connections; null: not connected. */
  tuple: number | null;
}

interface Connection {
  readonly socket: Socket;
  /** The instant of the entry into TIME_WAIT, ms; null: open. */
  since: number | null;
}

export interface Host {
  readonly config: HostConfig;
  readonly table: BindTable;
  readonly connections: Map<number, Connection>;
  /** In the order of their entry. */
  readonly timeWait: Connection[];
  expired: number;
  /** (address, destination) → where connect() resumes its search (`table_perturb`, before 5.12 one hint for all). */
  readonly offsets: Map<number, number>;
  readonly knowsReuseport: boolean;
  readonly releases: boolean;
  readonly forgets: boolean;
  readonly random: Random;
}

/** A simulated network namespace with no socket in it yet. */
export function createHost(config: HostConfig, random: Random): Host {
  const { kernel, range } = config;
  return {
    config,
    table: {
      ...range,
      era: eraOf(config),
      autobindReuse: config.autobindReuse,
      reserved: config.reserved,
      buckets: new Map(),
      boundSockets: 0,
      random,
    },
    connections: new Map(),
    timeWait: [],
    expired: 0,
    offsets: new Map(),
    knowsReuseport: atLeast(kernel, '3.9'),
    releases: releasesBuckets(kernel),
    forgets: forgetsTimeWait(kernel),
    random,
  };
}

/**
 * bind() to an address, with port 0 or a port that the program names.
 * @returns the socket, or null: EADDRINUSE
 */
export function bindSocket(host: Host, options: Omit<Binder, 'bound'>, named: number | null): Socket | null {
  const binder = { ...options, bound: true };
  const { table } = host;
  const port = named ?? searchPort(table, binder);
  if (port === null) return null;
  const bucket = table.buckets.get(port);
  if (named !== null && bucket && conflicts(bucket, binder, table.era, true, true)) return null;
  takePort(host, port, binder);
  return { binder, port, tuple: null };
}

/**
 * connect() of a socket that has its port.
 * @param address the one that the route gives to a socket of the wildcard address
 * @returns whether it got its 4-tuple; else EADDRNOTAVAIL
 */
export function connectBound(host: Host, socket: Socket, address: number, destination: number, now: number): boolean {
  const from = socket.binder.address === ANY ? address : socket.binder.address;
  const key = tupleKey(from, destination, socket.port);
  if (!tupleFree(host, key, true, now)) return false;
  if (socket.binder.address === ANY) {
    socket.binder = moveOwner(host.table.buckets.get(socket.port)!, socket.binder, address);
  }
  enter(host, socket, key);
  return true;
}

/**
 * connect() that chooses the port (__inet_hash_connect(), net/ipv4/inet_hashtables.c).
 * @param own the socket's own range (IP_LOCAL_PORT_RANGE), clamped to the host's
 * @returns the socket, or null: EADDRNOTAVAIL
 */
export function connectUnbound(
  host: Host,
  options: Omit<Binder, 'bound'>,
  destination: number,
  now: number,
  own: PortRange | null = null,
): Socket | null {
  const { table, config } = host;
  const range = own ?? table;
  const size = portCount(range);
  const parity = atLeast(config.kernel, '4.6') && !(own && atLeast(config.kernel, '6.8'));
  const remaining = parity && size > 1 ? size & ~1 : size;
  const flow = atLeast(config.kernel, '5.12') ? tupleKey(options.address, destination, 0) : 0;
  const offset = (host.offsets.get(flow) ?? Math.floor(host.random() * remaining)) % remaining;
  const step = parity ? 2 : 1;
  for (const start of parity && size > 1 ? [offset & ~1, (offset & ~1) + 1] : [offset]) {
    let port = range.low + start;
    for (let i = 0; i < remaining; i += step, port += step) {
      // As the kernel has it: an odd range is walked to its last port, from which the search goes on behind the first one.
      if (port >= range.low + size) port -= remaining;
      if (table.reserved.has(port)) continue;
      const bucket = table.buckets.get(port);
      if (bucket && barredToConnect(bucket)) continue;
      const key = tupleKey(options.address, destination, port);
      if (bucket && !tupleFree(host, key, false, now)) continue;
      host.offsets.set(flow, offset + i + step);
      const binder = { ...options, bound: false };
      takePort(host, port, binder);
      const socket: Socket = { binder, port, tuple: null };
      enter(host, socket, key);
      return socket;
    }
  }
  return null;
}

/** Close a socket. @param leavesTimeWait whether we closed first, without RST */
export function closeSocket(host: Host, socket: Socket, leavesTimeWait: boolean, now: number): void {
  const { table, config, connections } = host;
  const bucket = table.buckets.get(socket.port)!;
  table.boundSockets -= 1;
  endLive(bucket);
  if (socket.tuple === null) return drop(host, socket);
  const connection = connections.get(socket.tuple)!;
  if (config.peersHere) table.boundSockets -= 1;
  if (!leavesTimeWait) {
    connections.delete(socket.tuple);
    return drop(host, socket);
  }
  connection.since = now;
  host.timeWait.push(connection);
  // 6.1.0 to 6.1.4 did not enter TIME_WAIT into the table that bind() looks at (936a192f9740).
  if (host.forgets) drop(host, socket);
}

/** Let TIME_WAIT end that is over. */
export function expire(host: Host, now: number): void {
  const { timeWait, config } = host;
  for (; host.expired < timeWait.length; host.expired++) {
    const connection = timeWait[host.expired]!;
    if (connection.since! + config.timeWaitMs > now) break;
    if (host.connections.get(connection.socket.tuple!) === connection) endTimeWait(host, connection);
  }
}

function endTimeWait(host: Host, { socket }: Connection): void {
  host.connections.delete(socket.tuple!);
  if (!host.forgets) drop(host, socket);
}

function takePort({ table, knowsReuseport }: Host, port: number, binder: Binder): void {
  let bucket = table.buckets.get(port);
  if (!bucket) {
    bucket = newBucket();
    table.buckets.set(port, bucket);
  }
  addOwner(bucket, binder, knowsReuseport);
  table.boundSockets += 1;
}

function drop({ table, releases }: Host, { port, binder }: Socket): void {
  const bucket = table.buckets.get(port)!;
  removeOwner(bucket, binder, releases);
  if (bucket.owners === 0) table.buckets.delete(port);
}

function enter(host: Host, socket: Socket, key: number): void {
  socket.tuple = key;
  host.connections.set(key, { socket, since: null });
  if (host.config.peersHere) host.table.boundSockets += 1;
}

function tupleKey(address: number, destination: number, port: number): number {
  return ((address + 1) * 65_536 + destination) * 65_536 + port;
}

/** Whether a 4-tuple can be had; a TIME_WAIT that may be taken over is gone then (tcp_twsk_unique(), net/ipv4/tcp_ipv4.c). */
function tupleFree(host: Host, key: number, bound: boolean, now: number): boolean {
  const connection = host.connections.get(key);
  if (!connection) return true;
  if (connection.since === null || !host.config.timestamps) return false;
  if (!bound && !(host.config.twReuse && delayOver(host.config, now, connection.since))) return false;
  endTimeWait(host, connection);
  return true;
}

/** 6.14 counts milliseconds from the entry into TIME_WAIT; a clock of whole seconds had to tick once, before 4.19 twice. */
function delayOver({ kernel, twReuseDelayMs }: HostConfig, now: number, since: number): boolean {
  if (atLeast(kernel, '6.14')) return now - since > twReuseDelayMs;
  const ticks = Math.floor(now / 1000) - Math.floor(since / 1000);
  return ticks > (atLeast(kernel, '4.19') ? 0 : 1);
}
