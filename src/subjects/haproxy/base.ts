/**
 * What the lab changes in a haproxy.cfg of the user's own. Pure.
 */
import type { BaseRules, Directive, LabOfBase, Treatment } from '../base/base.js';
import { lineSyntax } from '../base/syntax.js';

const SECTIONS = [
  ...['global', 'defaults', 'frontend', 'backend', 'listen', 'userlist', 'peers', 'resolvers', 'mailers', 'program'],
  ...['cache', 'http-errors', 'ring', 'log-forward', 'log-profile', 'fcgi-app', 'crt-store', 'traces', 'acme'],
];

const LOGS = 'the lab reads the log, in a form of its own';
const PROCESS = 'the lab starts and ends the process';
/** Directive → why the lab has its own, or none. */
const OWN: Readonly<Record<string, string>> = {
  log: LOGS,
  'log-format': LOGS,
  'log-format-sd': LOGS,
  'log-tag': LOGS,
  'error-log-format': LOGS,
  daemon: PROCESS,
  'master-worker': PROCESS,
  pidfile: PROCESS,
  chroot: PROCESS,
  user: 'the lab chooses the user',
  group: 'the lab chooses the user',
  uid: 'the lab chooses the user',
  gid: 'the lab chooses the user',
  'ulimit-n': 'the lab has a limit of its own',
};

/** The lines that the lab has in any configuration, in `global` and in each `defaults`. */
interface OwnLines {
  global(setup: LabOfBase): readonly string[];
  readonly defaults: readonly string[];
}

/** @param own lines that the lab has in any configuration */
export function haproxyBase(own: OwnLines): BaseRules {
  return {
    syntax: lineSyntax(false, SECTIONS),
    settings: ['persistent', 'ports'],
    treat,
    added: [],
    add: (setup, all) => {
      const head = (name: string, lines: readonly string[]) =>
        all.some((directive) => directive.name === name)
          ? { where: new RegExp(`^${name}(\\s|$)`), lines }
          : { where: 'top' as const, lines: [name, ...lines.map((line) => `  ${line}`)] };
      return [head('global', own.global(setup)), head('defaults', own.defaults)];
    },
  };
}

/** `10.0.0.1:8080`, `[fd00::1]:80`, `app1:80`; not a socket of another family. */
const HOST_AND_PORT = /^(?:ipv4@|ipv6@)?(\[[^\]]+\]|[^:@/\s]+):(\d+)$/;

function treat({ name, args, within }: Directive): Treatment {
  const why = Object.hasOwn(OWN, name) ? OWN[name] : undefined;
  if (why !== undefined) return { leaveOut: why };
  const [first = '', second = ''] = args;
  const section = within[0]?.split(/\s/)[0];
  switch (name) {
    case 'stats':
      return first === 'socket' ? { leaveOut: 'the lab asks it at a socket of its own' } : null;
    case 'option':
      return ['httplog', 'tcplog', 'httpslog', 'dontlognull', 'dontlog-normal'].includes(first)
        ? { leaveOut: LOGS }
        : null;
    case 'bind':
      if (section !== 'frontend' && section !== 'listen') return null;
      if (first.includes('/') || /^\w+@/.test(first) || first.includes(','))
        return { refuse: 'the lab has one address and port for each listener; write one, as *:80' };
      if (args.includes('ssl') || args.includes('accept-proxy'))
        return { refuse: "the lab's clients speak neither TLS nor the PROXY protocol; leave this listener out" };
      return {
        places: [{ kind: 'listen', value: portOf(first) }],
        write: ([to]) => ['bind', to, ...args.slice(1)].join(' '),
      };
    case 'server':
      if (section !== 'backend' && section !== 'listen') return null;
      return treatServer(second, args);
    case 'server-template':
      return { refuse: 'its servers are names that nothing resolves in the lab; write a line "server" for each' };
    case 'source':
      return treatSource(args, 0, (rest) => ['source', ...rest]);
    default:
      return null;
  }
}

/** The port alone, where it listens on every address: `*:80`, `:80`, `:::80`. */
function portOf(address: string): string {
  return address.replace(/^(?:\*|0\.0\.0\.0|\[::\]|::)?:(?=\d+$)/, ':');
}

function treatServer(address: string, args: readonly string[]): Treatment {
  if (!HOST_AND_PORT.test(address))
    return {
      refuse: 'the lab puts an origin of its own in its place and needs an address and a port; write ADDRESS:PORT',
    };
  if (args.includes('ssl') || args.some((option) => /^send-proxy/.test(option)))
    return { refuse: "the lab's origins speak neither TLS nor the PROXY protocol; remove ssl and send-proxy" };
  const at = args.indexOf('source');
  const name = args[0]!;
  const origin = { kind: 'origin', value: address } as const;
  if (at < 0) return { places: [origin], write: ([to]) => ['server', name, to, ...args.slice(2)].join(' ') };
  const source = treatSource(args, at + 1, (rest) => rest);
  if (source === null || !('places' in source)) return source;
  return {
    places: [origin, ...source.places],
    write: ([to, ...others], setup) =>
      ['server', name, to, ...args.slice(2, at + 1), source.write(others, setup)].join(' '),
  };
}

/** `source ADDRESS[:PORT[-PORT]] …`: the address is the lab's, ports are as they stand. @param at where the address is */
function treatSource(
  args: readonly string[],
  at: number,
  line: (rest: readonly string[]) => readonly string[],
): Treatment {
  if (args.includes('usesrc') || args.includes('interface'))
    return {
      refuse: 'usesrc and interface take addresses and devices that the lab does not have; use "source ADDRESS"',
    };
  const [, address, ports = ''] = /^(\[[^\]]+\]|[^:]+)(:[\d-]+)?$/.exec(args[at] ?? '') ?? [];
  if (address === undefined) return { refuse: 'write "source ADDRESS" or "source ADDRESS:LOW-HIGH"' };
  if (address === '0.0.0.0' || address === '*') return null;
  return {
    places: [{ kind: 'outgoing', value: address.replace(/^\[|\]$/g, '') }],
    // Without brackets the last part of an IPv6 address is taken for a port.
    write: ([to = '']) => line([`${to.includes(':') ? `[${to}]` : to}${ports}`, ...args.slice(at + 1)]).join(' '),
  };
}
