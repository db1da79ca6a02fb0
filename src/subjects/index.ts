/**
 * The kinds of proxies by name.
 */

import { dante } from './dante/dante.js';
import { haproxy } from './haproxy/haproxy.js';
import { nginx } from './nginx/nginx.js';
import type { ProxyKind, ProxySettings, TorSettings } from './settings.js';
import { squid } from './squid/squid.js';
import type { ProxyFacts, Subject } from './subject.js';
import { tor } from './tor/tor.js';

/** Settings of a proxy that is one program. */
export type ProgramSettings = Exclude<ProxySettings, TorSettings>;

const PROGRAMS = { squid, haproxy, nginx, dante } satisfies {
  [K in ProgramSettings['kind']]: Subject<Extract<ProxySettings, { kind: K }>>;
};
const FACTS = { ...PROGRAMS, tor } satisfies { [K in ProxyKind]: ProxyFacts<Extract<ProxySettings, { kind: K }>> };

/** What is known of a kind. Its functions take the settings of that kind only. */
export function subjectOf(kind: ProxyKind): ProxyFacts {
  return FACTS[kind] as ProxyFacts;
}

/** The same of a kind that is one program. */
export function programOf(kind: ProgramSettings['kind']): Subject {
  return PROGRAMS[kind] as Subject;
}
