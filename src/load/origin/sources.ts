/**
 * Where connections come from: of the addresses that the program was told to use, or of others. Asked once for each connection that is
 * accepted, so it allocates nothing.
 */
import { addressBytes } from '../../domain/addresses.js';
import { AF_INET, nativeBuffer } from '../../kernel/libc.js';

/** sizeof(struct sockaddr_in6), the longest. */
const SOCKADDR = 28;

/** A set of addresses of either family. */
interface AddressSet {
  /** @param view of bytes that hold an address of 4 or 16 bytes at `at` */
  has(view: DataView, at: number, length: number): boolean;
}

function addressSet(addresses: readonly string[]): AddressSet {
  // By their last word, in which addresses of one network differ.
  const known = new Map<number, DataView[]>();
  for (const address of addresses) {
    const bytes = Uint8Array.from(addressBytes(address));
    const view = new DataView(bytes.buffer);
    const last = view.getUint32(view.byteLength - 4);
    known.set(last, [...(known.get(last) ?? []), view]);
  }
  return {
    has(view, at, length) {
      const alike = known.get(view.getUint32(at + length - 4));
      if (alike === undefined) return false;
      for (const each of alike) if (isEqual(each, view, at, length)) return true;
      return false;
    },
  };
}

function isEqual(known: DataView, view: DataView, at: number, length: number): boolean {
  if (known.byteLength !== length) return false;
  for (let i = 0; i < length; i += 4) if (known.getUint32(i) !== view.getUint32(at + i)) return false;
  return true;
}

/** The peer of a connection, as accept4(2) writes it. */
export interface PeerCheck {
  /** Native addresses of the sockaddr and of its length, for accept4(2). */
  readonly sockaddr: number;
  readonly length: number;
  /** The sockaddr. */
  readonly bytes: Uint8Array;
  /** Make ready for the next call. */
  reset(): void;
  /** Whether the peer of the last call has none of the expected addresses. */
  isWrong(): boolean;
}

/** @param expected the addresses that the program was told to use */
export function createPeerCheck(expected: readonly string[]): PeerCheck {
  const set = addressSet(expected);
  const { address, bytes, view } = nativeBuffer(SOCKADDR + 4);
  return {
    sockaddr: address,
    length: address + SOCKADDR,
    bytes,
    reset: () => view.setUint32(SOCKADDR, SOCKADDR, true),
    isWrong: () => (view.getUint16(0, true) === AF_INET ? !set.has(view, 4, 4) : !set.has(view, 8, 16)),
  };
}

/** The same of an address as text. @returns whether it is none of the expected */
export function wrongSource(expected: readonly string[]): (address: string) => boolean {
  const set = addressSet(expected);
  return (text) => {
    const view = new DataView(Uint8Array.from(addressBytes(text)).buffer);
    return !set.has(view, 0, view.byteLength);
  };
}
