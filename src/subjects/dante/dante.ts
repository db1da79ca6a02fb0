/**
 * Dante (inet.no/dante): a SOCKS server with `external`. For each connection it binds to the port that its client has, and where that
 * is taken to port 0, without any socket option. Pure.
 */

import { program } from '../define.js';
import { type LogEvent, STANDARD_ERROR } from '../running/log-book.js';
import { binarySetting, CLIENTS, CONFIG, oneAddress, type SettingsOf } from '../settings.js';
import type { ProxySetup } from '../subject.js';

const CONFIG_FILE = 'danted.conf';
const LOG = 'danted.log';

const SETTINGS = { binary: binarySetting('danted'), config: CONFIG, clients: CLIENTS };
type DanteSettings = SettingsOf<'dante', typeof SETTINGS>;

export const dante = program('dante', SETTINGS, {
  debianPackage: 'dante-server',
  reverse: false,
  protocols: () => ['socks5'],
  strategy: () => 'bind',
  check: (_, { addresses }, say) =>
    oneAddress(addresses, 'dante takes its outgoing address by the route to the destination, not by the client', say),
  undetermined: () => 'dante first tries the port that its client has, so that it depends on the clients how many fit',
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
  readLine,
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

const NO_FREE_PORTS = /bindexternaladdr\(\): could not bind tcp port \d+ of IPv[46] address \S+: /;
const OUT_OF_DESCRIPTORS = /Too many open files/;
const FATAL =
  / (?:error|alert|emerg)[^:]*: (?!mother\[)(.*(?:problem on line \d+|could not bind|failed to bind|no valid).*)$/;
/** Of what a rule logs as its error: the command that was refused, and then the client's whole session. */
const BLOCKED = /: info: block\(\d+\): (tcp\/\w+) \]: /;

function readLine(log: string, line: string): LogEvent | null {
  if (log !== LOG && log !== STANDARD_ERROR) return null;
  if (NO_FREE_PORTS.test(line)) return { kind: 'failure', call: 'bind', errno: 'EADDRINUSE' };
  if (OUT_OF_DESCRIPTORS.test(line)) return { kind: 'trouble', what: 'it ran out of descriptors' };
  const blocked = BLOCKED.exec(line)?.[1];
  if (blocked !== undefined) return { kind: 'request', result: `block ${blocked}` };
  const fatal = FATAL.exec(line)?.[1];
  return fatal === undefined ? null : { kind: 'trouble', what: `it gave up: ${fatal}` };
}
