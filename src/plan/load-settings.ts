/**
 * The settings of a load, a row each. A new setting is one row here, and what acts on it.
 */
import { z } from 'zod';
import { PEERS, SOCKET_SHARES } from '../domain/datagram.js';
import { PROTOCOLS } from '../domain/protocol.js';
import { complete, keptShape, type Named, needed, optional, setting, type ValueKind } from '../domain/setting.js';
import { EVERY_STRATEGY, SOCKET_OPTIONS } from '../domain/strategy.js';
import { bytes, duration, flag, flagOrShare, listOf, map, oneOf, orNull, portRange, whole } from '../domain/values.js';
import { PROXY_KINDS, protocolsOf, proxySubjectOf } from '../subjects/index.js';
import { arrival } from './arrival-settings.js';
import { recovery } from './recovery.js';

/**
 * `socket`: non-blocking sockets through libc and epoll, for high rates and thousands of held connections. `http`: undici over sockets
 * that are made the same way, for what real HTTP clients do: connections used again, TLS, bodies in chunks.
 */
const ENGINES = ['socket', 'http'] as const;

interface Exchange {
  readonly request: number;
  readonly response: number;
}

/** `squid connect, haproxy tcp, …`: what the clients of each kind say where a profile does not tell. */
function usualProtocols(): string {
  const usual = [
    ...PROXY_KINDS.map((kind) => [kind, protocolsOf(kind, proxySubjectOf(kind).defaults)[0]]),
    ['external', protocolsOf('external', undefined)[0]],
  ];
  return `with a subject: ${usual.map((pair) => pair.join(' ')).join(', ')}; with "mode: http": get`;
}

/** Bytes to send and to receive. */
const exchange: ValueKind<Exchange | null> = {
  written: map({
    request: z.int().min(1).max(65_536).meta({ example: 'request: 64' }),
    response: z.int().min(1).max(1_048_576).meta({ example: 'response: 256' }),
  }),
  kept: z.object({ request: z.number(), response: z.number() }).nullable(),
  text: (value) => (value ? `${value.request} B out, ${value.response} B back` : 'none'),
  words: (value) => (value ? `${value.request} B out, ${value.response} B back` : 'none'),
};

export const LOAD_SETTINGS = {
  // What a program does that was not told otherwise.
  strategy: setting(oneOf(EVERY_STRATEGY), {
    default: 'connect',
    describe: 'how an outbound socket gets its local address and port',
    example: 'bind',
  }),
  // One thread opens more connections per second than the port range of one address can carry.
  workers: setting(whole(1, 64), {
    default: 1,
    defaultText: 'as many as the rate and the open sockets take',
    describe: 'worker threads, each with as many descriptors as ulimit -n allows',
    example: '1',
  }),
  // Every (address, destination) pair gets the same share: exhaustion comes at an exact count, equal in each run.
  pick: setting(oneOf(['round-robin', 'random', 'by-worker']), {
    default: 'round-robin',
    describe: 'which local address an attempt uses',
    example: 'round-robin',
  }),
  arrival: needed(arrival, {
    describe: 'when attempts begin',
    example: '{ shape: constant, rate: 2000/s, duration: 10s }',
  }),
  // Only the side that closes first has TIME_WAIT. Closing at the server would exhaust nothing here and hide the problem.
  close: setting(oneOf(['client', 'server', 'reset']), {
    default: 'client',
    describe: 'who closes first; reset: the client, with a RST. Behind a proxy the server is the origin',
    example: 'client',
  }),
  // Most programs do not wait for the other side. With it a socket is surely in TIME_WAIT, not in FIN_WAIT, when the next attempt begins.
  drain: {
    ...setting(flag, {
      default: false,
      describe: 'with close: client, wait for the FIN of the other side before an attempt counts as over',
      example: 'true',
    }),
    words: (on: boolean) => (on ? 'yes' : 'no'),
  },
  // Short connections: ports are held by TIME_WAIT alone, which is the case that operators see.
  hold: setting(orNull(duration, 'to the end'), {
    default: 0,
    defaultText: '0s; with fill and hold: to the end of the run or wave',
    keptAs: 'holdMs',
    describe: 'how long an established connection is kept open; with protocol get, how long the origin waits to answer',
    example: '250ms',
  }),
  // Above a lost SYN's first two retransmissions (1 s and 3 s), so that one lost packet is no failure.
  timeout: setting(duration, {
    default: 5000,
    keptAs: 'timeoutMs',
    describe: 'how long an attempt may take to connect, and then to exchange',
    example: '5s',
  }),
  // No payload: what is under test is the connection.
  exchange: setting(exchange, {
    default: null,
    defaultText: 'none; with protocol tcp through a proxy: a byte each way; with protocol udp: 64 B each way',
    describe: 'bytes to send and to receive on each connection, or in a datagram and its answer',
    example: '{ request: 64, response: 256 }',
  }),
  // The socket engine opens several times as many connections a second, and is exact.
  engine: setting(oneOf(ENGINES), {
    default: 'socket',
    defaultText: 'socket; with keepAlive or tls: http',
    describe:
      'what makes the connections: socket: sockets and epoll, for high rates; http: an HTTP client (undici) over the same sockets, for keepAlive and tls',
    example: 'http',
  }),
  // A connection for each request is what runs out of ports.
  keepAlive: setting(flagOrShare, {
    default: false,
    describe:
      'HTTP engine: whether the client keeps its connections open for further requests; 80%: four requests of five do, and each of the others has a connection of its own',
    example: 'true',
  }),
  keepAliveRequests: optional(whole(1, 1_000_000), {
    defaultText: 'no limit',
    describe: 'with keepAlive: requests of a connection, after which the client closes it',
    example: '100',
  }),
  tls: setting(flag, {
    default: false,
    describe: 'HTTP engine: TLS to the origin, inside of a tunnel or direct, with a certificate made at start',
    example: 'true',
  }),
  // A direct connection has nobody to speak HTTP to.
  protocol: setting(oneOf(PROTOCOLS), {
    default: 'tcp',
    defaultText: `tcp; with engine http: get; ${usualProtocols()}`,
    describe:
      'what the client says: connect: a CONNECT tunnel, the exchange inside of it; get: a GET, in absolute form to a forward proxy; socks5: a SOCKS5 CONNECT, the exchange behind it; tcp: nothing but the exchange; udp: a datagram and its answer; dns: a query over UDP for a name that nobody has asked for, and the address; turn: an Allocate request over UDP, and the address of the relay. With the HTTP engine the exchange of a tunnel is a GET',
    example: 'connect',
  }),
  // The head of the answer is enough to end a request.
  body: setting(bytes(0, 1_048_576), {
    default: 0,
    describe: 'with protocol get or the HTTP engine: size in size in bytes of the body that the origin answers',
    example: '1024',
  }),
  // An origin that accepts is what a real one does; listen-only fills its accept queue.
  sink: setting(oneOf(['accept', 'listen-only']), {
    default: 'accept',
    describe: 'whether the origin accepts, or leaves connections in the accept queue of the kernel',
    example: 'accept',
  }),
  maxInFlight: setting(orNull(whole(1, 1_000_000), 'no limit'), {
    default: null,
    defaultText: 'what the descriptor limit allows',
    describe: 'sockets open at once per worker; attempts beyond it are shed',
    example: '10000',
  }),
  // A program that connects its sockets is told of ICMP errors, and takes datagrams from its peer only.
  peer: optional(oneOf(PEERS), {
    defaultText: 'connect; with strategy sendto: sendto',
    describe:
      'protocols udp and dns: how a socket knows where its datagrams go: connect: by connect(); sendto: each datagram names it; none: nothing is sent',
    example: 'sendto',
  }),
  socketOptions: optional(listOf(oneOf(SOCKET_OPTIONS), SOCKET_OPTIONS.length, 'SO_REUSEPORT'), {
    defaultText: 'those of the strategy',
    describe: 'protocols udp and dns: options that each socket has beside those of its strategy',
    example: '[SO_REUSEPORT]',
  }),
  sockets: optional(oneOf(SOCKET_SHARES), {
    defaultText: 'each',
    describe:
      'protocols udp and dns: each: a socket for each attempt; one: a socket for all attempts of a local address, as a QUIC client may have',
    example: 'one',
  }),
  answerAfter: optional(duration, {
    keptAs: 'answerAfterMs',
    defaultText: '0s',
    describe: 'protocols udp and dns: how long the origin waits before it answers a datagram',
    example: '100ms',
  }),
  ports: setting(orNull(portRange, "the kernel's range"), {
    default: null,
    describe: 'the port list of bind-explicit-port and of local-port-range, for example 20000-29999',
    example: '20000-29999',
  }),
  // At 2000/s an attempt is due every 0.5 ms: twenty late in a row is the generator's fault and no longer jitter.
  lagBudget: setting(duration, {
    default: 10,
    keptAs: 'lagBudgetMs',
    describe: 'the p99 of the start lag above which a run is generator-limited',
    example: '10ms',
  }),
  recovery: optional(recovery, {
    defaultText: 'none',
    describe:
      'after the load, the lab frees all ports of the program under test and makes one attempt every so often until one is ok or the time is over (recovery.time)',
    example: '{ within: 15s, every: 250ms }',
  }),
  // Behind an address there is one machine, whose clock the kernel keeps. With more, attempt n is of client n mod clocks.
  clocks: setting(whole(1, 500), {
    default: 1,
    describe:
      'clients behind each source address, taking turns, as a server sees them: each with a TCP timestamp clock of its own, an hour behind the one before',
    example: '2',
  }),
} as const;

export const loadPlanSchema = z.object(keptShape(LOAD_SETTINGS));
/** A complete load: rates per second, times in milliseconds. */
export type LoadPlan = z.infer<typeof loadPlanSchema>;
/** What a profile says of a load, by the keys of the plan. */
export type NamedLoad = Partial<Named<typeof LOAD_SETTINGS>>;

const { arrival: _, ...OPTIONAL } = LOAD_SETTINGS;
/** What a load is where nothing is said of it. Only the arrivals must be said. */
export const LOAD: Omit<LoadPlan, 'arrival'> = complete(OPTIONAL, {});
