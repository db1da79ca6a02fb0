/**
 * Which of several NAT addresses a connection gets, where the rule names a range of them: a hash of the client's address and the
 * destination's, with `persistent` of the client's alone; ports are no part of it (find_best_ips_proto() in net/netfilter/nf_nat_core.c).
 * So one client has one NAT address to a destination, however many there are. Pure.
 */
import { addressAfter, addressBytes, addressText, familyOf } from '../../domain/addresses.js';

/** JHASH_INITVAL, include/linux/jhash.h. */
const INITIAL = 0xdeadbeef;
/** union nf_inet_addr, in words; an IPv4 address is the first. */
const WORDS = 4;

/**
 * The NAT address of a connection.
 * @param first the lowest of the consecutive NAT addresses @param count how many there are
 * @param persistent the rule has this flag
 * @returns canonical text
 */
export function natAddressFor(
  client: string,
  destination: string,
  { first, count, persistent }: { readonly first: string; readonly count: number; readonly persistent: boolean },
): string {
  const to = wordsOf(destination);
  const words = familyOf(first) === 4 ? 1 : WORDS;
  let hash = jhash2(wordsOf(client), persistent ? 0 : to[words - 1]!);
  const lowest = addressBytes(first);
  const highest = addressBytes(addressAfter(first, count - 1));
  const chosen = new Uint8Array(lowest.length);
  const [from, last, out] = [lowest, highest, chosen].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset));
  let full = false;
  for (let i = 0; i < words; i++) {
    const [low, high] = full ? [0, 0xfffffffe] : [from!.getUint32(4 * i), last!.getUint32(4 * i)];
    out!.setUint32(4 * i, low + scale(hash, high - low + 1));
    if (out!.getUint32(4 * i) !== last!.getUint32(4 * i)) full = true;
    if (!persistent) hash = (hash ^ to[i]!) >>> 0;
  }
  return addressText(chosen);
}

/** reciprocal_scale(), include/linux/kernel.h: a number below `end`. */
function scale(hash: number, end: number): number {
  return Number((BigInt(hash) * BigInt(end)) >> 32n);
}

/** An address as the kernel's words, which a little-endian machine reads. */
function wordsOf(address: string): number[] {
  const bytes = new Uint8Array(4 * WORDS);
  bytes.set(addressBytes(address));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: WORDS }, (_, i) => view.getUint32(4 * i, true));
}

/** Bob Jenkins' hash of four words as the kernel has it (include/linux/jhash.h, jhash2()). */
function jhash2([w0, w1, w2, w3]: readonly number[], initial: number): number {
  let a = (INITIAL + (WORDS << 2) + initial) | 0;
  let b = a;
  let c = a;
  a = (a + w0!) | 0;
  b = (b + w1!) | 0;
  c = (c + w2!) | 0;
  // __jhash_mix()
  a = (((a - c) | 0) ^ rotate(c, 4)) | 0;
  c = (c + b) | 0;
  b = (((b - a) | 0) ^ rotate(a, 6)) | 0;
  a = (a + c) | 0;
  c = (((c - b) | 0) ^ rotate(b, 8)) | 0;
  b = (b + a) | 0;
  a = (((a - c) | 0) ^ rotate(c, 16)) | 0;
  c = (c + b) | 0;
  b = (((b - a) | 0) ^ rotate(a, 19)) | 0;
  a = (a + c) | 0;
  c = (((c - b) | 0) ^ rotate(b, 4)) | 0;
  b = (b + a) | 0;
  a = (a + w3!) | 0;
  // __jhash_final()
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  c = ((c ^ b) - rotate(b, 24)) | 0;
  return c >>> 0;
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
