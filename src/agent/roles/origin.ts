/**
 * The program of the origin: the lab's own server, in a namespace of its own.
 */
import '../../machine/no-debugger.js';
import { setTimeout as wait } from 'node:timers/promises';
import { familyOf } from '../../domain/addresses.js';
import { readNetCounters } from '../../kernel/counters.js';
import { enterFreshNamespace } from '../../kernel/namespace.js';
import { unaccepted } from '../../kernel/sock-diag.js';
import { writeSysctl } from '../../kernel/sysctl.js';
import type { RunningInternet } from '../../load/origin/internet/internet.js';
import { countsOf, newControl } from '../../load/origin/listen.js';
import { type OriginThreads, startOrigin } from '../../load/origin/threads.js';
import { letThreadsStay, moveThreads } from '../../load/staying.js';
import { descriptorLimit } from '../place/limits.js';
import { becomeInternet, namedAddresses, resolverAddresses, setUpOrigin } from '../place/network.js';
import { applySysctls } from '../place/sysctls.js';
import type { OriginProtocol } from './origin-protocol.js';
import { type Handlers, serveRole } from './serve.js';

/** What all hosts of the load count in. */
const control = newControl();
const serving: OriginThreads[] = [];
let internet: RunningInternet | undefined;
let ownNamespace = false;
/** Whether somebody accepts: else what is established stays in the queues. */
let accepts = false;
/** Whether connections from addresses that were not expected are counted. */
let asked = false;

const serve: Handlers<OriginProtocol>['serve'] = async (request) => {
  const { neighbours, sources } = request;
  const served = (hosts: readonly Pick<(typeof request.hosts)[number], 'plan'>[]) =>
    hosts.every(({ plan }) => plan.sink === 'accept');
  accepts = served([...request.hosts, ...neighbours]);
  // Where nobody accepts, nobody sees who came.
  asked = sources !== undefined && served(request.hosts);
  ownNamespace = request.network === 'veth';
  if (ownNamespace) {
    const all = [...request.hosts, ...neighbours].flatMap(({ listen }) => listen);
    setUpOrigin([...new Set(all.map(({ address }) => address))], request.family);
    widenQueues();
  }
  const sysctls = ownNamespace ? applySysctls(request.sysctls ?? {}) : {};
  const limit = { descriptorLimit: descriptorLimit() };
  const from = sources ? { sources } : {};
  serving.push(
    ...(await Promise.all(request.hosts.map((host) => startOrigin({ ...host, ...limit, ...from, control })))),
  );
  for (const host of neighbours) serving.push(await startOrigin({ ...host, threads: 1, ...limit }));
  return { sysctls };
};

const renew: Handlers<OriginProtocol>['renew'] = async () => {
  if (internet) throw new Error('an internet stays as long as its program');
  await Promise.all(serving.splice(0).map((threads) => threads.stop()));
  control.fill(0);
  enterFreshNamespace();
  letThreadsStay();
  await moveThreads();
  return {};
};

const openInternet: Handlers<OriginProtocol>['openInternet'] = async ({
  addresses,
  internet: settings,
  requests,
  sources,
  sysctls,
}) => {
  ownNamespace = true;
  becomeInternet(addresses);
  asked = sources !== undefined;
  widenQueues();
  // It takes Node's HTTP and TLS, which the origin of a load does not wait for.
  const { startInternet } = await import('../../load/origin/internet/internet.js');
  const only = settings.families === 'both' ? null : familyOf(addresses[0]!);
  internet = await startInternet(settings, (nth) => namedAddresses(nth, only), requests, sources);
  return { sysctls: applySysctls(sysctls ?? {}), authority: internet.authority, resolvers: resolverAddresses() };
};

/** The origin must not be what runs out. Its namespace is its own, so the profile's sysctls do not reach it. */
function widenQueues(): void {
  for (const name of ['net.core.somaxconn', 'net.ipv4.tcp_max_syn_backlog'])
    if (!writeSysctl(name, '4000000').ok) writeSysctl(name, '65535');
}

const CAUGHT_UP_WITHIN_MS = 5_000;

const catchUp: Handlers<OriginProtocol>['catchUp'] = async () => {
  const until = performance.now() + CAUGHT_UP_WITHIN_MS;
  // In a namespace that is shared others listen too; without descriptors the queues stay as they are.
  const mayCome = () => accepts && ownNamespace && countsOf(control).refused === 0 && performance.now() < until;
  while (mayCome() && unaccepted() > 0) await wait(5);
  return {};
};

function stats() {
  const { user, system } = process.cpuUsage();
  const counters = ownNamespace ? readNetCounters() : {};
  return {
    ...countsOf(control, asked),
    ...(internet ? { accepted: internet.accepted(), seen: internet.seen() } : {}),
    listenOverflows: counters['TcpExt.ListenOverflows'] ?? null,
    pawsPassive: counters['TcpExt.PAWSPassive'] ?? null,
    cpu: { user: user / 1e6, system: system / 1e6 },
  };
}

void serveRole<OriginProtocol>({ serve, openInternet, renew, catchUp, stats });
