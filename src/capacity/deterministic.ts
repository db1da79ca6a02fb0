/**
 * Whether the kernel's rules alone decide how many attempts of a run succeed, so that one run tells as much as many. Pure.
 * In doubt the answer is no: a comparison by statistics is right for both kinds, one by equality only for this kind.
 */

import { awaitsAnswer, sharesPorts } from '../domain/datagram.js';
import { LABS } from '../domain/lab.js';
import { strategyOf } from '../domain/strategy.js';
import { arrivalDurationMs, scheduledAttempts } from '../plan/arrival.js';
import type { Arm, Arrival, Experiment } from '../plan/plan.js';
import { proxySubjectOf } from '../subjects/index.js';
import { ceiling } from './ceiling.js';
import type { Ceiling } from './ceiling-row.js';
import { fieldDoubt } from './decided-fields.js';
import { type PredictInput, searchedRange } from './predict-input.js';
import { missesAtRandom } from './search-order.js';
import { afterClose } from './time-wait.js';

export interface Determinism {
  readonly deterministic: boolean;
  /** One sentence. */
  readonly why: string;
}

/** A TIME_WAIT of 60 s must outlast the run with room to spare: attempts may start late. */
const MARGIN_MS = 10_000;

interface Question {
  readonly arm: Arm;
  readonly input: PredictInput;
  readonly top: Ceiling;
  /** Attempts of the run; infinite for `fill` until it fails. */
  readonly attempts: number;
  /** Tuples of one source and target that one call is sure to find, though a search of an odd range misses a port. */
  readonly surePorts: number;
  readonly concurrent: number;
}

/**
 * Whether the outcome counts of each run of an arm are the same.
 * @param defaults sysctls as read in a fresh lab, name → value; the arm's own come on top
 */
export function isDeterministic(
  arm: Arm,
  input: PredictInput,
  defaults: Readonly<Record<string, string>>,
  { lab, neighbours }: Pick<Experiment, 'lab' | 'neighbours'>,
): Determinism {
  if (!LABS[lab].ownNamespace) return no('other programs of this machine hold ports too, and nobody knows how many');
  if (neighbours?.some(({ afterMs }) => afterMs !== null))
    return no('a neighbour takes ports while the load is running');
  const top = ceiling(input);
  const attempts = scheduledAttempts(arm.load.arrival) ?? Number.POSITIVE_INFINITY;
  const doubt = fieldDoubt(arm, { kernel: input.kernel, attempts, defaults, lowestPort: searchedRange(input).low });
  if (doubt !== undefined) return no(doubt);
  if (arm.proxy && proxySubjectOf(arm.proxy.kind).entrance)
    return yes(
      'a program is taken to do the same each time; where a run of an arm differs from another, statistics decide',
    );
  if (top.unbounded) return unlimited(arm, input, top);
  if (top.concurrent === null) return no(top.rule);
  if (top.concurrent === 0) return yes(`no attempt can succeed: ${top.rule}`);
  const surePorts = missesAtRandom(input) ? top.ports - 1 : top.ports;
  const question: Question = { arm, input, top, attempts, surePorts, concurrent: top.concurrent };
  return allSucceed(question) ?? fullThenRefused(question);
}

/** Every attempt gets a socket. Where several share a port, time decides whose answers have come before another shares it. */
function unlimited({ load }: Arm, { datagram }: PredictInput, top: Ceiling): Determinism {
  const shared = datagram !== null && datagram.sockets === 'each' && sharesPorts(datagram.options);
  return shared && awaitsAnswer(load)
    ? no('the sockets share ports, and chance and time decide which of them gets an answer')
    : yes(`no attempt can fail because ports ran out: ${top.rule}`);
}

/** Attempts that fit whatever is freed or not: each source and target gets no more than it has ports for. */
function allSucceed({ arm, input, top, attempts, surePorts }: Question): Determinism | undefined {
  // The list is walked for each destination, so two of them ask for one port at nearly the same time.
  if (isExclusive(input) && input.destinations > 1) return undefined;
  // Each wave walks a program's list from its first port on, which the wave before has just left.
  const { arrival } = arm.load;
  if (strategyOf(input.strategy).port === 'program' && arrival.shape === 'fill' && arrival.waves > 1) return undefined;
  if (shares(arm, input, top, attempts).most > surePorts) return undefined;
  return yes(`${attempts} attempts are within the ceiling (${top.formula}), so all succeed`);
}

/** More attempts than fit: the same each time only if nothing is freed before the run ends, and every pair fills up. */
function fullThenRefused({ arm, input, top, attempts, surePorts, concurrent }: Question): Determinism {
  if (surePorts < top.ports)
    return no('the range has an odd number of ports, of which each search misses one at random');
  if (shares(arm, input, top, attempts).fewest < top.ports)
    return no('there are more attempts than some address and destination holds, and not every one is sure to fill up');
  const freed = freedDuringRun(arm, input, top, concurrent);
  if (freed !== undefined) return no(freed);
  return yes(`nothing is freed before the run ends, so ${concurrent} succeed (${top.formula}) and the others fail`);
}

/**
 * The most and the fewest attempts that one source and target of the ceiling can get. Round-robin gives every address its
 * share within one, and every (address, destination) pair too.
 */
function shares(arm: Arm, input: PredictInput, top: Ceiling, attempts: number): { most: number; fewest: number } {
  const { pick, workers } = arm.load;
  const { addresses, destinations } = input;
  if (top.sources * top.targets === 1 && !isExclusive(input)) return { most: attempts, fewest: attempts };
  const even = pick === 'round-robin' || (pick === 'by-worker' && workers === 1) || addresses * destinations === 1;
  if (!even) return { most: attempts, fewest: 0 };
  if (isExclusive(input)) {
    const pairs = addresses * destinations;
    return { most: Math.ceil(attempts / pairs), fewest: Math.floor(attempts / pairs) };
  }
  if (top.targets === 1) return { most: Math.ceil(attempts / addresses), fewest: Math.floor(attempts / addresses) };
  const pairs = addresses * destinations;
  const perTarget = pairs / (top.sources * top.targets);
  return { most: Math.ceil(attempts / pairs) * perTarget, fewest: Math.floor(attempts / pairs) * perTarget };
}

/** Named ports without SO_REUSEADDR: each destination walks the list anew and meets the ports of the others. */
export function isExclusive({ strategy }: PredictInput): boolean {
  const { port, options } = strategyOf(strategy);
  return port === 'program' && options.length === 0;
}

/** Why a tuple can come free while attempts still arrive, or undefined when none can. */
function freedDuringRun(arm: Arm, input: PredictInput, top: Ceiling, concurrent: number): string | undefined {
  const { arrival, holdMs } = arm.load;
  if (arrival.shape === 'fill' && arrival.waves > 1) return 'what one wave leaves behind comes free in its own time';
  if (holdMs === null) return undefined;
  const duration = arrivalDurationMs(arrival) ?? longestFillMs(arrival);
  if (duration === null || (arrival.shape === 'fill' && holdMs < duration + MARGIN_MS))
    return 'a fill lasts as long as it takes, and connections are closed before it is sure to be over';
  if (holdMs >= duration + MARGIN_MS) return undefined;
  const after = afterClose(input, top);
  if (after.seconds === null || after.seconds * 1000 + holdMs < duration + MARGIN_MS)
    return `ports come free while attempts still arrive: ${after.why}`;
  if (input.maxTwBuckets < concurrent)
    return `tcp_max_tw_buckets = ${input.maxTwBuckets} is below the ceiling, and time decides which sockets go over it`;
  return undefined;
}

/**
 * What a fill hardly ever takes longer than, milliseconds: an attempt that searches used ports in vain takes milliseconds, under an emulated CPU
 * some ten. A run that did would show by counts that differ, and be judged by statistics. Null: it goes on until so many fail.
 */
function longestFillMs(arrival: Arrival): number | null {
  const attempts = scheduledAttempts(arrival);
  return attempts === null ? null : 5 * 60_000 + attempts * 20;
}

function yes(why: string): Determinism {
  return { deterministic: true, why: `${why}.` };
}

function no(why: string): Determinism {
  return { deterministic: false, why: `${why}.` };
}
