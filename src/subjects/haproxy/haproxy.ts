/**
 * HAProxy (haproxy.org): a reverse proxy with `source`. With an address alone it binds with IP_BIND_ADDRESS_NO_PORT and SO_REUSEADDR;
 * with a port range each server line takes its ports from a list of its own. Pure.
 */

import { formatTarget } from '../../domain/format.js';
import { strategyOfProxy } from '../defaults.js';
import type { HaproxySettings } from '../settings.js';
import type { LogEvent, Place, Program, Subject } from '../subject.js';
import { STANDARD_ERROR } from '../subject.js';

const CONFIG = 'haproxy.cfg';
/** From a client's address to the server line with the outgoing address that is its. */
const MAP = 'servers.map';
const LOG = 'haproxy.log';
const SOCKET = 'haproxy.sock';
/** Descriptors that are not of connections: epoll, pipes, the configuration's own. */
const RESERVE = 100;

export const haproxy: Subject<HaproxySettings> = {
  debianPackage: 'haproxy',
  reverse: true,
  strategy: strategyOfProxy,
  configure: (settings, binary, place): Program => ({
    files: { [CONFIG]: configText(settings, place), [MAP]: mapText(place) },
    // Its log goes to standard output. A pipe that is full would lose lines, a file is never full.
    argv: [
      'sh',
      '-c',
      'exec "$@" >"$0"',
      `${place.directory}/${LOG}`,
      binary,
      '-db',
      '-f',
      `${place.directory}/${CONFIG}`,
    ],
    logs: [LOG],
    stop: { signal: 'SIGTERM', deadlineMs: 4000 },
  }),
  readLine,
  question: { socket: SOCKET, text: 'show info\n', read: readInfo },
  version: { args: ['-v'], pattern: /^HAProxy version (\d[\d.]*)/im },
};

function configText(settings: HaproxySettings, place: Place): string {
  const { mode, persistent } = settings;
  const http = ['option http-server-close', `http-reuse ${persistent ? 'always' : 'never'}`];
  return `${[
    'global',
    '  log stdout format raw local0',
    `  maxconn ${mostConnections(place)}`,
    `  stats socket ${place.directory}/${SOCKET}`,
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
    ...settings.config.map((line) => `  ${line}`),
    ...place.destinations.flatMap((destination, i) => [
      `frontend f${i}`,
      `  bind ${formatTarget(place.listen[i]!)}`,
      `  default_backend b${i}`,
      `backend b${i}`,
      `  use-server %[src,map_ip(${place.directory}/${MAP})] if TRUE`,
      ...place.outgoing.map(
        (address, k) => `  server s${k} ${formatTarget(destination)} source ${sourceText(address, settings)}`,
      ),
    ]),
  ].join('\n')}\n`;
}

/** Clients that it serves at once; the others wait, unaccepted, and it says nothing of them. */
function mostConnections({ descriptors, listen }: Place): number {
  return Math.max(1, Math.floor((descriptors - RESERVE - listen.length) / 2));
}

function sourceText(address: string, { ports }: HaproxySettings): string {
  // Without brackets the last part of an IPv6 address is taken for a port.
  if (ports === null) return address.includes(':') ? `[${address}]` : address;
  return `${formatTarget({ address, port: ports.low })}-${ports.high}`;
}

function mapText({ clients }: Place): string {
  return clients.flatMap((group, k) => group.map((client) => `${client} s${k}\n`)).join('');
}

const NO_FREE_PORTS = /Connect\(\) failed for backend \S+: no free ports\./;
const NO_FREE_IN_RANGE = /Cannot bind to source address before connect\(\) for backend \S+\./;
const SESSION = /^session (\S+) (\d+)$/;
const OUT_OF_DESCRIPTORS =
  /reached (?:process|system) (?:FD|memory|file) limit|Failed to (?:create|open) .*: Too many open files/i;
const AT_MAXCONN =
  'it had as many clients as its descriptors allow (maxconn), and the others waited; raise subject.descriptors or the limit of open files';

/** The answer to `show info`: `CurrConns: 12`. Held connections are not in the log until they end. */
function readInfo(answer: string): LogEvent | null {
  const value = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(answer)?.[1] ?? Number.NaN);
  return value('CurrConns') >= value('Maxconn') ? { kind: 'trouble', what: AT_MAXCONN } : null;
}

const ALERT = /^\[ALERT\]\s+\(\d+\) : (.+)$/;

function readLine(log: string, line: string, place: Place): LogEvent | null {
  if (log === LOG) {
    const [, session, connections] = SESSION.exec(line) ?? [];
    if (session !== undefined) {
      const isFull = Number(connections) >= mostConnections(place);
      return { kind: 'request', result: session, ...(isFull ? { trouble: AT_MAXCONN } : {}) };
    }
    // One for each attempt of its own, of which `retries` makes more than the client has made.
    if (NO_FREE_PORTS.test(line)) return { kind: 'failure', call: 'connect', errno: 'EADDRNOTAVAIL' };
    // Its own list is empty: no call was made.
    if (NO_FREE_IN_RANGE.test(line)) return { kind: 'failure', call: null, errno: null };
    return OUT_OF_DESCRIPTORS.test(line) ? { kind: 'trouble', what: 'it ran out of descriptors' } : null;
  }
  if (log !== STANDARD_ERROR || NO_FREE_IN_RANGE.test(line)) return null;
  const alert = ALERT.exec(line)?.[1];
  return alert === undefined ? null : { kind: 'trouble', what: `it gave up: ${alert}` };
}
