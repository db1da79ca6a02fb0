/**
 * Squid (squid-cache.org): a forward proxy with `tcp_outgoing_address`. Up to version 5 it binds `address:0` before it connects; from
 * 6 on with IP_BIND_ADDRESS_NO_PORT (squid-cache/squid pull request 1115). Pure.
 */
import { formatTarget } from '../../domain/format.js';
import { setting } from '../../domain/setting.js';
import { oneOf } from '../../domain/values.js';
import { errnoName } from '../../kernel/errno.js';
import { adopted, BASE, type LabOfBase } from '../base/base.js';
import { program } from '../define.js';
import { likeItsClient, ofRequests } from '../ending.js';
import { eventBy, gaveUp, type LogEvent, type LogRule, OUT_OF_DESCRIPTORS, refused } from '../running/log-book.js';
import { binarySetting, CLIENTS, CONFIG, DESCRIPTORS, PERSISTENT, type SettingsOf, SUITE } from '../settings.js';
import type { ProxySetup } from '../subject.js';
import { squidBase } from './base.js';

const HELPERS = ['unlinkd', 'log_file_daemon'];
/** The first release that binds with IP_BIND_ADDRESS_NO_PORT: that of Debian trixie. */
const NO_PORT_SINCE = 6;
const CONFIG_FILE = 'squid.conf';
const CACHE_LOG = 'cache.log';
const ACCESS_LOG = 'access.log';

const SETTINGS = {
  binary: binarySetting('squid'),
  suite: SUITE,
  persistent: PERSISTENT,
  outgoing: setting(oneOf(['client-address', 'random']), {
    // Exact turns make exact ceilings; a draw fails at 77 % of the room (measured: 50 addresses, 100 ports each).
    default: 'client-address',
    describe:
      'how the proxy comes to its outgoing address: client-address: by the address of the client, so that addresses.pick decides; random: it draws',
    example: 'client-address',
  }),
  config: CONFIG,
  base: BASE,
  descriptors: DESCRIPTORS,
  clients: CLIENTS,
};
export type SquidSettings = SettingsOf<'squid', typeof SETTINGS>;

export const squid = program('squid', SETTINGS, {
  debianPackage: 'squid',
  reverse: false,
  // Tunnels hold a port each, for as long as wanted.
  protocols: () => ['connect', 'get'],
  draws: ({ outgoing }) => outgoing === 'random',
  ending: ({ persistent }, load) =>
    load.protocol === 'get' ? ofRequests(load, persistent, 'client') : likeItsClient(load, 'client'),
  fixRow: { load: 'requests' },
  strategy: ({ suite }, version) => {
    const major = Number.parseInt(version ?? '', 10) || (suite === 'trixie' || suite === 'sid' ? NO_PORT_SINCE : 0);
    return major >= NO_PORT_SINCE ? 'bind-no-port' : 'bind';
  },
  configure: (settings, path, setup) => ({
    files: { [CONFIG_FILE]: configText(settings, setup) },
    // -N: one process, in the foreground. The name is that of its files in /dev/shm.
    argv: [path, '-N', '-n', 'bindstorm', '-f', `${setup.directory}/${CONFIG_FILE}`],
    logs: [CACHE_LOG, ACCESS_LOG],
    // SIGTERM takes it one to two seconds (it looks once a second) for what the lab does by itself: its files in /dev/shm and in
    // its directory are gone with the lab.
    stop: { signal: 'SIGKILL', deadlineMs: 4000 },
  }),
  base: () => squidBase(labLines),
  // Without its error pages and helpers it ends at once, whether it needs them or not (Squid's requirePathnameExists()).
  belongings: () => ({
    files: [
      ...['errors/templates', 'icons', 'mime.conf'].map((name) => `/usr/share/squid/${name}`),
      '/etc/squid/mime.conf',
      ...HELPERS.flatMap((name) => [`/usr/lib/squid/${name}`, `/usr/lib64/squid/${name}`]),
    ],
  }),
  readLine,
  version: { args: ['-v'], pattern: /^Squid Cache: Version (\S+)/m },
});

/** What the lab has in any configuration. */
function labLines({ directory, root }: LabOfBase): string[] {
  return [
    ...(root === undefined ? [] : filesOf(root)),
    'pid_filename none',
    `cache_log ${directory}/${CACHE_LOG}`,
    `access_log stdio:${directory}/${ACCESS_LOG} squid`,
    'cache_store_log none',
    `coredump_dir ${directory}`,
    'netdb_filename none',
    'logfile_rotate 0',
    'dns_nameservers 127.0.0.1',
    // No set-user-ID helper.
    'pinger_enable off',
  ];
}

/** Where a Squid that is not installed has what it looks for in folders that it was built with. */
function filesOf(root: string): string[] {
  const files = `${root}/usr/share/squid`;
  const [unlinkd, logger] = HELPERS.map((name) => `${root}/usr/lib/squid/${name}`);
  return [
    `error_directory ${files}/errors/templates`,
    `icon_directory ${files}/icons`,
    `mime_table ${files}/mime.conf`,
    `unlinkd_program ${unlinkd}`,
    `logfile_daemon ${logger}`,
  ];
}

function configText(settings: SquidSettings, setup: ProxySetup): string {
  const { base, config } = settings;
  if (base !== undefined) return adopted(base, squidBase(labLines), setup, config);
  const onOff = settings.persistent ? 'on' : 'off';
  return `${[
    `http_port ${formatTarget(setup.listen[0])}`,
    ...labLines(setup),
    // No dependence on this machine's name or files.
    'visible_hostname bindstorm',
    'hosts_file none',
    'digest_generation off',
    // Without %>A, the client's name, for which it would ask the resolver.
    'url_rewrite_extras "%>a %un %>rm"',
    'store_id_extras "%>a %un %>rm"',
    'cache deny all',
    'cache_mem 8 MB',
    'memory_pools off',
    'shutdown_lifetime 0 seconds',
    `max_filedescriptors ${setup.descriptors}`,
    'http_access allow all',
    `server_persistent_connections ${onOff}`,
    ...outgoingLines(settings.outgoing, setup),
    ...config,
  ].join('\n')}\n`;
}

/**
 * Which outgoing address a request gets. By the client's address it is exact: the load takes its client addresses in turn. Squid's
 * own way to draw, chained `random` ACLs of 1/K, 1/(K−1) …, gives every address the same chance.
 */
function outgoingLines(by: SquidSettings['outgoing'], { outgoing, clients: groups }: ProxySetup): string[] {
  if (outgoing.length === 1) return [`tcp_outgoing_address ${outgoing[0]}`];
  return outgoing.flatMap((address, i) => {
    if (by === 'client-address') {
      const group = groups[i]!;
      const range = group.length === 1 ? group[0] : `${group[0]}-${group.at(-1)}`;
      return [`acl client${i} src ${range}`, `tcp_outgoing_address ${address} client${i}`];
    }
    const left = outgoing.length - i;
    if (left === 1) return [`tcp_outgoing_address ${address}`];
    return [`acl draw${i} random 1/${left}`, `tcp_outgoing_address ${address} draw${i}`];
  });
}

/** `commBind:` with a colon in 2014, without one in 5.7. A listener's address has its port behind it, an outgoing one has none. */
const COMM_BIND =
  /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d(?: kid\d+)?\| (?:ERROR: )?commBind:? Cannot bind socket FD \d+ to (\S+?):? \((\d+)\) (.+)$/;
const RULES: readonly LogRule[] = [
  [/WARNING! Your cache is running out of filedescriptors/, OUT_OF_DESCRIPTORS],
  [/\| (FATAL: .+)$/, gaveUp],
];
/** Squid's own format: time, duration, client, result code and status. */
const ACCESS = /^\d+\.\d+\s+-?\d+ \S+ ([A-Z_]+\/\d{3}) /;

function readLine(log: string, line: string, { outgoing }: ProxySetup): LogEvent | null {
  if (log === ACCESS_LOG) {
    const result = ACCESS.exec(line)?.[1];
    return result === undefined ? null : { kind: 'request', result };
  }
  // The streams repeat what the log says.
  if (log !== CACHE_LOG) return null;
  const bind = COMM_BIND.exec(line);
  if (!bind) return eventBy(RULES, line);
  const [, address, number, words] = bind;
  const errno = errnoName(Number(number));
  if (outgoing.includes(address!.replace(/^\[|\]$/g, ''))) return refused('bind', errno);
  return { kind: 'trouble', what: `it could not bind its listener ${address} (${errno}: ${words})` };
}
