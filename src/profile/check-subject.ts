/**
 * The subject of an arm: a proxy with its settings filled in, the sysctls of its roles, and a load that fits it. Pure.
 */
import { familyOf } from '../domain/addresses.js';
import { formatDuration, formatTarget } from '../domain/format.js';
import type { Target } from '../domain/target.js';
import { quote } from '../domain/units.js';
import type { Experiment, LoadPlan, RoleSysctls } from '../plan/plan.js';
import { PROXY } from '../subjects/defaults.js';
import type { ProxyKind, ProxySettings, SubjectKind } from '../subjects/settings.js';
import type { Report } from './blame.js';
import { tryTarget } from './check-destinations.js';
import { protocolsOf } from './defaults.js';
import type { LoadInput } from './merge.js';
import type { Path } from './problem.js';
import type { ProfileInput } from './schema.js';

export type SubjectInput = Omit<NonNullable<ProfileInput['subject']>, 'kind'>;

type Key = keyof SubjectInput;
const KEYS: readonly Key[] = [
  'binary',
  'persistent',
  'outgoing',
  'config',
  'descriptors',
  'mode',
  'ports',
  'clients',
  'suite',
  'deadline',
  'target',
];

/** The settings that a kind of subject has. */
function keysOf(kind: SubjectKind): readonly Key[] {
  if (kind === 'direct') return [];
  if (kind === 'external') return ['target'];
  return KEYS.filter((key) => key in PROXY[kind]);
}

export interface SubjectContext {
  readonly lab: Experiment['lab'];
  /** Outgoing addresses of the arm; empty when they are in doubt themselves. */
  readonly addresses: readonly string[];
  /** The allow list in canonical form. */
  readonly allowed: ReadonlySet<string>;
}

/** The subject of an arm: a proxy that the lab starts, one elsewhere, or neither. */
export interface CheckedSubject {
  readonly proxy?: ProxySettings;
  readonly via?: Target;
}

/**
 * The subject of an arm.
 * @param input the baseline's settings overlaid with the variant's
 * @returns neither proxy nor via for `direct`
 */
export function checkSubject(
  kind: SubjectKind,
  input: SubjectInput,
  context: SubjectContext,
  report: Report,
): CheckedSubject {
  const has = keysOf(kind);
  for (const key of KEYS) {
    if (input[key] === undefined || has.includes(key)) continue;
    const what =
      kind === 'direct'
        ? 'which is a setting of a proxy; the subject is direct: name a kind, as "kind: squid"'
        : `which ${kind} has not; its settings are ${has.join(', ')}: remove ${key}`;
    report(`found ${key}, ${what}`, ['subject', key]);
  }
  if (kind === 'direct') return {};
  if (kind === 'external') return checkExternal(input, context, report);
  return { proxy: checkProxy(kind, input, context, report) };
}

function checkProxy(
  kind: ProxyKind,
  input: SubjectInput,
  { lab, addresses }: SubjectContext,
  report: Report,
): ProxySettings {
  if (lab === 'host') {
    report(
      `found the subject ${kind} in the host lab; a proxy gets roles of its own, which this machine itself has not: use lab: { kind: netns }`,
      ['subject', 'kind'],
    );
  }
  for (const [i, line] of (input.config ?? []).entries()) {
    if (/[\n\r\0]/.test(line))
      report(`found ${quote(line)}, which is more than one line; write each line as an item of its own`, [
        'subject',
        'config',
        i,
      ]);
  }
  const { target, ...named } = input;
  const settings = { ...PROXY[kind], ...named, kind } as ProxySettings;
  if ('mode' in settings && settings.persistent && settings.mode !== 'http')
    report(
      `found persistent connections in mode ${settings.mode}, in which a connection is the client's alone: add "mode: http", or remove persistent`,
      ['subject', 'persistent'],
      ['subject', 'mode'],
    );
  if (kind === 'dante' && addresses.length > 1)
    report(
      `found ${addresses.length} addresses, but dante takes its outgoing address by the route to the destination, not by the client: use one address, as addresses: { list: [10.50.0.1] }`,
      ['addresses'],
    );
  if (kind === 'tor') checkTor(addresses, report);
  if (input.suite !== undefined && input.binary !== undefined)
    report(
      `found suite ${input.suite} beside binary ${quote(input.binary)}; a Tor is fetched, or it is here: remove one of them`,
      ['subject', 'suite'],
    );
  return settings;
}

/** Each outgoing address is an exit, a process of its own. */
const MOST_EXITS = 8;

function checkTor(addresses: readonly string[], report: Report): void {
  if (addresses.length > MOST_EXITS)
    report(
      `found ${addresses.length} addresses; a Tor has one OutboundBindAddressExit, so that each address is an exit of its own, and the lab has at most ${MOST_EXITS}: use count: ${MOST_EXITS}`,
      ['addresses'],
    );
  const [first] = addresses;
  if (first !== undefined && familyOf(first) === 6)
    report(`found ${first}; the private Tor network of the lab is of IPv4: use addresses as 10.50.0.1`, ['addresses']);
}

/** Each is a line of the configuration and a server, or an upstream, in the proxy's memory. */
export const MAX_SERVER_LINES = 20_000;

/** A reverse proxy whose configuration has a line for each pair of an outgoing address and a destination. */
export function checkServerLines(
  proxy: ProxySettings | undefined,
  addresses: number,
  destinations: number,
  report: Report,
): void {
  const each = proxy?.kind === 'haproxy' || (proxy?.kind === 'nginx' && proxy.persistent);
  if (!each || addresses * destinations <= MAX_SERVER_LINES) return;
  report(
    `found ${addresses} addresses and ${destinations} destinations, for which ${proxy.kind} would get a server line each, ${addresses * destinations} in all; at most ${MAX_SERVER_LINES} are allowed: lower one of the two`,
    ['addresses', 'count'],
    ['destinations', 'ports'],
    ['destinations', 'addresses'],
    ['addresses'],
  );
}

function checkExternal(
  { target }: SubjectInput,
  { lab, addresses, allowed }: SubjectContext,
  report: Report,
): CheckedSubject {
  const where: Path = ['subject', 'target'];
  if (lab !== 'host') {
    report(
      `found an external proxy, and a ${lab} lab has no way out: set lab: { kind: host }, or name a kind of proxy that the lab starts`,
      ['subject', 'kind'],
    );
  }
  if (target === undefined) {
    report('found no target; an external proxy is named by its address and port: add target: "10.20.0.10:3128"', [
      'subject',
    ]);
    return {};
  }
  const via = tryTarget(target, (message) => report(message, where));
  if (!via) return {};
  const canonical = formatTarget(via);
  if (!allowed.has(canonical))
    report(
      `found ${canonical}, which is not on the allow list; a target outside the lab must be on it, port included: add allow: ["${canonical}"] if you may load it`,
      where,
    );
  const [local] = addresses;
  if (local !== undefined && familyOf(local) !== familyOf(via.address))
    report(
      `found ${canonical}, but the local addresses are IPv${familyOf(local)}, as ${local}; a connection has one family: use a target and addresses of the same`,
      where,
      ['addresses'],
    );
  return { via };
}

/** What in a load does not go with the subject. */
export function checkLoadOfSubject(
  load: LoadPlan,
  named: LoadInput,
  kind: SubjectKind,
  proxy: ProxySettings | undefined,
  report: Report,
): void {
  if (kind === 'direct') {
    if (load.protocol === 'get' && load.engine === 'socket')
      report(
        'found protocol get without a proxy, which the HTTP engine can do: add "engine: http", or remove protocol',
        ['load', 'protocol'],
      );
    else if (load.protocol !== 'tcp' && load.protocol !== 'get')
      report(
        `found protocol ${load.protocol}, which a client speaks to a proxy, but the subject is direct: remove protocol, or name a proxy, as subject: { kind: squid }`,
        ['load', 'protocol'],
      );
  } else {
    const spoken = protocolsOf(kind, proxy);
    if (!spoken.includes(load.protocol))
      report(
        `found protocol ${load.protocol}, which ${kind}${proxy && 'mode' in proxy ? ` in mode ${proxy.mode}` : ''} is not spoken to with here; allowed are ${spoken.join(', ')}: write "protocol: ${spoken[0]}"`,
        ['load', 'protocol'],
      );
    for (const key of ['strategy', 'ports'] as const) {
      if (named[key] !== undefined && proxy)
        report(
          `found ${key}, but the subject is ${kind}, which chooses its local ports itself: remove ${key}, or change the settings of the subject`,
          ['load', key],
        );
    }
  }
  if (load.body > 0 && load.protocol !== 'get' && load.engine === 'socket') {
    report('found a body, which only the answer to a GET has: add "protocol: get", or use exchange', ['load', 'body']);
  }
  if (load.tls && load.protocol === 'get' && kind !== 'direct')
    report(
      `found tls with protocol get, but ${kind} must read a GET: write "protocol: connect", for TLS inside of the tunnel`,
      ['load', 'tls'],
    );
  if (load.protocol === 'get') checkGet(load, report);
}

function checkGet(load: LoadPlan, report: Report): void {
  if (load.exchange !== null && load.engine === 'socket')
    report('found an exchange beside protocol get; a GET is an exchange itself: remove exchange, and give body', [
      'load',
      'exchange',
    ]);
  if (load.sink === 'listen-only' && load.engine === 'socket')
    report('found sink listen-only, but with protocol get the origin must answer: write "sink: accept"', [
      'load',
      'sink',
    ]);
  if (load.holdMs !== null && load.holdMs >= load.timeoutMs)
    report(
      `found hold ${formatDuration(load.holdMs)}, for which the origin waits before it answers a GET, and timeout ${formatDuration(load.timeoutMs)}: no attempt could be ok; raise the timeout`,
      ['load', 'hold'],
      ['load', 'timeout'],
    );
}

/** Reads the sysctls at a path. */
type ReadSysctls = (sysctls: ProfileInput['sysctls'], path: Path) => Record<string, string>;

/** Sysctls by role: those of the role under test, and those of the others. */
export interface SysctlsByRole {
  readonly sysctls: Record<string, string>;
  readonly roles: RoleSysctls;
}

/**
 * Sort sysctls to their roles, over those of the baseline.
 * @param path where `sysctls` and `roles` stand: the top, or a variant
 */
export function sysctlsByRole(
  input: Pick<ProfileInput, 'sysctls' | 'roles'>,
  kind: SubjectKind,
  path: Path,
  base: SysctlsByRole,
  read: ReadSysctls,
  report: Report,
): SysctlsByRole {
  const of = (role: 'client' | 'proxy' | 'origin') =>
    read(input.roles?.[role]?.sysctls, [...path, 'roles', role, 'sysctls']);
  const own = read(input.sysctls, [...path, 'sysctls']);
  const [client, proxy, origin] = [of('client'), of('proxy'), of('origin')];
  // The client is this machine with an external proxy too.
  const isProxied = kind !== 'direct' && kind !== 'external';
  if (!isProxied && input.roles?.proxy !== undefined)
    report(`found the role proxy, but the subject is ${kind}: there are the roles client and origin`, [
      'roles',
      'proxy',
    ]);
  const [tested, otherClient] = isProxied ? [proxy, client] : [client, {}];
  return {
    sysctls: { ...base.sysctls, ...own, ...tested },
    roles: {
      client: { ...base.roles.client, ...otherClient },
      origin: { ...base.roles.origin, ...origin },
    },
  };
}

/** Whether any role but the one under test has sysctls of its own. */
export function namesOthers(roles: RoleSysctls): boolean {
  return Object.keys(roles.client).length + Object.keys(roles.origin).length > 0;
}
