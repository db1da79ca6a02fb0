/**
 * The subject of an arm: a proxy with its settings filled in, the sysctls of its roles, and a load that fits it. Pure.
 */
import { resolve } from 'node:path';
import { familyOf } from '../domain/addresses.js';
import { formatDuration, formatTarget } from '../domain/format.js';
import { LABS } from '../domain/lab.js';
import { complete } from '../domain/setting.js';
import type { Target } from '../domain/target.js';
import { quote } from '../domain/units.js';
import { LOAD_SETTINGS, type NamedLoad } from '../plan/load-settings.js';
import type { Experiment, LoadPlan } from '../plan/plan.js';
import type { ReadFiles } from '../subjects/base/base.js';
import {
  type ProxySettings,
  protocolsOf,
  proxySubjectOf,
  type RouterSettings,
  routerSubjectOf,
  type SubjectKind,
  subjectOf,
} from '../subjects/index.js';
import { withBase } from './check-base.js';
import { notAllowed, tryTarget } from './check-destinations.js';
import { isOwnSockets } from './complete.js';
import type { SubjectInput } from './merge.js';
import type { Path, Report } from './problem.js';

interface SubjectContext {
  readonly lab: Experiment['lab'];
  /** Outgoing addresses of the arm; empty when they are in doubt themselves. */
  readonly addresses: readonly string[];
  /** The allow list in canonical form. */
  readonly allowed: ReadonlySet<string>;
  /** The folder of the profile, absolute. */
  readonly folder: string | undefined;
  readonly readFiles: ReadFiles | undefined;
}

/** The subject of an arm: a proxy that the lab starts, a router, a proxy elsewhere, or none of them. */
interface CheckedSubject {
  readonly proxy?: ProxySettings;
  readonly router?: RouterSettings;
  readonly via?: Target;
}

/**
 * The subject of an arm.
 * @param input the baseline's settings overlaid with the variant's
 * @returns nothing for `direct`
 */
export function checkSubject(
  kind: SubjectKind,
  input: SubjectInput,
  context: SubjectContext,
  report: Report,
): CheckedSubject {
  const { role, settings } = subjectOf(kind);
  const named = Object.keys(input).filter((key) => input[key] !== undefined);
  const allowed = Object.keys(settings);
  for (const key of named.filter((name) => !allowed.includes(name))) {
    report(
      role === 'client'
        ? `"${key}" is a setting of a proxy, but the subject is ${kind}; name a proxy, for example "kind: squid", or remove ${key}`
        : `${kind} has no setting "${key}" (it has ${allowed.join(', ')}); remove it`,
      ['subject', key],
    );
  }
  switch (role) {
    case 'client':
      return {};
    case 'elsewhere':
      return checkElsewhere(input, context, report);
    case 'proxy':
      return { proxy: checkProxy(kind, input, context, report) };
    case 'router':
      return { router: checkRouter(kind, input, context, report) };
  }
}

function checkProxy(
  kind: SubjectKind,
  input: SubjectInput,
  { lab, addresses, folder = '.', readFiles }: SubjectContext,
  report: Report,
): ProxySettings {
  if (!LABS[lab].ownNamespace) {
    report(`the ${lab} lab cannot start ${kind}: a proxy needs a namespace of its own; use lab: { kind: netns }`, [
      'subject',
      'kind',
    ]);
  }
  const proxy = { kind, ...complete(subjectOf(kind).settings, input) } as unknown as ProxySettings;
  for (const [i, line] of ('config' in proxy ? proxy.config : []).entries()) {
    if (/[\n\r\0]/.test(line))
      report(`${quote(line)} is more than one line; write each line as an item of its own`, ['subject', 'config', i]);
  }
  if ('workdir' in proxy) {
    if (proxy.workdir !== null) proxy.workdir = resolve(folder, proxy.workdir);
    proxy.writes = proxy.writes.map((path) => resolve(folder, path));
  }
  if ('suite' in proxy && proxy.suite?.includes('/')) proxy.suite = resolve(folder, proxy.suite);
  if ('takes' in proxy) proxy.takes = proxy.takes?.map((path) => resolve(folder, path));
  const named = new Set(Object.keys(input).filter((key) => input[key] !== undefined));
  proxySubjectOf(proxy.kind).check?.(proxy, { named, addresses }, report);
  return withBase(proxy, named, readFiles, report);
}

function checkRouter(kind: SubjectKind, input: SubjectInput, { lab }: SubjectContext, report: Report): RouterSettings {
  if (!LABS[lab].ownNamespace)
    report(
      `the ${lab} lab cannot put a router between client and origin, which need namespaces of their own; use lab: { kind: netns }`,
      ['subject', 'kind'],
    );
  const router = { kind, ...complete(subjectOf(kind).settings, input) } as unknown as RouterSettings;
  routerSubjectOf(router.kind).check(router, report);
  return router;
}

/** Each is a line of the configuration and a server, or an upstream, in the proxy's memory. */
const MAX_SERVER_LINES = 20_000;

/** A reverse proxy whose configuration has a line for each pair of an outgoing address and a destination. */
export function checkServerLines(
  proxy: ProxySettings | undefined,
  addresses: number,
  destinations: number,
  report: Report,
): void {
  if (!proxy || !proxySubjectOf(proxy.kind).linePerPair?.(proxy) || addresses * destinations <= MAX_SERVER_LINES)
    return;
  report(
    `${addresses} addresses and ${destinations} destinations need ${addresses * destinations} server lines in ${proxy.kind}, one for each pair; at most ${MAX_SERVER_LINES} are allowed: lower one of the two`,
    ['addresses', 'count'],
    ['destinations', 'ports'],
    ['destinations', 'addresses'],
    ['addresses'],
  );
}

/** A proxy that runs already, outside of the lab. */
function checkElsewhere(
  { target }: SubjectInput,
  { lab, addresses, allowed }: SubjectContext,
  report: Report,
): CheckedSubject {
  const where: Path = ['subject', 'target'];
  if (!LABS[lab].reaches) {
    report(
      `a ${lab} lab has no way out, and an external proxy is outside of it; use lab: { kind: host }, or name a proxy that the lab starts`,
      ['subject', 'kind'],
    );
  }
  if (typeof target !== 'string') {
    report(
      'the target is missing: give the address and port of the external proxy, for example target: "10.20.0.10:3128"',
      ['subject'],
    );
    return {};
  }
  const via = tryTarget(target, (message) => report(message, where));
  if (!via) return {};
  const canonical = formatTarget(via);
  if (!allowed.has(canonical)) report(notAllowed(canonical), where);
  const [local] = addresses;
  if (local !== undefined && familyOf(local) !== familyOf(via.address))
    report(
      `${canonical} and the local addresses (${local}, …) are of two families; use a target and addresses of one family`,
      where,
      ['addresses'],
    );
  return { via };
}

/** What in a load does not go with the subject. */
export function checkLoadOfSubject(
  load: LoadPlan,
  named: NamedLoad,
  kind: SubjectKind,
  proxy: ProxySettings | undefined,
  report: Report,
): void {
  const isDirect = isOwnSockets(kind);
  const entrance = proxy && proxySubjectOf(proxy.kind).entrance;
  if (load.arrival.shape === 'own') return checkOwnLoad(named, kind, entrance !== undefined, report);
  if (proxy && entrance?.(proxy) === null)
    report(
      'the load needs to know where the program listens: add "ready: { listen: 8080 }", or let the program drive itself, with "arrival: { shape: own }"',
      ['subject', 'ready'],
      ['subject'],
    );
  if (isDirect) {
    if (load.protocol === 'get' && load.engine === 'socket')
      report('protocol get without a proxy takes the HTTP engine: add "engine: http", or remove protocol', [
        'load',
        'protocol',
      ]);
    else if (load.protocol !== 'get' && !protocolsOf(kind, proxy).includes(load.protocol))
      report(
        `protocol ${load.protocol} is spoken to a proxy, but the subject is ${kind}: remove protocol, or name a proxy, for example subject: { kind: squid }`,
        ['load', 'protocol'],
      );
  } else {
    const spoken = protocolsOf(kind, proxy);
    if (!spoken.includes(load.protocol))
      report(
        `${kind}${proxy && 'mode' in proxy ? ` in mode ${proxy.mode}` : ''} does not accept protocol "${load.protocol}"; use ${spoken.join(' or ')}`,
        ['load', 'protocol'],
      );
    for (const key of ['strategy', 'ports'] as const) {
      if (named[key] !== undefined && proxy)
        report(
          `load.${key} has no effect with the subject ${kind}, which chooses its local ports itself; remove it, or change the settings of the subject`,
          ['load', key],
        );
    }
  }
  if (load.body > 0 && load.protocol !== 'get' && load.engine === 'socket') {
    report('only the answer to a GET has a body: add "protocol: get", or use exchange', ['load', 'body']);
  }
  if (load.tls && load.protocol === 'get' && !isDirect)
    report(
      `tls with protocol get would hide the GET from ${kind}, which must read it; use "protocol: connect", for TLS inside of the tunnel`,
      ['load', 'tls'],
    );
  if (load.protocol === 'get') checkGet(load, report);
}

/** What of a load is the origin's, and so has a meaning where nobody loads. */
const OF_THE_ORIGIN: ReadonlySet<string> = new Set([
  'arrival',
  'protocol',
  'body',
  'holdMs',
  'close',
  'exchange',
  'sink',
]);

function checkOwnLoad(named: NamedLoad, kind: SubjectKind, drivesItself: boolean, report: Report): void {
  if (!drivesItself)
    report(
      `an arrival of shape own is of a program that drives itself, but the subject is ${kind}; use another shape, or subject: { kind: program, command: [node, client.js] }`,
      ['load', 'arrival', 'shape'],
      ['load', 'arrival'],
    );
  for (const [key, { keptAs = key }] of Object.entries<{ keptAs?: string | undefined }>(LOAD_SETTINGS)) {
    if (OF_THE_ORIGIN.has(keptAs) || named[keptAs as keyof NamedLoad] === undefined) continue;
    report(`load.${key} has no effect where the program drives itself; remove it`, ['load', key]);
  }
}

function checkGet(load: LoadPlan, report: Report): void {
  if (load.exchange !== null && load.engine === 'socket')
    report('protocol get is an exchange itself: remove exchange, and give body', ['load', 'exchange']);
  if (load.sink === 'listen-only' && load.engine === 'socket')
    report('with protocol get the origin must answer: use "sink: accept"', ['load', 'sink']);
  if (load.holdMs !== null && load.holdMs >= load.timeoutMs)
    report(
      `the origin waits for hold (${formatDuration(load.holdMs)}) before it answers a GET, longer than timeout (${formatDuration(load.timeoutMs)}), so no attempt could succeed; raise the timeout`,
      ['load', 'hold'],
      ['load', 'timeout'],
    );
}
