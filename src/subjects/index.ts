/**
 * The kinds of subjects: the only list of them.
 */
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Protocol } from '../domain/protocol.js';
import type { Settings } from '../domain/setting.js';
import { type Base, listenersOf } from './base/base.js';
import { coturn } from './coturn/coturn.js';
import { dante } from './dante/dante.js';
import { direct } from './direct/direct.js';
import { dnsdist } from './dnsdist/dnsdist.js';
import { external } from './external/external.js';
import { haproxy } from './haproxy/haproxy.js';
import { microsocks } from './microsocks/microsocks.js';
import { nat } from './nat/nat.js';
import { nginx } from './nginx/nginx.js';
import { program } from './program/program.js';
import { squid } from './squid/squid.js';
import type { ProxySubject, RouterSubject, Subject } from './subject.js';
import { tinyproxy } from './tinyproxy/tinyproxy.js';
import { tor } from './tor/tor.js';
import { unbound } from './unbound/unbound.js';

/** Those that the lab starts, in the order of lists. */
const PROXIES = { squid, haproxy, nginx, dante, tor, tinyproxy, microsocks, unbound, dnsdist, coturn, program };
/** Those between the load and the origin. */
const ROUTERS = { nat };
const SUBJECTS = { direct, ...PROXIES, ...ROUTERS, external };

export type ProxyKind = keyof typeof PROXIES;
export type RouterKind = keyof typeof ROUTERS;
export type SubjectKind = keyof typeof SUBJECTS;

export const PROXY_KINDS = Object.keys(PROXIES) as readonly ProxyKind[];
export const ROUTER_KINDS = Object.keys(ROUTERS) as readonly RouterKind[];
export const SUBJECT_KINDS = Object.keys(SUBJECTS) as readonly SubjectKind[];

/** The complete settings of a proxy that the lab starts. */
export type ProxySettings = { [K in ProxyKind]: (typeof PROXIES)[K]['defaults'] }[ProxyKind];

const [first, ...others] = Object.values(PROXIES).map(({ schema }) => schema);
// The schemas do not carry the types of their values: each is made of a table of settings, which does.
export const proxySettingsSchema = z.discriminatedUnion('kind', [
  first!,
  ...others,
]) as unknown as z.ZodType<ProxySettings>;

/** The complete settings of a router. */
export type RouterSettings = { [K in RouterKind]: (typeof ROUTERS)[K]['defaults'] }[RouterKind];

// Of several kinds it is a discriminated union, as of proxies.
export const routerSettingsSchema = nat.schema as unknown as z.ZodType<RouterSettings>;

/** Every setting that some kind has: what a profile may write under `subject`. Where kinds differ, the texts say so. */
export const SUBJECT_SETTINGS: Settings = Object.fromEntries(
  SUBJECT_KINDS.flatMap((kind) => Object.keys(subjectOf(kind).settings)).map((key) => [key, rowOf(key)]),
);

function rowOf(key: string): Settings[string] {
  const rows = SUBJECT_KINDS.flatMap((kind) => {
    const row = subjectOf(kind).settings[key];
    return row && !row.needed ? [{ kind, row }] : [];
  });
  const { row } = rows[0]!;
  const isCommon = PROXY_KINDS.every((kind) => key in proxySubjectOf(kind).settings);
  return {
    ...row,
    describe: isCommon ? row.describe : `${rows.map(({ kind }) => kind).join(', ')}: ${row.describe}`,
    defaultText: defaultTextOf(rows.map((one) => [one.kind, one.row.defaultText])),
  };
}

/** Kind and its default → `false`, `haproxy: tcp; nginx: http`, or `the name of the kind; dante: danted`. */
function defaultTextOf(texts: readonly (readonly [kind: string, text: string])[]): string {
  if (new Set(texts.map(([, text]) => text)).size === 1) return texts[0]![1];
  const others = texts.filter(([kind, text]) => kind !== text).map((pair) => pair.join(': '));
  return [...(others.length < texts.length ? ['the name of the kind'] : []), ...others].join('; ');
}

/** What finds a proxy's program. */
export const programNameSchema = z.object({ kind: z.enum(PROXY_KINDS), binary: z.string() });
export type ProgramName = z.infer<typeof programNameSchema>;

/**
 * What is looked for before anything starts: the program of a proxy. Of any program it is the command; where none is named yet, what that
 * is watched with.
 */
export function programOf(settings: ProxySettings): ProgramName {
  const { kind } = settings;
  if ('binary' in settings) return { kind, binary: settings.binary };
  const [name = proxySubjectOf(kind).debianPackage] = settings.command;
  return { kind, binary: name.includes('/') ? resolve(settings.workdir ?? '.', name) : name };
}

/** What is known of a kind. */
export function subjectOf(kind: SubjectKind): Subject<ProxySettings> {
  return SUBJECTS[kind];
}

/** Whether a kind is a router. */
export function isRouterKind(kind: SubjectKind): kind is RouterKind {
  return kind in ROUTERS;
}

/** What is known of a kind that the lab starts. Its functions take the settings of that kind only. */
export function proxySubjectOf(kind: ProxyKind): ProxySubject<ProxySettings> {
  return PROXIES[kind];
}

/** What is known of a kind of router. */
export function routerSubjectOf(kind: RouterKind): RouterSubject<RouterSettings> {
  return ROUTERS[kind];
}

/** What the clients of a subject may say to it, the usual first. */
export function protocolsOf(kind: SubjectKind, proxy: ProxySettings | undefined): readonly [Protocol, ...Protocol[]] {
  return subjectOf(kind).protocols(proxy);
}

/** In how many places a proxy listens: a forward proxy in one, a reverse proxy for each destination, or as its own file says. */
export function listenersFor(settings: ProxySettings, destinations: number): number {
  const { reverse, base } = proxySubjectOf(settings.kind);
  if (!reverse) return 1;
  const own = baseOf(settings);
  return own && base ? listenersOf(own, base(settings)) : destinations;
}

/** The configuration file of the user's own that is the base of a proxy; undefined: there is none. */
export function baseOf(settings: ProxySettings): Base | undefined {
  return 'base' in settings ? settings.base : undefined;
}
