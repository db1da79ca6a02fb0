/** Inputs and arms for tests: a hundred ports, one address, one destination, and what a test changes. */
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import type { PredictInput } from '../../src/capacity/predict.js';
import type { Arm, LoadPlan } from '../../src/plan/plan.js';

export const KERNEL = parseKernelVersion('6.18.44', 250);

/** Seconds of TIME_WAIT at the latest, with HZ=250 (kernel/time/timer.c); before 4.8 timers were exact. */
export const LATEST = 60 + 512 / 250;

export function input(changes: Partial<Omit<PredictInput, 'kernel'>> & { kernel?: string } = {}): PredictInput {
  const { kernel = '6.18.44', ...rest } = changes;
  return {
    datagram: null,
    strategy: 'bind',
    range: { low: 40000, high: 40099 },
    reserved: 0,
    reservedPorts: null,
    programPorts: null,
    addresses: 1,
    destinations: 1,
    close: 'client',
    fresh: 1,
    finTimeoutMs: null,
    twReuse: 0,
    twReuseDelayMs: 1000,
    timestamps: true,
    autobindReuse: false,
    maxTwBuckets: 131_072,
    timeWaitSeconds: 60,
    twRecycle: false,
    rtoMs: 200,
    heldHere: 0,
    heldElsewhere: 0,
    unmodelled: null,
    loopback: false,
    holdMs: 0,
    family: 4,
    ...rest,
    kernel: parseKernelVersion(kernel, 250),
  };
}

export interface ArmChanges {
  readonly load?: Partial<LoadPlan>;
  readonly sysctls?: Record<string, string>;
  readonly addresses?: number;
  readonly destinations?: Arm['destinations'] | number;
  readonly proxy?: Arm['proxy'];
  readonly roles?: Arm['roles'];
}

/** An arm of 200 attempts in 2 s on 100 ports of 10.50.0.x; its connections are held to the end. */
export function arm({ load = {}, sysctls = {}, addresses = 1, destinations = 1, proxy, roles }: ArmChanges = {}): Arm {
  return {
    name: 'test',
    description: null,
    baseline: true,
    changes: [],
    ...(proxy ? { proxy } : {}),
    ...(roles ? { roles } : {}),
    sysctls: { 'net.ipv4.ip_local_port_range': '40000 40099', ...sysctls },
    load: {
      workers: 1,
      strategy: 'bind',
      pick: 'round-robin',
      arrival: { shape: 'constant', rate: 100, durationMs: 2000 },
      engine: 'socket',
      keepAlive: false,
      tls: false,
      close: 'client',
      drain: false,
      holdMs: null,
      timeoutMs: 5000,
      exchange: null,
      protocol: 'tcp',
      body: 0,
      sink: 'accept',
      maxInFlight: null,
      ports: null,
      lagBudgetMs: 10,
      clocks: 1,
      ...load,
    },
    addresses: Array.from({ length: addresses }, (_, i) => `10.50.0.${i + 1}`),
    destinations: typeof destinations === 'number' ? { kind: 'lab', addresses: 1, ports: destinations } : destinations,
  };
}
