/**
 * The outcome of one attempt, and the grammar of its name: what the engines write, profiles may ask for and reports show. Pure.
 *
 *     ok                          the connection stood, and whatever was to be said over it was said
 *     shed                        never started: the generator was at its limit
 *     answer:none                 UDP: no answer came in time. answer:stolen: it came to another socket, which shares the port
 *     PHASE:ERRNO                 the call or phase that failed: bind:EADDRINUSE, exchange:EOF, tls:EPROTO, connect:E200
 *     http:STATUS [NAME]          the answer of a proxy or an origin: http:502, http:503 ERR_CONNECT_FAIL (X-Squid-Error)
 *     http:other                  one of too many different answers to name each
 *     socks:REPLY                 the reply of a SOCKS5 server, in the words of RFC 1928: socks:general-failure, socks:reply-9
 *     turn:CODE                   the error of a TURN server: turn:508, no port is left for a relay
 *     dns:CODE                    the answer of a resolver that was none: dns:SERVFAIL; dns:no-address: without the address of the name
 *
 * A tunnel has no outcomes of its own: until it stands a failure is an answer (`http:`, `socks:`) or `response:`, afterwards `tls:`
 * or `exchange:`.
 */
import { RESPONSE_CODES } from './dns.js';
import { quote } from './units.js';
import { closest } from './words.js';

/**
 * What an attempt does, in order. `sendto`: a datagram sent, connected or not. `answer`: what comes back over UDP. `response`: what a proxy
 * answers. `timeout`: the plan's, in whatever phase it struck. `listen`: of a service that restarts,
 * which takes back its port.
 */
export const PHASES = [
  'socket',
  'setsockopt',
  'bind',
  'connect',
  'response',
  'tls',
  'exchange',
  'timeout',
  'sendto',
  'answer',
  'listen',
] as const;
export type Phase = (typeof PHASES)[number];

/** How an answer over UDP fails where no call does. */
const LOST_ANSWERS = ['none', 'stolen'] as const;
export type LostAnswer = (typeof LOST_ANSWERS)[number];

/** Replies of SOCKS5 by their number (RFC 1928, section 6); those from 9 on are unassigned. */
export const SOCKS_REPLIES = [
  'succeeded',
  'general-failure',
  'not-allowed',
  'network-unreachable',
  'host-unreachable',
  'connection-refused',
  'ttl-expired',
  'command-not-supported',
  'address-type-not-supported',
] as const;
/** The server accepts none of the methods offered (RFC 1928, section 3). */
export const SOCKS_NO_METHOD = 'no-acceptable-method';

/** A resolver's answer says that all is well, and does not have the address that the name has. */
export const NO_ADDRESS = 'no-address';

/** Stands for every answer that has no place left in the table of names. */
export const OTHER_ANSWER = 'http:other';

/**
 * The outcome of an answer that is a failure: `http:503 ERR_CONNECT_FAIL`.
 * @param status 300 or more
 * @param squidError the field X-Squid-Error, of which the first word is the name of the error; empty: there is none
 */
export function answerName(status: number, squidError: string): string {
  const error = /^[A-Z][A-Z0-9_]*/.exec(squidError)?.[0];
  return error === undefined ? `http:${status}` : `http:${status} ${error}`;
}

/** Whether an outcome is a failure: neither ok nor shed (a shed attempt never started, so it could not fail). */
export function isFailure(outcome: string): boolean {
  return outcome !== 'ok' && outcome !== 'shed';
}

/** Attempts that failed, by the counts of all outcomes. */
export function failureCount(outcomes: Readonly<Record<string, number>>): number {
  return Object.entries(outcomes).reduce((sum, [outcome, count]) => (isFailure(outcome) ? sum + count : sum), 0);
}

const PORT_SHORTAGES: ReadonlySet<string> = new Set([
  'bind:EADDRINUSE',
  'connect:EADDRNOTAVAIL',
  // Of UDP, whose sockets get their port by inet_autobind() (net/ipv4/af_inet.c): it says EAGAIN, and connect() of TCP never does.
  'connect:EAGAIN',
  'sendto:EAGAIN',
]);

/**
 * Whether an outcome says that no local port was free: bind(2) with port 0 fails with EADDRINUSE, connect(2) with EADDRNOTAVAIL, and of UDP
 * connect(2) and sendto(2) with EAGAIN. (bind:EADDRNOTAVAIL means that the address is not this machine's.) What a proxy answers never tells
 * its reason.
 */
export function isPortShortage(outcome: string): boolean {
  return PORT_SHORTAGES.has(outcome);
}

/** Phases in which the attempt has no connection yet, or in which nobody knows how far it was. */
const BEFORE_THE_PEER: ReadonlySet<string> = new Set([
  'socket',
  'setsockopt',
  'bind',
  'connect',
  'timeout',
  'sendto',
  // Nobody knows whether the peer answered, or where the answer went.
  'answer',
  'listen',
]);

/** Whether a failure came from the peer on an established connection: its answer, or that it ended the connection early. */
export function isPeerFailure(outcome: string): boolean {
  return isFailure(outcome) && !BEFORE_THE_PEER.has(prefixOf(outcome));
}

/** The errnos that outcomes mostly have, long enough for two wrong letters to be a typing error and not another errno. */
const FREQUENT_ERRNOS = [
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
];
const DNS_FAILURES: readonly string[] = [...RESPONSE_CODES.slice(1), NO_ADDRESS];
const REPLY_NAMES: readonly string[] = [...SOCKS_REPLIES.slice(1), SOCKS_NO_METHOD];

/**
 * Why no attempt can have this outcome, with what to write instead.
 * @returns undefined when an attempt can
 */
export function outcomeProblem(outcome: string): string | undefined {
  if (!isFailure(outcome)) return undefined;
  const prefix = prefixOf(outcome);
  const rest = outcome.slice(prefix.length + 1);
  const fault = (meant: string | undefined) =>
    `no attempt ends in the outcome ${quote(outcome)}; ${meant === undefined ? ALLOWED : `did you mean ${quote(meant)}?`}`;
  if (prefix === 'http') return outcome === OTHER_ANSWER || isAnswer(rest) ? undefined : fault(undefined);
  if (prefix === 'socks') {
    if (REPLY_NAMES.includes(rest) || isUnassignedReply(rest)) return undefined;
    const near = closest(rest, REPLY_NAMES);
    return fault(near && `socks:${near}`);
  }
  if (prefix === 'dns') {
    if (DNS_FAILURES.includes(rest) || /^RCODE(?:[6-9]|1[0-5])$/.test(rest)) return undefined;
    const near = closest(rest, DNS_FAILURES);
    return fault(near && `dns:${near}`);
  }
  if (prefix === 'turn') return /^[3-6]\d\d$/.test(rest) ? undefined : fault(undefined);
  if (prefix === 'answer') {
    if (LOST_ANSWERS.some((lost) => lost === rest)) return undefined;
    const near = closest(rest, LOST_ANSWERS);
    if (near !== undefined) return fault(`answer:${near}`);
  }
  if (PHASES.some((phase) => phase === prefix)) {
    const near = FREQUENT_ERRNOS.includes(rest) ? rest : closest(rest, FREQUENT_ERRNOS);
    if (near === undefined ? /^E[A-Z0-9]+$/.test(rest) : near === rest) return undefined;
    return fault(near && `${prefix}:${near}`);
  }
  const near = closest(prefix, [...PHASES, 'http', 'socks', 'dns', 'turn', 'shed']);
  const meant = near === undefined ? undefined : outcome.replace(prefix, near);
  return fault(meant !== undefined && outcomeProblem(meant) === undefined ? meant : undefined);
}

const ALLOWED =
  'write ok, shed, a phase and an errno (bind:EADDRINUSE, exchange:EOF), answer:none or answer:stolen (UDP), an answer of HTTP (http:502, http:503 ERR_CONNECT_FAIL, http:other), a reply of SOCKS5 (socks:general-failure), one of DNS (dns:SERVFAIL), or an error of TURN (turn:508)';

/** An answer below 300 is no failure. */
function isAnswer(rest: string): boolean {
  return /^[3-9]\d\d(?: [A-Z][A-Z0-9_]*)?$/.test(rest);
}

function isUnassignedReply(rest: string): boolean {
  const reply = Number(/^reply-([1-9]\d{0,2})$/.exec(rest)?.[1]);
  return reply >= SOCKS_REPLIES.length && reply <= 255;
}

function prefixOf(outcome: string): string {
  return outcome.split(':', 1)[0]!;
}
