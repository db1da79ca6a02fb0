/**
 * The calls that the kernel refused to any program, as the program of refused-program.ts counts them. Pure.
 */
import ipaddr from 'ipaddr.js';
import { errnoName } from '../../kernel/errno.js';
import { mapsOf } from './bpf-text.js';
import { REFUSABLE, type Refusable } from './refused-program.js';

/** Calls that were refused alike. */
export interface RefusedCall {
  readonly call: Refusable;
  /** `EADDRINUSE` */
  readonly errno: string;
  /** null: the descriptor is no socket of these. */
  readonly protocol: 'tcp' | 'udp' | null;
  /** What bind() and listen() asked for, and where the others were going. */
  readonly address: string;
  readonly port: number;
  readonly pid: number;
  /** The name of the thread's program. */
  readonly command: string;
  /** ID of the control group (version 2). */
  readonly cgroup: string;
  /** `net:[4026531840]` */
  readonly namespace: string;
  readonly count: number;
}

export interface RefusedCalls {
  readonly calls: readonly RefusedCall[];
  /** Refused calls that found no room in the kernel's table: they are in none of the rows. */
  readonly lost: number;
}

export interface RefusedCount {
  /** A line of bpftrace. */
  add(line: string): void;
  result(): RefusedCalls;
}

/** Counts what the program prints; each print has the whole. */
export function countRefused(): RefusedCount {
  let rows: RefusedCall[] = [];
  let total = 0;
  return {
    add(line) {
      const maps = mapsOf(line);
      if (maps['@refused']) rows = Object.entries(maps['@refused']).map(([key, count]) => rowOf(key, count));
      total = maps['@total']?.n ?? total;
    },
    result() {
      const counted = rows.reduce((sum, { count }) => sum + count, 0);
      return {
        calls: [...rows].sort((a, b) => b.count - a.count || a.pid - b.pid),
        lost: Math.max(0, total - counted),
      };
    },
  };
}

const IPPROTO_TCP = '6';
const IPPROTO_UDP = '17';

function rowOf(key: string, count: number): RefusedCall {
  // The name of a program may itself have commas, so it is last.
  const [call, errno, protocol, family, high, low, port, pid, cgroup, namespace, ...command] = key.split(',');
  return {
    call: REFUSABLE[Number(call)]!,
    errno: errnoName(Number(errno)),
    protocol: protocol === IPPROTO_TCP ? 'tcp' : protocol === IPPROTO_UDP ? 'udp' : null,
    address: addressOf(Number(family), BigInt(high!), BigInt(low!)),
    port: swapped(Number(port)),
    pid: Number(pid),
    command: command.join(','),
    cgroup: cgroup!,
    namespace: `net:[${namespace}]`,
    count,
  };
}

/** The port in the byte order of this machine, which is little-endian. */
function swapped(port: number): number {
  return ((port & 0xff) << 8) | (port >>> 8);
}

/** An address from the words of the kernel's memory. */
function addressOf(family: number, high: bigint, low: bigint): string {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, BigInt.asUintN(64, high), true);
  view.setBigUint64(8, BigInt.asUintN(64, low), true);
  const bytes = [...new Uint8Array(view.buffer)];
  const address = ipaddr.fromByteArray(family === 2 ? bytes.slice(8, 12) : bytes);
  return address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress()
    ? (address as ipaddr.IPv6).toIPv4Address().toString()
    : address.toString();
}
