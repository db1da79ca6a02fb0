/**
 * Neighbours: small loads beside the main one, which a fix must not starve of ports. The keys that a profile has for them.
 */
import { z } from 'zod';
import { needed, optional, setting, type ValueKind } from '../domain/setting.js';
import type { PortRange } from '../domain/units.js';
import { duration, name, oneOf, portRange, rate, texts } from '../domain/values.js';
import { LOAD_SETTINGS } from './load-settings.js';

/**
 * Where a neighbour is. `beside`: another program in the namespace under test, with an address of its own; `through`: further clients
 * of the proxy.
 */
export const WHERE = ['beside', 'through'] as const;

/** The start of a neighbour: so long after the load's, or null: after all attempts of the load have their outcome. */
const after: ValueKind<number | null> = {
  written: z.union([z.literal('load').transform(() => null), duration.written]),
  kept: z.number().nullable(),
  text: (ms) => (ms === null ? 'load' : duration.text(ms)),
  words: (ms) => (ms === null ? 'after the load' : duration.words(ms)),
};

/** One port, or a range of them. */
const somePorts: ValueKind<PortRange> = {
  ...portRange,
  written: z.union([
    z
      .int()
      .min(1)
      .max(65_535)
      .transform((port) => ({ low: port, high: port })),
    portRange.written,
  ]),
};

const { strategy, protocol, timeout, exchange, body } = LOAD_SETTINGS;

export const NEIGHBOUR_SETTINGS = {
  name: needed(name, { describe: 'what reports and metrics call it', example: 'monitoring' }),
  where: setting(oneOf(WHERE), {
    default: 'beside',
    describe:
      'beside: another program in the namespace under test, to another host; through: further clients of the proxy, to another host',
    example: 'beside',
  }),
  rate: needed(rate, {
    describe: 'attempts per second, small beside the load; with listen: restarts per second',
    example: '10/s',
  }),
  listen: optional(somePorts, {
    defaultText: 'none: it opens connections',
    describe:
      'beside: it is a service instead, which listens on these ports of every address and restarts them one after the other; a port that it does not get back is a failure (listen:EADDRINUSE)',
    example: '40150-40159',
  }),
  down: optional(duration, {
    keptAs: 'downMs',
    defaultText: '10ms',
    describe: 'with listen: how long a port is given up for at a restart',
    example: '10ms',
  }),
  duration: optional(duration, {
    keptAs: 'durationMs',
    defaultText: 'the rest of the load',
    describe: 'how long it lasts',
    example: '2s',
  }),
  after: setting(after, {
    default: 0,
    keptAs: 'afterMs',
    describe:
      'when it begins: this long after the load, or "load": once every attempt of the load has its outcome, while its connections are held',
    example: '1s',
  }),
  addresses: optional(texts({ least: 1, most: 64, item: '10.50.9.1' }), {
    defaultText: "one of the lab's own",
    describe: 'beside: local addresses of its own, for example [10.50.9.1]; they may be of the other family',
    example: '[10.50.9.1]',
  }),
  strategy: optional(strategy, {
    defaultText: strategy.defaultText,
    describe: 'beside: how its sockets get their local address and port',
    example: strategy.example,
  }),
  protocol: optional(protocol, {
    defaultText: 'beside: tcp; through: what load.protocol would be',
    describe: 'what it says, as load.protocol; beside: tcp or udp, whatever the load says',
    example: protocol.example,
  }),
  hold: optional(duration, {
    keptAs: 'holdMs',
    defaultText: '0s',
    describe: 'how long an established connection is kept open, as load.hold',
    example: '250ms',
  }),
  timeout: optional(timeout, {
    keptAs: 'timeoutMs',
    defaultText: timeout.defaultText,
    describe: 'how long an attempt may take',
    example: timeout.example,
  }),
  exchange: optional(exchange, { describe: exchange.describe, example: exchange.example }),
  body: optional(body, {
    defaultText: body.defaultText,
    describe: 'with protocol get: size in size in size in bytes of the body of an answer',
    example: body.example,
  }),
} as const;
