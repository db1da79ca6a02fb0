/**
 * How bind(address, 0) searches for a port, an algorithm an era: inet_csk_get_port() up to 4.10 and inet_csk_find_open_port()
 * since, net/ipv4/inet_connection_sock.c.
 */
import type { Random } from '../../domain/random.js';
import { portCount } from '../../domain/units.js';
import type { BindEra } from '../bind-era.js';
import { type Binder, type Bucket, conflicts, sharable } from './bucket.js';

export interface BindTable {
  readonly low: number;
  /** Included. */
  readonly high: number;
  readonly era: BindEra;
  readonly autobindReuse: boolean;
  readonly reserved: ReadonlySet<number>;
  readonly buckets: Map<number, Bucket>;
  /** Sockets with a port on the whole machine, accepted ones too (`hashinfo->bsockets`, to 4.1). */
  boundSockets: number;
  readonly random: Random;
}

/** @returns the port, or null: EADDRINUSE */
export function searchPort(table: BindTable, socket: Binder): number | null {
  switch (table.era) {
    case 'A':
    case 'B':
    case 'C':
    case 'C2':
      return inOrder(table, socket);
    case 'D':
      return byParityThenShared(table, socket);
    case 'E':
      return byParity(table, socket, false);
    case 'F':
      return byParity(table, socket, false) ?? (table.autobindReuse ? byParity(table, socket, true) : null);
  }
}

const ATTEMPTS = 5;

/** To 4.5: port by port from a random one on; the least used port that can be shared is kept for the end. */
function inOrder(table: BindTable, socket: Binder): number | null {
  const { era, low, high } = table;
  let half = era === 'C2' && socket.reuse ? 1 : 0;
  for (let attempts = ATTEMPTS; ; ) {
    const middle = low + Math.floor((high - low) / 2);
    const from = half === 2 ? middle : low;
    const to = half === 1 ? middle : high;
    const { free, taken, smallest } = walk(table, socket, from, to);
    if (free !== null) return free;
    const candidate = taken ?? smallest?.port;
    if (candidate === undefined) {
      if (half !== 1) return null;
      half = 2;
      continue;
    }
    const bucket = table.buckets.get(candidate)!;
    if (sharable(bucket, socket) && !smallest) return candidate;
    if (!conflicts(bucket, socket, era, true, false)) return candidate;
    if (!smallest || --attempts < 0) return null;
  }
}

interface Walked {
  /** A port without a bucket. */
  readonly free: number | null;
  /** A port whose bucket let the socket in. */
  readonly taken?: number;
  readonly smallest?: { readonly port: number; readonly size: number };
}

function walk(table: BindTable, socket: Binder, from: number, to: number): Walked {
  const { era, buckets, reserved } = table;
  const size = to - from + 1;
  const crowded = (era === 'A' || era === 'B') && table.boundSockets > portCount(table);
  let smallest: { port: number; size: number } | undefined;
  let port = from + Math.floor(table.random() * size);
  for (let i = 0; i < size; i++, port = port === to ? from : port + 1) {
    if (reserved.has(port)) continue;
    const bucket = buckets.get(port);
    if (!bucket) return { free: port };
    if (sharable(bucket, socket) && (!smallest || bucket.live < smallest.size)) {
      smallest = { port, size: bucket.live };
      if (crowded) return { free: null, taken: port, smallest };
    }
    if (era !== 'A' && !conflicts(bucket, socket, era, false, false)) return { free: null, taken: port, smallest };
  }
  return { free: null, smallest };
}

/** 4.6 to 4.10: odd ports, then even ones, with SO_REUSEADDR first in the lower half; but a port to share comes before the rest. */
function byParityThenShared(table: BindTable, socket: Binder): number | null {
  for (let attempts = ATTEMPTS; ; ) {
    const { open, smallest } = scan(table, socket, false, true);
    if (open !== null && !smallest) return open;
    const candidate = open ?? smallest;
    if (candidate === undefined) return null;
    const bucket = table.buckets.get(candidate);
    if (!bucket || !conflicts(bucket, socket, table.era, true, false)) return candidate;
    if (--attempts < 0) return null;
  }
}

/** From 4.11: odd ports, then even ones; with SO_REUSEADDR in the lower half, then in the upper one. */
function byParity(table: BindTable, socket: Binder, relax: boolean): number | null {
  return scan(table, socket, relax, false).open;
}

function scan(
  table: BindTable,
  socket: Binder,
  relax: boolean,
  sharesEarly: boolean,
): { readonly open: number | null; readonly smallest?: number } {
  const { low, era, buckets, reserved } = table;
  const high = table.high + 1;
  const halves = socket.reuse && high - low >= 4;
  const half = low + ((high - low) >> 2) * 2;
  for (const [from, to] of halves ? [[low, half] as const, [half, high] as const] : [[low, high] as const]) {
    const remaining = to - from > 1 ? (to - from) & ~1 : to - from;
    const start = Math.floor(table.random() * remaining) | 1;
    let smallest: { port: number; size: number } | undefined;
    for (const offset of [start, start - 1]) {
      let port = from + offset;
      for (let i = 0; i < remaining; i += 2, port += 2) {
        if (port >= to) port -= remaining;
        if (reserved.has(port)) continue;
        const bucket = buckets.get(port);
        if (!bucket) return { open: port, smallest: smallest?.port };
        if (sharesEarly && sharable(bucket, socket) && (!smallest || bucket.live < smallest.size))
          smallest = { port, size: bucket.live };
        if (!conflicts(bucket, socket, era, relax, false)) return { open: port, smallest: smallest?.port };
      }
      if (smallest) return { open: null, smallest: smallest.port };
    }
  }
  return { open: null };
}
