/**
 * The load of an arm: filled in with defaults, and refused where its settings contradict each other or never end. Pure.
 */

import { formatDuration } from '../domain/format.js';
import { STRATEGY_NAMES } from '../domain/strategy.js';
import { arrivalDurationMs, scheduledAttempts } from '../plan/arrival.js';
import { formatArrival } from '../plan/format.js';
import type { Arrival, LoadPlan } from '../plan/plan.js';
import { type ProxySettings, protocolsOf, proxySubjectOf, type SubjectKind, subjectOf } from '../subjects/index.js';
import type { Protocol } from '../subjects/settings.js';
import type { Report } from './blame.js';
import { EXCHANGE_THROUGH, FILL, LOAD, PICK } from './defaults.js';
import { checkEngine, loadEngineFor } from './load-engine.js';
import { type AddressInput, type LoadInput, usesPorts } from './merge.js';
import type { ArrivalInput } from './schema.js';

/** One run keeps a record of each attempt's outcome in memory and in the kernel's TIME_WAIT table. */
export const MAX_ATTEMPTS = 20_000_000;

export const MAX_RUN_MS = 3_600_000;

/** An arrival as the profile gives it, in the plan's form. */
export function planArrival(input: ArrivalInput): Arrival {
  switch (input.shape) {
    case 'constant':
    case 'poisson':
      return { shape: input.shape, rate: input.rate, durationMs: input.duration };
    case 'ramp':
      return { shape: 'ramp', from: input.from, to: input.to, durationMs: input.duration };
    case 'steps':
      return { shape: 'steps', rates: input.rates, eachMs: input.each };
    case 'fill':
      return {
        shape: 'fill',
        attempts: input.attempts ?? null,
        failures: input.failures ?? null,
        ...(input.within === undefined ? {} : { withinMs: input.within }),
        inFlight: input.inFlight ?? FILL.inFlight,
        waves: input.waves ?? FILL.waves,
        pauseMs: input.pause ?? FILL.pauseMs,
      };
    case 'hold':
      return { shape: 'hold', connections: input.connections, durationMs: input.duration };
  }
}

/** The load with its defaults. */
export function planLoad(
  input: LoadInput & { arrival: ArrivalInput },
  pick: AddressInput['pick'],
  subject: SubjectKind,
  proxy: ProxySettings | undefined,
): LoadPlan {
  const engine = input.engine ?? loadEngineFor(input);
  const keepAlive = input.keepAlive ?? LOAD.keepAlive;
  const usual = protocolsOf(subject, proxy)[0];
  const protocol = input.protocol ?? (subjectOf(subject).role === 'client' && engine === 'http' ? 'get' : usual);
  const proxySubject = proxy && proxySubjectOf(proxy.kind);
  return {
    workers: input.workers ?? LOAD.workers,
    strategy: input.strategy ?? (proxy ? proxySubject!.strategy(proxy, null) : LOAD.strategy),
    pick: pick ?? PICK,
    arrival: planArrival(input.arrival),
    close: input.close ?? LOAD.close,
    drain: input.drain ?? LOAD.drain,
    holdMs: input.hold ?? defaultHoldMs(input.arrival.shape, protocol, keepAlive),
    timeoutMs: input.timeout ?? LOAD.timeoutMs,
    exchange: input.exchange ?? (proxy && protocol === 'tcp' ? EXCHANGE_THROUGH : LOAD.exchange),
    engine,
    keepAlive,
    tls: input.tls ?? LOAD.tls,
    protocol,
    body: input.body ?? LOAD.body,
    sink: input.sink ?? LOAD.sink,
    maxInFlight: input.maxInFlight ?? LOAD.maxInFlight,
    ports: input.ports ?? (proxy ? (proxySubject!.ownPorts?.(proxy) ?? null) : LOAD.ports),
    lagBudgetMs: input.lagBudget ?? LOAD.lagBudgetMs,
    clocks: input.clocks ?? LOAD.clocks,
  };
}

/**
 * `fill` and `hold` are about connections that stay open; the others about short ones. null: to the end of the run or wave. With
 * GET the hold is how long the origin takes to answer, and it must answer some time.
 */
function defaultHoldMs(shape: Arrival['shape'], protocol: Protocol, keepAlive: boolean): number | null {
  if (protocol === 'get' || keepAlive) return LOAD.holdMs;
  return shape === 'fill' || shape === 'hold' ? null : LOAD.holdMs;
}

/** How long one run's load takes at the least, in milliseconds: its arrivals, or the pauses of a fill. */
export function runDurationMs({ arrival }: LoadPlan): number {
  const arrivals = arrivalDurationMs(arrival);
  if (arrivals !== null) return arrivals;
  return arrival.shape === 'fill' ? (arrival.waves - 1) * arrival.pauseMs : 0;
}

/** @param addresses how many local addresses the arm has; 0 when they are in doubt themselves */
export function checkLoad(load: LoadPlan, addresses: number, report: Report): void {
  checkArrival(load, report);
  if (load.timeoutMs <= 0)
    report('found 0s; a timeout must be greater than 0: write "timeout: 5s"', ['load', 'timeout']);
  if (load.lagBudgetMs <= 0) {
    report('found 0s; no generator is that punctual: write "lagBudget: 10ms"', ['load', 'lagBudget']);
  }
  if (load.pick === 'by-worker' && addresses > 0 && load.workers > addresses) {
    report(
      `found ${load.workers} workers and pick by-worker, but ${addresses} ${addresses === 1 ? 'address' : 'addresses'}; every worker needs an address of its own: lower workers, or pick round-robin`,
      ['load', 'workers'],
      ['addresses', 'pick'],
      ['addresses', 'count'],
      ['addresses'],
    );
  }
  if (load.ports !== null && !usesPorts(load.strategy)) {
    report(
      `found a port list, which strategy ${load.strategy} does not use; ${STRATEGY_NAMES.filter(usesPorts).join(', ')} do: remove ports, or set net.ipv4.ip_local_port_range under sysctls`,
      ['load', 'ports'],
    );
  }
  checkEngine(load, report);
  if (load.sink === 'listen-only' && load.engine === 'socket') checkListenOnly(load, report);
}

function checkListenOnly(load: LoadPlan, report: Report): void {
  const why = 'with sink listen-only nobody accepts the connection';
  if (load.exchange !== null) {
    report(
      `found an exchange, but ${why} and answers: remove exchange, or write "sink: accept"`,
      ['load', 'exchange'],
      ['load', 'sink'],
    );
  }
  if (load.close === 'server') {
    report(
      `found close: server, but ${why} and closes it: write "close: client", or "sink: accept"`,
      ['load', 'close'],
      ['load', 'sink'],
    );
  }
}

function checkArrival(load: LoadPlan, report: Report): void {
  const { arrival } = load;
  const where = ['load', 'arrival'];
  if (arrival.shape === 'fill' && arrival.attempts === null && arrival.failures === null) {
    report('found a fill that never ends; it needs attempts or failures: add "failures: 20"', where);
    return;
  }
  const attempts = scheduledAttempts(arrival);
  if (attempts === 0 || arrivalDurationMs(arrival) === 0) {
    report(
      `found ${formatArrival(arrival)}, which schedules no attempt; raise the rate or the duration`,
      [...where, 'duration'],
      [...where, 'each'],
      where,
    );
  }
  if (attempts !== null && attempts > MAX_ATTEMPTS) {
    report(
      `found ${formatArrival(arrival)}, which is ${attempts} attempts in one run; at most ${MAX_ATTEMPTS} are allowed: lower the rate or the duration`,
      where,
    );
  }
  const duration = runDurationMs(load);
  if (duration > MAX_RUN_MS) {
    report(
      `found a run of ${formatDuration(duration)}; at most ${formatDuration(MAX_RUN_MS)} is allowed, and exhaustion shows within minutes: shorten the arrivals or the hold`,
      where,
      ['load', 'hold'],
    );
  }
  const limit = load.maxInFlight === null ? Number.POSITIVE_INFINITY : load.maxInFlight * load.workers;
  if (arrival.shape === 'hold' && arrival.connections > limit) {
    report(
      `found ${arrival.connections} connections to hold, but maxInFlight allows ${load.maxInFlight} for each of ${load.workers} workers; the rest would be shed: raise maxInFlight, or hold fewer`,
      [...where, 'connections'],
      ['load', 'maxInFlight'],
      ['load', 'workers'],
    );
  }
}
