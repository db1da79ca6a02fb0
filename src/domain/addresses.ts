/**
 * Address sets: a CIDR, a range or a list, expanded to canonical texts. Pure.
 */
import ipaddr from 'ipaddr.js';
import { quote, UnitError } from './units.js';

/** More than this many addresses in one lab is refused: each becomes an address on an interface. */
const MAX_ADDRESSES = 65_536;

type Ip = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Parse one address strictly (no octal, no shortened IPv4, no zone, no IPv4-mapped IPv6).
 * @throws UnitError
 */
function parseAddress(text: string): Ip {
  if (!isAddress(text) || text.includes('%'))
    throw new UnitError(`${quote(text)} is not an IPv4 or IPv6 address; write it like 10.50.0.1 or fd00:50::1`);
  const ip = ipaddr.parse(text);
  if (ip instanceof ipaddr.IPv6 && ip.isIPv4MappedAddress()) {
    throw new UnitError(`${quote(text)} is an IPv4-mapped address; write it as plain IPv4`);
  }
  return ip;
}

/** The canonical text of an address (RFC 5952 for IPv6). @throws UnitError */
export function canonicalAddress(text: string): string {
  return parseAddress(text).toString();
}

/** The address family, 4 or 6, of a text that has already been validated. */
export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

/** The bytes of an address that has already been validated, in network order: 4 or 16. */
export function addressBytes(address: string): Uint8Array {
  return Uint8Array.from(ipaddr.parse(address).toByteArray());
}

/** The text of an address of 4 or 16 bytes in network order. */
export function addressText(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join('.') : ipaddr.fromByteArray([...bytes]).toString();
}

/** The address so many behind another; both are of one family. */
export function addressAfter(address: string, count: number): string {
  const bytes = addressBytes(address);
  let carry = count;
  for (let i = bytes.length - 1; i >= 0 && carry > 0; i--) {
    carry += bytes[i]!;
    bytes[i] = carry & 255;
    carry >>= 8;
  }
  return addressText(bytes);
}

/** Whether a text is an IPv4 or IPv6 address, and no name. */
export function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

/**
 * Expand a CIDR to its usable addresses, lowest first. The network and broadcast address of an IPv4 net wider than /31,
 * and the all-zeros interface identifier of an IPv6 net (the Subnet-Router anycast address, RFC 4291 §2.6.1), are left out.
 * @param count how many to take; all when absent
 * @throws UnitError when the text is no CIDR, has host bits set, or has fewer than `count` usable addresses
 */
export function expandCidr(cidr: string, count?: number): string[] {
  const slash = cidr.indexOf('/');
  if (slash < 0 || !/^\d{1,3}$/.test(cidr.slice(slash + 1))) {
    throw new UnitError(`${quote(cidr)} is not a CIDR; write an address and a prefix length, for example 10.50.0.0/24`);
  }
  const base = parseAddress(cidr.slice(0, slash));
  const prefix = Number(cidr.slice(slash + 1));
  const bits = base.kind() === 'ipv4' ? 32 : 128;
  if (prefix > bits) throw new UnitError(`the prefix length of ${quote(cidr)} is too long; it may be at most ${bits}`);
  const start = toBigInt(base);
  const hostBits = BigInt(bits - prefix);
  const network = (start >> hostBits) << hostBits;
  if (network !== start) {
    throw new UnitError(`${quote(cidr)} has host bits set; did you mean ${fromBigInt(network, bits)}/${prefix}?`);
  }
  const size = 1n << hostBits;
  const [skipFirst, skipLast] = hostBits < 2n ? [0n, 0n] : bits === 32 ? [1n, 1n] : [1n, 0n];
  const usable = size - skipFirst - skipLast;
  const wanted = count === undefined ? usable : BigInt(count);
  if (wanted > usable)
    throw new UnitError(
      `${cidr} has ${usable} usable addresses, and count asks for ${wanted}; use a shorter prefix or a smaller count`,
    );
  if (wanted > BigInt(MAX_ADDRESSES)) {
    throw new UnitError(`${cidr} would give ${wanted} addresses; at most ${MAX_ADDRESSES} are allowed: add a count`);
  }
  return following(start + skipFirst, Number(wanted), bits);
}

/**
 * Expand `first-last`, both included.
 * @throws UnitError
 */
export function expandRange(range: string, count?: number): string[] {
  const [first, last, more] = range.split('-').map((part) => part.trim());
  if (!first || !last || more !== undefined) {
    throw new UnitError(
      `${quote(range)} is not a range; write two addresses with a dash between them, for example 10.50.0.1-10.50.0.50`,
    );
  }
  const [low, high] = [parseAddress(first), parseAddress(last)];
  if (low.kind() !== high.kind())
    throw new UnitError(
      `the ends of the range ${quote(range)} are of different families; use two IPv4 or two IPv6 addresses`,
    );
  const [from, to] = [toBigInt(low), toBigInt(high)];
  if (to < from) throw new UnitError(`the first address of the range ${quote(range)} is above the last; swap them`);
  const size = to - from + 1n;
  const wanted = count === undefined ? size : BigInt(count);
  if (wanted > size) throw new UnitError(`${range} has ${size} addresses, and count asks for ${wanted}`);
  if (wanted > BigInt(MAX_ADDRESSES))
    throw new UnitError(`${range} would give ${wanted} addresses; at most ${MAX_ADDRESSES} are allowed`);
  const bits = low.kind() === 'ipv4' ? 32 : 128;
  return following(from, Number(wanted), bits);
}

/** Networks that appear in documentation and nowhere else (RFC 5737, RFC 3849, RFC 9637). */
const DOCUMENTATION = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'].map((net) =>
  ipaddr.parseCIDR(net),
);

/** For benchmarks of network devices (RFC 2544): reserved, and yet what a staging network may use. */
const BENCHMARKING = ipaddr.parseCIDR('198.18.0.0/15');

/**
 * Why an address can never be a client's own or a target: multicast, broadcast, link-local, unspecified, documentation and
 * reserved addresses are nobody's to load.
 * @returns the kind in words, or undefined when the address is fit
 */
export function unfitAddress(address: string): string | undefined {
  const ip = parseAddress(address);
  if (within(ip, BENCHMARKING)) return undefined;
  if (DOCUMENTATION.some((net) => within(ip, net))) return 'a documentation address';
  const words: Record<string, string> = {
    unspecified: 'the unspecified address',
    broadcast: 'the broadcast address',
    multicast: 'a multicast address',
    linkLocal: 'a link-local address',
    reserved: 'a reserved address',
  };
  return words[ip.range()];
}

function within(ip: Ip, [net, prefix]: [Ip, number]): boolean {
  return ip.kind() === net.kind() && ip.match(net, prefix);
}

/** Whether an address is in 127.0.0.0/8 or is ::1, for which `tcp_tw_reuse=2` (the default) acts. */
export function isLoopback(address: string): boolean {
  return address.includes(':') ? parseAddress(address).range() === 'loopback' : address.startsWith('127.');
}

/** So many addresses from one on. Thousands differ in their last part alone, and the text before it is made once for them. */
function following(first: bigint, count: number, bits: number): string[] {
  const parts = bits === 32 ? 256n : 65_536n;
  let [block, head] = [-1n, ''];
  return Array.from({ length: count }, (_, i) => {
    const value = first + BigInt(i);
    const last = Number(value % parts);
    // Where the last group of an IPv6 address is 0, it may be a part of "::".
    if (bits === 128 && last === 0) return fromBigInt(value, bits);
    if (value / parts !== block) {
      block = value / parts;
      head = fromBigInt(block * parts + 1n, bits).slice(0, -1);
    }
    return head + last.toString(bits === 32 ? 10 : 16);
  });
}

function toBigInt(ip: Ip): bigint {
  return ip.toByteArray().reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function fromBigInt(value: bigint, bits: number): string {
  const bytes = Array.from({ length: bits / 8 }, (_, i) => Number((value >> BigInt(bits - 8 * (i + 1))) & 255n));
  return ipaddr.fromByteArray(bytes).toString();
}
