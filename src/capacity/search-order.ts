/**
 * Which ports of a range a search walks first, and which it never reaches. From 4.6 on bind() and connect() each walk one parity of the range
 * before the other, and reckon with an even number of ports: of an odd range one is left out, `low` or the last one, by the offset of that
 * search. In three ports the offset has one value, and so the last port is never found. Pure.
 *
 * Source: inet_csk_find_open_port(), net/ipv4/inet_connection_sock.c; __inet_hash_connect(), net/ipv4/inet_hashtables.c
 * (`remaining &= ~1U`, `offset |= 1U`). Measured on 6.18.44: three ports carry two connections, five with SO_REUSEADDR four.
 */
import { strategyOf } from '../domain/strategy.js';
import { type PortRange, portCount } from '../domain/units.js';
import { searchesByParity } from './kernel-changes.js';
import { atLeast } from './kernel-version.js';
import { type PredictInput, searchedRange } from './predict-input.js';

type Search = Pick<PredictInput, 'kernel' | 'datagram' | 'strategy' | 'range' | 'programPorts'>;

/** Whether the search goes by parity: not that of UDP (udp_lib_get_port(), net/ipv4/udp.c), neither before 4.6, nor over a list of the program, nor, since 6.8, over a socket's own range (207184853dbd). */
function byParity({ kernel, datagram, strategy }: Search): boolean {
  const { port, options } = strategyOf(strategy);
  if (datagram !== null || port === 'program' || !searchesByParity(kernel)) return false;
  return !(options.includes('IP_LOCAL_PORT_RANGE') && atLeast(kernel, '6.8'));
}

/** The parts of the range that are searched one after the other: with SO_REUSEADDR bind() begins with the lower half. */
function parts(input: Search): readonly [PortRange, ...PortRange[]] {
  const range = searchedRange(input);
  const size = portCount(range);
  const { port, options } = strategyOf(input.strategy);
  if (port !== 'bind' || !options.includes('SO_REUSEADDR') || size < 4) return [range];
  const middle = range.low + (size >> 2) * 2;
  return [
    { low: range.low, high: middle - 1 },
    { low: middle, high: range.high },
  ];
}

/** The port of the range that no search ever finds; null: each is found by some. */
export function neverFound(input: Search): number | null {
  if (!byParity(input)) return null;
  return parts(input).find((part) => portCount(part) === 3)?.high ?? null;
}

/** Whether each search misses a port, another each time, that might be the last free one. */
export function missesAtRandom(input: Search): boolean {
  return byParity(input) && parts(input).some((part) => portCount(part) % 2 === 1 && portCount(part) > 3);
}

/** The ports of one parity of a part, as many as are not reserved; where the places of these are not known, they are taken to lie evenly. */
function countFrom(input: PredictInput, first: number, high: number): number {
  let count = 0;
  for (let port = first; port <= high; port += 2) if (!input.reservedPorts?.has(port)) count++;
  if (input.reservedPorts !== null || input.reserved === 0) return count;
  const size = portCount(searchedRange(input));
  return Math.floor((count * (size - input.reserved)) / size);
}

/** How many ports each stretch of a search by parity has, in the order of the search; null where it does not go by parity. */
function stretches(input: PredictInput): number[] | null {
  if (!byParity(input)) return null;
  const connects = strategyOf(input.strategy).port === 'connect';
  return parts(input).flatMap(({ low, high }) => {
    const never = high - low === 2 ? 1 : 0;
    const even = countFrom(input, low, high) - (never && !input.reservedPorts?.has(high) ? 1 : 0);
    const odd = countFrom(input, low + 1, high);
    return connects ? [even, odd] : [odd, even];
  });
}

/**
 * The ports that a search by parity walks first: those of the parity of `low` for connect(), the others for bind(), with SO_REUSEADDR those
 * of the lower half only. Reserved ports do not count.
 * @returns their number; null where the search does not go by parity
 */
export function walkedFirst(input: PredictInput): number | null {
  const [first, second] = stretches(input) ?? [null, null];
  if (first === null) return null;
  const { low, high } = searchedRange(input);
  if (low === high) return first! + second!;
  // An odd range has one more of the parity of `low`, of which each search misses one.
  const odd = strategyOf(input.strategy).port === 'connect' && (high - low) % 2 === 0 && high - low > 2;
  return Math.max(0, first! - (odd ? 1 : 0));
}

/**
 * The ports that ip_autobind_reuse shares: the second search takes the first port that it meets, and so comes no further than the first
 * stretch that has any.
 */
export function sharedPorts(input: PredictInput): number {
  return stretches(input)?.find((count) => count > 0) ?? 0;
}

/** P: the ports that can be had. A port that the program names itself may be a reserved one, others may not. */
export function usablePorts(input: PredictInput): number {
  const ports = portCount(searchedRange(input));
  if (strategyOf(input.strategy).port === 'program') return ports;
  const missed = neverFound(input);
  return Math.max(0, ports - input.reserved - (missed === null || input.reservedPorts?.has(missed) ? 0 : 1));
}
