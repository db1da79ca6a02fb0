/**
 * Third pass, the load of an arm: refused where its settings contradict each other, do nothing, or never end. Pure.
 */
import { formatDuration, formatRate, plural } from '../domain/format.js';
import { STRATEGY_NAMES } from '../domain/strategy.js';
import { arrivalDurationMs, scheduledAttempts } from '../plan/arrival.js';
import { formatArrival } from '../plan/arrival-settings.js';
import { fillBoundMs } from '../plan/fill-bound.js';
import type { Destinations, LoadPlan } from '../plan/plan.js';
import type { SearchSettings } from '../plan/search.js';
import { checkTransport } from './check-datagrams.js';
import { usesPorts } from './merge.js';
import type { Report } from './problem.js';

/** One run keeps a record of each attempt's outcome in memory and in the kernel's TIME_WAIT table. */
const MAX_ATTEMPTS = 20_000_000;

const MAX_RUN_MS = 3_600_000;

const ARRIVAL = ['load', 'arrival'] as const;

/** How long one run's load takes at the least, in milliseconds: its arrivals, or the pauses of a fill. */
export function runDurationMs({ arrival }: LoadPlan): number {
  const arrivals = arrivalDurationMs(arrival);
  if (arrivals !== null) return arrivals;
  return arrival.shape === 'fill' ? (arrival.waves - 1) * arrival.pauseMs : 0;
}

/** @param addresses how many local addresses the arm has; 0 when they are in doubt themselves */
export function checkLoad(load: LoadPlan, addresses: number, report: Report): void {
  checkArrival(load, report);
  if (load.timeoutMs <= 0) report('timeout must be greater than 0s, for example "timeout: 5s"', ['load', 'timeout']);
  if (load.lagBudgetMs <= 0)
    report('lagBudget must be greater than 0s, for example "lagBudget: 10ms"', ['load', 'lagBudget']);
  if (load.pick === 'by-worker' && addresses > 0 && load.workers > addresses)
    report(
      `pick by-worker gives every worker an address of its own, but there are ${load.workers} workers and ${addresses} ${plural('address', addresses)}: lower workers, or pick round-robin`,
      ['load', 'workers'],
      ['addresses', 'pick'],
      ['addresses', 'count'],
      ['addresses'],
    );
  if (load.ports !== null && !usesPorts(load.strategy, load.socketOptions))
    report(
      `strategy ${load.strategy} does not use a port list (${STRATEGY_NAMES.filter((name) => usesPorts(name)).join(', ')} do): remove ports, or set net.ipv4.ip_local_port_range under sysctls`,
      ['load', 'ports'],
    );
  checkTransport(load, report);
  if (load.engine === 'socket') checkSocketEngine(load, report);
  else checkHttpEngine(load, report);
  if (load.keepAliveRequests !== undefined && !load.keepAlive)
    report('keepAliveRequests has no effect without keepAlive: add "keepAlive: true", or remove keepAliveRequests', [
      'load',
      'keepAliveRequests',
    ]);
}

function checkSocketEngine(load: LoadPlan, report: Report): void {
  for (const key of ['keepAlive', 'tls'] as const)
    if (load[key])
      report(`${key} needs the HTTP engine: write "engine: http", or remove ${key}`, ['load', key], ['load', 'engine']);
  if (load.sink === 'accept') return;
  if (load.exchange !== null)
    report(
      'an exchange needs an origin that answers, and with sink listen-only nobody accepts the connection: remove exchange, or write "sink: accept"',
      ['load', 'exchange'],
      ['load', 'sink'],
    );
  if (load.close === 'server')
    report(
      'close: server needs an origin that closes, and with sink listen-only nobody accepts the connection: write "close: client", or "sink: accept"',
      ['load', 'close'],
      ['load', 'sink'],
    );
}

function checkHttpEngine(load: LoadPlan, report: Report): void {
  if (load.protocol === 'tcp')
    report(
      'the HTTP engine does not speak protocol tcp: write "protocol: get", or "engine: socket"',
      ['load', 'protocol'],
      ['load', 'engine'],
    );
  if (load.exchange !== null)
    report('the HTTP engine has no "exchange" (it sends a GET and reads the answer): remove exchange, and give body', [
      'load',
      'exchange',
    ]);
  if (load.sink === 'listen-only')
    report('the HTTP engine needs an origin that answers, and with sink listen-only none does: write "sink: accept"', [
      'load',
      'sink',
    ]);
  for (const key of ['drain', 'clocks'] as const)
    if (load[key] === true || Number(load[key]) > 1)
      report(`the HTTP engine has no "${key}": remove it, or write "engine: socket"`, ['load', key]);
  if (load.keepAlive && load.arrival.shape === 'hold')
    report(
      'keepAlive reuses connections, and an arrival that holds them opens each once: remove keepAlive, or use another arrival',
      ['load', 'keepAlive'],
    );
  // Of a tunnel, the hold is the time that it is kept open after the answer to its GET.
  if (load.protocol === 'get' || load.holdMs === 0) return;
  const hold = load.holdMs === null ? 'hold to the end' : `hold ${formatDuration(load.holdMs)}`;
  if (load.keepAlive)
    report(
      `keepAlive reuses a tunnel at once and cannot be combined with ${hold}: write "hold: 0s", or remove keepAlive`,
      ['load', 'hold'],
      ['load', 'keepAlive'],
    );
  if (load.close === 'server')
    report(
      `with the HTTP engine the origin closes after its answer, so close: server does not go with ${hold}: write "hold: 0s", or "close: client"`,
      ['load', 'hold'],
      ['load', 'close'],
    );
}

/** The certificate is the lab's own, made at start: nobody else can show it. */
export function checkTls({ tls }: LoadPlan, destinations: Destinations, report: Report): void {
  if (tls && destinations.kind !== 'lab')
    report(
      'tls needs the certificate that the lab makes, and targets outside the lab have another: remove tls, or the targets',
      ['load', 'tls'],
      ['destinations', 'targets'],
    );
}

function checkArrival(load: LoadPlan, report: Report): void {
  const { arrival } = load;
  if (arrival.shape === 'fill' && arrival.attempts === null && arrival.failures === null)
    return report('this fill never ends; it needs attempts or failures: add "failures: 20"', ARRIVAL);
  const attempts = scheduledAttempts(arrival);
  if (attempts === 0 || arrivalDurationMs(arrival) === 0)
    report(
      `${formatArrival(arrival)} schedules no attempt: raise the rate or the duration`,
      [...ARRIVAL, 'duration'],
      [...ARRIVAL, 'each'],
      ARRIVAL,
    );
  if (attempts !== null && attempts > MAX_ATTEMPTS)
    report(
      `${formatArrival(arrival)} is ${attempts} attempts in one run; at most ${MAX_ATTEMPTS} are allowed: lower the rate or the duration`,
      ARRIVAL,
    );
  const duration = runDurationMs(load);
  if (duration > MAX_RUN_MS)
    report(
      `a run would take ${formatDuration(duration)}; at most ${formatDuration(MAX_RUN_MS)} is allowed, and exhaustion shows within minutes: shorten the arrivals or the hold`,
      ARRIVAL,
      ['load', 'hold'],
    );
  const bound = arrival.shape === 'fill' && arrival.attempts === null ? (fillBoundMs(arrival) ?? 0) * arrival.waves : 0;
  if (arrival.shape === 'fill' && bound > MAX_RUN_MS)
    report(
      `this fill may go on for ${formatDuration(bound)} (${arrival.waves} ${plural('wave', arrival.waves)} of at most ${formatDuration(bound / arrival.waves)}); at most ${formatDuration(MAX_RUN_MS)} is allowed: write "within: 1m", or a number of attempts`,
      [...ARRIVAL, 'within'],
      ARRIVAL,
    );
  const limit = load.maxInFlight === null ? Number.POSITIVE_INFINITY : load.maxInFlight * load.workers;
  if (arrival.shape === 'hold' && arrival.connections > limit)
    report(
      `maxInFlight allows ${load.maxInFlight} sockets for each of ${load.workers} workers, so not all of ${arrival.connections} connections can be held and the rest would be shed: raise maxInFlight, or hold fewer`,
      [...ARRIVAL, 'connections'],
      ['load', 'maxInFlight'],
      ['load', 'workers'],
    );
}

/** The settings of `arrival: { find: max-rate }`. */
export function checkSearch(search: SearchSettings, report: Report): void {
  if (search.from > search.to)
    report(
      `the search ends at ${formatRate(search.to)}, below its first step (${formatRate(search.from)}): raise to, or lower from`,
      [...ARRIVAL, 'to'],
    );
  if (search.stepMs < 100) report('a step below 100ms tells nothing: write "step: 3s"', [...ARRIVAL, 'step']);
}
