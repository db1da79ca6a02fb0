/**
 * Third pass, a load over UDP: refused where it asks for what only TCP has, or contradicts itself; and keys of UDP in a load over TCP. Pure.
 */
import { awaitsAnswer, hasOwnMessages, MARK_BYTES, MOST_DATAGRAM_BYTES } from '../domain/datagram.js';
import { transportOf } from '../domain/protocol.js';
import { strategyOf } from '../domain/strategy.js';
import type { LoadPlan } from '../plan/plan.js';
import type { Report } from './problem.js';

const OF_DATAGRAMS = {
  peer: 'peer',
  socketOptions: 'socketOptions',
  sockets: 'sockets',
  answerAfterMs: 'answerAfter',
} as const;

/** What of the transport does not go with the rest of a load. */
export function checkTransport(load: LoadPlan, report: Report): void {
  if (transportOf(load.protocol) === 'udp') return checkDatagrams(load, report);
  const { only } = strategyOf(load.strategy);
  if (only !== undefined)
    report(
      `strategy ${load.strategy} is of UDP: write "protocol: udp", or another strategy, for example "strategy: connect"`,
      ['load', 'strategy'],
      ['load', 'protocol'],
    );
  for (const [key, name] of Object.entries(OF_DATAGRAMS))
    if (load[key as keyof typeof OF_DATAGRAMS] !== undefined)
      report(`${name} is of UDP: write "protocol: udp", or remove ${name}`, ['load', name], ['load', 'protocol']);
}

function checkDatagrams(load: LoadPlan, report: Report): void {
  const unfit = {
    engine: load.engine !== 'socket' && 'engine: http',
    keepAlive: load.keepAlive !== false && 'keepAlive',
    tls: load.tls && 'tls',
    drain: load.drain && 'drain',
    clocks: load.clocks > 1 && 'clocks',
    close: load.close !== 'client' && `close: ${load.close}`,
    sink: load.sink !== 'accept' && `sink: ${load.sink}`,
    recovery: load.recovery !== undefined && 'recovery',
  };
  for (const [key, what] of Object.entries(unfit))
    if (what !== false)
      report(
        `${what} is of TCP, and protocol ${load.protocol} has no connections: remove ${key}, or write "protocol: tcp"`,
        ['load', key],
        ['load', 'protocol'],
      );
  checkPeer(load, report);
  if (!hasOwnMessages(load.protocol)) checkSize(load, report);
  else if (load.exchange !== null)
    report(
      `with protocol ${load.protocol} its own messages are the exchange: remove exchange, or write "protocol: udp"`,
      ['load', 'exchange'],
    );
}

function checkPeer(load: LoadPlan, report: Report): void {
  const { strategy, peer, sockets, answerAfterMs } = load;
  const { port, address } = strategyOf(strategy);
  if (address === 'none' && peer !== port)
    report(
      `strategy ${strategy} gets its port by ${port}(), which does not go with "peer: ${peer}": remove peer, or use another strategy`,
      ['load', 'peer'],
      ['load', 'sockets'],
    );
  else if (sockets === 'one' && peer !== 'sendto')
    report(
      `one socket for all attempts goes to several destinations, so each datagram names its own: write "peer: sendto", or "sockets: each"`,
      ['load', 'peer'],
      ['load', 'sockets'],
    );
  if (peer === 'none' && awaitsAnswer(load))
    report(
      'with peer: none nothing is sent, so that there is no exchange: remove one of the two',
      ['load', 'exchange'],
      ['load', 'peer'],
    );
  if (!awaitsAnswer(load) && answerAfterMs !== undefined)
    report('answerAfter is the delay of an answer, and without an exchange there is none: remove it', [
      'load',
      'answerAfter',
    ]);
}

function checkSize({ exchange }: LoadPlan, report: Report): void {
  for (const key of ['request', 'response'] as const) {
    const bytes = exchange?.[key] ?? MARK_BYTES;
    if (bytes < MARK_BYTES || bytes > MOST_DATAGRAM_BYTES)
      report(
        `${key} is ${bytes} B; a datagram of the load has ${MARK_BYTES} to ${MOST_DATAGRAM_BYTES}: ${MARK_BYTES} tell which attempt it belongs to, and UDP carries no more`,
        ['load', 'exchange', key],
        ['load', 'exchange'],
      );
  }
}
