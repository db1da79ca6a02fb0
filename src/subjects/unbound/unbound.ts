/**
 * unbound (nlnetlabs.nl): a resolver, here one that forwards all that it is asked. It draws the port of each query from a list of its own
 * (outgoing-port-permit) and binds it without SO_REUSEADDR, then connects (services/outside_network.c, select_ifport()); the kernel's range has
 * no say. A thread that has no free port left drops the query, and its client is told SERVFAIL. Pure.
 */
import { setting } from '../../domain/setting.js';
import type { Target } from '../../domain/target.js';
import { orNull, portRange, whole } from '../../domain/values.js';
import { program } from '../define.js';
import { eventBy, gaveUp, type LogRule, OUT_OF_DESCRIPTORS, refused } from '../running/log-book.js';
import { binarySetting, CLIENTS, CONFIG, type SettingsOf, SUITE } from '../settings.js';
import type { ProxySetup } from '../subject.js';

const CONFIG_FILE = 'unbound.conf';
const LOG = 'unbound.log';
/** Queries that a thread has under way at once, and as many sockets. */
const USUAL_RANGE = 4096;
/**
 * Options of unbound ≥ 1.20, and of Debian's 1.17.1 since deb12u3, whose defaults (1000 queries, 1900 ms) leave queries without an answer long
 * before any port is short: those that wait for an answer for one client's address (a lab's clients are one, as is a balancer), and answers
 * that come late (unbound.conf(5)).
 */
const LIMITS = ['wait-limit', 'discard-timeout'];

const SETTINGS = {
  binary: binarySetting('unbound'),
  suite: SUITE,
  config: CONFIG,
  clients: CLIENTS,
  ports: setting(orNull(portRange, "the kernel's range"), {
    default: null,
    defaultText: 'those of 1024-65535 that IANA has not assigned',
    describe: 'the only ports that it may have: outgoing-port-avoid for all others; the kernel has no say',
    example: '50000-50099',
  }),
  threads: setting(whole(1, 64), {
    default: 1,
    describe: 'num-threads; each has a part of the ports of its own',
    example: '2',
  }),
  outgoingRange: setting(whole(1, 65_536), {
    default: USUAL_RANGE,
    describe: 'outgoing-range: sockets that a thread has open at once; a query beyond them waits until one is closed',
    example: '8192',
  }),
};
type UnboundSettings = SettingsOf<'unbound', typeof SETTINGS>;

export const unbound = program('unbound', SETTINGS, {
  debianPackage: 'unbound',
  reverse: false,
  protocols: () => ['dns'],
  strategy: () => 'bind-explicit-port-exclusive',
  ownPorts: ({ ports }) => ports ?? { low: 1024, high: 65_535 },
  unmodelled,
  whenFull: 'dns:SERVFAIL',
  // There are no connections that would have one.
  ending: () => 'unknown',
  configure: (settings, path, setup) => ({
    files: { [CONFIG_FILE]: configText(settings, setup) },
    argv: [path, '-d', '-p', '-c', `${setup.directory}/${CONFIG_FILE}`],
    logs: [LOG],
    stop: { signal: 'SIGTERM', deadlineMs: 4000 },
  }),
  options: LIMITS,
  readLine: (_, line) => eventBy(RULES, line),
  version: { args: ['-V'], pattern: /^Version (\d[\d.]*)/m },
});

function unmodelled({ ports, threads, outgoingRange }: UnboundSettings): string | null {
  if (threads > 1)
    return 'each thread of unbound has a part of the ports, and the kernel chooses by a hash which thread a client speaks to';
  if (ports === null) return 'unbound leaves out the ports that IANA has assigned, which its version decides';
  return outgoingRange < ports.high - ports.low + 1
    ? `unbound has at most ${outgoingRange} sockets open (outgoing-range), and what is asked beyond waits for one of them`
    : null;
}

function configText(settings: UnboundSettings, setup: ProxySetup): string {
  const { directory, listen, outgoing, destinations, options } = setup;
  const { ports, threads, outgoingRange, config } = settings;
  const [{ address, port }] = listen;
  return `${[
    'server:',
    ...[
      'chroot: ""',
      'username: ""',
      `directory: "${directory}"`,
      'pidfile: ""',
      'use-syslog: no',
      `logfile: "${directory}/${LOG}"`,
      `interface: ${at({ address, port })}`,
      'access-control: 0.0.0.0/0 allow',
      'access-control: ::/0 allow',
      ...outgoing.map((own) => `outgoing-interface: ${own}`),
      ...(ports === null
        ? []
        : ['outgoing-port-avoid: "0-65535"', `outgoing-port-permit: "${ports.low}-${ports.high}"`]),
      `outgoing-range: ${outgoingRange}`,
      `num-threads: ${threads}`,
      // A query that waits for its answer keeps its place: nothing but ports and sockets is to be short.
      `num-queries-per-thread: ${Math.max(outgoingRange, USUAL_RANGE)}`,
      ...LIMITS.filter((limit) => options?.has(limit)).map((limit) => `${limit}: 0`),
      // The origin answers when the profile says, and that is not to be taken for a loss.
      'unknown-server-time-limit: 20000',
      // No signatures: the origin has none.
      'module-config: "iterator"',
      'qname-minimisation: no',
      'do-not-query-localhost: no',
      ...(outgoing.some((own) => own.includes(':')) ? ['do-ip6: yes'] : []),
      ...config,
    ].map((line) => `  ${line}`),
    'remote-control:',
    '  control-enable: no',
    'forward-zone:',
    '  name: "."',
    ...destinations.map((target) => `  forward-addr: ${at(target)}`),
  ].join('\n')}\n`;
}

function at({ address, port }: Target): string {
  return `${address}@${port}`;
}

const RULES: readonly LogRule[] = [
  [/error: failed to find an open port, drop msg/, refused('bind', 'EADDRINUSE')],
  [/error: can't bind socket: Address already in use/, refused('bind', 'EADDRINUSE')],
  [/Too many open files/, OUT_OF_DESCRIPTORS],
  [/fatal error: (.+)$/, gaveUp],
];
