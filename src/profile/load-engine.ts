/**
 * The load's engines, and which of them can do what a load asks for. Pure.
 */

import { formatDuration } from '../domain/format.js';
import type { LoadEngine } from '../plan/load-engine.js';
import type { Destinations, LoadPlan } from '../plan/plan.js';
import type { Report } from './blame.js';

/** The engine of a load that names none: the socket engine where it can do the work. */
export function loadEngineFor(input: {
  readonly keepAlive?: boolean | undefined;
  readonly tls?: boolean | undefined;
}): LoadEngine {
  return input.keepAlive === true || input.tls === true ? 'http' : 'socket';
}

/** What does not go with the engine of a load. */
export function checkEngine(load: LoadPlan, report: Report): void {
  if (load.engine === 'socket') return checkSocketEngine(load, report);
  if (load.protocol === 'tcp')
    report(
      'found protocol tcp, but the HTTP engine only speaks HTTP: write "protocol: get", or "engine: socket"',
      ['load', 'protocol'],
      ['load', 'engine'],
    );
  if (load.exchange !== null)
    report('found an exchange, but the HTTP engine sends a GET and reads its answer: remove exchange, and give body', [
      'load',
      'exchange',
    ]);
  if (load.sink === 'listen-only')
    report('found sink listen-only, but with the HTTP engine the origin must answer: write "sink: accept"', [
      'load',
      'sink',
    ]);
  if (load.drain)
    report('found drain, which only the socket engine can do: remove it, or write "engine: socket"', ['load', 'drain']);
  if (load.clocks > 1)
    report('found clocks, which only the socket engine can give its clients: remove it, or write "engine: socket"', [
      'load',
      'clocks',
    ]);
  checkTunnel(load, report);
}

function checkSocketEngine(load: LoadPlan, report: Report): void {
  for (const key of ['keepAlive', 'tls'] as const) {
    if (load[key])
      report(
        `found ${key}, which only the HTTP engine can do: write "engine: http", or remove ${key}`,
        ['load', key],
        ['load', 'engine'],
      );
  }
}

/** Of a tunnel, the hold is the time that it is kept open after the answer to its GET. */
function checkTunnel(load: LoadPlan, report: Report): void {
  if (load.keepAlive && load.arrival.shape === 'hold')
    report(
      'found keepAlive with an arrival that holds connections; a connection that is used again is not opened again: remove keepAlive, or use another arrival',
      ['load', 'keepAlive'],
    );
  if (load.protocol === 'get' || load.holdMs === 0) return;
  const hold = load.holdMs === null ? 'a hold to the end' : `hold ${formatDuration(load.holdMs)}`;
  if (load.keepAlive)
    report(
      `found keepAlive and ${hold}; a tunnel that is used again is not held: write "hold: 0s", or remove keepAlive`,
      ['load', 'hold'],
      ['load', 'keepAlive'],
    );
  if (load.close === 'server')
    report(
      `found close: server and ${hold}; with the HTTP engine the origin closes after its answer: write "hold: 0s", or "close: client"`,
      ['load', 'hold'],
      ['load', 'close'],
    );
}

/** The certificate is the lab's own, made at start: nobody else can show it. */
export function checkTls({ tls }: LoadPlan, destinations: Destinations, report: Report): void {
  if (tls && destinations.kind !== 'lab')
    report(
      "found tls and targets outside the lab, whose certificates are not of the lab's making: remove tls, or the targets",
      ['load', 'tls'],
      ['destinations', 'targets'],
    );
}
