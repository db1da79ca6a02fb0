/**
 * What an arm comes to behind a NAT: what the client's own ports allow, and what those of the NAT do, whichever is less. Pure.
 */
import { LABS } from '../../domain/lab.js';
import { transportOf } from '../../domain/protocol.js';
import { LOCAL_PORT_RANGE, parseLocalPortRange } from '../../domain/sysctl-syntax.js';
import { arrivalDurationMs, scheduledAttempts } from '../../plan/arrival.js';
import type { Arm, Experiment } from '../../plan/plan.js';
import type { Prediction } from '../../results/schema.js';
import type { RouterSettings } from '../../subjects/index.js';
import type { ArmPrediction } from '../arm-prediction.js';
import { fieldDoubt } from '../decided-fields.js';
import type { Determinism } from '../deterministic.js';
import type { KernelVersion } from '../kernel-version.js';
import { expectedOf } from '../simulator/repeat.js';
import { secondsUntil } from '../time-until.js';
import { afterClose, openAtMost } from './after-close.js';
import { holdAttempts } from './drop-curve.js';
import { type NatPools, poolsOf } from './pools.js';
import { WHOLE } from './port-search.js';
import { scheduleOf } from './syn-schedule.js';

const SOURCE = 'get_unique_tuple(), net/netfilter/nf_nat_core.c';
/** Simulated attempts of all runs together, and runs at the most. */
const SIMULATED = 1_500_000;
const MOST_RUNS = 60;
/** A connection that is held must outlast the run with room to spare. */
const MARGIN_MS = 10_000;

/**
 * The prediction of an arm behind a router.
 * @param client what the client's own ports allow it @param defaults sysctls as read in a fresh lab
 */
export function behindNat(
  arm: Arm,
  settings: RouterSettings,
  client: ArmPrediction,
  kernel: KernelVersion,
  defaults: Readonly<Record<string, string>>,
): ArmPrediction {
  const pools = poolsOf(arm, settings);
  if (pools === null) return { ...client, spare: 0, bounds: null };
  const own = client.capacity;
  const isClients = own.concurrent !== null && own.concurrent <= pools.concurrent;
  const exact = isExact(arm, settings, pools, defaults);
  const capacity = isClients ? own : natCapacity(arm, settings, pools, own, kernel);
  const { again } = capacity;
  const hold = arm.load.holdMs === null ? Number.POSITIVE_INFINITY : (again ?? 0);
  return {
    prediction: isClients || exact ? capacity : withSimulation(arm, pools, capacity, kernel),
    capacity,
    perAddress: { slow: null, hard: pools.ports },
    spare: 0,
    searchSeconds: client.searchSeconds,
    walls: {
      slow: null,
      hard: capacity.concurrent === null ? null : secondsUntil(arm.load.arrival, capacity.concurrent, hold),
    },
    occupancy: { seconds: again ?? 0, earliest: again ?? 0, how: 'model' },
    bounds: null,
    neverFails: undefined,
    determinism: (experiment) =>
      isClients
        ? client.determinism(experiment)
        : determinismOf(arm, pools, exact, { own, kernel, defaults, experiment }),
    addressesFor: () => ({
      kind: 'unknown',
      why: 'what more NAT addresses are worth is up to how the rule chooses one',
    }),
  };
}

function natCapacity(
  arm: Arm,
  settings: RouterSettings,
  pools: NatPools,
  own: Prediction,
  kernel: KernelVersion,
): Prediction {
  const { load } = arm;
  const concurrent = own.concurrent === null ? null : pools.concurrent;
  const after = afterClose(arm, kernel);
  const seconds = (load.holdMs ?? 0) / 1000 + after.seconds;
  const lasting = after.ends ? pools.pools.reduce((sum, { ports }) => sum + openAtMost(ports), 0) : concurrent;
  const sustained =
    load.holdMs === null || seconds === 0 || concurrent === null || lasting === null ? null : lasting / seconds;
  const rate =
    sustained === null
      ? ''
      : `; ${lasting}${after.ends ? ' open, so that there are closed ones to end,' : ''} / ${seconds} s = ${Number(sustained.toPrecision(3))} a second`;
  const early =
    pools.ports > WHOLE && pools.concurrent > 0
      ? `; the search gives up after 248 of ${pools.ports} ports, so that drops begin long before all are taken`
      : '';
  return {
    concurrent,
    sustained,
    limited: sustained !== null ? 'by ports' : concurrent === null ? 'not modelled' : 'not by ports',
    again: seconds,
    fails: failsAs(arm, kernel),
    formula: `${pools.formula}${rate}`,
    rule: `${pools.rule}${early}; ${transportOf(load.protocol) === 'udp' ? 'a datagram that finds no port is dropped' : 'a connection without a port is dropped at its SYN'}, and nobody is told${settings.natPorts ? '' : '; without ports in the rule it keeps its own where that is free'}; ${after.why}.`,
    source: SOURCE,
    slowWall: null,
    known: {
      how: 'measured',
      on: ['6.18.44'],
      why: 'measured on 6.18.44 (test/lab/nat-oracle.test.ts), and read in the source of 6.1 and 7.1',
    },
  };
}

/** How an attempt ends that found no port. */
function failsAs({ load, sysctls }: Arm, kernel: KernelVersion): string {
  if (transportOf(load.protocol) === 'udp') return 'answer:none';
  const patience = scheduleOf(kernel, sysctls).timeout;
  return load.timeoutMs < patience * 1000 ? 'timeout:ETIMEDOUT' : 'connect:ETIMEDOUT';
}

/** Whether the search is sure to find the last port: a small range, or one that has the client's own ports, which it keeps. */
function isExact(
  { addresses, sysctls }: Arm,
  { natPorts, flags }: RouterSettings,
  { ports, concurrent }: NatPools,
  defaults: Readonly<Record<string, string>>,
): boolean {
  if (ports <= WHOLE || concurrent === 0) return true;
  const range = { ...defaults, ...sysctls }[LOCAL_PORT_RANGE];
  if (range === undefined || addresses.length > 1 || flags.some((flag) => flag !== 'persistent')) return false;
  const own = parseLocalPortRange(range);
  return natPorts === null ? own.low >= 1024 : natPorts.low <= own.low && own.high <= natPorts.high;
}

/** SYNs that an attempt sends before it is given up; of UDP its datagram. */
function triesOf({ load, sysctls }: Arm, kernel: KernelVersion): number {
  if (transportOf(load.protocol) === 'udp') return 1;
  return scheduleOf(kernel, sysctls).sent.filter((at) => at * 1000 < load.timeoutMs).length;
}

function withSimulation(arm: Arm, { pools, drawn }: NatPools, capacity: Prediction, kernel: KernelVersion): Prediction {
  const attempts = scheduledAttempts(arm.load.arrival);
  if (attempts === null || arm.load.holdMs !== null || drawn || capacity.concurrent === null) return capacity;
  const runs = Math.max(5, Math.min(MOST_RUNS, Math.floor(SIMULATED / attempts)));
  const tries = triesOf(arm, kernel);
  const parts = pools.map(({ ports, share }, i) =>
    holdAttempts({ ports, attempts: Math.round(attempts * share), tries }, runs, 1 + i * MOST_RUNS),
  );
  const sum = (of: (part: (typeof parts)[number]) => readonly number[]) =>
    Array.from({ length: runs }, (_, run) => parts.reduce((total, part) => total + of(part)[run]!, 0));
  return {
    ...capacity,
    simulated: {
      attempts,
      ok: expectedOf(sum(({ ok }) => ok)),
      beforeFirstFailure: parts.length === 1 ? expectedOf(sum(({ beforeFirstFailure }) => beforeFirstFailure)) : null,
      runs,
      scaledTo: null,
    },
  };
}

interface DeterminismContext {
  readonly own: Prediction;
  readonly kernel: KernelVersion;
  readonly defaults: Readonly<Record<string, string>>;
  readonly experiment: Pick<Experiment, 'lab' | 'neighbours'>;
}

function determinismOf(
  arm: Arm,
  { pools, concurrent, drawn }: NatPools,
  exact: boolean,
  { own, kernel, defaults, experiment }: DeterminismContext,
): Determinism {
  const no = (why: string): Determinism => ({ deterministic: false, why: `${why}.` });
  if (!LABS[experiment.lab].ownNamespace) return no('other programs of this machine hold ports too');
  const attempts = scheduledAttempts(arm.load.arrival) ?? Number.POSITIVE_INFINITY;
  const doubt = fieldDoubt(arm, { kernel, attempts, defaults, lowestPort: 1024 });
  if (doubt !== undefined) return no(doubt);
  if (arm.scenarios) return no('several loads share the ports of the NAT');
  // Below half of its ports no search of a NAT fails: windows of 128 that are full are none yet.
  const sure = (ports: number) => (exact ? ports : Math.floor(ports / 2));
  const fits = pools.every(({ ports, share }) => Math.ceil(attempts * share) <= sure(ports));
  if (!exact && !fits) return no('the NAT searches at random, and gives up before it has seen all ports');
  if (drawn) return no('which NAT address a connection comes to is drawn');
  if (!Number.isFinite(attempts) || own.concurrent === null || attempts > own.concurrent)
    return no('the clients run out of ports themselves');
  if (fits) return { deterministic: true, why: `${attempts} attempts are within what the NAT holds, so all succeed.` };
  const { holdMs, arrival } = arm.load;
  const duration = arrivalDurationMs(arrival);
  const isHeld = holdMs === null || (duration !== null && holdMs >= duration + MARGIN_MS);
  if (!isHeld || (arrival.shape === 'fill' && arrival.waves > 1))
    return no('ports come free while attempts still arrive');
  if (pools.some(({ ports, share }) => Math.floor(attempts * share) < ports))
    return no('not every NAT address and destination is sure to fill up');
  return {
    deterministic: true,
    why: `nothing is freed before the run ends, so ${concurrent} succeed and the others are dropped.`,
  };
}
