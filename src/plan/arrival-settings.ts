/**
 * The shapes of arrivals: what each takes in a profile, and what a plan keeps. The arithmetic on them is in `arrival.ts`, which the load
 * workers load without the schema library.
 */
import { z } from 'zod';
import { formatDuration, formatRate, plural } from '../domain/format.js';
import {
  complete,
  keptShape,
  named,
  needed,
  optional,
  type Settings,
  setting,
  type ValueKind,
  writtenShape,
} from '../domain/setting.js';
import { duration, listOf, map, orNull, rate, whole } from '../domain/values.js';
import { fillBoundMs } from './fill-bound.js';

const RATE = needed(rate, { describe: 'attempts per second, for example 2000/s', example: '2000/s' });
const DURATION = needed(duration, {
  keptAs: 'durationMs',
  describe: 'a number and a unit (us, ms, s, m, h), for example 250ms',
  example: '10s',
});
/** Without a limit. */
const upTo = (most: number) => orNull(whole(1, most), 'no limit');

const SHAPES = {
  /** Evenly spaced. */
  constant: { rate: RATE, duration: DURATION },
  /** Independent of each other: exponential gaps. */
  poisson: { rate: RATE, duration: DURATION },
  ramp: { from: { ...RATE, example: '100/s' }, to: RATE, duration: DURATION },
  steps: {
    rates: needed(listOf(rate, 100, '2000/s'), {
      describe: 'attempts per second of each step',
      example: '[500/s, 1000/s, 2000/s]',
    }),
    each: needed(duration, { keptAs: 'eachMs', describe: 'how long each step lasts', example: '5s' }),
  },
  /** As fast as handshakes complete, to count what fits. */
  fill: {
    attempts: setting(upTo(20_000_000), {
      default: null,
      describe: 'stop after this many attempts',
      example: '1000',
    }),
    failures: setting(upTo(1_000_000), {
      default: null,
      describe: 'stop after this many failed attempts',
      example: '20',
    }),
    within: optional(duration, {
      keptAs: 'withinMs',
      defaultText: '10m; with attempts: no limit',
      describe: 'begin no attempt later than this after the start of a wave',
      example: '55s',
    }),
    // Keeps a CPU busy; even 64 workers stay below the usual accept queue (net.core.somaxconn, 4096).
    inFlight: setting(whole(1, 4096), {
      default: 32,
      describe: 'handshakes in progress at once, per worker',
      example: '32',
    }),
    waves: setting(whole(1, 100), {
      default: 1,
      describe: 'how often to repeat the fill, to see what recovers',
      example: '2',
    }),
    // Above tcp_tw_reuse_delay (1 s), so that a second wave shows what tcp_tw_reuse gives back.
    pause: setting(duration, {
      default: 1500,
      keptAs: 'pauseMs',
      describe: 'the time between two waves',
      example: '1500ms',
    }),
  },
  /** By the program under test itself: nobody loads it. */
  own: {
    duration: optional(duration, {
      keptAs: 'durationMs',
      defaultText: 'to the end of the program, at most 10m',
      describe: 'end the program after this time',
      example: '5s',
    }),
    attempts: setting(upTo(1_000_000), {
      default: null,
      describe: 'end it after this many answered requests and refused calls together',
      example: '64',
    }),
  },
  hold: {
    connections: needed(whole(1, 1_000_000), { describe: 'connections kept open at once', example: '500' }),
    duration: DURATION,
  },
} as const;

/** The pause between two waves of a fill, where a profile names none, in milliseconds. */
export const FILL_PAUSE_MS = SHAPES.fill.pause.default;

/** What a plan keeps of a shape. */
function kept<K extends keyof typeof SHAPES>(shape: K) {
  return z.object({ shape: z.literal(shape), ...keptShape<(typeof SHAPES)[K]>(SHAPES[shape]) });
}

/** The arrivals of a plan: rates per second, times in milliseconds. */
const arrivalSchema = z.discriminatedUnion('shape', [
  kept('constant'),
  kept('poisson'),
  kept('ramp'),
  kept('steps'),
  kept('fill'),
  kept('hold'),
  kept('own'),
]);
export type Arrival = z.infer<typeof arrivalSchema>;

/** What a profile writes of a shape. A shape is replaced as a whole, so that its defaults can be filled in at once. */
function written<K extends keyof typeof SHAPES>(shape: K) {
  const settings: Settings = SHAPES[shape];
  return map({ shape: z.literal(shape).meta({ example: 'shape: constant' }), ...writtenShape(settings) })
    .transform(({ shape: _, ...values }): unknown => ({ shape, ...complete(settings, named(settings, values)) }))
    .pipe(kept(shape));
}

const writtenSchema = z.discriminatedUnion(
  'shape',
  [
    written('constant'),
    written('poisson'),
    written('ramp'),
    written('steps'),
    written('fill'),
    written('hold'),
    written('own'),
  ],
  {
    error: (issue) =>
      issue.code === 'invalid_union' ? `shape must be one of ${Object.keys(SHAPES).join(', ')}` : undefined,
  },
);

/** Arrivals in words, as `constant 2000/s for 10s`. */
export function formatArrival(arrival: Arrival): string {
  switch (arrival.shape) {
    case 'constant':
    case 'poisson':
      return `${arrival.shape} ${formatRate(arrival.rate)} for ${formatDuration(arrival.durationMs)}`;
    case 'ramp':
      return `ramp ${formatRate(arrival.from)} to ${formatRate(arrival.to)} over ${formatDuration(arrival.durationMs)}`;
    case 'steps':
      return `steps ${arrival.rates.map(formatRate).join(', ')}, ${formatDuration(arrival.eachMs)} each`;
    case 'fill': {
      const bound = fillBoundMs(arrival);
      const until = [
        ...(arrival.attempts === null ? [] : [`${arrival.attempts} ${plural('attempt', arrival.attempts)}`]),
        ...(arrival.failures === null ? [] : [`${arrival.failures} ${plural('failure', arrival.failures)}`]),
        ...(bound === null ? [] : [formatDuration(bound)]),
      ].join(' or ');
      const waves = arrival.waves === 1 ? '' : `, ${arrival.waves} waves ${formatDuration(arrival.pauseMs)} apart`;
      return `fill to ${until}, ${arrival.inFlight} in flight${waves}`;
    }
    case 'hold':
      return `hold ${arrival.connections} connections for ${formatDuration(arrival.durationMs)}`;
    case 'own':
      return `by the program itself, ${
        [
          ...(arrival.attempts === null ? [] : [`${arrival.attempts} ${plural('attempt', arrival.attempts)}`]),
          ...(arrival.durationMs === undefined ? [] : [`for ${formatDuration(arrival.durationMs)}`]),
        ].join(' or ') || 'to its end'
      }`;
  }
}

/** Arrivals as a value of a setting. */
export const arrival: ValueKind<Arrival> = {
  written: writtenSchema,
  kept: arrivalSchema,
  text: formatArrival,
  words: formatArrival,
};
