/**
 * dnsdist (dnsdist.org): a load balancer of DNS. It makes its sockets towards each server when it starts (`sockets`), binds them to `source` and
 * connects them; all queries share them, and are told apart by their IDs. A query takes no port. Pure.
 */
import { formatTarget } from '../../domain/format.js';
import { setting } from '../../domain/setting.js';
import { flag, whole } from '../../domain/values.js';
import { program } from '../define.js';
import { eventBy, gaveUp, type LogRule, OUT_OF_DESCRIPTORS, refused } from '../running/log-book.js';
import { binarySetting, CLIENTS, CONFIG, oneAddress, type SettingsOf, SUITE } from '../settings.js';
import type { ProxySetup } from '../subject.js';

const CONFIG_FILE = 'dnsdist.conf';

const SETTINGS = {
  binary: binarySetting('dnsdist'),
  suite: SUITE,
  config: CONFIG,
  clients: CLIENTS,
  sockets: setting(whole(1, 65_535), {
    default: 1,
    describe: 'newServer{ sockets= }: sockets towards each server, made at the start',
    example: '8',
  }),
  source: setting(flag, {
    default: true,
    describe: 'whether newServer{ source= } names the outgoing address; otherwise connect() chooses the port',
    example: 'false',
  }),
};
type DnsdistSettings = SettingsOf<'dnsdist', typeof SETTINGS>;

export const dnsdist = program('dnsdist', SETTINGS, {
  debianPackage: 'dnsdist',
  reverse: false,
  protocols: () => ['dns'],
  strategy: ({ source }) => (source ? 'bind-reuseaddr' : 'connect'),
  standing: true,
  check: ({ source }, { addresses }, say) => {
    if (!source) oneAddress(addresses, 'without source the route chooses one address', say);
  },
  // There are no connections that would have one.
  ending: () => 'unknown',
  configure: (settings, path, setup) => ({
    files: { [CONFIG_FILE]: configText(settings, setup) },
    argv: [path, '--supervised', '--disable-syslog', '-C', `${setup.directory}/${CONFIG_FILE}`],
    logs: [],
    stop: { signal: 'SIGTERM', deadlineMs: 4000 },
  }),
  readLine: (_, line) => eventBy(RULES, line),
  version: { args: ['--version'], pattern: /dnsdist (\d[\d.]*)/ },
});

function configText(settings: DnsdistSettings, { listen, outgoing, destinations }: ProxySetup): string {
  const { sockets, source, config } = settings;
  const own = source ? outgoing.map((address) => `, source="${address}"`) : [''];
  return `${[
    `setLocal("${formatTarget(listen[0])}")`,
    'setACL({"0.0.0.0/0", "::/0"})',
    // In turn, not by who answers fastest.
    'setServerPolicy(roundrobin)',
    // The origin answers when the profile says; by default dnsdist forgets a query after 2 s, and the answer that comes then.
    'setUDPTimeout(20)',
    ...config,
    ...destinations.flatMap((target) =>
      own.map((from) => `newServer({address="${formatTarget(target)}", sockets=${sockets}${from}}):setUp()`),
    ),
  ].join('\n')}\n`;
}

const RULES: readonly LogRule[] = [
  [/Error connecting to new server.*binding socket.*Address already in use/, refused('bind', 'EADDRINUSE')],
  [/Error connecting to new server.*Resource temporarily unavailable/, refused('connect', 'EAGAIN')],
  [/Too many open files/, OUT_OF_DESCRIPTORS],
  [/Fatal(?: error)?: (.+)$/, gaveUp],
];
