/**
 * Changes of the port choice that are no new era of bind(): each with the kernels that have it. Pure.
 */
import { atLeast, type KernelVersion } from './kernel-version.js';

/**
 * 6.1.0 to 6.1.4: bind() looked into a table that had no TIME_WAIT (28044fc1d495), so that it took ports in TIME_WAIT; mended
 * by 936a192f9740 in 6.2 and 6.1.5. Distributions name a later one 6.1.0 with a number of their own (`6.1.0-28-amd64` is
 * 6.1.119), and `6.1` is the series: only the bare numbers are taken at their word.
 */
export function forgetsTimeWait({ release }: KernelVersion): boolean {
  return /^6\.1\.(?:0|[1-4](?:[-+_~].*)?)$/.test(release);
}

/**
 * Before 6.18 a port that bind() once had stayed barred to connect() until no socket was left on it, those of connect()
 * included (d57f4b874946).
 */
export function releasesBuckets(kernel: KernelVersion): boolean {
  return atLeast(kernel, '6.18');
}

/**
 * From 4.6 bind() and connect() each walk one parity of the range before the other (ea8add2b1903, 1580ab63fc9a); before, they
 * took ports as they came.
 */
export function searchesByParity(kernel: KernelVersion): boolean {
  return atLeast(kernel, '4.6');
}

/** Up to 4.0 TIME_WAIT ended in eight slots of 7.5 s (inet_twdr_hangman(), net/ipv4/inet_timewait_sock.c). */
export function endsTimeWaitInSlots(kernel: KernelVersion): boolean {
  return !atLeast(kernel, '4.1');
}

/** tcp_tw_recycle: removed in 4.12 (4396e46187ca). */
export function hasTwRecycle(kernel: KernelVersion): boolean {
  return !atLeast(kernel, '4.12');
}
