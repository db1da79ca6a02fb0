/**
 * A program that drives itself: it takes the place of a proxy, and has no clients. What it asks of the kernel is counted all the time.
 */
import { familyOf } from '../../domain/addresses.js';
import { formatDuration } from '../../domain/format.js';
import { monotonicMicros as now } from '../../kernel/libc.js';
import { mergeHistograms } from '../../load/histogram.js';
import type { LoadReport } from '../../load/pool.js';
import { LONGEST_OWN_MS } from '../../plan/arrival.js';
import type { Outcomes } from '../../results/schema.js';
import type { ProxySettings } from '../../subjects/index.js';
import { internetOf } from '../../subjects/internet.js';
import type { Syscalls } from '../../subjects/proxy-report.js';
import { originTargets, proxyAddresses, withBothFamilies } from '../place/network.js';
import type { RunSpec } from '../protocol.js';
import { type LaunchedOrigin, launchOrigin } from '../roles/launch.js';
import { beside, besideInput, openNeighbours, placeNeighbours } from '../roles/neighbours.js';
import { connectOrigin, type OriginStats } from '../roles/origin-client.js';
import { openProxyRole, type ProxyRole } from '../roles/proxy-client.js';
import { type Load, leftovers, type Setup } from '../setup.js';

/** Set up what a program that drives itself needs. Rejects with what could not be done. */
export async function setUpProgram(
  spec: RunSpec,
  settings: ProxySettings,
  launched: LaunchedOrigin | null,
  onPhase: (phase: 'sysctls' | 'origin') => void,
): Promise<Setup> {
  const { arm } = spec;
  const { arrival } = arm.load;
  if (spec.network !== 'veth' || arm.destinations.kind !== 'lab' || arrival.shape !== 'own' || !('names' in settings))
    throw new Error('a program under test needs a namespace of its own, and this lab has none to give');
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
    const link = await role.setUpNetwork({
      family,
      outgoing,
      originPid: origin.pid,
      internet: true,
      listeners: 0,
      neighbours: placed.map(({ addresses, target }) => ({ addresses: [...addresses], target })),
      ports: arm.load.ports,
      sysctls: arm.sysctls,
    });
    const inputs = placed.map((own) => {
      const { neighbour } = own;
      return { neighbour, namespace: role.namespace, input: besideInput(own, link.range, spec.seed) };
    });
    const [place, neighbours] = await Promise.all([
      origin.openInternet({
        addresses: withBothFamilies(outgoing),
        internet: internetOf(settings),
        sysctls: arm.roles?.origin,
      }),
      openNeighbours(inputs),
    ]);
    const problems = leftovers(await role.stats());
    const start = () =>
      role.start({
        listen: [{ address: proxyAddresses(family, 1)[0]!, port: USUAL_PORT }],
        destinations: targets,
        outgoing,
        clients: [],
        clientNamespace: role.namespace,
        internet: place,
        own: true,
        observe: 'strace',
      });
    return {
      pool: selfDriven(role, start, arrival.durationMs, problems),
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
 * @param durationMs undefined: to its end
 * @param problems told when it has no end
 */
function selfDriven(
  role: ProxyRole,
  start: () => Promise<void>,
  durationMs: number | undefined,
  problems: string[],
): Load {
  let outcomes: Outcomes = {};
  let syscalls: Syscalls | undefined;
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
      outcomes = outcomesOf(origin, syscalls);
      return outcomes;
    },
    responses: () => ({ micros: 0, count: 0 }),
    drained,
    stop: () => halt('stopped'),
    finish: async () => ({
      outcomes,
      answers: {},
      histograms: mergeHistograms([]),
      peakOpen: syscalls?.connections?.peak ?? 0,
      firstFailure: firstFailureOf(syscalls),
      waves: [],
      cpu: { user: 0, system: 0 },
      seconds: Math.max(endedAt - begunAt, 1) / 1e6,
      loads: [],
    }),
  };
}

/** What was answered: requests, or, where nobody spoke HTTP, connections; and each call that was refused. */
function outcomesOf({ accepted, seen }: OriginStats, syscalls: Syscalls | undefined): Outcomes {
  const refused: Record<string, number> = {};
  for (const { call, errno, count } of syscalls?.failures ?? []) {
    const name = `${call === 'bind' || call === 'connect' ? call : 'exchange'}:${errno}`;
    refused[name] = (refused[name] ?? 0) + count;
  }
  return { ok: seen.requests > 0 ? seen.requests : accepted, ...refused };
}

function firstFailureOf(syscalls: Syscalls | undefined): LoadReport['firstFailure'] {
  const { openAtFirstFailure: open = null, begunBeforeFirstFailure: ok = null } = syscalls?.connections ?? {};
  return open === null || ok === null ? null : { open, ok };
}
