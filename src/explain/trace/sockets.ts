/**
 * Follows the sockets of a trace: which calls failed, by what strategy each socket gets its port, and what a program does after a refusal.
 * Pure.
 */
import type { StrategyName } from '../../domain/strategy.js';
import type { Failure } from '../cause.js';
import type { CauseName } from '../causes.js';
import type { Call, Endpoint } from '../facts.js';
import type { CallEvent, Option } from './event.js';
import { bindsnoopEvents, perfEvent } from './kernel-tracers.js';
import { createStraceReader } from './strace.js';

export interface TracedFailure extends Failure {
  /** The options that decide were in the trace too. */
  readonly sure: boolean;
  readonly note: string | null;
  /** Where the history of the socket decides it. */
  readonly cause?: CauseName;
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
  /** Of a UDP socket: whether it has a port from before, which the kernel chose, or which the program named. */
  readonly port: UdpPort;
  /** Of a UDP socket: the kernel chose its port in this call. */
  readonly takesPort: boolean;
}

type UdpPort = 'none' | 'chosen' | 'named';

interface Traced {
  /** Whether its socket() is in the trace, so that its options are. */
  readonly whole: boolean;
  readonly protocol: 'tcp' | 'udp' | 'sctp' | null;
  readonly options: Set<Option>;
  /** Set after bind(), where it does nothing. */
  readonly late: Set<Option>;
  bound: Endpoint | null;
  /** What a bind() that was refused had asked for. */
  refused: Endpoint | null;
  /** A connection was begun on it. */
  connected: boolean;
  /** Of UDP. */
  port: UdpPort;
}

/** Sockets that are remembered: more than a program has, and less than a hostile file could name. */
const MOST_SOCKETS = 32_768;

export interface TraceReader {
  /**
   * Follow one line of any text; the lines come in their order.
   * @returns whether a tracer wrote it, the failure that is worth a word, if it is one, and the call that a count is interested in
   */
  read(line: string): {
    readonly traced: boolean;
    readonly failure: TracedFailure | null;
    readonly call: SeenCall | null;
  };
  /** If no call was refused: the strategies of the sockets that connected, the most frequent first, and how many there were. */
  succeeded(): readonly { readonly strategy: StrategyName; readonly count: number }[];
}

/** What was seen so far of a trace, whose sockets each further line is understood by. */
export function createTraceReader(): TraceReader {
  const sockets = new Map<string, Traced>();
  const strace = createStraceReader();
  const connected = new Map<StrategyName, number>();
  let failures = 0;
  const take = (event: CallEvent) => {
    const socket = sockets.get(`${event.pid}:${event.fd}`) ?? sockets.get(`:${event.fd}`);
    const call = seenCall(event, socket);
    const failure = follow(event, socket, sockets);
    if (socket && call?.takesPort) socket.port = 'chosen';
    else if (socket?.protocol === 'udp' && event.name === 'bind' && event.result >= 0 && event.to?.port)
      socket.port = 'named';
    if (failure) failures++;
    else if (socket && connects(event) && (event.result >= 0 || event.underWay)) {
      socket.connected = true;
      if (socket.whole && socket.protocol === 'tcp') {
        const strategy = strategyOf(socket.bound, socket);
        connected.set(strategy, (connected.get(strategy) ?? 0) + 1);
      }
    }
    return { failure, call };
  };
  return {
    read(line) {
      const events = bindsnoopEvents(line);
      const event = events.length === 0 ? (perfEvent(line) ?? strace.read(line)) : null;
      if (event === 'part') return { traced: true, failure: null, call: null };
      const all = (event ? [event] : events).map(take);
      return { traced: all.length > 0, failure: null, call: null, ...all.at(-1) };
    },
    succeeded: () =>
      failures > 0
        ? []
        : [...connected].map(([strategy, count]) => ({ strategy, count })).sort((a, b) => b.count - a.count),
  };
}

/** What a call is before it is followed; null: of no interest to a count. */
function seenCall(event: CallEvent, socket: Traced | undefined): SeenCall | null {
  const { name, syscall, to } = event;
  const names = name === 'bind' || name === 'connect';
  if (!(names ? to : (name === 'close' || name === 'send') && socket)) return null;
  const { address, port } = to ?? {};
  return {
    pid: Number(event.pid),
    name: (syscall === 'sendmmsg' ? 'sendmsg' : syscall) as SeenCall['name'],
    errno: event.result < 0 && !event.underWay ? event.refusal : null,
    to: to ? (address!.includes(':') ? `[${address}]:${port}` : `${address}:${port}`) : null,
    stream: socket?.protocol ? socket.protocol === 'tcp' : null,
    strategy: strategyOf(name === 'bind' && to ? to : (socket?.bound ?? null), socket),
    connected: socket?.connected === true,
    port: socket?.port ?? 'none',
    takesPort: takesPort(event, socket),
  };
}

/** Whether a call gives a UDP socket the port that the kernel chooses: bind() to port 0, else connect() or the first send (inet_autobind()). */
function takesPort({ name, result, to }: CallEvent, socket: Traced | undefined): boolean {
  if (socket?.protocol !== 'udp' || socket.port !== 'none' || result < 0) return false;
  if (name === 'bind') return to?.port === 0 && !socket.options.has('IP_BIND_ADDRESS_NO_PORT');
  return name === 'send' || (name === 'connect' && to !== null && to !== undefined);
}

/** Whether a call opens a connection: connect(), or a send with MSG_FASTOPEN. */
function connects({ name, opens, to }: CallEvent): boolean {
  return to !== null && to !== undefined && (name === 'connect' || (name === 'send' && opens === true));
}

function follow(event: CallEvent, socket: Traced | undefined, sockets: Map<string, Traced>): TracedFailure | null {
  const { name, result, errno, to } = event;
  switch (name) {
    case 'socket':
      if (result < 0) return failure('socket', event, undefined);
      if (event.protocol) remember(sockets, event, fresh(true, event.protocol));
      else sockets.delete(`${event.pid}:${event.fd}`);
      return null;
    case 'accept':
    case 'listen':
      return result < 0 ? failure(name, event, socket) : null;
    case 'setsockopt':
      if (event.option) (socket?.bound ? socket.late : socket?.options)?.add(event.option);
      return null;
    case 'bind': {
      if (!to) return null;
      const known = socket ?? fresh(false, null);
      if (!socket) remember(sockets, event, known);
      if (result >= 0) known.bound = to;
      else if (errno === 'EADDRINUSE') known.refused = to;
      return result < 0 ? failure('bind', event, socket) : null;
    }
    case 'connect':
    case 'send': {
      if (name === 'send' && !(event.opens || socket?.protocol === 'udp')) return null;
      if (socket?.refused && connects(event)) return unbound(event, socket);
      return to && result < 0 && !event.underWay
        ? failure(name === 'send' && !event.opens ? 'send' : 'connect', event, socket)
        : null;
    }
    case 'close':
      if (result === 0) for (const key of [`${event.pid}:${event.fd}`, `:${event.fd}`]) sockets.delete(key);
      return null;
  }
}

/** The program connects a socket whose bind() was refused. */
function unbound(event: CallEvent, socket: Traced): TracedFailure | null {
  const bind = { ...event, to: socket.refused, errno: 'EADDRINUSE' as const };
  const address = socket.refused!.address || 'the wanted address';
  socket.refused = null;
  if (event.result >= 0 || event.underWay)
    return {
      ...failure('bind', bind, socket)!,
      note: `the program ignores the refused bind() and connects the same socket unbound: the connection leaves from another address than ${address}`,
    };
  const refused = failure('connect', event, socket);
  return refused && event.errno === 'EADDRNOTAVAIL' ? { ...refused, cause: 'after-refused-bind' } : refused;
}

/** Threads share descriptors, so a socket is found by its number alone where its own thread did not make it. */
function remember(sockets: Map<string, Traced>, { pid, fd }: CallEvent, socket: Traced): void {
  for (const key of [`${pid}:${fd}`, `:${fd}`]) {
    sockets.set(key, socket);
    if (sockets.size > MOST_SOCKETS) sockets.delete(sockets.keys().next().value!);
  }
}

function fresh(whole: boolean, protocol: Traced['protocol']): Traced {
  return {
    whole,
    protocol,
    options: new Set(),
    late: new Set(),
    bound: null,
    refused: null,
    connected: false,
    port: 'none',
  };
}

function failure(call: Call, { errno, to }: CallEvent, socket: Traced | undefined): TracedFailure | null {
  if (!errno) return null;
  const bound = call === 'bind' ? (to ?? null) : (socket?.bound ?? null);
  const other = socket?.protocol === 'udp' || socket?.protocol === 'sctp';
  const ports = (call === 'bind' || call === 'connect') && !other;
  // A tracer that shows a pointer does not say whether the port was named.
  const strategy = ports && !(call === 'bind' && bound?.port === null) ? strategyOf(bound, socket) : null;
  // bind() without a later choice had already given it a port that nobody else has on that address.
  const chosen =
    call === 'connect' &&
    errno === 'EADDRNOTAVAIL' &&
    bound?.port === 0 &&
    !socket?.options.has('IP_BIND_ADDRESS_NO_PORT');
  return {
    call,
    errno,
    protocol: socket?.protocol ?? null,
    system: 'linux',
    local: bound,
    remote: call === 'bind' ? null : (to ?? null),
    strategy,
    sure: socket?.whole === true,
    note: noteOf(call, bound, socket),
    ...(chosen && !other && { cause: 'not-ports' as const }),
  };
}

function strategyOf(bound: Endpoint | null, socket: Traced | undefined): StrategyName {
  const has = (option: Option) => socket?.options.has(option) === true;
  if (!bound) return 'connect';
  if (bound.port !== 0 && bound.port !== null) {
    if (has('SO_REUSEADDR')) return 'bind-explicit-port';
    return has('SO_REUSEPORT') ? 'bind-explicit-port-reuseport' : 'bind-explicit-port-exclusive';
  }
  if (has('IP_BIND_ADDRESS_NO_PORT')) {
    if (has('IP_LOCAL_PORT_RANGE')) return 'local-port-range';
    return has('SO_REUSEADDR') ? 'bind-no-port-reuseaddr' : 'bind-no-port';
  }
  const any = bound.address === '0.0.0.0' || bound.address === '::';
  if (has('SO_REUSEADDR')) return any ? 'bind-any-reuseaddr' : 'bind-reuseaddr';
  if (any) return 'bind-any';
  return has('SO_REUSEPORT') ? 'bind-reuseport' : 'bind';
}

function noteOf(call: Call, bound: Endpoint | null, socket: Traced | undefined): string | null {
  if (call === 'bind' && (bound?.port ?? 0) !== 0)
    return 'if this socket is to listen, the port belongs to another listener; if it is to connect, to an earlier connection';
  if (call === 'connect' && !socket)
    return 'no socket() and bind() of this descriptor is in the trace; strace -e trace=socket,setsockopt,bind,connect shows whether the program binds first';
  if (call === 'bind' && !socket?.whole)
    return 'the options that were set before are not in the trace; strace -e trace=socket,setsockopt,bind,connect shows them';
  if (socket && socket.late.size > 0)
    return `${[...socket.late].join(' and ')} was set after bind(), where it does nothing for the choice of the port`;
  return null;
}
