/**
 * Output of strace(1): which socket calls failed, and by what strategy the sockets got their ports. Pure.
 */
import type { StrategyName } from '../domain/strategy.js';
import type { Call } from './cause.js';
import { type Errno, errnoOf } from './errno.js';

export interface TracedFailure {
  readonly call: Call;
  readonly errno: Errno;
  readonly port: number | null;
  readonly address: string | null;
  readonly strategy: StrategyName | null;
  /** The options that decide were in the trace too. */
  readonly sure: boolean;
  readonly note: string | null;
}

/** A call of a socket for IPv4 or IPv6, as it was answered. */
export interface SeenCall {
  readonly pid: number;
  readonly name: 'bind' | 'connect' | 'sendto' | 'sendmsg' | 'close';
  /** null: it succeeded, or goes on (EINPROGRESS). */
  readonly errno: string | null;
  /** `203.0.113.7:443`; null: none is named. */
  readonly to: string | null;
  /** Whether it is a socket of connections (SOCK_STREAM); null: its socket() is not in the trace. */
  readonly stream: boolean | null;
  /** How the port of the connection is chosen. */
  readonly strategy: StrategyName;
  /** A connection was begun on this socket before. */
  readonly connected: boolean;
}

interface Traced {
  /** Whether its socket() is in the trace, so that its options are. */
  readonly whole: boolean;
  readonly options: Set<string>;
  /** Set after bind(), where it does nothing. */
  readonly late: Set<string>;
  bound: Bound | null;
  readonly stream: boolean | null;
  connected: boolean;
}

interface Bound {
  /** To the wildcard address. */
  readonly any: boolean;
  readonly port: number;
}

interface Event {
  readonly pid: string;
  readonly name: string;
  readonly args: string;
  readonly result: number;
  readonly errno: string | null;
}

// None of them may take the square of a line's length: bounded where two parts could share the same text, and no `\s*` before a text that is sought.
const PREFIX = String.raw`^(?:\[pid\s{1,8}(\d{1,10})\]\s{1,8}|(\d{1,10})\s{1,8})?(?:\d[\d:.]{0,32}\s{1,8})?`;
const CALLS = 'socket|setsockopt|bind|connect|listen|accept4?|close|sendto|sendmsg';
const COMPLETE = new RegExp(`${PREFIX}(${CALLS})\\((.*)\\)\\s+=\\s+(-?\\d+)(?:\\s+(E[A-Z]+))?`);
const UNFINISHED = new RegExp(`${PREFIX}(${CALLS})\\((.*)<unfinished \\.\\.\\.>`);
const RESUMED = new RegExp(`${PREFIX}<\\.\\.\\. (${CALLS}) resumed>(.*)\\)\\s+=\\s+(-?\\d+)(?:\\s+(E[A-Z]+))?`);
/** Lines that are part of a trace and say nothing here. */
const OTHER =
  /^(?:\[pid\s{1,8}\d{1,10}\]\s{1,8}|\d{1,10}\s{1,8})?(?:\d[\d:.]{0,32}\s{1,8})?(?:[a-z_0-9]{1,64}\(.*(?:=\s+(?:-?\d+|\?|0x[0-9a-f]+)|<unfinished \.\.\.>)|<\.\.\. \w+ resumed>|\+\+\+ .*\+\+\+|--- SIG.*---|strace: )/;

/** A line of a trace ends the result of a call with one of these, or tells of a signal, an exit, or strace itself. */
export const TRACE_NEEDLES = [' = ', '<unfinished ...>', ' resumed>', '+++ ', '--- sig', 'strace: '] as const;

/** Calls that were begun, and sockets, that are remembered: more than a program has, and less than a hostile file could name. */
const MOST_PENDING = 1024;
const MOST_SOCKETS = 32_768;

export interface TraceReader {
  /**
   * Follow one line of any text; the lines come in their order.
   * @returns whether strace wrote it, the failure that is worth a word, if it is one, and the call that a count is interested in
   */
  read(line: string): {
    readonly traced: boolean;
    readonly failure: TracedFailure | null;
    readonly call: SeenCall | null;
  };
}

/** What was seen so far of a trace, whose sockets each further line is understood by. */
export function createTraceReader(): TraceReader {
  const sockets = new Map<string, Traced>();
  const pending = new Map<string, string>();
  return {
    read(line) {
      const event = parse(line, pending);
      if (!event) return { traced: OTHER.test(line), failure: null, call: null };
      if (event === 'part') return { traced: true, failure: null, call: null };
      const call = seen(event, sockets);
      return { traced: true, failure: follow(event, sockets), call };
    },
  };
}

function keep<T>(map: Map<string, T>, most: number, key: string, value: T): void {
  map.set(key, value);
  if (map.size > most) map.delete(map.keys().next().value!);
}

function parse(line: string, pending: Map<string, string>): Event | 'part' | null {
  const unfinished = UNFINISHED.exec(line);
  if (unfinished) {
    const [, a, b, name, args] = unfinished;
    // A copy: a part of a line keeps all of the text that the line was read with.
    keep(pending, MOST_PENDING, `${a ?? b ?? ''} ${name}`, Buffer.from(args!.trimEnd().replace(/,$/, '')).toString());
    return 'part';
  }
  const resumed = RESUMED.exec(line);
  const match = resumed ?? COMPLETE.exec(line);
  if (!match) return null;
  const [, a, b, name, rest, result, errno] = match;
  const pid = a ?? b ?? '';
  if (!resumed) return { pid, name: name!, args: rest!, result: Number(result), errno: errno ?? null };
  const key = `${pid} ${name}`;
  const before = pending.get(key);
  pending.delete(key);
  const after = rest!.trimStart().replace(/^,/, '').trimStart();
  const args = before === undefined ? after : after === '' ? before : `${before}, ${after}`;
  return { pid, name: name!, args, result: Number(result), errno: errno ?? null };
}

function socketOf(pid: string, args: string, sockets: ReadonlyMap<string, Traced>): Traced | undefined {
  const fd = Number.parseInt(args, 10);
  return sockets.get(`${pid}:${fd}`) ?? sockets.get(`:${fd}`);
}

/** What an event is before it is followed. */
function seen({ pid, name, args, result, errno }: Event, sockets: ReadonlyMap<string, Traced>): SeenCall | null {
  const socket = socketOf(pid, args, sockets);
  const to = addressOf(args);
  const isSend = name === 'sendto' || name === 'sendmsg';
  if (name !== 'bind' && name !== 'connect' && name !== 'close' && !isSend) return null;
  if (name === 'bind' || name === 'connect' ? to === null : socket === undefined) return null;
  return {
    pid: Number(pid),
    name,
    errno: result < 0 && errno !== 'EINPROGRESS' ? errno : null,
    to: to && (to.address.includes(':') ? `[${to.address}]:${to.port}` : `${to.address}:${to.port}`),
    stream: socket?.stream ?? null,
    strategy: strategyOf(name === 'bind' && to ? boundTo(to) : (socket?.bound ?? null), socket),
    connected: socket?.connected === true,
  };
}

function follow({ pid, name, args, result, errno }: Event, sockets: Map<string, Traced>): TracedFailure | null {
  if (name === 'socket') {
    if (result < 0) return failure('socket', errno, null, undefined);
    if (/AF_INET6?\b/.test(args)) remember(sockets, pid, result, fresh(true, /SOCK_STREAM/.test(args)));
    else sockets.delete(`${pid}:${result}`);
    return null;
  }
  if (name.startsWith('accept')) return result < 0 ? failure('accept', errno, null, undefined) : null;
  const fd = Number.parseInt(args, 10);
  const socket = socketOf(pid, args, sockets);
  switch (name) {
    case 'setsockopt': {
      const option = /\b(SO_REUSEADDR|SO_REUSEPORT|IP_BIND_ADDRESS_NO_PORT|IP_LOCAL_PORT_RANGE)\b/.exec(args)?.[1];
      if (option && result === 0 && !/, \[0\],/.test(args))
        (socket?.bound ? socket.late : socket?.options)?.add(option);
      return null;
    }
    case 'bind': {
      const to = addressOf(args);
      if (!to) return null;
      if (result < 0) return failure('bind', errno, to, socket);
      const bound = socket ?? fresh(false, null);
      bound.bound = boundTo(to);
      remember(sockets, pid, fd, bound);
      return null;
    }
    case 'connect': {
      const to = addressOf(args);
      if (!to) return null;
      if (result < 0 && errno !== 'EINPROGRESS') return failure('connect', errno, to, socket);
      if (socket) socket.connected = true;
      return null;
    }
    case 'listen':
      return result < 0 ? failure('listen', errno, null, socket) : null;
    case 'close':
      if (result === 0) for (const key of [`${pid}:${fd}`, `:${fd}`]) sockets.delete(key);
      return null;
    default:
      return null;
  }
}

/** Threads share descriptors, so a socket is found by its number alone where its own thread did not make it. */
function remember(sockets: Map<string, Traced>, pid: string, fd: number, socket: Traced): void {
  keep(sockets, MOST_SOCKETS, `${pid}:${fd}`, socket);
  keep(sockets, MOST_SOCKETS, `:${fd}`, socket);
}

function fresh(whole: boolean, stream: boolean | null): Traced {
  return { whole, options: new Set(), late: new Set(), bound: null, stream, connected: false };
}

function addressOf(args: string): { address: string; port: number } | null {
  if (!/sa_family=AF_INET6?\b/.test(args)) return null;
  const port = /sin6?_port=htons\((\d+)\)/.exec(args)?.[1];
  // An address that was cut from a report is an empty text.
  const address = /(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]{0,64})"/.exec(args)?.[1] ?? '';
  return port === undefined ? null : { address: address.replace(/^::ffff:/, ''), port: Number(port) };
}

function failure(
  call: Call,
  name: string | null,
  to: { address: string; port: number } | null,
  socket: Traced | undefined,
): TracedFailure | null {
  const errno = name === null ? undefined : errnoOf(name);
  if (!errno) return null;
  const bound = call === 'bind' && to ? boundTo(to) : (socket?.bound ?? null);
  const strategy = call === 'bind' || call === 'connect' ? strategyOf(bound, socket) : null;
  const sure = socket?.whole === true;
  return {
    call,
    errno,
    port: call === 'bind' ? (to?.port ?? null) : null,
    address: to?.address ?? null,
    strategy,
    sure,
    note: noteOf(call, to, socket),
  };
}

function boundTo({ address, port }: { address: string; port: number }): Bound {
  return { any: address === '0.0.0.0' || address === '::', port };
}

function strategyOf(bound: Bound | null, socket: Traced | undefined): StrategyName {
  const has = (option: string) => socket?.options.has(option) === true;
  if (!bound) return 'connect';
  if (bound.port !== 0) {
    if (has('SO_REUSEADDR')) return 'bind-explicit-port';
    return has('SO_REUSEPORT') ? 'bind-explicit-port-reuseport' : 'bind-explicit-port-exclusive';
  }
  if (has('IP_BIND_ADDRESS_NO_PORT')) {
    if (has('IP_LOCAL_PORT_RANGE')) return 'local-port-range';
    return has('SO_REUSEADDR') ? 'bind-no-port-reuseaddr' : 'bind-no-port';
  }
  const { any } = bound;
  if (has('SO_REUSEADDR')) return any ? 'bind-any-reuseaddr' : 'bind-reuseaddr';
  if (any) return 'bind-any';
  return has('SO_REUSEPORT') ? 'bind-reuseport' : 'bind';
}

function noteOf(call: Call, to: { port: number } | null, socket: Traced | undefined): string | null {
  if (call === 'bind' && to && to.port !== 0)
    return 'if this socket is to listen, the port belongs to another listener; if it is to connect, to an earlier connection';
  if (call === 'connect' && !socket)
    return 'no socket() and bind() of this descriptor is in the trace; strace -e trace=socket,setsockopt,bind,connect shows whether the program binds first';
  if (call === 'bind' && !socket?.whole)
    return 'the options that were set before are not in the trace; strace -e trace=socket,setsockopt,bind,connect shows them';
  if (socket && socket.late.size > 0)
    return `${[...socket.late].join(' and ')} was set after bind(), where it does nothing for the choice of the port`;
  return null;
}
