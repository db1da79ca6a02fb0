/**
 * `struct sockaddr_in` and `sockaddr_in6` (ip(7), ipv6(7)) in native memory: packed one after the other, so that the hot loop
 * finds the n-th by arithmetic.
 */
import { addressBytes } from '../domain/addresses.js';
import { AF_INET, AF_INET6, type NativeBuffer, nativeBuffer } from './libc.js';

/** Bytes from one sockaddr to the next; sizeof(struct sockaddr_in6) is 28. */
const STRIDE = 32;

export interface SockaddrTable {
  readonly memory: NativeBuffer;
  readonly count: number;
  /** AF_INET or AF_INET6: a table holds one family. */
  readonly family: number;
  /** What bind(2) and connect(2) take as the length. */
  readonly length: number;
}

/** @param entries addresses as text, and ports (0: the kernel chooses); all of one family */
export function sockaddrTable(entries: readonly { address: string; port: number }[]): SockaddrTable {
  const family = entries[0]?.address.includes(':') ? AF_INET6 : AF_INET;
  const memory = nativeBuffer(STRIDE * entries.length);
  entries.forEach(({ address, port }, i) => {
    const at = i * STRIDE;
    memory.view.setUint16(at, family, true);
    memory.view.setUint16(at + 2, port, false);
    memory.bytes.set(addressBytes(address), at + (family === AF_INET ? 4 : 8));
  });
  return { memory, count: entries.length, family, length: family === AF_INET ? 16 : 28 };
}

/** The native address of the i-th sockaddr. */
export function sockaddrAt(table: SockaddrTable, i: number): number {
  return table.memory.address + i * STRIDE;
}

/** Write the port of the i-th sockaddr. */
export function setPort(table: SockaddrTable, i: number, port: number): void {
  table.memory.view.setUint16(i * STRIDE + 2, port, false);
}
