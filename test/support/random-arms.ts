/**
 * Random arms, to be put to the kernel and to the model. A seed gives the same arms each time; each arm has a port range of its own, so that
 * what one leaves in TIME_WAIT holds no port of another. And what must be so of each.
 */

import { expectedWaves } from '../../src/analysis/fixes.js';
import { atLeast, type KernelVersion } from '../../src/capacity/kernel-version.js';
import { predictArm } from '../../src/capacity/predict.js';
import type { LabKind } from '../../src/domain/lab.js';
import { type Random, randomStream } from '../../src/domain/random.js';
import { STRATEGY_NAMES, strategyOf } from '../../src/domain/strategy.js';
import { LOAD } from '../../src/plan/load-settings.js';
import type { Arm, Arrival } from '../../src/plan/plan.js';
import type { Outcomes } from '../../src/results/schema.js';

/** What all arms of one lab have in common: what its origin does. */
export interface Setting {
  readonly family: 4 | 6;
  readonly close: 'client' | 'server' | 'reset';
  readonly exchange: { readonly request: number; readonly response: number } | null;
  /** Whether connections are held to the end; null: some arms are so. The origin that closes must know it. */
  readonly held: boolean | null;
}

export const SETTINGS: readonly Setting[] = [
  { family: 4, close: 'client', exchange: null, held: null },
  { family: 6, close: 'client', exchange: null, held: null },
  { family: 4, close: 'client', exchange: { request: 8, response: 64 }, held: null },
  { family: 4, close: 'server', exchange: { request: 8, response: 64 }, held: true },
  { family: 4, close: 'server', exchange: { request: 8, response: 64 }, held: false },
  { family: 4, close: 'reset', exchange: null, held: null },
];

const MOST_ADDRESSES = 3;
export const MOST_DESTINATIONS = 4;
/** As a program beside the main load has it. */
export const NEIGHBOUR_ADDRESS = MOST_ADDRESSES;
/** The first and the last port that arms have. */
const PORTS = { low: 10_000, high: 64_000 } as const;

/** Another program's load, of so many attempts that are held: with the main one, or while all that it holds is held. */
export interface RandomNeighbour {
  readonly strategy: 'bind' | 'bind-no-port';
  readonly attempts: number;
  readonly afterMs: 0 | null;
}

/** An arm, and what is beside it; null: nothing. */
export interface RandomArm extends Arm {
  readonly neighbour: RandomNeighbour | null;
}

/** What the kernel answered: outcomes of all attempts, and of each wave. */
export interface Answer {
  readonly outcomes: Outcomes;
  readonly waves: readonly Outcomes[];
}

/** Of the main load; the last is the neighbour's. */
export function addressesOf({ family }: Setting): string[] {
  return Array.from({ length: MOST_ADDRESSES + 1 }, (_, i) =>
    family === 4 ? `10.50.0.${i + 1}` : `fd00:50::${i + 1}`,
  );
}

/** As many arms for one lab; fewer where their ranges would not fit into the ports of one namespace. */
export function randomArms(setting: Setting, count: number, seed: number): RandomArm[] {
  const random = randomStream(seed, `arms of ${JSON.stringify(setting)}`);
  const arms: RandomArm[] = [];
  // Ranges begin at odd and at even ports alike.
  let low = PORTS.low + (seed & 1);
  while (arms.length < count && low < PORTS.high - 100) {
    const ports = portsOf(random);
    arms.push(armOf(random, setting, { low, high: low + ports - 1 }, arms.length));
    low += ports + below(random, 2);
  }
  return arms;
}

const below = (random: Random, limit: number) => Math.floor(random() * limit);
const oneOf = <T>(random: Random, values: readonly T[]): T => values[below(random, values.length)]!;
const chance = (random: Random, share: number) => random() < share;

/** Small ranges are where the kernel's arithmetic has its corners. */
function portsOf(random: Random): number {
  const most = oneOf(random, [4, 9, 9, 40, 70]);
  return 1 + below(random, most);
}

function armOf(random: Random, setting: Setting, range: { low: number; high: number }, i: number): RandomArm {
  const ports = range.high - range.low + 1;
  const strategy = oneOf(random, STRATEGY_NAMES);
  const [addresses, destinations] = [1 + below(random, MOST_ADDRESSES), 1 + below(random, MOST_DESTINATIONS)];
  const reserved = chance(random, 0.35) ? reservedOf(random, range) : '';
  const most = ports * addresses * destinations;
  const attempts = 1 + below(random, Math.min(Math.ceil(most * 2.2) + 2, 900));
  const held = setting.held ?? chance(random, 0.7);
  const drain = !held && setting.close === 'client';
  // Of two waves the arithmetic knows something only where all of the first is in TIME_WAIT before the second.
  const waves = drain && chance(random, 0.3);
  const workers = !waves && chance(random, 0.06) ? 2 + below(random, 2) : 1;
  const each = addresses * destinations;
  const arrival = waves
    ? ({
        ...FILL,
        attempts: each * Math.ceil(attempts / each),
        waves: 2,
        pauseMs: chance(random, 0.1) ? 1500 : 0,
      } as const)
    : arrivalOf(random, attempts);
  return {
    name: `arm-${i}`,
    description: null,
    baseline: true,
    changes: [],
    sysctls: {
      'net.ipv4.ip_local_port_range': `${range.low} ${range.high}`,
      'net.ipv4.ip_local_reserved_ports': reserved,
      'net.ipv4.tcp_tw_reuse': oneOf(random, ['0', '1', '2']),
      'net.ipv4.tcp_tw_reuse_delay': oneOf(random, ['1000', '1000', '60000']),
      'net.ipv4.tcp_timestamps': chance(random, 0.85) ? '1' : '0',
      'net.ipv4.ip_autobind_reuse': oneOf(random, ['0', '0', '1']),
    },
    load: {
      ...LOAD,
      strategy,
      pick:
        waves || chance(random, 0.85) ? 'round-robin' : workers > 1 && workers <= addresses ? 'by-worker' : 'random',
      workers,
      arrival,
      close: setting.close,
      exchange: setting.exchange,
      holdMs: held ? null : 0,
      drain,
      ...(strategy === 'local-port-range' && ports > 2 && chance(random, 0.6) ? { ports: within(random, range) } : {}),
    },
    addresses: addressesOf(setting).slice(0, addresses),
    destinations: { kind: 'lab', addresses: 1, ports: destinations },
    neighbour: !waves && held && chance(random, 0.05) ? neighbourOf(random, ports) : null,
  };
}

function neighbourOf(random: Random, ports: number): RandomNeighbour {
  return {
    strategy: oneOf(random, ['bind', 'bind-no-port']),
    attempts: 1 + below(random, ports),
    afterMs: chance(random, 0.5) ? 0 : null,
  };
}

const FILL = { shape: 'fill', failures: null, inFlight: 1, waves: 1, pauseMs: 0 } as const;

function arrivalOf(random: Random, attempts: number): Arrival {
  if (chance(random, 0.35)) {
    const rate = oneOf(random, [1000, 2000, 4000]);
    return { shape: 'constant', rate, durationMs: Math.ceil((attempts * 1000) / rate) };
  }
  const inFlight = chance(random, 0.7) ? 1 : 8;
  return { ...FILL, attempts, inFlight };
}

/** A part of the range, for a socket of its own. */
function within(random: Random, { low, high }: { low: number; high: number }) {
  const first = low + below(random, high - low + 1);
  return { low: first, high: first + below(random, high - first + 1) };
}

/** Single ports and ranges, of the range and beside it. */
function reservedOf(random: Random, { low, high }: { low: number; high: number }): string {
  const size = high - low + 1;
  return Array.from({ length: 1 + below(random, 4) }, () => {
    const first = low + below(random, size + 2) - 1;
    const last = chance(random, 0.3) ? first + below(random, Math.ceil(size / 3)) : first;
    return first === last ? `${first}` : `${first}-${last}`;
  }).join(',');
}

export interface Judgement {
  readonly how: 'exact' | 'waves' | 'interval' | 'bound' | 'none';
  /** Why the kernel's answer is not what the model allows; null: it is. */
  readonly problem: string | null;
  /** Outside of a 95 % interval, which one in twenty may be. */
  readonly outside: boolean;
}

/** The model's word on what the kernel answered. @param lab the arm's place: a guest's namespace is its own as any other */
export function judge(
  arm: RandomArm,
  { outcomes, waves }: Answer,
  kernel: KernelVersion,
  lab: LabKind = 'netns',
): Judgement {
  const { prediction, determinism } = predictArm(arm, kernel, {});
  const { ok = 0 } = outcomes;
  const attempts = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  const { concurrent, simulated, fails } = prediction;
  const verdict = (how: Judgement['how'], problem: string | null, outside = false): Judgement => ({
    how,
    problem:
      problem === null ? null : `${problem}: found ${JSON.stringify([outcomes, waves])} for ${JSON.stringify(arm)}`,
    outside,
  });
  const neighbours = arm.neighbour ? [{ afterMs: arm.neighbour.afterMs }] : undefined;
  if (determinism({ lab, neighbours } as Parameters<typeof determinism>[0]).deterministic && concurrent !== null) {
    const expected = Math.min(attempts, concurrent);
    const failed = outcomes[fails] ?? 0;
    if (ok === expected && failed === attempts - expected) return verdict('exact', null);
    return verdict('exact', `expected ${expected} ok and ${attempts - expected} ${fails}`);
  }
  const { arrival } = arm.load;
  if (arrival.shape === 'fill' && arrival.waves > 1) {
    const expected = wavesOf(arm, arrival, kernel, lab);
    if (expected === null) return verdict('none', null);
    const found = waves.map((wave) => wave.ok ?? 0);
    const right = found.length === 2 && found.every((count, i) => count === expected[i]);
    return verdict('waves', right ? null : `expected waves of ${expected.join(' and ')}`);
  }
  // What a neighbour takes away is not simulated.
  if (simulated && arm.load.holdMs === null && arm.neighbour?.afterMs !== 0) {
    const { low, high } = simulated.ok;
    const slack = high - low + 1;
    const wide = ok >= low - slack && ok <= high + slack;
    return verdict('interval', wide ? null : `simulated ${low} to ${high}`, ok < low || ok > high);
  }
  if (concurrent !== null && arm.load.holdMs === null)
    return verdict('bound', ok <= concurrent ? null : `at most ${concurrent} can be open`);
  return verdict('none', null);
}

/** As the table of fixes expects them, where the first wave comes to the ceiling whatever is freed. */
function wavesOf(arm: Arm, arrival: Extract<Arrival, { shape: 'fill' }>, kernel: KernelVersion, lab: LabKind) {
  // Each wave walks a program's list of ports from its beginning, into what the wave before has left.
  if (strategyOf(arm.load.strategy).port === 'program') return null;
  // Of a search that misses a port at random no second wave is exact, so the first must be also where it asks for too many.
  const full = { ...arrival, waves: 1, attempts: 10 * arrival.attempts! };
  for (const one of [{ ...arrival, waves: 1 }, full]) {
    const held: Arm = { ...arm, load: { ...arm.load, holdMs: null, arrival: one } };
    if (!predictArm(held, kernel, {}).determinism({ lab }).deterministic) return null;
  }
  const { prediction } = predictArm(arm, kernel, {});
  return expectedWaves(prediction, arrival.attempts!, arrival.pauseMs / 1000, !atLeast(kernel, '6.14'));
}
