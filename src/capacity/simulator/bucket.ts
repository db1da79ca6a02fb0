/**
 * The bind table of one network namespace: a bucket a port (struct inet_bind_bucket, include/net/inet_hashtables.h) with the
 * sockets that own it, and the rule by which two of them conflict (inet_csk_bind_conflict(),
 * net/ipv4/inet_connection_sock.c). All sockets are taken to be of one user.
 */
import type { BindEra } from '../bind-era.js';

/** The wildcard address as a socket's local one. Other addresses are numbers from 0. */
export const ANY = -1;

/** What the bind table knows of a socket. */
export interface Binder {
  readonly address: number;
  readonly reuse: boolean;
  readonly reuseport: boolean;
  /** Whether the port came by bind(); connect() gives one too. */
  readonly bound: boolean;
}

/** 1: all owners have the option; 0: some has not; -1: connect() made the bucket, and no bind() has touched it. */
type Flag = -1 | 0 | 1;

export interface Bucket {
  fastreuse: Flag;
  fastreuseport: Flag;
  /** Sockets that are open. A socket in TIME_WAIT owns the bucket too, but `num_owners` does not count it. */
  live: number;
  owners: number;
  /** Owners whose port came by bind(). */
  boundOwners: number;
  /** Address → owners without options, with SO_REUSEADDR, with SO_REUSEPORT, with both. */
  readonly groups: Map<number, [number, number, number, number]>;
}

/** The bucket of a port (`inet_bind_bucket`) with no socket in it yet. */
export function newBucket(): Bucket {
  return { fastreuse: -1, fastreuseport: -1, live: 0, owners: 0, boundOwners: 0, groups: new Map() };
}

const kind = ({ reuse, reuseport }: Binder) => (reuse ? 1 : 0) + (reuseport ? 2 : 0);

/** Enter a socket that found its port by bind(), or by connect(). The flags follow as inet_csk_update_fastreuse() has it. */
export function addOwner(bucket: Bucket, socket: Binder, knowsReuseport: boolean): void {
  if (socket.bound) {
    if (bucket.owners === 0) {
      bucket.fastreuse = socket.reuse ? 1 : 0;
      bucket.fastreuseport = !knowsReuseport ? -1 : socket.reuseport ? 1 : 0;
    } else {
      if (!socket.reuse) bucket.fastreuse = 0;
      if (knowsReuseport && !socket.reuseport) bucket.fastreuseport = 0;
    }
    bucket.boundOwners += 1;
  }
  bucket.owners += 1;
  bucket.live += 1;
  countIn(bucket, socket, 1);
}

/** A socket closes: into TIME_WAIT, which still owns the port, or completely. */
export function endLive(bucket: Bucket): void {
  bucket.live -= 1;
}

/**
 * The last of a socket, or of its TIME_WAIT, is gone.
 * @param releases whether the bucket forgets bind() with the last socket that bound (6.18, d57f4b874946); older kernels keep
 *   it barred to connect() until no socket is left
 */
export function removeOwner(bucket: Bucket, socket: Binder, releases: boolean): void {
  bucket.owners -= 1;
  countIn(bucket, socket, -1);
  if (!socket.bound) return;
  bucket.boundOwners -= 1;
  if (releases && bucket.boundOwners === 0) {
    bucket.fastreuse = -1;
    bucket.fastreuseport = -1;
  }
}

/** connect() gives a socket that was bound to the wildcard address the one that its route chooses. */
export function moveOwner(bucket: Bucket, socket: Binder, address: number): Binder {
  countIn(bucket, socket, -1);
  const moved = { ...socket, address };
  countIn(bucket, moved, 1);
  return moved;
}

function countIn(bucket: Bucket, socket: Binder, change: 1 | -1): void {
  const counts = bucket.groups.get(socket.address) ?? [0, 0, 0, 0];
  counts[kind(socket)]! += change;
  if (counts.some((count) => count > 0)) bucket.groups.set(socket.address, counts);
  else bucket.groups.delete(socket.address);
}

/** Whether connect() passes over the port: bind() owns its bucket, on whatever address. */
export function barredToConnect({ fastreuse, fastreuseport }: Bucket): boolean {
  return fastreuse >= 0 || fastreuseport >= 0;
}

/** Whether the bucket's flags let a socket share the port without a look at its owners. */
export function sharable(bucket: Bucket, socket: Binder): boolean {
  return (bucket.fastreuse > 0 && socket.reuse) || (bucket.fastreuseport > 0 && socket.reuseport);
}

/**
 * Whether bind() of a socket conflicts with an owner of the bucket.
 * @param relax for a port that the program names, and for the searches that share
 * @param namedPort SO_REUSEPORT lets sockets share a port that they name; from 4.11 not one that bind() finds
 */
export function conflicts(bucket: Bucket, socket: Binder, era: BindEra, relax: boolean, namedPort: boolean): boolean {
  if (socket.address === ANY) {
    for (const counts of bucket.groups.values()) if (groupConflicts(counts, socket, era, relax, namedPort)) return true;
    return false;
  }
  const same = bucket.groups.get(socket.address);
  if (same && groupConflicts(same, socket, era, relax, namedPort)) return true;
  const any = bucket.groups.get(ANY);
  return any !== undefined && groupConflicts(any, socket, era, relax, namedPort);
}

function groupConflicts(
  [plain, reuse, reuseport, both]: readonly [number, number, number, number],
  socket: Binder,
  era: BindEra,
  relax: boolean,
  namedPort: boolean,
): boolean {
  const strict = era !== 'A' && era !== 'B' && !relax;
  const portShared = socket.reuseport && (namedPort || !(era === 'E' || era === 'F'));
  if (plain > 0) return true;
  if (reuse > 0 && (!socket.reuse || strict)) return true;
  if (reuseport > 0 && !portShared) return true;
  if (both === 0) return false;
  if (socket.reuse) {
    // 335759211a32 (5.7): where both have both options, a port that bind() finds is not shared (port hijacking).
    return strict || (era === 'F' && socket.reuseport && !namedPort);
  }
  return !portShared;
}
