/**
 * Several loads of one program, as far as the kernel's rules for one load say what they come to together. Pure.
 */
import { strategyOf } from '../domain/strategy.js';
import { arrivalDurationMs, scheduledAttempts } from '../plan/arrival.js';
import type { Arm, Arrival, LoadPlan } from '../plan/plan.js';
import { armsOfLoads, loadsOf } from '../plan/scenario.js';
import type { Prediction } from '../results/schema.js';
import type { Ceiling } from './ceiling-row.js';

/** What decides which ports a connection may have: alike in loads that can be added up. */
const ALIKE = [
  'protocol',
  'strategy',
  'ports',
  'pick',
  'peer',
  'socketOptions',
  'sockets',
] as const satisfies (keyof LoadPlan)[];
/** What decides for how long it has one: of loads in which that differs no rate is known. */
const HOLDING = ['close', 'holdMs', 'sink', 'keepAlive'] as const satisfies (keyof LoadPlan)[];

/** Loads that do not meet, or that are as good as one; else why nothing is said of them, as a clause. */
type Mixture =
  /** As many arms as loads, each with the arrivals of all. `sustained`: what one says of rates holds for all together. */
  | { readonly kind: 'one'; readonly arms: readonly Arm[]; readonly sustained: boolean }
  | { readonly kind: 'apart'; readonly arms: readonly Arm[] }
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * What the loads of an arm come to.
 * @param top the ceiling of the first load alone
 */
export function mixtureOf(arm: Arm, top: Ceiling): Mixture {
  const loads = loadsOf(arm);
  const isUnlike = (key: keyof LoadPlan) => new Set(loads.map(({ load }) => JSON.stringify(load[key]))).size > 1;
  const differs = ALIKE.find(isUnlike);
  if (differs !== undefined)
    return unknown(`the loads differ in ${differs}, and how such loads take ports from each other is not modelled`);
  const own = loads.slice(1).filter(({ shared }) => !shared).length;
  const { port } = strategyOf(arm.load.strategy);
  if (port === 'program') return unknown('each load walks the list of ports by itself, and that is not modelled');
  // connect() takes a port again for another destination: hosts of its own have ports of their own.
  if (port === 'connect' && own === loads.length - 1) return { kind: 'apart', arms: armsOfLoads(arm) };
  if (own > 0 && (top.concurrent === null || top.targets > 1))
    return unknown('some loads share their hosts and others do not, and that is not modelled');
  const attempts = loads.map(({ load }) => madeBy(load.arrival));
  if (!attempts.every((count) => count !== null))
    return unknown('how many attempts the loads make is not known beforehand, so their shares of the ports are not');
  const places = top.sources * top.targets;
  if (attempts.some((count) => count % places !== 0))
    return unknown(
      'the attempts of each load do not spread evenly over addresses and destinations, and the rest is not modelled',
    );
  const { scenarios: _, ...rest } = arm;
  const arrival = together(
    loads.map(({ load }) => load.arrival),
    attempts,
  );
  return {
    kind: 'one',
    arms: loads.map(({ load }) => ({ ...rest, load: { ...load, arrival } })),
    sustained: !HOLDING.some(isUnlike),
  };
}
function unknown(why: string): Mixture {
  return { kind: 'unknown', why };
}

/** Attempts of a load; null where the run decides. */
function madeBy(arrival: Arrival): number | null {
  const decided = arrival.shape !== 'fill' || (arrival.failures === null && arrival.withinMs === undefined);
  return decided ? scheduledAttempts(arrival) : null;
}

/** Arrivals of as many attempts as all loads make, over as long as the longest of them. */
function together(arrivals: readonly Arrival[], attempts: readonly number[]): Arrival {
  const total = attempts.reduce((sum, count) => sum + count, 0);
  // A fill lasts as long as it takes, and so does all that runs beside it.
  const fill = arrivals.find(({ shape }) => shape === 'fill');
  if (fill?.shape === 'fill') return { ...fill, attempts: total };
  const durationMs = Math.max(...arrivals.map((arrival) => arrivalDurationMs(arrival) ?? 0));
  const shape = arrivals.some((arrival) => arrival.shape === 'poisson') ? 'poisson' : 'constant';
  return { shape, rate: (total / durationMs) * 1000, durationMs };
}

/** Why the attempts of loads that do not meet cannot be added up, as a clause: one is refused while another has ports left. */
export function unlikeSums(parts: readonly { readonly arm: Arm; readonly prediction: Prediction }[]): string | null {
  const beyond = parts.map(
    ({ arm, prediction }) => (madeBy(arm.load.arrival) ?? Number.POSITIVE_INFINITY) > (prediction.concurrent ?? 0),
  );
  return new Set(beyond).size > 1 ? 'some of the loads run out of ports and others do not' : null;
}

/** The prediction of loads that do not meet: their ceilings add up, and each has a rate of its own. */
export function addUp(parts: readonly Prediction[]): Prediction {
  const bare = parts.map(withoutRates);
  const [first] = bare;
  const all = bare.map(({ concurrent }) => concurrent);
  return {
    ...first!,
    concurrent: all.some((each) => each === null) ? null : all.reduce<number>((sum, each) => sum + each!, 0),
    formula: bare.map(({ formula }) => formula).join(' + '),
    rule: `Each load has hosts of its own, and so its own ports. ${first!.rule}`,
  };
}

const NO_RATES = { sustained: null, again: null, limited: 'not modelled', slowWall: null } as const;

/** A prediction without what it says of rates. */
export function withoutRates(prediction: Prediction): Prediction {
  return { ...prediction, ...NO_RATES, formula: prediction.formula.split('; ')[0]! };
}

/** A prediction of which nothing but the failing call is known. */
export function notModelled(first: Prediction, why: string): Prediction {
  const { simulated: _, ...rest } = first;
  return {
    ...rest,
    concurrent: null,
    sustained: null,
    formula: 'not modelled together',
    rule: `${why}.`,
    slowWall: null,
  };
}
