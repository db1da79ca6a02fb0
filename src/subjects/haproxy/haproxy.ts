/**
 * HAProxy (haproxy.org): a reverse proxy with `source`. With an address alone it binds with IP_BIND_ADDRESS_NO_PORT and SO_REUSEADDR;
 * with a port range each server line takes its ports from a list of its own. Pure.
 */

import { formatTarget } from '../../domain/format.js';
import { setting } from '../../domain/setting.js';
import { orNull, portRange } from '../../domain/values.js';
import { adopted, BASE, type BaseRules } from '../base/base.js';
import { program } from '../define.js';
import { likeItsClient, ofRequests } from '../ending.js';
import {
  eventBy,
  gaveUp,
  type LogEvent,
  type LogRule,
  OUT_OF_DESCRIPTORS,
  refused,
  STANDARD_ERROR,
} from '../running/log-book.js';
import {
  binarySetting,
  CLIENTS,
  CONFIG,
  DESCRIPTORS,
  modeSetting,
  PERSISTENT,
  persistentWithoutRequests,
  type SettingsOf,
  SUITE,
} from '../settings.js';
import type { ProxySetup } from '../subject.js';
import { haproxyBase } from './base.js';

const CONFIG_FILE = 'haproxy.cfg';
/** From a client's address to the server line with the outgoing address that is its. */
const MAP = 'servers.map';
const LOG = 'haproxy.log';
const SOCKET = 'haproxy.sock';
const LOG_TARGET = 'log stdout format raw local0';
/** Descriptors that are not of connections: epoll, pipes, the configuration's own. */
const RESERVE = 100;

const SETTINGS = {
  binary: binarySetting('haproxy'),
  suite: SUITE,
  config: CONFIG,
  base: BASE,
  clients: CLIENTS,
  descriptors: DESCRIPTORS,
  // A connection holds a port for as long as the client wants; in mode http HAProxy resets its side, which leaves no TIME_WAIT.
  mode: modeSetting('tcp'),
  persistent: PERSISTENT,
  ports: setting(orNull(portRange, "the kernel's range"), {
    default: null,
    defaultText: 'the kernel chooses',
    describe:
      'the range of "source ADDRESS:LOW-HIGH", for example 50000-50099, for each server line; the kernel has no say then',
    example: '50000-50099',
  }),
};
export type HaproxySettings = SettingsOf<'haproxy', typeof SETTINGS>;

export const haproxy = program('haproxy', SETTINGS, {
  debianPackage: 'haproxy',
  reverse: true,
  protocols: ({ mode }) => (mode === 'http' ? ['get'] : ['tcp', 'get']),
  strategy: ({ ports }) => (ports === null ? 'bind-no-port-reuseaddr' : 'bind-explicit-port'),
  ownPorts: ({ ports }) => ports,
  check: persistentWithoutRequests,
  linePerPair: ({ base }) => base === undefined,
  ending: ({ mode, persistent }, load) =>
    mode === 'http' ? ofRequests(load, persistent, 'reset') : likeItsClient(load, 'reset'),
  fixRow: { load: 'connections' },
  configure: (settings, path, setup) => ({
    files: { [CONFIG_FILE]: configText(settings, setup), [MAP]: mapText(setup) },
    // Its log goes to standard output. A pipe that is full would lose lines, a file is never full.
    argv: [
      'sh',
      '-c',
      'exec "$@" >"$0"',
      `${setup.directory}/${LOG}`,
      path,
      '-db',
      '-f',
      `${setup.directory}/${CONFIG_FILE}`,
    ],
    logs: [LOG],
    stop: { signal: 'SIGTERM', deadlineMs: 4000 },
  }),
  base: ({ config }) => baseRules(config),
  readLine,
  question: { socket: SOCKET, text: 'show info\n', read: readInfo },
  version: { args: ['-v'], pattern: /^HAProxy version (\d[\d.]*)/im },
});

/** What the lab has in any configuration. @param more of the profile, for `defaults` */
function baseRules(more: readonly string[]): BaseRules {
  return haproxyBase({
    global: ({ directory }) => [LOG_TARGET, `stats socket ${directory}/${SOCKET}`],
    // Without the status of HTTP, which a frontend in mode tcp may not log.
    defaults: ['log global', 'log-format "session %ts %ac"', ...more],
  });
}

function configText(settings: HaproxySettings, setup: ProxySetup): string {
  const { mode, persistent, base, config } = settings;
  if (base !== undefined) return adopted(base, baseRules(config), setup);
  const http = ['option http-server-close', `http-reuse ${persistent ? 'always' : 'never'}`];
  return `${[
    'global',
    `  ${LOG_TARGET}`,
    `  maxconn ${mostConnections(setup)}`,
    `  stats socket ${setup.directory}/${SOCKET}`,
    // One thread: with more, a range of ports would be a list for each of them.
    '  nbthread 1',
    'defaults',
    `  mode ${mode}`,
    '  log global',
    // The state of the session at its end, whose first letters say who ended it and when; and how many there are, itself among them.
    `  log-format "session ${mode === 'http' ? '%ST/' : ''}%ts %ac"`,
    // One attempt of a client is one attempt of the proxy.
    '  retries 0',
    '  timeout connect 10s',
    '  timeout client 1h',
    '  timeout server 1h',
    ...(mode === 'http' ? (persistent ? http.slice(1) : http) : []).map((line) => `  ${line}`),
    ...config.map((line) => `  ${line}`),
    ...setup.destinations.flatMap((destination, i) => [
      `frontend f${i}`,
      `  bind ${formatTarget(setup.listen[i]!)}`,
      `  default_backend b${i}`,
      `backend b${i}`,
      `  use-server %[src,map_ip(${setup.directory}/${MAP})] if TRUE`,
      ...setup.outgoing.map(
        (address, k) => `  server s${k} ${formatTarget(destination)} source ${sourceText(address, settings)}`,
      ),
    ]),
  ].join('\n')}\n`;
}

/** Clients that it serves at once; the others wait, unaccepted, and it says nothing of them. */
function mostConnections({ descriptors, listen }: ProxySetup): number {
  return Math.max(1, Math.floor((descriptors - RESERVE - listen.length) / 2));
}

function sourceText(address: string, { ports }: HaproxySettings): string {
  // Without brackets the last part of an IPv6 address is taken for a port.
  if (ports === null) return address.includes(':') ? `[${address}]` : address;
  return `${formatTarget({ address, port: ports.low })}-${ports.high}`;
}

function mapText({ clients }: ProxySetup): string {
  return clients.flatMap((group, k) => group.map((client) => `${client} s${k}\n`)).join('');
}

const AT_MAXCONN =
  'it had as many clients as its descriptors allow (maxconn), and the others waited; raise subject.descriptors or the limit of open files';

/** The answer to `show info`: `CurrConns: 12`. Held connections are not in the log until they end. */
function readInfo(answer: string): LogEvent | null {
  const value = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(answer)?.[1] ?? Number.NaN);
  return value('CurrConns') >= value('Maxconn') ? { kind: 'trouble', what: AT_MAXCONN } : null;
}

const NO_FREE_IN_RANGE = /Cannot bind to source address before connect\(\) for backend \S+\./;
const RULES: readonly LogRule[] = [
  // One for each attempt of its own, of which `retries` makes more than the client has made.
  [/Connect\(\) failed for backend \S+: no free ports\./, refused('connect', 'EADDRNOTAVAIL')],
  // Its own list is empty: no call was made.
  [NO_FREE_IN_RANGE, refused(null, null)],
  [
    /reached (?:process|system) (?:FD|memory|file) limit|Failed to (?:create|open) .*: Too many open files/i,
    OUT_OF_DESCRIPTORS,
  ],
];

function readLine(log: string, line: string, setup: ProxySetup): LogEvent | null {
  if (log === STANDARD_ERROR)
    return NO_FREE_IN_RANGE.test(line) ? null : eventBy([[/^\[ALERT\]\s+\(\d+\) : (.+)$/, gaveUp]], line);
  if (log !== LOG) return null;
  const [, result, connections] = /^session (\S+) (\d+)$/.exec(line) ?? [];
  if (result === undefined) return eventBy(RULES, line);
  return { kind: 'request', result, ...(Number(connections) >= mostConnections(setup) ? { trouble: AT_MAXCONN } : {}) };
}
