/**
 * What a prediction is made from, and how an arm of an experiment and the machine's sysctls give it. Pure.
 */
import { familyOf, isLoopback } from '../domain/addresses.js';
import type { DatagramUse } from '../domain/datagram.js';
import { transportOf } from '../domain/protocol.js';
import { optionsOf, type StrategyName, strategyOf } from '../domain/strategy.js';
import { LOCAL_PORT_RANGE, parseLocalPortRange } from '../domain/sysctl-syntax.js';
import { type PortRange, portsWithin } from '../domain/units.js';
import { destinationCount } from '../plan/arrival.js';
import type { Arm } from '../plan/plan.js';
import { type Ending, likeItsClient } from '../subjects/ending.js';
import { baseOf, proxySubjectOf } from '../subjects/index.js';
import { atLeast, type KernelVersion } from './kernel-version.js';
import { TIME_WAIT_SECONDS } from './timer-wheel.js';

export { TIME_WAIT_LATEST_SECONDS, TIME_WAIT_SECONDS } from './timer-wheel.js';

/** TCP_RTO_MIN, include/net/tcp.h, in milliseconds. */
const RTO_MIN_MS = 200;

export interface PredictInput {
  readonly kernel: KernelVersion;
  /** How UDP sockets are used; null: they are of TCP. */
  readonly datagram: DatagramUse | null;
  readonly strategy: StrategyName;
  /** `ip_local_port_range`, both ends included. */
  readonly range: PortRange;
  /** Ports of `ip_local_reserved_ports` inside the range that the kernel searches for this strategy. */
  readonly reserved: number;
  /** Those ports; null where only their number is known. */
  readonly reservedPorts: ReadonlySet<number> | null;
  /** The program's own list (explicit ports) or the socket's range (local-port-range); null: the kernel's range. */
  readonly programPorts: PortRange | null;
  /** S: local addresses. */
  readonly addresses: number;
  /** D: (address, port) pairs that are connected to. */
  readonly destinations: number;
  /** How a connection ends; unknown: who closes first is not known. */
  readonly close: Ending | 'unknown';
  /** New connections that an attempt makes, on average: fewer than one where some use a connection again. */
  readonly fresh: number;
  /**
   * For `close: client`: `tcp_fin_timeout` in milliseconds where the peer never closes its side, so that our socket ends in
   * FIN_WAIT2; null where the peer closes when it has seen our FIN.
   */
  readonly finTimeoutMs: number | null;
  /** `tcp_tw_reuse`. */
  readonly twReuse: 0 | 1 | 2;
  /** `tcp_tw_reuse_delay`, from 6.14. */
  readonly twReuseDelayMs: number;
  /** Whether both ends use TCP timestamps. */
  readonly timestamps: boolean;
  /** `ip_autobind_reuse`, from 5.7. */
  readonly autobindReuse: boolean;
  readonly maxTwBuckets: number;
  /** TIME_WAIT in seconds: 60 on every kernel here (TCP_TIMEWAIT_LEN); some vendors patch it. */
  readonly timeWaitSeconds: number;
  /** `tcp_tw_recycle`, up to 4.11. */
  readonly twRecycle: boolean;
  /** Retransmission timeout of the connections, ms, which `tcp_tw_recycle` reckons with; Linux has no lower one than 200. */
  readonly rtoMs: number;
  /**
   * Ports of the searched range that other programs hold by bind(), open or in TIME_WAIT: on 0.0.0.0 or on each address of this
   * program (here), which keeps them from everybody; and on other addresses (elsewhere), where only connect() and bind() to 0.0.0.0 pass
   * over them.
   */
  readonly heldHere: number;
  readonly heldElsewhere: number;
  /** Why the ceiling is not that of the kernel's rules, as a clause; null: it is. */
  readonly unmodelled: string | null;
  /** Whether each connection has an end in 127.0.0.0/8 or ::1, on which `tcp_tw_reuse=2` acts. */
  readonly loopback: boolean;
  /** How long a connection is kept open before the close. */
  readonly holdMs: number;
  readonly family: 4 | 6;
}

/**
 * The range in which the port is looked for. A socket's own range is clamped bound by bound: an end of it that lies outside
 * `ip_local_port_range` is ignored (inet_sk_get_local_port_range(), net/ipv4/inet_connection_sock.c).
 */
export function searchedRange(
  input: Pick<PredictInput, 'strategy' | 'range' | 'programPorts' | 'datagram'>,
): PortRange {
  const { range, programPorts, datagram } = input;
  if (programPorts === null) return range;
  const strategy = strategyOf(input.strategy);
  if (strategy.port === 'program') return programPorts;
  const options = datagram?.options ?? strategy.options;
  if (!options.includes('IP_LOCAL_PORT_RANGE')) return range;
  const inside = (port: number) => range.low <= port && port <= range.high;
  const low = inside(programPorts.low) ? programPorts.low : range.low;
  const high = inside(programPorts.high) ? programPorts.high : range.high;
  return { low, high };
}

/**
 * The input that an arm and the machine's sysctls come to. What neither names has the kernel's default.
 * @param defaults sysctls as read in a fresh lab, name → value; the arm's own come on top
 * @throws UnitError when `ip_local_port_range` is no range
 */
export function inputOf(arm: Arm, kernel: KernelVersion, defaults: Readonly<Record<string, string>>): PredictInput {
  const sysctls: Readonly<Record<string, string>> = { ...defaults, ...arm.sysctls };
  const { load } = arm;
  const range = sysctls[LOCAL_PORT_RANGE];
  const base = givenRange(arm, {
    strategy: load.strategy,
    datagram: datagramOf(arm),
    range: range === undefined ? defaultRange(kernel) : parseLocalPortRange(range),
    programPorts: load.ports,
  });
  const reservedPorts = portsWithin(sysctls['net.ipv4.ip_local_reserved_ports'] ?? '', searchedRange(base));
  return {
    ...fromSysctls(kernel, sysctls),
    kernel,
    // They are used where both ends have them (RFC 7323, 2).
    timestamps: bothHaveTimestamps(sysctls, arm.roles?.origin),
    ...base,
    reserved: reservedPorts.size,
    reservedPorts,
    addresses: arm.addresses.length,
    // Through an external proxy, every connection of this machine goes to the one place where it is.
    destinations: arm.via ? 1 : destinationCount(arm.destinations),
    close: endingOf(arm),
    fresh: freshOf(arm),
    // A listener that never accepts never closes either.
    finTimeoutMs: load.sink === 'listen-only' ? sysctlNumber(sysctls, 'tcp_fin_timeout', 60) * 1000 : null,
    // A lab begins empty.
    heldHere: 0,
    heldElsewhere: 0,
    unmodelled: ownRules(arm) ?? foreignPorts(arm, searchedRange(base)),
    loopback: arm.addresses.every(isLoopback) || targetsAreLoopback(arm),
    // What is held to the end has no rate; the one that is told is that of short connections.
    holdMs: (load.holdMs ?? 0) + keptMs(arm, base.datagram),
    family: arm.addresses[0] === undefined ? 4 : familyOf(arm.addresses[0]),
  };
}

/** How long a UDP socket has its port beside the hold of its attempt: until the answer, or for as long as a program keeps it by itself. */
function keptMs({ load, proxy }: Arm, datagram: DatagramUse | null): number {
  if (datagram === null) return 0;
  const own = proxy && proxySubjectOf(proxy.kind).keepsPortMs;
  return own ?? load.answerAfterMs ?? 0;
}

/** How an arm uses UDP sockets. */
function datagramOf({ load, proxy }: Arm): DatagramUse | null {
  const { protocol, strategy, socketOptions, peer = 'connect', sockets = 'each' } = load;
  if (transportOf(protocol) !== 'udp') return null;
  const options = optionsOf(strategy, socketOptions);
  // How the clients of a proxy use theirs is not how it uses its own.
  if (proxy) return { options, peer: 'connect', sockets: proxySubjectOf(proxy.kind).standing ? 'one' : 'each' };
  return { options, peer, sockets };
}

type Searched = Parameters<typeof searchedRange>[0];

/**
 * The same with the range that a what-if gives to each socket: whoever chooses its port, bind() as connect(), looks in that
 * (inet_csk_find_open_port() and __inet_hash_connect() both ask inet_sk_get_local_port_range()).
 */
function givenRange({ proxy }: Arm, own: Searched): Searched {
  const given = proxy && 'whatIf' in proxy ? proxy.whatIf?.portRange : undefined;
  const { address, port } = strategyOf(own.strategy);
  if (given === undefined || address === 'none' || port === 'program') return own;
  const range = searchedRange({ ...own, strategy: 'local-port-range', programPorts: given });
  return strategyOf(own.strategy).options.includes('IP_LOCAL_PORT_RANGE')
    ? { ...own, programPorts: given }
    : { ...own, range };
}

/** The input of a set-up that is described in numbers: IPv4, not on loopback, and the peer closes when it has seen our FIN. */
export function inputFrom(
  setup: Pick<
    PredictInput,
    | 'kernel'
    | 'strategy'
    | 'reserved'
    | 'addresses'
    | 'destinations'
    | 'close'
    | 'heldHere'
    | 'heldElsewhere'
    | 'holdMs'
  > & {
    readonly datagram?: DatagramUse;
    readonly range: PortRange | null;
    readonly sysctls: Readonly<Record<string, string>>;
  },
): PredictInput {
  const { sysctls, ...rest } = setup;
  return {
    ...fromSysctls(setup.kernel, sysctls),
    ...rest,
    datagram: setup.datagram ?? null,
    range: setup.range ?? defaultRange(setup.kernel),
    programPorts: null,
    reservedPorts: null,
    finTimeoutMs: null,
    unmodelled: null,
    fresh: 1,
    loopback: false,
    family: 4,
  };
}

/** How the connections of an arm end that have their ports from the range under test. */
export function endingOf({ proxy, via, load }: Arm): PredictInput['close'] {
  // A proxy of which nothing is known may be the first to close after its answer.
  const how = { ...load, keepAlive: load.keepAlive === true && load.keepAliveRequests === undefined };
  if (proxy === undefined)
    return via !== undefined && load.protocol === 'get' ? 'unknown' : likeItsClient(how, 'reset');
  const changed = baseOf(proxy) !== undefined || ('config' in proxy && proxy.config.length > 0);
  return changed ? 'unknown' : proxySubjectOf(proxy.kind).ending(proxy, how);
}

function freshOf(arm: Arm): number {
  const { keepAlive, keepAliveRequests } = arm.load;
  const kept = { ...arm, load: { ...arm.load, keepAlive: true, keepAliveRequests: undefined } };
  // What a proxy does with requests of its own is not its client's affair.
  if (keepAlive === false || endingOf(kept) !== 'kept' || endingOf(arm) === 'kept') return 1;
  const again = keepAlive === true ? 1 : keepAlive;
  return 1 - again + (keepAliveRequests === undefined ? 0 : again / keepAliveRequests);
}

/** Why a proxy decides by itself how much fits; null: it does not. */
function ownRules({ proxy }: Arm): string | null {
  return (proxy && proxySubjectOf(proxy.kind).unmodelled?.(proxy)) ?? null;
}

/** Why a proxy that takes its clients' ports has more than those of the range; null: it has no other. */
function foreignPorts({ proxy, roles }: Arm, { low, high }: PortRange): string | null {
  if (proxy === undefined || !proxySubjectOf(proxy.kind).takesClientsPorts) return null;
  const clients = roles?.client[LOCAL_PORT_RANGE];
  const range = clients === undefined ? null : parseLocalPortRange(clients);
  if (range !== null && range.low >= low && range.high <= high) return null;
  return takesThem(proxy.kind);
}

/** What makes the ceiling of a proxy its clients' affair, as a clause. */
export function takesThem(kind: string): string {
  return `${kind} first tries the port that its client has, so that it depends on the clients how many fit`;
}

/** 32768–61000 before 07f4c90062f8 (4.2) made both ends even in number. */
function defaultRange(kernel: KernelVersion): PortRange {
  return { low: 32_768, high: atLeast(kernel, '4.2') ? 60_999 : 61_000 };
}

function fromSysctls(kernel: KernelVersion, sysctls: Readonly<Record<string, string>>) {
  const twReuse = sysctlNumber(sysctls, 'tcp_tw_reuse', atLeast(kernel, '4.18') ? 2 : 0);
  return {
    twReuse: twReuse === 0 || twReuse === 2 ? twReuse : 1,
    twReuseDelayMs: sysctlNumber(sysctls, 'tcp_tw_reuse_delay', 1000),
    timestamps: bothHaveTimestamps(sysctls),
    autobindReuse: sysctlNumber(sysctls, 'ip_autobind_reuse', 0) !== 0,
    // The default follows the machine's memory; where it was not read, take it for no limit.
    maxTwBuckets: sysctlNumber(sysctls, 'tcp_max_tw_buckets', Number.POSITIVE_INFINITY),
    timeWaitSeconds: TIME_WAIT_SECONDS,
    twRecycle: sysctlNumber(sysctls, 'tcp_tw_recycle', 0) !== 0,
    rtoMs: RTO_MIN_MS,
  } as const;
}

/** @param peer the sysctls that the other end has of its own */
function bothHaveTimestamps(
  own: Readonly<Record<string, string>>,
  peer: Readonly<Record<string, string>> = {},
): boolean {
  return [own, peer].every((sysctls) => sysctlNumber(sysctls, 'tcp_timestamps', 1) !== 0);
}

/** The value of `net.ipv4.<name>`, or `fallback` where it is not set. */
function sysctlNumber(sysctls: Readonly<Record<string, string>>, name: string, fallback: number): number {
  const value = Number.parseInt(sysctls[`net.ipv4.${name}`] ?? '', 10);
  return Number.isNaN(value) ? fallback : value;
}

function targetsAreLoopback({ destinations, via }: Arm): boolean {
  if (via) return isLoopback(via.address);
  return destinations.kind !== 'lab' && destinations.targets.every((target) => isLoopback(target.address));
}
