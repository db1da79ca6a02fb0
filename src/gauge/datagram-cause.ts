/**
 * Why the UDP ports of a namespace fill up: there is one reason, sockets that are open, since a port is free as soon as its socket is closed. Pure.
 */

import { grouped } from '../domain/grouped.js';
import { OPEN_DATAGRAMS } from '../explain/held.js';
import type { Diagnosis } from './cause.js';
import type { AddressReading } from './reading.js';

/** @param addresses the fullest first */
export function diagnoseDatagrams(addresses: readonly AddressReading[]): Diagnosis {
  const [fullest] = addresses;
  const address = fullest?.address ?? null;
  const calm = { class: 'healthy', address, evidence: [], advice: null, also: [] } as const;
  if (!fullest) return { ...calm, sentence: 'Healthy: no UDP socket has an ephemeral port.' };
  const where = fullest.address === '*' ? 'on all addresses together' : `on ${fullest.address}`;
  const held = `${grouped(fullest.used)} UDP ports are taken ${where}, by sockets that are open`;
  if (fullest.level === 'ok') return { ...calm, sentence: `Healthy: ${held}.` };
  return {
    ...calm,
    class: fullest.level === 'hard' ? 'hard-wall' : 'slow-wall',
    sentence: `${held}: UDP has no TIME_WAIT, so that they come back only when their sockets are closed.`,
    advice: OPEN_DATAGRAMS,
  };
}
