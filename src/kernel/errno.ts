/**
 * errno values and their names (errno(3)).
 */
import { constants } from 'node:os';

const names = new Map<number, string>();
// Where two names share a value, the one that the man pages of socket calls use comes first.
for (const name of ['EAGAIN', 'EOPNOTSUPP', 'EDEADLK'] as const) names.set(constants.errno[name], name);
for (const [name, value] of Object.entries(constants.errno)) if (!names.has(value)) names.set(value, name);

/** `EADDRINUSE` for 98. An errno that libc's headers do not name is `E` and its number. */
export function errnoName(value: number): string {
  return names.get(value) ?? `E${value}`;
}

export const {
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAGAIN,
  EALREADY,
  ECONNRESET,
  EINPROGRESS,
  EINTR,
  EINVAL,
  EISCONN,
  EMFILE,
  ENFILE,
  ENOBUFS,
  ENOENT,
  ENOPROTOOPT,
  ENOSYS,
  EPERM,
  EPIPE,
} = constants.errno;

/** A system call that failed where it must not: set-up code, not the measured path. */
export class SystemCallError extends Error {
  override name = 'SystemCallError';
  readonly call: string;
  readonly errno: number;
  constructor(call: string, errno: number, detail = '') {
    super(`${call} failed with ${errnoName(errno)}${detail ? ` (${detail})` : ''}`);
    this.call = call;
    this.errno = errno;
  }
}
