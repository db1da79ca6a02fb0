/**
 * nginx (nginx.org): a reverse proxy with `proxy_bind`, of HTTP requests or (mode tcp, nginx's stream) of connections. It binds with
 * IP_BIND_ADDRESS_NO_PORT. Pure.
 */
import { formatTarget } from '../../domain/format.js';
import type { NginxSettings } from '../settings.js';
import type { LogEvent, Place, Program, Subject } from '../subject.js';
import { STANDARD_ERROR } from '../subject.js';

const CONFIG = 'nginx.conf';
const ERROR_LOG = 'error.log';
const ACCESS_LOG = 'access.log';
/** Idle connections to an origin that are kept open. */
const KEPT = 64;

export const nginx: Subject<NginxSettings> = {
  debianPackage: 'nginx libnginx-mod-stream',
  reverse: true,
  strategy: () => 'bind-no-port',
  configure: (settings, binary, place): Program => ({
    files: { [CONFIG]: configText(settings, place) },
    argv: [binary, '-c', `${place.directory}/${CONFIG}`, '-e', `${place.directory}/${ERROR_LOG}`],
    logs: [ERROR_LOG, ACCESS_LOG],
    stop: { signal: 'SIGTERM', deadlineMs: 4000 },
  }),
  readLine,
  build: ['-V'],
  version: { args: ['-v'], pattern: /^nginx version: nginx\/(\d[\d.]*)/m },
};

/** Not `--with-stream=dynamic`, nor one of the options that begin alike. */
const STREAM_BUILT_IN = /--with-stream(?=\s|$)/;

function configText(settings: NginxSettings, place: Place): string {
  const { directory } = place;
  const inHttp = settings.mode === 'http';
  return `${[
    'daemon off;',
    'master_process off;',
    `pid ${directory}/nginx.pid;`,
    `error_log ${directory}/${ERROR_LOG} warn;`,
    // Relative to where nginx was built to be: Debian has its modules there. Built in, it needs no loading, and none would be found.
    ...(inHttp || STREAM_BUILT_IN.test(place.build ?? '') ? [] : ['load_module modules/ngx_stream_module.so;']),
    'events {',
    `  worker_connections ${place.descriptors};`,
    '}',
    inHttp ? 'http {' : 'stream {',
    '  log_format result "$status";',
    `  access_log ${directory}/${ACCESS_LOG} result;`,
    ...(inHttp ? temporaryFiles(directory) : []),
    ...(inHttp
      ? ['  proxy_next_upstream off;', '  proxy_read_timeout 1h;', '  proxy_send_timeout 1h;']
      : ['  proxy_next_upstream off;', '  proxy_timeout 1h;']),
    ...settings.config.map((line) => `  ${line}`),
    '  map_hash_max_size 16384;',
    '  map_hash_bucket_size 128;',
    ...mapLines(place),
    ...place.destinations.flatMap((destination, i) => {
      const listen = `listen ${formatTarget(place.listen[i]!)} backlog=4096;`;
      if (!inHttp) return [`  server { ${listen} proxy_bind $outgoing; proxy_pass ${formatTarget(destination)}; }`];
      if (!settings.persistent)
        return [
          `  server { ${listen} location / { proxy_bind $outgoing; proxy_pass http://${formatTarget(destination)}; } }`,
        ];
      // What is kept is kept by upstream, not by outgoing address: each gets an upstream of its own.
      return [
        ...place.outgoing.map(
          (_, k) => `  upstream d${i}_${k} { server ${formatTarget(destination)}; keepalive ${KEPT}; }`,
        ),
        `  server { ${listen} location / { proxy_bind $outgoing; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://d${i}_$turn; } }`,
      ];
    }),
    '}',
  ].join('\n')}\n`;
}

function temporaryFiles(directory: string): string[] {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (what) => `  ${what}_temp_path ${directory}/${what};`,
  );
}

/** From a client's address to the outgoing address that is its, and to its number. */
function mapLines({ outgoing, clients }: Place): string[] {
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

const UPSTREAM =
  /\[crit\] .*? (bind|connect)\([^)]*\)(?: to \S+)? failed \((\d+): [^)]*\) while connecting to upstream/;
const OUT_OF_DESCRIPTORS = /worker_connections are not enough|failed \(2[34]: Too many open files/;
const FATAL = /\[emerg\] (?:\d+#\d+: )?(.+)$/;
const ERRNO_NAMES: Readonly<Record<string, string>> = { '13': 'EACCES', '98': 'EADDRINUSE', '99': 'EADDRNOTAVAIL' };

function readLine(log: string, line: string): LogEvent | null {
  if (log === ACCESS_LOG) return { kind: 'request', result: line };
  // Standard error repeats what the log says, but for what comes before there is one.
  if (log !== ERROR_LOG && log !== STANDARD_ERROR) return null;
  const fatal = FATAL.exec(line)?.[1];
  if (fatal !== undefined) return { kind: 'trouble', what: `it gave up: ${fatal}` };
  if (log !== ERROR_LOG) return null;
  const [, call, number] = UPSTREAM.exec(line) ?? [];
  if (call !== undefined)
    return { kind: 'failure', call: call === 'bind' ? 'bind' : 'connect', errno: ERRNO_NAMES[number!] ?? `E${number}` };
  return OUT_OF_DESCRIPTORS.test(line) ? { kind: 'trouble', what: 'it ran out of descriptors' } : null;
}
