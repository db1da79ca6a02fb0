/**
 * What the lab changes in a squid.conf of the user's own. Pure.
 */
import { formatTarget } from '../../domain/format.js';
import type { BaseRules, Directive, LabOfBase, Treatment } from '../base/base.js';
import { lineSyntax } from '../base/syntax.js';

/** Directive → why the lab has its own, or none. */
const OWN: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['access_log', 'cache_log', 'cache_store_log', 'logfile_rotate', 'logfile_daemon'].map((name) => [
      name,
      'the lab reads the logs',
    ]),
  ),
  pid_filename: 'the lab has no pid file',
  coredump_dir: 'the lab has a folder of its own',
  cache_dir: 'nothing is kept on disk in the lab',
  netdb_filename: 'nothing is kept on disk in the lab',
  cache_effective_user: 'the lab chooses the user',
  cache_effective_group: 'the lab chooses the user',
  chroot: 'the lab has a folder of its own',
  workers: 'the lab runs one process',
  cpu_affinity_map: 'the lab runs one process',
  https_port: "the lab's clients have one port, without TLS",
  ftp_port: "the lab's clients have one port, for HTTP",
  dns_nameservers: 'there is no resolver in the lab, and its origins are addresses',
  pinger_enable: 'no set-user-ID helper in the lab',
};

/** Options of http_port after which its clients do not ask as a browser asks its proxy. */
const OTHER_CLIENTS = ['accel', 'intercept', 'tproxy', 'ssl-bump', 'transparent', 'vhost', 'require-proxy-header'];

/** @param logs the lines that the lab has in any configuration */
export function squidBase(logs: (setup: LabOfBase) => readonly string[]): BaseRules {
  return {
    syntax: lineSyntax(true),
    include: 'include',
    settings: ['persistent', 'outgoing'],
    treat,
    added: [
      "http_access allow all, before the file's own rules: clients and origins have addresses and ports of the lab's",
    ],
    add: (setup, all) => {
      const has = (name: string) => all.some((directive) => directive.name === name);
      return [
        {
          where: 'top',
          lines: ['http_access allow all', ...(has('http_port') ? [] : [`http_port ${formatTarget(setup.listen[0])}`])],
        },
        {
          where: 'end',
          lines: [
            ...logs(setup),
            ...(has('visible_hostname') ? [] : ['visible_hostname bindstorm']),
            ...(has('max_filedescriptors') ? [] : [`max_filedescriptors ${setup.descriptors}`]),
          ],
        },
      ];
    },
  };
}

function treat({ name, args }: Directive, all: readonly Directive[]): Treatment {
  const why = Object.hasOwn(OWN, name) ? OWN[name] : undefined;
  if (why !== undefined) return { leaveOut: why };
  const [first = '', ...rest] = args;
  switch (name) {
    case 'http_port': {
      const other = rest.find((option) => OTHER_CLIENTS.includes(option));
      if (other !== undefined)
        return {
          refuse: `the lab's clients ask it as a proxy, which ${other} is not for; use a file with a port for them`,
        };
      if (all.find((each) => each.name === 'http_port')?.args[0] !== first)
        return { leaveOut: "the lab's clients have one port" };
      return {
        places: [{ kind: 'listen', value: first }],
        write: ([to]) => ['http_port', to, ...rest.filter((option) => !option.startsWith('name='))].join(' '),
      };
    }
    case 'tcp_outgoing_address':
      return {
        places: [{ kind: 'outgoing', value: first }],
        write: ([to]) => ['tcp_outgoing_address', to, ...rest].join(' '),
      };
    case 'cache_peer':
      return { refuse: 'a further proxy is not in the lab, and requests to it would fail; remove it' };
    default:
      return null;
  }
}
