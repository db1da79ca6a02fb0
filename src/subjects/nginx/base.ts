/**
 * What the lab changes in an nginx.conf of the user's own. Pure.
 */
import { isIP } from 'node:net';
import { type BaseRules, type Directive, type LabOfBase, type Treatment, unquoted } from '../base/base.js';
import { blockSyntax } from '../base/syntax.js';

const PROCESS = 'the lab starts and ends the process';
/** Directive → why the lab has its own, or none. */
const OWN: Readonly<Record<string, string>> = {
  user: 'the lab chooses the user',
  pid: PROCESS,
  daemon: PROCESS,
  lock_file: PROCESS,
  error_log: 'the lab reads the logs',
  access_log: 'the lab reads the logs',
  ...Object.fromEntries(
    ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => [
      `${what}_temp_path`,
      'the lab has a folder of its own',
    ]),
  ),
};

/** The lines that the lab has in any configuration: at the top, and in `http` or `stream`. */
interface OwnLines {
  top(setup: LabOfBase): readonly string[];
  within(part: 'http' | 'stream', setup: LabOfBase): readonly string[];
}

/** @param own lines that the lab has in any configuration */
export function nginxBase(own: OwnLines): BaseRules {
  return {
    syntax: blockSyntax,
    include: 'include',
    settings: ['persistent'],
    treat,
    added: [],
    add: (setup) => [
      { where: 'top', lines: own.top(setup) },
      ...(['http', 'stream'] as const).map((part) => ({
        where: new RegExp(`^${part}\\s*\\{$`),
        lines: own.within(part, setup),
      })),
    ],
  };
}

function treat(directive: Directive, all: readonly Directive[]): Treatment {
  const { name, args, within } = directive;
  const why = Object.hasOwn(OWN, name) ? OWN[name] : undefined;
  if (why !== undefined) return { leaveOut: why };
  const [first = ''] = args;
  const inside = within.at(-1) ?? '';
  switch (name) {
    case 'listen':
      if (first.startsWith('unix:')) return { refuse: "the lab's clients come over TCP; leave this listener out" };
      if (args.some((option) => ['ssl', 'quic', 'http2', 'proxy_protocol', 'udp'].includes(option)))
        return { refuse: "the lab's clients speak plain HTTP/1.1 or TCP; leave this listener out" };
      return {
        places: [{ kind: 'listen', value: portOf(first) }],
        write: ([to]) => `${['listen', to, ...args.slice(1)].join(' ')};`,
      };
    case 'server':
      if (!/^upstream\s/.test(inside)) return null;
      if (first.startsWith('unix:') || args.includes('resolve'))
        return { refuse: 'the lab puts an origin of its own in its place; write ADDRESS:PORT' };
      return {
        places: [{ kind: 'origin', value: withPort(first) }],
        write: ([to]) => `${['server', to, ...args.slice(1)].join(' ')};`,
      };
    case 'proxy_pass':
      return treatPass(unquoted(first), all);
    case 'proxy_bind':
      if (args.includes('transparent'))
        return { refuse: 'transparent takes addresses of clients, which have no way back from the origins; remove it' };
      return isIP(first) === 0
        ? null
        : { places: [{ kind: 'outgoing', value: first }], write: ([to]) => `proxy_bind ${to};` };
    case 'proxy_cache_path':
    case 'fastcgi_cache_path':
      return {
        places: [],
        write: (_, { directory }) =>
          `${[name, `${directory}/${first.replaceAll(/\W+/g, '-')}`, ...args.slice(1)].join(' ')};`,
      };
    default:
      return treatVariable(directive, inside, all);
  }
}

/** `split_clients "$remote_port" $out { 50% 10.0.0.1; * 10.0.0.2; }` for `proxy_bind $out`: outgoing addresses too. */
function treatVariable({ text, name, args }: Directive, inside: string, all: readonly Directive[]): Treatment {
  const [what, ...of] = blockSyntax.words(inside);
  const variable = of.at(-1);
  const value = args.at(-1);
  if (!['split_clients', 'map', 'geo'].includes(what ?? '') || value === undefined || isIP(value) === 0) return null;
  if (!all.some((each) => each.name === 'proxy_bind' && each.args[0] === variable)) return null;
  const key = text.slice(0, name.length);
  return { places: [{ kind: 'outgoing', value }], write: ([to]) => `${[key, ...args.slice(0, -1), to].join(' ')};` };
}

/** To an upstream of the file, which has its servers, or to a host by itself. */
function treatPass(url: string, all: readonly Directive[]): Treatment {
  const [, scheme = '', host = '', path = ''] = /^(http:\/\/)?([^/]*)(.*)$/.exec(url) ?? [];
  if (/^\w+:\/\//.test(url) && scheme === '') return { refuse: "the lab's origins speak plain HTTP; write http://" };
  if (host.startsWith('unix:'))
    return { refuse: 'the lab puts an origin of its own in its place; write http://ADDRESS:PORT' };
  if (host.includes('$'))
    return { refuse: 'where it goes is known only when it runs; write an upstream, or http://ADDRESS:PORT' };
  if (all.some(({ name, args }) => name === 'upstream' && args[0] === host)) return null;
  return { places: [{ kind: 'origin', value: withPort(host) }], write: ([to]) => `proxy_pass ${scheme}${to}${path};` };
}

/** The port alone, where it listens on every address: `80`, `*:80`, `[::]:80`. */
function portOf(address: string): string {
  return address.replace(/^(?:\*|0\.0\.0\.0|\[::\]):/, '').replace(/^(\*|0\.0\.0\.0|\[::\])$/, '80');
}

/** Port 80 where none is named. */
function withPort(host: string): string {
  return /:\d+$/.test(host.replace(/^\[[^\]]*\]/, 'host')) ? host : `${host}:80`;
}
