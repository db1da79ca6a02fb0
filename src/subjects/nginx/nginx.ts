/**
 * nginx (nginx.org): a reverse proxy with `proxy_bind`, of HTTP requests or (mode tcp, nginx's stream) of connections. It binds with
 * IP_BIND_ADDRESS_NO_PORT. Pure.
 */
import { formatTarget } from '../../domain/format.js';
import { errnoName } from '../../kernel/errno.js';
import { adopted, BASE, type BaseRules, type LabOfBase } from '../base/base.js';
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
import { nginxBase } from './base.js';

const CONFIG_FILE = 'nginx.conf';
const ERROR_LOG = 'error.log';
const ACCESS_LOG = 'access.log';
/** Idle connections to an origin that are kept open. */
const KEPT = 64;

const SETTINGS = {
  binary: binarySetting('nginx'),
  suite: SUITE,
  config: CONFIG,
  base: BASE,
  clients: CLIENTS,
  descriptors: DESCRIPTORS,
  // What nginx is mostly there for.
  mode: modeSetting('http'),
  persistent: PERSISTENT,
};
export type NginxSettings = SettingsOf<'nginx', typeof SETTINGS>;

export const nginx = program('nginx', SETTINGS, {
  debianPackage: 'nginx libnginx-mod-stream',
  reverse: true,
  protocols: ({ mode }) => (mode === 'http' ? ['get'] : ['tcp', 'get']),
  strategy: () => 'bind-no-port',
  check: persistentWithoutRequests,
  linePerPair: ({ persistent, base }) => persistent && base === undefined,
  ending: ({ mode, persistent }, load) =>
    mode === 'http' ? ofRequests(load, persistent, 'client') : likeItsClient(load, 'client'),
  fixRow: { load: 'requests' },
  configure: (settings, path, setup) => ({
    files: { [CONFIG_FILE]: configText(settings, setup) },
    argv: [path, '-c', `${setup.directory}/${CONFIG_FILE}`, '-e', `${setup.directory}/${ERROR_LOG}`],
    logs: [ERROR_LOG, ACCESS_LOG],
    stop: { signal: 'SIGTERM', deadlineMs: 4000 },
  }),
  base: ({ config }) => baseRules(config),
  belongings: () => ({ files: ['/usr/share/nginx/modules', '/usr/lib/nginx/modules', '/usr/lib64/nginx/modules'] }),
  readLine,
  build: ['-V'],
  version: { args: ['-v'], pattern: /^nginx version: nginx\/(\d[\d.]*)/m },
});

/** Not `--with-stream=dynamic`, nor one of the options that begin alike. */
const STREAM_BUILT_IN = /--with-stream(?=\s|$)/;

/** What the lab has in any configuration. */
function labLines({ directory }: LabOfBase): string[] {
  return ['daemon off;', `pid ${directory}/nginx.pid;`, `error_log ${directory}/${ERROR_LOG} warn;`];
}

/** The same within `http` or `stream`. */
function linesWithin(part: 'http' | 'stream', { directory }: LabOfBase): string[] {
  return [
    'log_format bindstorm_result "$status";',
    `access_log ${directory}/${ACCESS_LOG} bindstorm_result;`,
    ...(part === 'http' ? temporaryFiles(directory) : []),
  ];
}

/** @param more of the profile, for `http` and `stream` */
function baseRules(more: readonly string[]): BaseRules {
  return nginxBase({ top: labLines, within: (part, setup) => [...linesWithin(part, setup), ...more] });
}

function configText(settings: NginxSettings, setup: ProxySetup): string {
  const { base, config } = settings;
  if (base !== undefined) return adopted(base, baseRules(config), setup);
  const inHttp = settings.mode === 'http';
  return `${[
    ...labLines(setup),
    'master_process off;',
    // Relative to where nginx was built to be: Debian has its modules there. Built in, it needs no loading, and none would be found.
    ...(inHttp || STREAM_BUILT_IN.test(setup.build ?? '')
      ? []
      : [`load_module ${modulesOf(setup)}/ngx_stream_module.so;`]),
    'events {',
    `  worker_connections ${setup.descriptors};`,
    '}',
    inHttp ? 'http {' : 'stream {',
    ...linesWithin(inHttp ? 'http' : 'stream', setup).map((line) => `  ${line}`),
    ...(inHttp
      ? ['  proxy_next_upstream off;', '  proxy_read_timeout 1h;', '  proxy_send_timeout 1h;']
      : ['  proxy_next_upstream off;', '  proxy_timeout 1h;']),
    ...config.map((line) => `  ${line}`),
    '  map_hash_max_size 16384;',
    '  map_hash_bucket_size 128;',
    ...mapLines(setup),
    ...setup.destinations.flatMap((destination, i) => {
      const listen = `listen ${formatTarget(setup.listen[i]!)} backlog=4096;`;
      if (!inHttp) return [`  server { ${listen} proxy_bind $outgoing; proxy_pass ${formatTarget(destination)}; }`];
      if (!settings.persistent)
        return [
          `  server { ${listen} location / { proxy_bind $outgoing; proxy_pass http://${formatTarget(destination)}; } }`,
        ];
      // What is kept is kept by upstream, not by outgoing address: each gets an upstream of its own.
      return [
        ...setup.outgoing.map(
          (_, k) => `  upstream d${i}_${k} { server ${formatTarget(destination)}; keepalive ${KEPT}; }`,
        ),
        `  server { ${listen} location / { proxy_bind $outgoing; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://d${i}_$turn; } }`,
      ];
    }),
    '}',
  ].join('\n')}\n`;
}

function modulesOf({ root }: ProxySetup): string {
  return root === undefined ? 'modules' : `${root}/usr/lib/nginx/modules`;
}

function temporaryFiles(directory: string): string[] {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path ${directory}/${what};`);
}

/** From a client's address to the outgoing address that is its, and to its number. */
function mapLines({ outgoing, clients }: ProxySetup): string[] {
  const lines = (value: (k: number) => string | number) =>
    clients.flatMap((group, k) => group.map((client) => `    ${client} ${value(k)};`));
  return [
    '  map $remote_addr $outgoing {',
    ...lines((k) => outgoing[k]!),
    '  }',
    '  map $remote_addr $turn {',
    ...lines((k) => k),
    '  }',
  ];
}

/** Standard error repeats what the log says, but for what comes before there is one. */
const GIVEN_UP: LogRule = [/\[emerg\] (?:\d+#\d+: )?(.+)$/, gaveUp];
const RULES: readonly LogRule[] = [
  GIVEN_UP,
  [
    /\[crit\] .*? (bind|connect)\([^)]*\)(?: to \S+)? failed \((\d+): [^)]*\) while connecting to upstream/,
    ([, call, number]) => refused(call === 'bind' ? 'bind' : 'connect', errnoName(Number(number))),
  ],
  [/worker_connections are not enough|failed \(2[34]: Too many open files/, OUT_OF_DESCRIPTORS],
];

function readLine(log: string, line: string): LogEvent | null {
  if (log === ACCESS_LOG) return { kind: 'request', result: line };
  if (log === ERROR_LOG) return eventBy(RULES, line);
  return log === STANDARD_ERROR ? eventBy([GIVEN_UP], line) : null;
}
