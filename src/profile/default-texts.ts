/**
 * The defaults as the reference of the profile shows them, from the defaults themselves.
 */

import { formatDuration, formatRate } from '../domain/format.js';
import { AFTER_DEFAULT, BETWEEN_DEFAULT, BOX } from '../plan/box.js';
import { SEARCH } from '../plan/search.js';
import { HAPROXY, NGINX, SQUID, TOR } from '../subjects/defaults.js';
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
  'load.protocol': `${LOAD.protocol}; with engine http: get; with squid and external: connect; with dante and tor: socks5; with nginx in mode http, and haproxy in it: get`,
  'load.body': String(LOAD.body),
  'subject.binary': 'the name of the kind; dante: danted',
  'subject.persistent': String(SQUID.persistent),
  'subject.outgoing': SQUID.outgoing,
  'subject.descriptors': 'what a process may have, at most 65536',
  'load.clocks': String(LOAD.clocks),
  'subject.mode': `haproxy: ${HAPROXY.mode}; nginx: ${NGINX.mode}`,
  'subject.ports': 'the kernel chooses',
  'subject.clients': 'as many as keep the clients from running out of ports',
  'subject.suite': 'the program of this machine',
  'subject.deadline': formatDuration(TOR.deadline),
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
