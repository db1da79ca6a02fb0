/**
 * A program that drives itself: it takes the place of a proxy, and has no clients. What it asks of the kernel is counted all the time.
 */
import { familyOf, isAddress, isLoopback } from '../../domain/addresses.js';
import { formatDuration } from '../../domain/format.js';
import { monotonicMicros as now } from '../../kernel/libc.js';
import { mergeHistograms } from '../../load/histogram.js';
import { totalOf } from '../../load/outcome.js';
import type { LoadReport } from '../../load/pool.js';
import { LONGEST_OWN_MS } from '../../plan/arrival.js';
import type { Arrival } from '../../plan/plan.js';
import type { Outcomes } from '../../results/schema.js';
import type { ProxySettings } from '../../subjects/index.js';
import { internetOf } from '../../subjects/internet.js';
import type { Syscalls } from '../../subjects/proxy-report.js';
import { originTargets, proxyAddresses, withBothFamilies, withUnbound } from '../place/network.js';
import { machineOf } from '../place/own-kernel.js';
import type { RunSpec } from '../protocol.js';
import { type LaunchedOrigin, launchOrigin } from '../roles/launch.js';
import { beside, besideInput, expectedSources, openNeighbours, placeNeighbours } from '../roles/neighbours.js';
import { connectOrigin } from '../roles/origin-client.js';
import { openProxyRole, type ProxyRole } from '../roles/proxy-client.js';
import type { Entry } from '../roles/proxy-protocol.js';
import { type Load, leftovers, type Setup } from '../setup.js';

/**
 * Set up what a program that drives itself needs. Rejects with what could not be done.
 * @param onEntry told what somebody at a terminal is to start, in the namespaces of this process; absent: the program is started here
 */
export async function setUpProgram(
  spec: RunSpec,
  settings: ProxySettings,
  launched: LaunchedOrigin | null,
  onPhase: (phase: 'sysctls' | 'origin') => void,
  onEntry?: (entry: Entry, namespace: string) => void,
): Promise<Setup> {
  const { arm } = spec;
  const { arrival } = arm.load;
  if (spec.network !== 'veth' || arm.destinations.kind !== 'lab' || arrival.shape !== 'own' || !('names' in settings))
    throw new Error('a program under test needs a namespace of its own, and this lab cannot provide one');
  onPhase('origin');
  const outgoing = arm.addresses;
  const family = familyOf(outgoing[0]!);
  const placed = beside(placeNeighbours(spec.neighbours, family));
  const targets = originTargets(family, false, arm.destinations.addresses, arm.destinations.ports);
  const [origin, role] = await Promise.all([
    connectOrigin(launched?.ownNamespace ? launched : launchOrigin(true)),
    openProxyRole(settings),
  ]);
  const close = () => {
    role.close();
    origin.stop();
  };
  try {
    onPhase('sysctls');
    const joining = {
      family,
      outgoing,
      originPid: origin.pid,
      internet: true,
      listeners: 0,
      neighbours: placed.map(({ addresses, target }) => ({ addresses: [...addresses], target })),
      unbound: arm.unbound,
      ...machineOf(spec),
      ports: arm.load.ports,
      sysctls: arm.sysctls,
    };
    const link = await origin.reach(() => role.setUpNetwork(joining));
    const inputs = placed.map((own) => {
      const { neighbour } = own;
      return { neighbour, namespace: role.namespace, input: besideInput(own, link.range, spec.seed) };
    });
    const [place, neighbours] = await Promise.all([
      origin.openInternet({
        addresses: [...withUnbound(withBothFamilies(outgoing), arm.unbound)],
        ...expectedSources(arm, placed),
        internet: internetOf(settings),
        requests: arrival.attempts,
        sysctls: arm.roles?.origin,
      }),
      openNeighbours(inputs),
    ]);
    const problems = leftovers(await role.stats());
    const start = async () => {
      const entry = await role.start({
        listen: [{ address: proxyAddresses(family, 1)[0]!, port: USUAL_PORT }],
        destinations: targets,
        outgoing,
        clients: [],
        clientNamespace: role.namespace,
        internet: place,
        own: true,
        attached: onEntry !== undefined,
        attempts: arrival.attempts,
        observe: 'strace',
      });
      if (entry) onEntry?.(entry, role.namespace);
    };
    return {
      pool: selfDriven(role, start, arrival, withBothFamilies(outgoing), problems),
      origin,
      neighbours,
      proxy: role,
      observer: null,
      range: link.range,
      reserved: link.reserved,
      sysctls: link.sysctls,
      roles: { client: {}, origin: place.sysctls },
      problems,
      alone: true,
      aftermath: null,
      close: () => {
        neighbours.close();
        close();
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** What {port} is where nobody asks the program. */
const USUAL_PORT = 8080;

/**
 * The load that a program is to itself.
 * @param addresses of its namespace
 * @param problems told when it has no end
 */
function selfDriven(
  role: ProxyRole,
  start: () => Promise<void>,
  { durationMs, attempts }: Extract<Arrival, { shape: 'own' }>,
  addresses: readonly string[],
  problems: string[],
): Load {
  let outcomes: Outcomes = {};
  let syscalls: Syscalls | undefined;
  /** Connections, once there were as many attempts as there are to be. */
  let accepted: number | null = null;
  let [begunAt, endedAt] = [0, 0];
  let begin: () => void = () => {};
  let halt: (why: 'stopped') => void = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const halted = new Promise<'stopped'>((resolve) => {
    halt = resolve;
  });
  const drained = begun.then(async () => {
    await start();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), durationMs ?? LONGEST_OWN_MS);
    });
    const how = await Promise.race([role.ended, halted, late]);
    clearTimeout(timer);
    endedAt = now();
    if (how === 'late' && durationMs === undefined)
      problems.push(`the program had not ended after ${formatDuration(LONGEST_OWN_MS)}, and was stopped`);
    if (how === 'late' || how === 'stopped') await role.stop();
  });
  drained.catch(() => {});
  return {
    start() {
      begunAt = now();
      begin();
      return begunAt;
    },
    outcomes: () => outcomes,
    counted(origin, proxy) {
      syscalls = proxy.syscalls;
      if (accepted !== null) return outcomes;
      const { requests, used } = origin.seen;
      const upTo = requests === used ? syscalls?.upTo : undefined;
      // The order of connections and refusals is known; that of requests on kept connections is not.
      if (upTo) outcomes = { ok: upTo.begun, ...refusedOf(upTo.failures) };
      else {
        const outside = requests > 0 ? requests : origin.accepted;
        const ok = outside + connectionsWithin(syscalls?.ways ?? [], addresses);
        const all = { ...refusedOf(syscalls?.failures ?? []), ok };
        outcomes = attempts === null ? all : cutTo(attempts, all, outcomes);
      }
      if (totalOf(outcomes) !== attempts) return outcomes;
      accepted = upTo?.begun ?? origin.accepted;
      halt('stopped');
      return outcomes;
    },
    responses: () => ({ micros: 0, count: 0 }),
    drained,
    stop: () => halt('stopped'),
    finish: async () => ({
      outcomes,
      ...(accepted === null ? {} : { accepted }),
      answers: {},
      histograms: mergeHistograms([]),
      peakOpen: syscalls?.connections?.peak ?? 0,
      portsTaken: 0,
      firstFailure: firstFailureOf(syscalls),
      waves: [],
      cpu: { user: 0, system: 0 },
      seconds: Math.max(endedAt - begunAt, 1) / 1e6,
      loads: [],
    }),
  };
}

/** Connections to servers of the program's own, as a database beside it: the lab's internet does not see them. */
function connectionsWithin(ways: NonNullable<Syscalls['ways']>, addresses: readonly string[]): number {
  const isOwn = (to: string) => {
    const address = to.slice(0, to.lastIndexOf(':')).replace(/[[\]]/g, '');
    return isAddress(address) && (isLoopback(address) || addresses.includes(address));
  };
  return ways.reduce((sum, { to, connections }) => sum + (isOwn(to) ? connections : 0), 0);
}

/** Each call that was refused, as an outcome. */
function refusedOf(failures: Syscalls['failures']): Record<string, number> {
  const refused: Record<string, number> = {};
  for (const { call, errno, count } of failures) {
    const name = `${call === 'bind' || call === 'connect' ? call : 'exchange'}:${errno}`;
    refused[name] = (refused[name] ?? 0) + count;
  }
  return refused;
}

/** So many outcomes and no more: of those that are new, refusals are left out first, as the answers are counted only up to there. */
function cutTo(most: number, outcomes: Outcomes, before: Outcomes): Outcomes {
  let excess = Math.max(0, totalOf(outcomes) - most);
  return Object.fromEntries(
    Object.entries(outcomes).map(([name, count]) => {
      const less = Math.min(excess, count - (before[name] ?? 0));
      excess -= less;
      return [name, count - less];
    }),
  );
}

function firstFailureOf(syscalls: Syscalls | undefined): LoadReport['firstFailure'] {
  const { openAtFirstFailure: open = null, begunBeforeFirstFailure: ok = null } = syscalls?.connections ?? {};
  return open === null || ok === null ? null : { open, ok };
}
