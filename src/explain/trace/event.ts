/**
 * A system call of a trace, whatever tool wrote it. Pure.
 */
import type { Errno } from '../errno.js';
import type { Endpoint } from '../facts.js';

/** Options of a socket that decide how it gets its local port. */
export type Option = 'SO_REUSEADDR' | 'SO_REUSEPORT' | 'IP_BIND_ADDRESS_NO_PORT' | 'IP_LOCAL_PORT_RANGE';

/** By level and number, for tracers that do not know the name: include/uapi/linux/in.h, include/uapi/asm-generic/socket.h. */
const BY_NUMBER: Readonly<Record<string, Option>> = {
  '0 24': 'IP_BIND_ADDRESS_NO_PORT',
  '0 51': 'IP_LOCAL_PORT_RANGE',
  '1 2': 'SO_REUSEADDR',
  '1 15': 'SO_REUSEPORT',
};
const LEVELS: Readonly<Record<string, number>> = { SOL_IP: 0, IPPROTO_IP: 0, IP: 0, SOL_SOCKET: 1, SOCKET: 1 };

/** @param level and @param name as the tool wrote them: a name, a decimal or a hexadecimal number. */
export function optionOf(level: string, name: string): Option | null {
  const known = Object.values(BY_NUMBER).find((option) => name.includes(option));
  return known ?? BY_NUMBER[`${LEVELS[level] ?? Number(level)} ${Number(name)}`] ?? null;
}

export interface CallEvent {
  /** The thread; empty where the tool does not say. */
  readonly pid: string;
  readonly name: 'socket' | 'setsockopt' | 'bind' | 'connect' | 'listen' | 'accept' | 'close' | 'send';
  /** The call as the tool names it. */
  readonly syscall: string;
  readonly fd: number;
  /** What it returned; a failure is negative. */
  readonly result: number;
  readonly errno: Errno | null;
  /** The errno as the tool names it, also one that says nothing of ports. */
  readonly refusal: string | null;
  /** It was refused, but not in a way that is a failure here: EINPROGRESS. */
  readonly underWay: boolean;
  /** Of socket(); null: neither IPv4 nor IPv6. */
  readonly protocol?: 'tcp' | 'udp' | 'sctp' | null;
  /** Of setsockopt() with a value that is not 0. */
  readonly option?: Option | null;
  /** Of bind(), connect() and a send with a destination; null: another family. Port null: the tool does not say. */
  readonly to?: Endpoint | null;
  /** Whether a send opens a TCP connection (MSG_FASTOPEN). */
  readonly opens?: boolean;
}
