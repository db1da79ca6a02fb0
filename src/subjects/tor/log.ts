/**
 * What Tor says: lines of its log, and events of its control port (control-spec). Pure.
 */
import { eventBy, gaveUp, type LogEvent, type LogRule, OUT_OF_DESCRIPTORS, refused } from '../running/log-book.js';

const ERRNOS: Readonly<Record<string, string>> = {
  'Address already in use': 'EADDRINUSE',
  'Cannot assign requested address': 'EADDRNOTAVAIL',
};
const RULES: readonly LogRule[] = [
  [/Error binding network socket: (.+)$/, ([, words]) => refused('bind', ERRNOS[words!] ?? null)],
  [/connect\(\) to socket failed: (.+)$/, ([, words]) => refused('connect', ERRNOS[words!] ?? null)],
  // Once in six hours, for a bind() that failed.
  [/Failing because we have \d+ connections already/, refused('bind', 'EADDRINUSE')],
  [/Too many open files/, OUT_OF_DESCRIPTORS],
  [/\[err\] (.+)$/, gaveUp],
];

/** A line of an exit's log, of whatever level. */
export function readTorLine(line: string): LogEvent | null {
  return eventBy(RULES, line);
}

export interface StreamEvent {
  readonly id: string;
  readonly status: string;
  /** `ADDRESS:PORT` that it is to go to. */
  readonly target: string;
  /** The address that its client came from; null where it came through a Unix socket. */
  readonly source: string | null;
  /** Why it ended, as `END`; and in the RELAY_END cell, as `RESOURCELIMIT`. */
  readonly reason: string | null;
  readonly remoteReason: string | null;
}

/** `STREAM ID STATUS CIRCUIT TARGET KEY=VALUE …`. @returns null for any other event */
export function parseStream(event: string): StreamEvent | null {
  const [type, id, status, , target, ...rest] = event.split(' ');
  if (type !== 'STREAM' || id === undefined || status === undefined || target === undefined) return null;
  const value = (key: string) => rest.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1) ?? null;
  const source = value('SOURCE_ADDR');
  const address = source === null ? null : /^([\d.]+):\d+$/.exec(source)?.[1];
  return { id, status, target, source: address ?? null, reason: value('REASON'), remoteReason: value('REMOTE_REASON') };
}

export interface CircuitEvent {
  readonly id: string;
  readonly status: string;
  readonly reason: string | null;
}

/** `CIRC ID STATUS …`. @returns null for any other event */
export function parseCircuit(event: string): CircuitEvent | null {
  const [type, id, status, ...rest] = event.split(' ');
  if (type !== 'CIRC' || id === undefined || status === undefined) return null;
  const reason = rest.find((word) => /^(?:REMOTE_)?REASON=/.test(word)) ?? null;
  return { id, status, reason: reason?.slice(reason.indexOf('=') + 1) ?? null };
}

/** Reasons of RELAY_END cells in the order of their numbers, from 1 on (tor-spec, "Closing streams"). */
const END_REASONS: readonly (string | null)[] = (
  'MISC RESOLVEFAILED CONNECTREFUSED EXITPOLICY DESTROY DONE TIMEOUT NOROUTE HIBERNATING INTERNAL RESOURCELIMIT CONNRESET ' +
  'TORPROTOCOL NOTDIRECTORY'
).split(' ');

/** The number of a reason; that of MISC for those that are no reason of a cell. */
export function endReasonNumber(reason: string | null): number {
  return Math.max(1, END_REASONS.indexOf(reason) + 1);
}

/** Percent, tag and summary of `status/bootstrap-phase`: `14% (handshake): Handshaking with a relay`. */
export function bootstrapPhase(status: string): { percent: number; text: string } | null {
  const percent = /\bPROGRESS=(\d+)/.exec(status)?.[1];
  if (percent === undefined) return null;
  const tag = /\bTAG=(\S+)/.exec(status)?.[1];
  const summary = /\bSUMMARY="([^"]*)"/.exec(status)?.[1];
  return { percent: Number(percent), text: `${percent}% (${tag})${summary ? `: ${summary}` : ''}` };
}
