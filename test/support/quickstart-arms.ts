/** The arms of the quickstart experiment, as the fixture of results.ts needs them. */
import type { StrategyName } from '../../src/domain/strategy.js';
import type { Prediction } from '../../src/results/schema.js';

export interface ArmSpec {
  readonly name: string;
  readonly description: string;
  readonly changes: string[];
  readonly sysctls: Record<string, string>;
  readonly strategy: StrategyName;
  readonly addresses: number;
  readonly destinations: number;
  readonly range: readonly [low: number, high: number];
  /** Connections that succeed before every further one fails. */
  readonly holds: number;
  /** Distinct (address, port) that can be in use. */
  readonly ports: number;
  /** Share of attempts that fail in the median run of 10 s. */
  readonly failures: number;
  /** Some attempts fail by chance. */
  readonly noisy: boolean;
  /** Whether TIME_WAIT sockets are taken over. */
  readonly recycles: boolean;
  /** Factor on the time of a port's choice. */
  readonly slow: number;
  readonly prediction: Prediction;
  readonly sentence: string;
  readonly why: string;
}

const NEVER = Number.POSITIVE_INFINITY;
const PORT_RANGE = 'net.ipv4.ip_local_port_range';

function prediction(concurrent: number | null, fails: string, formula: string, sustained: number | null): Prediction {
  return {
    concurrent,
    sustained,
    fails,
    formula,
    rule: 'A port stays taken until TIME_WAIT ends, 60 s after the close.',
    source: 'net/ipv4/inet_connection_sock.c, inet_csk_find_open_port',
  };
}

const BASELINE: ArmSpec = {
  name: 'baseline',
  description: 'Plain bind to one of five addresses with port 0',
  changes: [],
  sysctls: {},
  strategy: 'bind',
  addresses: 5,
  destinations: 1,
  range: [40000, 40099],
  holds: 500,
  ports: 500,
  failures: 0.5,
  noisy: false,
  recycles: false,
  slow: 1,
  prediction: prediction(500, 'bind:EADDRINUSE', 'P·S = 100 · 5 = 500', 500 / 60),
  sentence: '',
  why: '',
};

export const ARMS: readonly ArmSpec[] = [
  BASELINE,
  {
    ...BASELINE,
    name: 'wider-range',
    description: 'Ten times as many ports',
    changes: [`${PORT_RANGE} = 40000 40999`],
    sysctls: { [PORT_RANGE]: '40000 40999' },
    range: [40000, 40999],
    holds: 5000,
    ports: 5000,
    failures: 0,
    slow: 0.8,
    prediction: prediction(5000, 'bind:EADDRINUSE', 'P·S = 1000 · 5 = 5000', 5000 / 60),
    sentence: 'wider-range ended the failures: 50.0 % before, 0 % after.',
    why: 'Failures fell from 50.0 % to 0 % in all 6 pairs; the run needed 1000 tuples and the range now holds 5000.',
  },
  {
    ...BASELINE,
    name: 'fin-timeout-5',
    description: 'The folklore: a shorter FIN timeout',
    changes: ['net.ipv4.tcp_fin_timeout = 5'],
    sysctls: { 'net.ipv4.tcp_fin_timeout': '5' },
    sentence: 'fin-timeout-5 changed nothing: 50.0 % before and after.',
    why: 'Failures were 50.0 % in all 12 runs: tcp_fin_timeout bounds FIN_WAIT2, and TIME_WAIT stays at 60 s.',
  },
  {
    ...BASELINE,
    name: 'tw-reuse-1',
    description: 'tcp_tw_reuse for every destination',
    changes: ['net.ipv4.tcp_tw_reuse = 1'],
    sysctls: { 'net.ipv4.tcp_tw_reuse': '1' },
    sentence: 'tw-reuse-1 changed nothing: 50.0 % before and after.',
    why: 'Failures were 50.0 % in all 12 runs: tcp_tw_reuse acts when connect() chooses the port, and here bind() chose it.',
  },
  {
    ...BASELINE,
    name: 'twice-the-addresses',
    description: 'Ten outgoing addresses',
    changes: ['addresses.count = 10'],
    addresses: 10,
    holds: 1000,
    ports: 1000,
    failures: 0,
    slow: 1.05,
    prediction: prediction(1000, 'bind:EADDRINUSE', 'P·S = 100 · 10 = 1000', 1000 / 60),
    sentence: 'twice-the-addresses ended the failures: 50.0 % before, 0 % after.',
    why: 'Failures fell from 50.0 % to 0 % in all 6 pairs; 10 addresses hold exactly the 1000 tuples that the run needed.',
  },
  {
    ...BASELINE,
    name: 'no-port-4-destinations',
    description: 'IP_BIND_ADDRESS_NO_PORT, and four destinations to share each port',
    changes: ['load.strategy = bind-no-port', '4 destinations (was 1)'],
    strategy: 'bind-no-port',
    destinations: 4,
    holds: 2000,
    failures: 0,
    slow: 0.6,
    prediction: prediction(2000, 'connect:EADDRNOTAVAIL', 'P·S·D = 100 · 5 · 4 = 2000', 2000 / 60),
    sentence: 'no-port-4-destinations ended the failures: 50.0 % before, 0 % after.',
    why: 'Failures fell from 50.0 % to 0 % in all 6 pairs; connect() chose the port, so each of the 500 ports served 4 destinations.',
  },
  {
    ...BASELINE,
    name: 'no-port-tw-reuse',
    description: 'IP_BIND_ADDRESS_NO_PORT with tcp_tw_reuse',
    changes: ['load.strategy = bind-no-port', 'net.ipv4.tcp_tw_reuse = 1'],
    sysctls: { 'net.ipv4.tcp_tw_reuse': '1' },
    strategy: 'bind-no-port',
    holds: NEVER,
    failures: 0,
    recycles: true,
    slow: 1.6,
    prediction: prediction(500, 'connect:EADDRNOTAVAIL', 'P·S·D = 100 · 5 · 1 = 500', 500),
    sentence: 'no-port-tw-reuse ended the failures: 50.0 % before, 0 % after.',
    why: 'Failures fell from 50.0 % to 0 % in all 6 pairs; connect() took over 500 sockets in TIME_WAIT after 1 s.',
  },
  {
    ...BASELINE,
    name: 'autobind-reuse',
    description: 'SO_REUSEADDR with ip_autobind_reuse',
    changes: ['load.strategy = bind-reuseaddr', 'net.ipv4.ip_autobind_reuse = 1'],
    sysctls: { 'net.ipv4.ip_autobind_reuse': '1' },
    strategy: 'bind-reuseaddr',
    holds: NEVER,
    failures: 0.024,
    noisy: true,
    recycles: true,
    slow: 2.4,
    prediction: prediction(null, 'connect:EADDRNOTAVAIL', 'no closed form: ports are drawn at random', null),
    sentence: 'autobind-reuse lowered the failures: 50.0 % before, 2.4 % after.',
    why: 'Failures fell by 47.6 points (95 % CI 47.1 to 48.0) over 6 pairs; what is left are clashes in connect().',
  },
];

export const PROFILE = `name: quickstart
description: Five outgoing addresses, a range of 100 ports, and bind before connect
addresses: { cidr: 10.50.0.0/24, count: 5 }
load:
  strategy: bind
  arrival: { shape: constant, rate: 100/s, duration: 10s }
sysctls: { net.ipv4.ip_local_port_range: "40000 40099" }
variants:
  - { name: wider-range, sysctls: { net.ipv4.ip_local_port_range: "40000 40999" } }
  - { name: fin-timeout-5, sysctls: { net.ipv4.tcp_fin_timeout: 5 } }
  - { name: tw-reuse-1, sysctls: { net.ipv4.tcp_tw_reuse: 1 } }
  - { name: twice-the-addresses, addresses: { count: 10 } }
  - { name: no-port-4-destinations, load: { strategy: bind-no-port }, destinations: { ports: 4 } }
  - { name: no-port-tw-reuse, load: { strategy: bind-no-port }, sysctls: { net.ipv4.tcp_tw_reuse: 1 } }
  - { name: autobind-reuse, load: { strategy: bind-reuseaddr }, sysctls: { net.ipv4.ip_autobind_reuse: 1 } }
repeat: 6
goal: failures.share
guardrails: [latency.total.p99, cpu.perConnection]
`;
