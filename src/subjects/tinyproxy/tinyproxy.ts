/**
 * tinyproxy (tinyproxy.github.io): a small forward proxy for HTTP with `Bind`. It binds `address:0` before it connects, without any
 * socket option (strace of 1.11.1). Where that fails it tries the next `Bind` line, so that addresses fill up in their order;
 * after the last it answers 500, and never connects unbound. Pure.
 */
import { adopted, BASE, type LabOfBase } from '../base/base.js';
import { program } from '../define.js';
import { likeItsClient, ofRequests } from '../ending.js';
import { eventBy, gaveUp, type LogRule, OUT_OF_DESCRIPTORS, refused, STANDARD_ERROR } from '../running/log-book.js';
import { binarySetting, CLIENTS, CONFIG, DESCRIPTORS, type SettingsOf, SUITE } from '../settings.js';
import type { ProxySetup } from '../subject.js';
import { tinyproxyBase } from './base.js';

const CONFIG_FILE = 'tinyproxy.conf';
const LOG = 'tinyproxy.log';
/** Descriptors that are not of connections. */
const RESERVE = 50;
/** Seconds that a tunnel may be idle; its default, 600, would end connections that are held. */
const TIMEOUT = 86_400;

const SETTINGS = {
  binary: binarySetting('tinyproxy'),
  suite: SUITE,
  config: CONFIG,
  base: BASE,
  clients: CLIENTS,
  descriptors: DESCRIPTORS,
};
type TinyproxySettings = SettingsOf<'tinyproxy', typeof SETTINGS>;

export const tinyproxy = program('tinyproxy', SETTINGS, {
  debianPackage: 'tinyproxy-bin',
  reverse: false,
  protocols: () => ['connect', 'get'],
  strategy: () => 'bind',
  ending: (_, load) => (load.protocol === 'get' ? ofRequests(load, false, 'client') : likeItsClient(load, 'client')),
  version: { args: ['-v'], pattern: /^tinyproxy (\d[\d.]*)/m },
  fixRow: {
    load: 'connections',
    cannot: {
      'explicit-ports': 'Bind takes an address, and no ports',
      persistent: 'it opens a connection to the origin for each request',
      reset: 'it has no such setting towards origins',
    },
  },
  configure: (settings, path, setup) => ({
    files: { [CONFIG_FILE]: configText(settings, setup) },
    argv: [path, '-d', '-c', `${setup.directory}/${CONFIG_FILE}`],
    logs: [LOG],
    stop: { signal: 'SIGKILL', deadlineMs: 4000 },
  }),
  base: () => tinyproxyBase(labLines),
  readLine: (log, line) => (log === LOG || log === STANDARD_ERROR ? eventBy(RULES, line) : null),
});

/** What the lab has in any configuration. */
function labLines({ directory, listen: [{ address, port }] }: LabOfBase): string[] {
  return [`Listen ${address}`, `Port ${port}`, `LogFile "${directory}/${LOG}"`, 'LogLevel Warning'];
}

function configText({ base, config }: TinyproxySettings, setup: ProxySetup): string {
  if (base !== undefined) return adopted(base, tinyproxyBase(labLines), setup, config);
  return `${[
    ...labLines(setup),
    ...setup.outgoing.map((own) => `Bind ${own}`),
    // A thread and two descriptors for each; further clients wait unaccepted.
    `MaxClients ${Math.max(1, Math.floor((setup.descriptors - RESERVE) / 2))}`,
    `Timeout ${TIMEOUT}`,
    ...config,
  ].join('\n')}\n`;
}

const RULES: readonly LogRule[] = [
  // The only line about a connection that did not come about, whatever the call and the errno.
  [/opensock: Could not establish a connection to /, refused(null, null)],
  [
    /Maximum number of connections reached/,
    { kind: 'trouble', what: 'it had as many clients as MaxClients allows, and the others waited' },
  ],
  [/Too many open files/, OUT_OF_DESCRIPTORS],
  [/(?:^|: )(Could not create listening sockets|Syntax error on line \d+|Unable to parse config file)/i, gaveUp],
];
