/**
 * Dante (inet.no/dante): a SOCKS server with `external`. For each connection it binds to the port that its client has, and where that
 * is taken to port 0, without any socket option. Pure.
 */
import type { DanteSettings } from '../settings.js';
import type { LogEvent, Place, Program, Subject } from '../subject.js';
import { STANDARD_ERROR } from '../subject.js';

const CONFIG = 'danted.conf';
const LOG = 'danted.log';

export const dante: Subject<DanteSettings> = {
  debianPackage: 'dante-server',
  reverse: false,
  strategy: () => 'bind',
  configure: (settings, binary, place): Program => ({
    files: { [CONFIG]: configText(settings, place) },
    // Without -D it stays in the foreground, with its helper processes in its process group.
    argv: [binary, '-f', `${place.directory}/${CONFIG}`, '-p', `${place.directory}/danted.pid`],
    logs: [LOG],
    // It would take 0.3 s to end its helpers one by one.
    stop: { signal: 'SIGKILL', deadlineMs: 4000 },
  }),
  readLine,
  version: { args: ['-v'], pattern: /^Dante v(\d[\d.]*\d)/m },
};

function configText(settings: DanteSettings, { directory, listen, outgoing }: Place): string {
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
