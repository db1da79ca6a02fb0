/**
 * The options of `bindstorm capacity`, and the question that they ask.
 */
import { release } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import type { FleetQuestion } from '../capacity/fleet.js';
import { type KernelVersion, parseKernelVersion } from '../capacity/kernel-version.js';
import { NAT_KINDS, type NatKind } from '../capacity/nat/clouds.js';
import type { NatQuestion } from '../capacity/nat/question.js';
import type { CapacityQuestion } from '../capacity/question.js';
import { type DatagramUse, PEERS, type Peer } from '../domain/datagram.js';
import { UserError } from '../domain/error.js';
import { EVERY_STRATEGY, optionsOf, SOCKET_OPTIONS, type SocketOption, strategyOf } from '../domain/strategy.js';
import { type PortRange, parseDuration, parsePortRange } from '../domain/units.js';
import { timerFrequency } from '../kernel/timer-frequency.js';
import { option } from './options.js';
import { integer, names, oneOf, parsed, rateOption, share } from './parsers.js';

export interface CapacityOptions
  extends Omit<CapacityQuestion, 'kernel' | 'datagram' | 'range' | 'rate' | 'holdMs' | 'sysctls' | 'heldHere'> {
  readonly nat?: NatKind;
  readonly kernel?: KernelVersion;
  readonly hz?: number;
  readonly range?: PortRange;
  readonly rate?: number;
  readonly hold: number;
  readonly heldByOthers: number;
  readonly sysctl: Readonly<Record<string, string>>;
  readonly json: boolean;
  readonly udp: boolean;
  readonly peer?: Peer;
  readonly socketOptions?: SocketOption[];
  readonly fleet: boolean;
  readonly agentRate?: number;
  readonly agents?: number;
  readonly units?: number;
  /** Milliseconds. */
  readonly unitTime?: number;
}

/** Those that decide, apart from the range and the reserved ports. */
const SYSCTLS = [
  'tcp_tw_reuse',
  'tcp_tw_reuse_delay',
  'tcp_tw_recycle',
  'tcp_timestamps',
  'tcp_max_tw_buckets',
  'ip_autobind_reuse',
];

/** The options, in the order of the help. */
export function capacityOptions(): Option[] {
  const number = (name: string, help: string, min: number, max: number, byDefault?: number) =>
    option(`--${name} <n>`, help, integer(`--${name}`, min, max), byDefault);
  const choice = (flags: string, help: string, words: readonly string[], byDefault: string) =>
    new Option(flags, help).choices(words).default(byDefault);
  return [
    choice('--strategy <name>', 'how the program gets its local port', EVERY_STRATEGY, 'bind'),
    new Option('--udp', 'sockets of UDP, which has no 4-tuples and no TIME_WAIT').default(false),
    new Option(
      '--peer <how>',
      'with --udp: how a socket knows where its datagrams go (default: connect, or sendto)',
    ).argParser(oneOf(PEERS)),
    new Option(
      '--socket-options <names>',
      'with --udp: options that each socket has beside those of its strategy, such as SO_REUSEPORT',
    ).argParser(names(SOCKET_OPTIONS)),
    option(
      '--kernel <release>',
      'a release such as 6.1 or 2.6.32-642.el6 (default: this one)',
      parsed(parseKernelVersion),
    ),
    number('hz', 'CONFIG_HZ of that kernel, which decides how late TIME_WAIT ends (default: the latest end)', 24, 1200),
    number('addresses', 'local addresses of each host', 1, 16_777_216, 1),
    number('destinations', 'pairs of address and port that are connected to', 1, 1e9, 1),
    number('hosts', 'machines, or network namespaces, that share the load evenly', 1, 1e6, 1),
    option(
      '--range <ports>',
      'ip_local_port_range, such as 1024-65535 (default: of the kernel)',
      parsed(parsePortRange),
    ),
    number('reserved', 'ports of the range in ip_local_reserved_ports', 0, 65_535, 0),
    number(
      'held-by-others',
      'ports that other programs hold by bind() on the same addresses or on 0.0.0.0',
      0,
      65_535,
      0,
    ),
    number('held-elsewhere', 'the same on other addresses: lost to connect() and to bind() to 0.0.0.0', 0, 65_535, 0),
    option(
      '--rate <rate>',
      'connections per second of all hosts together, such as 50000/s: says when ports become slow and full, and how many addresses that rate needs',
      rateOption,
    ),
    option('--hold <duration>', 'how long a connection is open', parsed(parseDuration), 0, '0s'),
    choice('--close <who>', 'who closes first', ['client', 'server', 'reset'], 'client'),
    new Option(
      '--nat <kind>',
      'of a NAT instead: --addresses are its own, --range its ports, --hosts the clients; clouds on paper',
    ).choices(NAT_KINDS),
    new Option(
      '--fleet',
      'of agents that load one target together: how many a rate needs; --addresses and the rest are those of one agent',
    ).default(false),
    option('--agent-rate <rate>', 'with --fleet: what one agent starts, as you measured it', rateOption),
    number('agents', 'with --fleet: how many agents there are', 1, 1e6),
    number('units', 'with --fleet: blocks or tables, of which an agent makes one at a time', 1, 1e6),
    option('--unit-time <duration>', 'with --fleet: what one of them takes', parsed(parseDuration)),
    choice('--pick <how>', 'how connections are spread over addresses', ['round-robin', 'random'], 'round-robin'),
    option('--loss <share>', 'with --pick random: the share that may be refused', share('--loss', 0.5), 1e-4, '0.01%'),
    option('--sysctl <name=value>', 'a sysctl, such as tcp_tw_reuse=1; may be repeated', addSysctl, {}),
  ];
}

/** What is asked. Without `--kernel` it is asked of this machine's. */
export function questionOf(given: CapacityOptions): CapacityQuestion {
  const { hold, range, rate, sysctl, hz, heldByOthers } = given;
  const datagram = datagramOf(given);
  const kernel = given.kernel ?? parseKernelVersion(release(), timerFrequency());
  const { strategy, addresses, destinations, hosts, reserved, heldElsewhere, close, pick, loss } = given;
  return {
    ...{ strategy, addresses, destinations, hosts, reserved, heldElsewhere, close, pick, loss },
    ...(datagram ? { datagram } : {}),
    kernel: hz === undefined ? kernel : { ...kernel, hz },
    holdMs: hold,
    heldHere: heldByOthers,
    range: range ?? null,
    rate: rate ?? null,
    sysctls: sysctl,
  };
}

/** @throws UserError when an option of UDP stands without --udp */
function datagramOf({ udp, strategy, peer, socketOptions }: CapacityOptions): DatagramUse | undefined {
  const { only } = strategyOf(strategy);
  const own = only === 'udp' ? `--strategy ${strategy}` : peer ? '--peer' : socketOptions ? '--socket-options' : null;
  if (!udp && own !== null) throw new UserError(`${own} is of UDP: add --udp, or leave it out`);
  if (!udp) return undefined;
  const how = peer ?? (only === 'udp' ? 'sendto' : 'connect');
  return { options: optionsOf(strategy, socketOptions), peer: how, sockets: 'each' };
}

/** What is asked of a fleet; undefined: it is not. @throws UserError for options that do not go together */
export function fleetQuestionOf(given: CapacityOptions): FleetQuestion | undefined {
  const { fleet, agentRate, agents, units, unitTime, hosts, nat } = given;
  const own = { '--agent-rate': agentRate, '--agents': agents, '--units': units, '--unit-time': unitTime };
  const [alone] = Object.entries(own).find(([, value]) => value !== undefined) ?? [];
  if (!fleet && alone !== undefined) throw new UserError(`${alone} is of a fleet: add --fleet, or leave it out`);
  if (!fleet) return undefined;
  if (hosts !== 1) throw new UserError('--hosts are the agents of a fleet: give --agents, or leave --fleet out');
  if (nat !== undefined) throw new UserError('--nat and --fleet are two questions; ask one after the other');
  if ((units === undefined) !== (unitTime === undefined))
    throw new UserError('--units and --unit-time go together: how many, and what one takes; give both');
  const matrix = units === undefined || unitTime === undefined ? null : { units, unitMs: unitTime };
  if (matrix?.unitMs === 0) throw new UserError('--unit-time is 0; give what one unit takes, such as 40s');
  return { set: questionOf(given), agentRate: agentRate ?? null, agents: agents ?? null, matrix };
}

/** What is asked of a NAT; undefined: it is not. */
export function natQuestionOf(options: CapacityOptions): NatQuestion | undefined {
  const { nat: kind, udp, addresses, destinations, hosts, range, rate, hold, close } = options;
  if (kind === undefined) return undefined;
  const { kernel } = questionOf(options);
  return {
    kind,
    protocol: udp ? 'udp' : 'tcp',
    kernel,
    addresses,
    destinations,
    hosts,
    range: range ?? null,
    rate: rate ?? null,
    holdMs: hold,
    close,
  };
}

function addSysctl(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const match = /^(?:net\.ipv4\.)?([a-z_]+)=(\d+)$/.exec(text.trim());
  if (match && SYSCTLS.includes(match[1]!)) return { ...before, [`net.ipv4.${match[1]}`]: match[2]! };
  throw new InvalidArgumentError(`Allowed are ${SYSCTLS.join(', ')}, each as name=number; the range has --range.`);
}
