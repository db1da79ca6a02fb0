/**
 * The defaults as the reference of the profile shows them, from the defaults themselves.
 */

import { formatDuration, formatRate } from '../domain/format.js';
import { AFTER_DEFAULT, BETWEEN_DEFAULT, BOX } from '../plan/box.js';
import { SEARCH } from '../plan/search.js';
import { PROXY_KINDS, proxySubjectOf, SUBJECT_SETTINGS, subjectOf } from '../subjects/index.js';
import { DESTINATIONS, FILL, GUARDRAILS, KERNEL, LAB, LOAD, PICK, REPEAT, SEED, SUBJECT, WARMUP } from './defaults.js';

/** Key → default, for the keys that have one. */
export const DEFAULTS: Readonly<Record<string, string>> = {
  'lab.kind': LAB,
  'lab.engine': 'uml for a Debian suite; for a path and for running, what boots such a file',
  'lab.kernel': KERNEL,
  'kernels[].engine': 'that of lab.engine',
  'lab.box': BOX,
  'lab.after': AFTER_DEFAULT,
  'lab.between': BETWEEN_DEFAULT,
  'subject.kind': SUBJECT,
  allowHostChanges: 'false',
  'addresses.pick': PICK,
  'destinations.addresses': String(DESTINATIONS.addresses),
  'destinations.ports': String(DESTINATIONS.ports),
  'load.workers': String(LOAD.workers),
  'load.strategy': LOAD.strategy,
  'load.close': LOAD.close,
  'load.drain': String(LOAD.drain),
  'load.hold': '0s; with fill and hold: to the end',
  'load.timeout': formatDuration(LOAD.timeoutMs),
  'load.sink': LOAD.sink,
  'load.maxInFlight': 'what the descriptor limit allows',
  'load.ports': "the kernel's range",
  'load.engine': `${LOAD.engine}; with keepAlive or tls: http`,
  'load.keepAlive': String(LOAD.keepAlive),
  'load.tls': String(LOAD.tls),
  'load.protocol': `${LOAD.protocol}; with engine http: get; ${usualProtocols()}`,
  'load.body': String(LOAD.body),
  ...Object.fromEntries(
    Object.entries(SUBJECT_SETTINGS).map(([key, row]) => [`subject.${key}`, row.needed ? '' : row.defaultText]),
  ),
  'load.clocks': String(LOAD.clocks),
  'neighbours[].where': 'beside',
  'neighbours[].duration': 'what is left of the load',
  'neighbours[].after': '0s',
  'neighbours[].addresses': "one of the lab's own",
  'neighbours[].strategy': LOAD.strategy,
  'neighbours[].protocol': 'what load.protocol would be',
  'neighbours[].hold': formatDuration(0),
  'neighbours[].timeout': formatDuration(LOAD.timeoutMs),
  'neighbours[].body': String(LOAD.body),
  'load.lagBudget': formatDuration(LOAD.lagBudgetMs),
  repeat: String(REPEAT),
  warmup: String(WARMUP),
  seed: String(SEED),
  goal: 'failures.share; with fill: capacity',
  guardrails: GUARDRAILS.join(', '),
};

export const ARRIVAL_DEFAULTS: Readonly<Record<string, string>> = {
  inFlight: String(FILL.inFlight),
  waves: String(FILL.waves),
  pause: formatDuration(FILL.pauseMs),
};

/** Of `find: max-rate`. */
export const FIND_DEFAULTS: Readonly<Record<string, string>> = {
  from: formatRate(SEARCH.from),
  to: formatRate(SEARCH.to),
  tolerance: `${SEARCH.tolerance * 100}%`,
  confirm: String(SEARCH.confirm),
  step: formatDuration(SEARCH.stepMs),
  p99: 'no limit',
};

/** `squid connect, haproxy tcp, …`: what the clients of each kind say where a profile does not tell. */
function usualProtocols(): string {
  const usual = [
    ...PROXY_KINDS.map((kind) => [kind, proxySubjectOf(kind).protocols(proxySubjectOf(kind).defaults)[0]]),
    ['external', subjectOf('external').protocols()[0]],
  ];
  return `with a subject: ${usual.map((pair) => pair.join(' ')).join(', ')}; with "mode: http": get`;
}
