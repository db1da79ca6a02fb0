/**
 * What each field of an arm does to the promise that every run ends in the same counts. Total by type: a new field of an arm, a load or
 * an arrival does not compile until it is decided here. Pure.
 */
import { formatDuration } from '../domain/format.js';
import { strategyOf } from '../domain/strategy.js';
import { highestRate, scheduledAttempts } from '../plan/arrival.js';
import type { Arm, Arrival, LoadPlan } from '../plan/plan.js';
import { baseOf, proxySubjectOf } from '../subjects/index.js';
import { type SysctlContext, sysctlDoubt } from './decided-sysctls.js';
import { atLeast } from './kernel-version.js';
import { takesThem } from './predict-input.js';

/** What a field is judged by, beside its value. */
export interface FieldContext extends SysctlContext {
  readonly arm: Arm;
  /** As read in a fresh lab, name → value. */
  readonly defaults: Readonly<Record<string, string>>;
}

/**
 * `irrelevant`: no value of it decides how many attempts succeed. `read`: the prediction, or deterministic.ts, reads it. Otherwise: why a
 * value leaves the counts to time, as a clause; undefined: it does not.
 */
type Decision<V> = 'irrelevant' | 'read' | ((value: V, context: FieldContext) => string | undefined);
type Decisions<T> = { readonly [K in keyof T]-?: Decision<T[K]> };
type Shape = Arrival['shape'];
type Of<S extends Shape> = Omit<Extract<Arrival, { shape: S }>, 'shape'>;

/** Below this a lost SYN has no second chance (TCP_TIMEOUT_INIT, 1 s), and a busy machine decides who is in time. */
const SHORTEST_TIMEOUT_MS = 1000;
/** Through a NAT a shorter one is how long an attempt may wait for a port: no machine is that slow. */
const SHORTEST_DEADLINE_MS = 250;
/** Bytes a second that every machine moves, an emulated one too. */
const EASY_BYTES = 4 * 1024 * 1024;
/** A TLS handshake keeps a CPU as busy as so many bytes. */
const TLS_BYTES = 16 * 1024;

const RANDOM = () => 'the instants of a poisson arrival are random';
const REFILLED = () => 'hold opens a connection for each that ends, so time decides how many there are';

const ARRIVALS: { readonly [S in Shape]: Decisions<Of<S>> } = {
  constant: { rate: 'read', durationMs: 'read' },
  poisson: { rate: RANDOM, durationMs: 'irrelevant' },
  ramp: { from: 'read', to: 'read', durationMs: 'read' },
  steps: { rates: 'read', eachMs: 'read' },
  fill: {
    attempts: 'read',
    failures: (failures, { arm: { load, proxy } }) => {
      if (failures === null) return undefined;
      if (proxy !== undefined)
        return 'a proxy answers in its own time, so time decides how many attempts are under way when the fill stops';
      return load.workers > 1
        ? 'several workers count their failures side by side, so time decides when the fill stops'
        : undefined;
    },
    withinMs: (withinMs) =>
      withinMs === undefined
        ? undefined
        : `the fill ends after ${formatDuration(withinMs)}, so time decides how many attempts it makes`,
    // Handshakes under way when it stops are counted, and those of one worker are in the same order each time.
    inFlight: 'irrelevant',
    waves: 'read',
    pauseMs: 'irrelevant',
  },
  hold: { connections: REFILLED, durationMs: 'irrelevant' },
  own: {
    attempts: 'irrelevant',
    durationMs: (ms, { arm }) =>
      ms === undefined || scheduledAttempts(arm.load.arrival) !== null
        ? undefined
        : 'the program is ended after a time, wherever it is then',
  },
};

const LOAD: Decisions<LoadPlan> = {
  clocks: (clocks) =>
    clocks > 1 ? 'the other side may refuse a client whose timestamps it takes to be old' : undefined,
  maxInFlight: (most, { arm: { load }, attempts }) =>
    most !== null && most * load.workers < attempts
      ? 'maxInFlight is below the number of attempts, so time decides how many are shed'
      : undefined,
  keepAlive: (on) => (on ? 'connections are used again, so time decides how many there are' : undefined),
  keepAliveRequests: 'irrelevant',
  strategy: (strategy, { arm: { load } }) =>
    strategyOf(strategy).port === 'program' && load.workers > 1
      ? 'several workers take ports from their lists side by side'
      : undefined,
  sink: (sink, context) => {
    const backlog = backlogOf(context);
    return sink === 'listen-only' && context.attempts > backlog
      ? `nothing is accepted, and more attempts than net.core.somaxconn (${backlog}) can overflow the accept queue`
      : undefined;
  },
  timeoutMs: (timeoutMs, { arm: { router } }) =>
    timeoutMs < (router ? SHORTEST_DEADLINE_MS : SHORTEST_TIMEOUT_MS)
      ? `a timeout of ${formatDuration(timeoutMs)} is shorter than a lost packet takes to be sent again, so time decides who is in time`
      : undefined,
  holdMs: (holdMs, { arm: { load } }) =>
    // The origin waits as long before it answers.
    load.protocol === 'get' && holdMs !== null && holdMs + SHORTEST_TIMEOUT_MS > load.timeoutMs
      ? `the origin answers after ${formatDuration(holdMs)}, and the timeout is ${formatDuration(load.timeoutMs)}, so time decides who is in time`
      : undefined,
  exchange: (exchange, context) =>
    exchange === null ? undefined : bytesDoubt(exchange.request + exchange.response, context),
  body: (body, { arm: { load }, ...context }) =>
    load.protocol === 'get' || load.engine === 'http' ? bytesDoubt(body, { arm: { load }, ...context }) : undefined,
  tls: (on, context) => (on ? bytesDoubt(TLS_BYTES, context) : undefined),
  arrival: (arrival, context) => arrivalDoubt(arrival, context),
  // Who waits for the other side decides the pace, and no count; neither does what is said over a connection.
  drain: 'irrelevant',
  engine: 'irrelevant',
  protocol: 'irrelevant',
  // Comes after the load.
  recovery: 'irrelevant',
  // Judges runs, and changes none.
  lagBudgetMs: 'irrelevant',
  workers: 'read',
  pick: 'read',
  close: 'read',
  ports: 'read',
  peer: 'read',
  socketOptions: 'read',
  sockets: 'read',
  answerAfterMs: (ms, { arm: { load } }) =>
    ms !== undefined && ms + SHORTEST_TIMEOUT_MS > load.timeoutMs
      ? `the origin answers after ${formatDuration(ms)}, and the timeout is ${formatDuration(load.timeoutMs)}, so time decides who is in time`
      : undefined,
};

const ARM: Decisions<Arm> = {
  name: 'irrelevant',
  description: 'irrelevant',
  baseline: 'irrelevant',
  changes: 'irrelevant',
  via: (via) => (via === undefined ? undefined : 'machines outside the lab decide what is answered'),
  destinations: ({ kind }) => (kind === 'lab' ? undefined : 'machines outside the lab decide what is answered'),
  proxy: (_, { arm }) => proxyDoubt(arm),
  // nat/predict.ts reads it.
  router: 'read',
  load: (load, context) => doubtOf(LOAD, load, context),
  sysctls: (sysctls, { arm, defaults, ...context }) =>
    sysctlDoubt(arm.proxy ? 'proxy' : 'client', changed(sysctls, defaults), context),
  roles: (roles, { arm, ...context }) =>
    sysctlDoubt('origin', roles?.origin ?? {}, context) ??
    sysctlDoubt('router', roles?.router ?? {}, context) ??
    sysctlDoubt(arm.proxy ? 'client of the proxy' : 'client', roles?.client ?? {}, context),
  addresses: 'read',
  // Another address has as many ports.
  unbound: 'irrelevant',
  // mixture.ts asks of each load by itself.
  scenarios: 'read',
  // The prediction is told the kernel's version, and what that version lacks it does not read.
  kernel: 'irrelevant',
  skipMissing: 'irrelevant',
  missing: 'irrelevant',
  absent: 'irrelevant',
};

/**
 * What an arm leaves to time, or to what nobody predicts.
 * @returns a clause; undefined: the kernel's rules decide alone
 */
export function fieldDoubt(arm: Arm, context: Omit<FieldContext, 'arm'>): string | undefined {
  return doubtOf(ARM, arm, { ...context, arm });
}

/** What the arrivals themselves leave open, whatever else there is. */
function arrivalDoubt(arrival: Arrival, context: FieldContext): string | undefined {
  switch (arrival.shape) {
    case 'constant':
      return doubtOf<Of<'constant'>>(ARRIVALS.constant, arrival, context);
    case 'poisson':
      return doubtOf<Of<'poisson'>>(ARRIVALS.poisson, arrival, context);
    case 'ramp':
      return doubtOf<Of<'ramp'>>(ARRIVALS.ramp, arrival, context);
    case 'steps':
      return doubtOf<Of<'steps'>>(ARRIVALS.steps, arrival, context);
    case 'fill':
      return doubtOf<Of<'fill'>>(ARRIVALS.fill, arrival, context);
    case 'hold':
      return doubtOf<Of<'hold'>>(ARRIVALS.hold, arrival, context);
    case 'own':
      return doubtOf<Of<'own'>>(ARRIVALS.own, arrival, context);
  }
}

/** The first doubt, in the order of the table. */
function doubtOf<T>(decisions: Decisions<T>, value: T, context: FieldContext): string | undefined {
  for (const key of Object.keys(decisions) as (keyof T)[]) {
    const decision: Decision<T[keyof T]> = decisions[key];
    const doubt = typeof decision === 'function' ? decision(value[key], context) : undefined;
    if (doubt !== undefined) return doubt;
  }
  return undefined;
}

/** Sysctls with a value that a fresh lab does not have anyway. */
function changed(sysctls: Readonly<Record<string, string>>, defaults: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(sysctls).filter(([name, value]) => defaults[name] !== value));
}

/** What a proxy between the load and the ports leaves open. */
function proxyDoubt({ proxy, load }: Arm): string | undefined {
  if (proxy === undefined) return undefined;
  const { draws, takesClientsPorts, closesWithClient, entrance, standing, unmodelled } = proxySubjectOf(proxy.kind);
  // It is taken to do the same each time (deterministic.ts).
  if (entrance) return undefined;
  const rules = unmodelled?.(proxy);
  if (rules) return rules;
  if (draws?.(proxy)) return 'the proxy draws its outgoing addresses';
  if (takesClientsPorts) return takesThem(proxy.kind);
  if (baseOf(proxy) !== undefined)
    return 'the configuration of the proxy is a file of its own, of which the model reads nothing';
  if ('config' in proxy && proxy.config.length > 0)
    return 'the profile adds lines to the configuration of the proxy, which may change anything';
  // With nothing left to read TIME_WAIT follows, whenever that is.
  const closesLikeItsClient = closesWithClient === true && load.close === 'client' && load.exchange === null;
  // Sockets that are there for good are not closed.
  if (load.holdMs !== null && !closesLikeItsClient && !standing)
    return 'when the proxy closes its connections is its own affair';
  return undefined;
}

/** How many connections the origin keeps that it does not accept. */
function backlogOf({ arm, kernel }: FieldContext): number {
  return Number(arm.roles?.origin['net.core.somaxconn'] ?? (atLeast(kernel, '5.4') ? 4096 : 128));
}

/** Whether a machine may be too slow to move what each attempt takes with it before the timeout. */
function bytesDoubt(each: number, { arm }: { readonly arm: Pick<Arm, 'load'> }): string | undefined {
  const { arrival, workers, timeoutMs } = arm.load;
  if (arrival.shape === 'own') return undefined;
  const perSecond =
    arrival.shape === 'fill' || arrival.shape === 'hold'
      ? // As many as are under way at once have the timeout to come to an end.
        (each * (arrival.shape === 'fill' ? arrival.inFlight * workers : arrival.connections) * 1000) / timeoutMs
      : each * highestRate(arrival);
  return perSecond <= EASY_BYTES
    ? undefined
    : `the load moves ${Math.round(perSecond / (1024 * 1024))} MiB a second, so time decides which attempts end before their timeout`;
}
