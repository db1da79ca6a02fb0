/**
 * From what was seen of a failing call to its cause. The rules are those of the kernel (`docs/how-linux-picks-ports.md`); what a line leaves
 * open stays open. Pure.
 */
import type { StrategyName } from '../domain/strategy.js';
import { strategyOf } from '../domain/strategy.js';
import type { CauseName } from './causes.js';
import type { Errno, System } from './errno.js';
import type { Call, Endpoint } from './facts.js';

/** What was seen of a failing call. */
export interface Failure {
  readonly call: Call;
  readonly errno: Errno | null;
  readonly protocol: 'tcp' | 'udp' | 'sctp' | 'unix' | null;
  readonly system: System | null;
  /** What bind() asked for; null: not known. */
  readonly local: Endpoint | null;
  /** Where it was going; null: not known. */
  readonly remote: Endpoint | null;
  /** How the program gets its local port; null: not known. */
  readonly strategy: StrategyName | null;
}

/** The cause of a failure; undefined where nothing can be said. */
export function causeOf(failure: Failure): CauseName | undefined {
  const { call, errno, protocol, system } = failure;
  if (errno === null) return undefined;
  if (system === 'windows' && (errno === 'EADDRINUSE' || errno === 'ENOBUFS') && call !== 'listen')
    return 'windows-ports';
  if (errno === 'EMFILE' || errno === 'ENFILE') return 'descriptors';
  if (errno === 'ENOBUFS' || errno === 'ENOMEM') return 'memory';
  if (call === 'listen')
    return errno === 'EADDRINUSE' ? 'listening-port' : errno === 'EADDRNOTAVAIL' ? 'address-not-here' : undefined;
  const outgoing = call === 'connect' || call === 'send';
  if (errno === 'EAGAIN') {
    // connect() of a TCP socket never gives it, and a read or an accept that would block is no failure.
    if ((!outgoing && !(call === 'none' && protocol === 'udp')) || protocol === 'tcp') return undefined;
    if (protocol === 'sctp') return 'sctp-ports';
    return protocol === 'unix' ? 'unix-backlog' : 'udp-ports';
  }
  if (errno === 'EADDRINUSE') return inUse(failure);
  if (errno === 'EADDRNOTAVAIL') {
    if (call === 'bind') return 'address-not-here';
    if (system === 'bsd') return 'bsd-ports';
    if (system === 'windows') return 'windows-ports';
    return outgoing ? tuples(failure) : call === 'none' ? 'either' : undefined;
  }
  if (!outgoing) return undefined;
  return { ETIMEDOUT: 'no-answer', ECONNREFUSED: 'nobody-listens', EHOSTUNREACH: 'no-route', ENETUNREACH: 'no-route' }[
    errno
  ] as CauseName;
}

function inUse({ call, protocol, system, local, remote, strategy }: Failure): CauseName | undefined {
  if (call === 'socket' || call === 'accept') return undefined;
  // On the BSDs connect() gives it for a 4-tuple that is taken; on Linux it is the word of a bind() before it, which runtimes keep.
  if (system === 'bsd' && call === 'connect') return 'bsd-ports';
  const named = (local?.port ?? 0) > 0 || (strategy !== null && strategyOf(strategy).port === 'program');
  if (protocol === 'udp' || protocol === 'sctp') return named ? 'named-port' : `${protocol}-ports`;
  const bound = call === 'bind';
  if (named && (bound || call === 'connect')) return 'named-port';
  if (local?.port === 0 || (strategy !== null && (bound || call === 'connect'))) return 'ports-of-the-address';
  if (call === 'connect' || call === 'send' || (bound && remote !== null)) return 'ports-or-named-port';
  // Common words do not say whether the socket was to listen.
  return 'either';
}

/** EADDRNOTAVAIL of connect(). */
function tuples({ protocol, remote, strategy }: Failure): CauseName {
  if (protocol === 'udp') return 'four-tuples-or-ipv6';
  if (strategy !== null && strategyOf(strategy).port === 'program') return 'named-tuple';
  if (remote?.address.includes(':')) return 'four-tuples-or-ipv6';
  // A name may lead to either family. Digits may have been cut from a report.
  return /^[\dx*]{1,3}(?:\.[\dx*]{1,3}){3}$/i.test(remote?.address ?? '') ? 'four-tuples' : 'four-tuples-or-address';
}
