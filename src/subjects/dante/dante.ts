/**
 * Dante (inet.no/dante): a SOCKS server with `external`. For each connection it binds to the port that its client has, and where that
 * is taken to port 0, without any socket option. Pure.
 */

import { program } from '../define.js';
import { likeItsClient } from '../ending.js';
import { eventBy, gaveUp, type LogRule, OUT_OF_DESCRIPTORS, refused, STANDARD_ERROR } from '../running/log-book.js';
import { binarySetting, CLIENTS, CONFIG, oneAddress, type SettingsOf, SUITE } from '../settings.js';
import type { ProxySetup } from '../subject.js';

const CONFIG_FILE = 'danted.conf';
const LOG = 'danted.log';

const SETTINGS = { binary: binarySetting('danted'), suite: SUITE, config: CONFIG, clients: CLIENTS };
type DanteSettings = SettingsOf<'dante', typeof SETTINGS>;

export const dante = program('dante', SETTINGS, {
  debianPackage: 'dante-server',
  reverse: false,
  protocols: () => ['socks5'],
  strategy: () => 'bind',
  ending: (_, load) => likeItsClient(load, 'reset'),
  check: (_, { addresses }, say) =>
    oneAddress(addresses, 'dante takes its outgoing address by the route to the destination, not by the client', say),
  takesClientsPorts: true,
  // It takes its client's port where that is free: the clients' are those of the range, so that it never has another one. They have
  // so many addresses that they themselves always find one.
  fixRow: { load: 'connections', addresses: 1, settings: { clients: 40 }, clientsShareRange: true },
  configure: (settings, path, setup) => ({
    files: { [CONFIG_FILE]: configText(settings, setup) },
    // Without -D it stays in the foreground, with its helper processes in its process group.
    argv: [path, '-f', `${setup.directory}/${CONFIG_FILE}`, '-p', `${setup.directory}/danted.pid`],
    logs: [LOG],
    // It would take 0.3 s to end its helpers one by one.
    stop: { signal: 'SIGKILL', deadlineMs: 4000 },
  }),
  readLine: (log, line) => (log === LOG || log === STANDARD_ERROR ? eventBy(RULES, line) : null),
  version: { args: ['-v'], pattern: /^Dante v(\d[\d.]*\d)/m },
});

function configText(settings: DanteSettings, { directory, listen, outgoing }: ProxySetup): string {
  const [{ address, port }] = listen;
  const all = address.includes(':') ? '::/0' : '0.0.0.0/0';
  return `${[
    `logoutput: ${directory}/${LOG}`,
    `internal: ${address} port = ${port}`,
    ...outgoing.map((own) => `external: ${own}`),
    'socksmethod: none',
    'clientmethod: none',
    `client pass { from: ${all} to: ${all} log: error }`,
    `socks pass { from: ${all} to: ${all} log: error }`,
    ...settings.config,
  ].join('\n')}\n`;
}

const RULES: readonly LogRule[] = [
  [/bindexternaladdr\(\): could not bind tcp port \d+ of IPv[46] address \S+: /, refused('bind', 'EADDRINUSE')],
  [/Too many open files/, OUT_OF_DESCRIPTORS],
  // Of what a rule logs as its error: the command that was refused, and then the client's whole session.
  [/: info: block\(\d+\): (tcp\/\w+) \]: /, ([, what]) => ({ kind: 'request', result: `block ${what}` })],
  [
    / (?:error|alert|emerg)[^:]*: (?!mother\[)(.*(?:problem on line \d+|could not bind|failed to bind|no valid).*)$/,
    gaveUp,
  ],
];
