/**
 * coturn (github.com/coturn/coturn): a TURN server. Each client that asks for a relay gets a UDP socket on the relay address, with a port of
 * min-port to max-port that coturn draws and binds itself; the kernel's range has no say. A client that finds none is told 508. Pure.
 */
import { setting } from '../../domain/setting.js';
import { orNull, portRange } from '../../domain/values.js';
import { program } from '../define.js';
import { eventBy, gaveUp, type LogRule, OUT_OF_DESCRIPTORS, refused } from '../running/log-book.js';
import { binarySetting, CLIENTS, CONFIG, type SettingsOf, SUITE } from '../settings.js';
import type { ProxySetup } from '../subject.js';

const CONFIG_FILE = 'turnserver.conf';
/** The lifetime of an allocation that nobody refreshes (RFC 8656, section 7.2). */
const LIFETIME_MS = 600_000;
/** coturn's own default. */
const USUAL_PORTS = { low: 49_152, high: 65_535 } as const;

const SETTINGS = {
  binary: binarySetting('turnserver'),
  suite: SUITE,
  config: CONFIG,
  clients: CLIENTS,
  ports: setting(orNull(portRange, "the kernel's range"), {
    default: null,
    defaultText: '49152-65535',
    describe: 'min-port and max-port: the ports of relays; the kernel has no say',
    example: '50000-50099',
  }),
};
type CoturnSettings = SettingsOf<'coturn', typeof SETTINGS>;

export const coturn = program('coturn', SETTINGS, {
  debianPackage: 'coturn',
  reverse: false,
  protocols: () => ['turn'],
  strategy: () => 'bind-explicit-port-exclusive',
  ownPorts: ({ ports }) => ports ?? USUAL_PORTS,
  keepsPortMs: LIFETIME_MS,
  whenFull: 'turn:508',
  // There are no connections that would have one.
  ending: () => 'unknown',
  check: (_, { addresses }, say) => {
    if (addresses.some((address) => address.includes(':')))
      say(
        'the load asks coturn for a relay of IPv4, and an address of IPv6 has none; use addresses: { list: [10.50.0.1] }',
        ['addresses'],
      );
  },
  programs: ['turnserver'],
  configure: (settings, path, setup) => ({
    files: { [CONFIG_FILE]: configText(settings, setup) },
    argv: [path, '-c', `${setup.directory}/${CONFIG_FILE}`, '--pidfile', `${setup.directory}/turnserver.pid`],
    logs: [],
    stop: { signal: 'SIGTERM', deadlineMs: 4000 },
  }),
  readLine: (_, line) => eventBy(RULES, line),
  version: { args: ['--version'], pattern: /(\d+\.\d+\.\d+)/ },
});

function configText({ ports, config }: CoturnSettings, { directory, listen, outgoing }: ProxySetup): string {
  const { low, high } = ports ?? USUAL_PORTS;
  return `${[
    `listening-ip=${listen[0].address}`,
    `listening-port=${listen[0].port}`,
    ...outgoing.map((address) => `relay-ip=${address}`),
    `min-port=${low}`,
    `max-port=${high}`,
    // With threads it listens before they are there, and what comes until then is lost.
    'relay-threads=0',
    'no-auth',
    'no-tls',
    'no-dtls',
    'no-cli',
    'no-multicast-peers',
    'log-file=stdout',
    `userdb=${directory}/turndb`,
    'simple-log',
    ...config,
  ].join('\n')}\n`;
}

const RULES: readonly LogRule[] = [
  [/error 508: Cannot create socket|no available ports/i, refused('bind', 'EADDRINUSE')],
  [/Too many open files/, OUT_OF_DESCRIPTORS],
  [/(?:ERROR|FATAL): (.*Cannot bind.*)$/i, gaveUp],
];
