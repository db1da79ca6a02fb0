/**
 * The kinds of proxies by name.
 */
import type { ProxyKind, ProxySettings } from '../profile/subject.js';
import { dante } from './dante.js';
import { haproxy } from './haproxy.js';
import { nginx } from './nginx.js';
import { squid } from './squid.js';
import type { Subject } from './subject.js';

const SUBJECTS = { squid, haproxy, nginx, dante } satisfies {
  [K in ProxyKind]: Subject<Extract<ProxySettings, { kind: K }>>;
};

/** The kind that settings are of. Its functions take the settings of that kind only. */
export function subjectOf(kind: ProxyKind): Subject {
  return SUBJECTS[kind] as Subject;
}
