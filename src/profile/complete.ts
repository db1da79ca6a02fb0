/**
 * Second pass: an arm with everything that a profile need not say. Pure.
 */
import { hasOwnMessages } from '../domain/datagram.js';
import { type Protocol, transportOf } from '../domain/protocol.js';
import { complete } from '../domain/setting.js';
import { normaliseSysctl } from '../domain/sysctl-syntax.js';
import { LOAD, LOAD_SETTINGS, type NamedLoad } from '../plan/load-settings.js';
import type { Arm, LoadPlan } from '../plan/plan.js';
import { type ProxySettings, protocolsOf, proxySubjectOf, type SubjectKind, subjectOf } from '../subjects/index.js';

/** The harness's own sockets, so that nothing but the kernel decides. */
export const SUBJECT: SubjectKind = 'direct';

/** The part of an arm that differs between arms. */
export type CompleteArm = Pick<
  Arm,
  'sysctls' | 'roles' | 'proxy' | 'router' | 'via' | 'load' | 'addresses' | 'unbound' | 'destinations' | 'scenarios'
>;

/** A reverse proxy accepts before it connects: only a byte that the origin sent says that it did. */
const EXCHANGE_THROUGH = { request: 1, response: 1 } as const;

/**
 * A load with its defaults.
 * @param named what the profile says of it, the arrivals at least
 * @param proxy the settings of the proxy that it goes through, where the lab starts one
 */
export function completeLoad(
  named: NamedLoad & Pick<LoadPlan, 'arrival'>,
  subject: SubjectKind,
  proxy: ProxySettings | undefined,
): LoadPlan {
  const { arrival, keepAlive = LOAD.keepAlive, tls = LOAD.tls } = named;
  const engine = named.engine ?? (keepAlive || tls ? 'http' : LOAD.engine);
  const protocol =
    named.protocol ?? (isOwnSockets(subject) && engine === 'http' ? 'get' : protocolsOf(subject, proxy)[0]);
  // Of fill and hold the connections stay open. With GET the hold is how long the origin takes to answer, and it must answer some time.
  const staysOpen = (arrival.shape === 'fill' || arrival.shape === 'hold') && protocol !== 'get' && !keepAlive;
  const udp = transportOf(protocol) === 'udp';
  return complete(LOAD_SETTINGS, named, {
    ...(udp ? datagramDefaults(protocol, named) : {}),
    engine,
    protocol,
    ...(staysOpen ? { holdMs: null } : {}),
    ...(proxy ? { strategy: proxySubjectOf(proxy.kind).strategy(proxy, null) } : {}),
    ...(proxy && protocol === 'tcp' ? { exchange: EXCHANGE_THROUGH } : {}),
    ...(proxy ? { ports: proxySubjectOf(proxy.kind).ownPorts?.(proxy) ?? null } : {}),
  });
}

/** A datagram and its answer need no more than to be told apart; what is never sent has no answer. */
const DATAGRAMS = { request: 64, response: 64 } as const;

/** What a load over UDP is where nothing is said of it. */
function datagramDefaults(protocol: Protocol, { strategy, peer, sockets }: NamedLoad): Partial<LoadPlan> {
  const unconnected = strategy === 'sendto' || sockets === 'one';
  const how = peer ?? (unconnected ? 'sendto' : 'connect');
  return { peer: how, exchange: how === 'none' || hasOwnMessages(protocol) ? null : DATAGRAMS };
}

/** Whether the sockets of the load reach the origin themselves, with or without a router between. */
export function isOwnSockets(subject: SubjectKind): boolean {
  const { role } = subjectOf(subject);
  return role === 'client' || role === 'router';
}

/** Sysctls in the one form that is compared with what the kernel says. */
export function completeSysctls(sysctls: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(sysctls).map(([name, value]) => [name, normaliseSysctl(value)]));
}
