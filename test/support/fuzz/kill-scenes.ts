/**
 * The commands that are killed: every lab that is to be had without a hypervisor of its own, every subject, every command that has a
 * folder. Counts in them are exact, so that a resumed folder must equal one that was never interrupted.
 */
import { PROXY_KINDS, type ProxyKind } from '../../../src/subjects/index.js';

export interface Scene {
  readonly name: string;
  readonly command: 'run' | 'search' | 'fixes';
  /** Kills of a hundred; a scene has at least one. */
  readonly share: number;
  /** Absent: `fixes` has none. */
  readonly profile?: string;
  readonly args?: readonly string[];
  /** Where the command runs: as it is, as an ordinary user, or on a namespace that stands for the host. */
  readonly place?: 'host' | 'user';
  /** A program that runs on that host and is nobody's to end: it must be there when the command has gone. */
  readonly beside?: readonly [string, ...string[]];
  /** Failures that are one: which of them a client sees is decided by microseconds. */
  readonly either?: readonly string[];
  /** What must be there to be killed. */
  readonly program?: string;
  /** Something is made or fetched once, and kept in the cache. */
  readonly fetches?: boolean;
  /** Where a busy machine has no time for a guest, a run of it may fail by itself. */
  readonly emulated?: boolean;
  /** A command takes no longer, however busy the machine. */
  readonly deadlineMs: number;
}

/** As many as the range and the addresses have, or more: how each subject is asked, so that it answers with exact counts. */
const LOADS: Readonly<Record<ProxyKind, string>> = {
  squid: 'arrival: { shape: fill, attempts: 50 }',
  haproxy: 'arrival: { shape: fill, attempts: 50 }, exchange: { request: 1, response: 1 }, hold: 10m',
  nginx: 'arrival: { shape: fill, attempts: 50 }, exchange: { request: 1, response: 1 }, hold: 10m',
  // It takes the ports of its clients first: what is above the range is not exact.
  dante: 'arrival: { shape: fill, attempts: 15 }',
  tor: 'arrival: { shape: fill, attempts: 30 }',
  tinyproxy: 'arrival: { shape: fill, attempts: 50 }',
  microsocks: 'arrival: { shape: fill, attempts: 50 }',
  unbound: 'arrival: { shape: fill, attempts: 50 }, hold: 10m',
  coturn: 'arrival: { shape: fill, attempts: 30 }, hold: 10m',
  dnsdist: 'arrival: { shape: fill, attempts: 50 }, hold: 10m',
  program: 'protocol: get, arrival: { shape: own }',
};
/** Thirty requests one after the other, each by a connection of its own, which it closes. */
const GETS = `const [host, port] = process.argv[1].split(':');
const http = require('http');
const get = (left) => left > 0 && http.get({ host, port, agent: new http.Agent({ keepAlive: true }) }, (answer) => { answer.resume(); answer.once('close', () => { answer.socket.destroy(); setImmediate(get, left - 1); }); }).once('error', () => setImmediate(get, left - 1));
get(30);`;
/** A proxy that closes a connection of which the first bytes arrive in the same moment is seen to end it, or to reset it. */
const EITHER: Partial<Record<ProxyKind, readonly string[]>> = {
  nginx: ['exchange:ECONNRESET', 'exchange:EOF'],
  haproxy: ['exchange:ECONNRESET', 'exchange:EOF'],
};
const SETTINGS: Partial<Record<ProxyKind, string>> = {
  program: `, command: ${JSON.stringify([process.execPath, '-e', GETS, '{origin}'])}`,
  nginx: ', mode: tcp',
  dante: ', clients: 3',
};

function proxyProfile(kind: ProxyKind): string {
  return `name: killed
addresses: { cidr: 10.50.0.0/24, count: ${['dante', 'microsocks', 'tor', 'program'].includes(kind) ? 1 : 2} }
subject: { kind: ${kind}${SETTINGS[kind] ?? ''} }
load: { ${LOADS[kind]}${kind === 'program' ? '' : ', timeout: 60s'} }
sysctls: { net.ipv4.ip_local_port_range: 40000 40019 }
${kind === 'dante' ? 'roles: { client: { sysctls: { net.ipv4.ip_local_port_range: 20000 20049 } } }\n' : ''}variants:
  - { name: wider-range, sysctls: { net.ipv4.ip_local_port_range: 40000 40199 } }
repeat: 1
warmup: 0
guardrails: []
`;
}

const FILLED = `load: { strategy: bind, arrival: { shape: fill, attempts: 60 } }
sysctls: { net.ipv4.ip_local_port_range: 40000 40019 }
variants: [{ name: wider-range, sysctls: { net.ipv4.ip_local_port_range: 40000 40199 } }]
repeat: 1
warmup: 0
guardrails: []
`;
const labOf = (engine: string) => `lab: { kind: vm, engine: ${engine}, kernel: bookworm }\n`;
const guest = (engine: string) =>
  `name: killed\naddresses: { cidr: 10.50.0.0/24, count: 2 }\n${labOf(engine)}${FILLED}`;

/** Closed by the server, so that no port is in TIME_WAIT for which the next run would wait. */
const ON_HOST = `name: killed
lab: { kind: host }
allowHostChanges: true
addresses: { range: 127.0.1.1-127.0.1.2 }
load:
  strategy: bind
  arrival: { shape: constant, rate: 100/s, duration: 500ms }
  close: server
  lagBudget: 30s
sysctls: { net.ipv4.ip_local_port_range: 41000 41099, net.ipv4.tcp_fin_timeout: 7 }
variants: [{ name: shorter, sysctls: { net.ipv4.tcp_fin_timeout: 5 } }]
repeat: 1
warmup: 0
guardrails: []
`;

/** As {@link ON_HOST}, through a proxy that was there before. */
const THROUGH_EXTERNAL = `name: killed
lab: { kind: host }
allowHostChanges: true
allow: ["127.0.0.1:1080"]
subject: { kind: external, target: "127.0.0.1:1080" }
addresses: { range: 127.0.1.1-127.0.1.2 }
load:
  protocol: socks5
  strategy: bind
  exchange: { request: 10, response: 100 }
  arrival: { shape: constant, rate: 50/s, duration: 500ms }
  close: reset
  lagBudget: 30s
  timeout: 30s
sysctls: { net.ipv4.tcp_fin_timeout: 7 }
variants: [{ name: shorter, sysctls: { net.ipv4.tcp_fin_timeout: 5 } }]
repeat: 1
warmup: 0
guardrails: []
`;

/** Of TIME_WAIT nothing is over by the end of a step. */
const SEARCHED = `name: killed
addresses: { cidr: 10.50.0.0/24, count: 2 }
load:
  strategy: bind
  arrival: { find: max-rate, from: 1/s, step: 200ms, confirm: 1, tolerance: 10% }
  lagBudget: 30s
  timeout: 30s
sysctls: { net.ipv4.ip_local_port_range: 40000 40029 }
variants: [{ name: twice, addresses: { count: 4 } }]
`;

const DIRECT = `name: killed
addresses: { cidr: 10.50.0.0/24, count: 2 }
load:
  strategy: bind
  arrival: { shape: constant, rate: 200/s, duration: 300ms }
  lagBudget: 60s
sysctls: { net.ipv4.ip_local_port_range: 40000 40019 }
variants: [{ name: wider-range, sysctls: { net.ipv4.ip_local_port_range: 40000 40199 } }]
repeat: 1
warmup: 0
guardrails: []
`;

/** Shares are by what a kill costs: a guest is emulated for half a minute, and a namespace is there at once. */
export const SCENES: readonly Scene[] = [
  { name: 'netns', command: 'run', share: 28, profile: DIRECT, deadlineMs: 240_000 },
  { name: 'netns of an ordinary user', command: 'run', share: 7, profile: DIRECT, place: 'user', deadlineMs: 240_000 },
  {
    ...{ name: 'host', command: 'run', share: 7, profile: ON_HOST, place: 'host', deadlineMs: 240_000 },
    args: ['--lab', 'host'],
  },
  {
    ...{ name: 'external', command: 'run', share: 6, profile: THROUGH_EXTERNAL, place: 'host', deadlineMs: 240_000 },
    ...{ args: ['--lab', 'host'], program: 'microsocks', beside: ['microsocks', '-i', '127.0.0.1', '-p', '1080'] },
  },
  { name: 'search', command: 'search', share: 6, profile: SEARCHED, deadlineMs: 300_000 },
  {
    ...{ name: 'fixes', command: 'fixes', share: 6, deadlineMs: 240_000 },
    args: ['--strategies', 'bind', '--only', 'no-port,wider-range,tw-recycle'],
  },
  ...PROXY_KINDS.map(
    (kind): Scene => ({
      ...{ name: kind, command: 'run', share: kind === 'tor' ? 4 : 6, deadlineMs: 300_000 },
      profile: proxyProfile(kind),
      program: kind,
      either: EITHER[kind] ?? [],
      fetches: kind === 'tor',
    }),
  ),
  { name: 'vm, User-Mode Linux', command: 'run', share: 4, profile: guest('uml'), deadlineMs: 300_000, fetches: true },
  {
    ...{ name: 'vm, QEMU', command: 'run', share: 1, profile: guest('qemu'), deadlineMs: 900_000 },
    program: 'qemu-system-x86_64',
    ...{ fetches: true, emulated: true },
  },
  ...(['squid', 'haproxy'] as const).map(
    (kind): Scene => ({
      ...{ name: `${kind} in User-Mode Linux`, command: 'run', share: 2, deadlineMs: 600_000 },
      profile: `${proxyProfile(kind)}${labOf('uml')}`,
      ...{ program: kind, either: EITHER[kind] ?? [], fetches: true },
    }),
  ),
  {
    ...{ name: 'microsocks in QEMU', command: 'run', share: 1, deadlineMs: 900_000 },
    profile: `${proxyProfile('microsocks')}${labOf('qemu')}`,
    ...{ program: 'microsocks', fetches: true, emulated: true },
  },
];
