/**
 * What an arm comes to on a machine. A lab's range of 100 ports stands for a machine's 28,232: the arm is taken to the values of a machine
 * (real-scale.ts) and predicted again, since a rate in the lab says nothing to somebody who has a rate of their own. Pure.
 */
import { strategyOf } from '../domain/strategy.js';
import { LOCAL_PORT_RANGE } from '../domain/sysctl-syntax.js';
import type { Arm, Neighbour } from '../plan/plan.js';
import type { Environment, RealCapacity } from '../results/schema.js';
import type { ArmPrediction } from './arm-prediction.js';
import type { KernelVersion } from './kernel-version.js';
import { predictArm } from './predict.js';
import { atRealScale, modelOf, RESERVED_PORTS, type Sysctls } from './real-scale.js';
import { NOTICEABLE } from './slow-wall.js';

type Engine = Environment['engine'];

const MAX_TW_BUCKETS = 'net.ipv4.tcp_max_tw_buckets';
/** Which ports the kernel gives to those that ask it for one. */
const RANGE_SYSCTLS: readonly string[] = [LOCAL_PORT_RANGE, RESERVED_PORTS];
/** CONFIG_HZ of Debian's kernels on amd64 and arm64. User-Mode Linux is built with 100 (arch/um), whatever the release. */
const MACHINE_HZ = 250;
/** Ports from 1024 on. */
const MOST_PORTS = 64_512;

/**
 * What an arm comes to with the ports of a machine, with as many addresses and destinations as it has.
 * @param baseline of the arm's kernel
 * @param usual sysctls as read in a fresh lab, name → value: those of a machine
 * @param engine of the guest in which they were read; undefined: it is no guest
 */
export function atMachineScale(
  arm: Arm,
  baseline: Arm,
  kernel: KernelVersion,
  usual: Sysctls,
  neighbours?: readonly Neighbour[],
  engine?: Engine,
): RealCapacity {
  const predicted = predictAtScale(arm, baseline, kernel, usual, neighbours, engine);
  if (typeof predicted === 'string') return { kind: 'none', reason: predicted };
  const { capacity, perAddress } = predicted;
  const { concurrent, sustained, limited = 'not modelled', slowWall } = capacity;
  return {
    kind: 'scaled',
    ports: perAddress.hard,
    concurrent,
    sustained,
    limited,
    slow: slowWall && slowWall.walked >= NOTICEABLE ? { tuples: slowWall.tuples, rate: slowWall.rate } : null,
    ...(isOwnHz(kernel, engine) ? { hz: MACHINE_HZ } : {}),
  };
}

/** All that is predicted of it there, or why no value of a machine follows from one of its sysctls. */
export function predictAtScale(
  arm: Arm,
  baseline: Arm,
  kernel: KernelVersion,
  usual: Sysctls,
  neighbours?: readonly Neighbour[],
  engine?: Engine,
): ArmPrediction | string {
  if (arm.router) return 'the ports of a NAT are those of its rule, which a machine has of its own';
  const scaled = scaledArm(arm, baseline, usual);
  // The kernel sets it by the machine's memory. Beyond it TIME_WAIT is cut short; who relies on that has it in a variant.
  const { [MAX_TW_BUCKETS]: _, ...defaults } = usual;
  return typeof scaled === 'string'
    ? scaled
    : predictArm(scaled, isOwnHz(kernel, engine) ? { ...kernel, hz: MACHINE_HZ } : kernel, defaults, neighbours);
}

/** Whether a guest's timer is its engine's own, and says nothing of a machine with the same kernel. */
function isOwnHz({ hz }: KernelVersion, engine: Engine | undefined): boolean {
  return engine === 'uml' && hz !== null && hz !== MACHINE_HZ;
}

/** @returns the arm, or why no value of a machine follows from one of its sysctls */
function scaledArm(arm: Arm, baseline: Arm, usual: Sysctls): Arm | string {
  const [before, after] = [
    { ...usual, ...baseline.sysctls },
    { ...usual, ...arm.sysctls },
  ];
  const sysctls: Record<string, string> = {};
  // A program that has its ports from a list of its own asks the kernel for none, here as on a machine.
  const ownList = arm.load.ports !== null && strategyOf(arm.load.strategy).port === 'program';
  for (const [name, value] of Object.entries(arm.sysctls)) {
    if (ownList && RANGE_SYSCTLS.includes(name)) continue;
    // Set for the whole experiment it keeps a small guest's default from hiding the lab's ports; beside those of a machine it would be small.
    if (name === MAX_TW_BUCKETS && value === baseline.sysctls[name]) continue;
    const real = atRealScale({ name, value, before, after, usual });
    if (real.kind === 'value') sysctls[name] = real.value;
    // What the whole experiment has is the size of the lab: a machine has its own.
    else if (value !== baseline.sysctls[name]) return `${name} = ${value} ${real.reason}`;
  }
  const model = modelOf(before, usual);
  const { ports } = arm.load;
  if (ports === null || model === null) return { ...arm, sysctls };
  const count = Math.min(
    MOST_PORTS,
    Math.floor(((ports.high - ports.low + 1) * model.usual) / Math.max(1, model.ports)),
  );
  return { ...arm, sysctls, load: { ...arm.load, ports: { low: 1024, high: 1023 + count } } };
}

/** Whether a rate that somebody needs can be sustained. */
export type RateVerdict =
  /**
   * `spare`: by what share the rate could be higher; null: ports do not limit it. `slow`: the rate from which on each search for a port is slow, where
   * that is below; null: it is fast. `fastSpare`: by what share it could be higher and still be fast; null: it is slow, or no rate is.
   */
  | {
      readonly kind: 'holds';
      readonly spare: number | null;
      readonly slow: number | null;
      readonly fastSpare: number | null;
    }
  | { readonly kind: 'fails'; readonly afterSeconds: number }
  | { readonly kind: 'not modelled' };

/** @param rate connections per second */
export function judgeRate(real: Extract<RealCapacity, { kind: 'scaled' }>, rate: number): RateVerdict {
  const { concurrent, sustained, limited, slow } = real;
  if (concurrent === null || limited === 'not modelled') return { kind: 'not modelled' };
  if (sustained !== null && rate > sustained) return { kind: 'fails', afterSeconds: concurrent / rate };
  const wall = slow?.rate ?? null;
  const isSlow = wall !== null && rate > wall;
  return {
    kind: 'holds',
    spare: sustained === null ? null : sustained / rate - 1,
    slow: isSlow ? wall : null,
    fastSpare: wall === null || isSlow ? null : wall / rate - 1,
  };
}
