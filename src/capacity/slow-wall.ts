/**
 * The slow wall: from where on each search for a port walks a part of the range that is used up. No call fails and no counter
 * moves, but microseconds become milliseconds. Measured on 6.18.44 at half of the default range: bind(address, 0) from 6 µs to
 * 1.6 ms, connect() from 25 µs to 0.4 ms; Squid from 1450 connections a second to 100–150, Tor from 4300 to 50–370. With
 * SO_REUSEADDR at a quarter of 8000 ports: bind() from 19 µs (24 % full) to 0.9 ms (26 %). UDP has it at 98 %. Pure.
 */
import { SLOW_SHARE } from '../domain/datagram.js';
import { strategyOf } from '../domain/strategy.js';
import type { Prediction } from '../results/prediction.js';
import { eraOf } from './ceiling.js';
import type { Ceiling } from './ceiling-row.js';
import type { PredictInput } from './predict-input.js';
import { usablePorts, walkedFirst } from './search-order.js';
import { afterClose } from './time-wait.js';

/** Ports that a search walks in vain before anybody notices: at 50 to 220 ns each, a tenth of a millisecond. */
export const NOTICEABLE = 500;

/** @returns null where the kernel's search has no such place, or has no port to find */
export function slowWall(input: PredictInput, top: Ceiling): NonNullable<Prediction['slowWall']> | null {
  if (input.datagram !== null) return datagramWall(input, top);
  const part = firstPart(input);
  if (part === null || top.fails.startsWith('setsockopt')) return null;
  const { address, port } = strategyOf(input.strategy);
  const sources = address === 'chosen' ? input.addresses : 1;
  const targets = port === 'connect' ? input.destinations : 1;
  const tuples = part.ports * sources * targets;
  return tuples === 0 ? null : { tuples, rate: rateTo(input, top, tuples), walked: part.ports, why: part.why };
}

/**
 * UDP draws where it begins, and steps over the range by one odd number, without parity: at half nothing happens. Measured with 16,000 ports on
 * 6.18.44, µs for bind() and connect(): up to 75 % 0.7–1.0 and 1.5–1.9, 95 % 6 and 9, 98 % 16 and 44, 99.5 % 177 and 194, full 1,360.
 */
function datagramWall(input: PredictInput, top: Ceiling): NonNullable<Prediction['slowWall']> | null {
  const ports = Math.floor(top.ports * SLOW_SHARE);
  if (top.concurrent === null || top.concurrent === 0 || ports === 0) return null;
  const tuples = ports * top.sources;
  return {
    tuples,
    rate: rateTo(input, top, tuples),
    walked: ports,
    why: 'a search for a UDP port has no parity, and is cheap until 98 % of the ports are in use: past that it tries more and more that are taken',
  };
}

/**
 * The sustained rate at which so many tuples are in use. bind() walks over a TIME_WAIT even where the socket could take it over
 * afterwards; TIME_WAIT beyond `tcp_max_tw_buckets` there is none.
 */
function rateTo(input: PredictInput, top: Ceiling, tuples: number): number | null {
  const after = afterClose(input, strategyOf(input.strategy).port === 'bind' ? { takesOver: 'no' } : top).latest;
  if (after === null) return null;
  const hold = input.holdMs / 1000;
  if (input.maxTwBuckets < tuples && after > 0)
    return hold > 0 ? (tuples - input.maxTwBuckets) / hold / input.fresh : null;
  return hold + after > 0 ? tuples / (hold + after) / input.fresh : null;
}

/** The ports that a search walks first. */
function firstPart(input: PredictInput): { ports: number; why: string } | null {
  const first = walkedFirst(input);
  if (first === null) return null;
  const { port, options, address } = strategyOf(input.strategy);
  const held = input.heldHere + (port === 'connect' || address === 'any' ? input.heldElsewhere : 0);
  if (port === 'connect') {
    // Others' bind() takes the other parity first.
    const free = Math.max(0, first - Math.max(0, held - (usablePorts(input) - first)));
    return {
      ports: free,
      why: 'connect() walks one parity of the range first, and half of the ports are of it: past that each search walks the used half in vain',
    };
  }
  if (options.includes('SO_REUSEADDR')) {
    return {
      ports: Math.max(0, first - held),
      why:
        eraOf(input) === 'D'
          ? 'bind() with SO_REUSEADDR walks the odd ports of the lower half, a quarter of the range, before it shares one'
          : 'bind() with SO_REUSEADDR walks the odd ports of the lower half first, a quarter of the range: past that each search walks them in vain',
    };
  }
  return {
    ports: Math.max(0, first - held),
    why: 'bind() walks one parity of the range first, and half of the ports are of it: past that each search walks the used half in vain',
  };
}
