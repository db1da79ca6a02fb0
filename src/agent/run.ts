/**
 * The life of one run, inside the lab: sysctls, origin, network, workers, load, samples, measurement.
 */

import { PORT_SYSCTLS } from '../capacity/sysctl-catalogue.js';
import { familyOf, isLoopback } from '../domain/addresses.js';
import { LOCAL_PORT_RANGE, parseLocalPortRange } from '../domain/sysctl-syntax.js';
import type { Target } from '../domain/target.js';
import { monotonicMicros as now } from '../kernel/libc.js';
import { createSocketObserver, type SocketObserver } from '../kernel/sock-diag.js';
import { readSysctls } from '../kernel/sysctl.js';
import { encodeHistograms } from '../load/histogram.js';
import { type Certificate, certificateFor } from '../load/origin/certificate.js';
import { isPaced } from '../load/pacer.js';
import { createPool, type LoadReport, type Pool } from '../load/pool.js';
import { arrivalDurationMs } from '../plan/arrival.js';
import type { Arm } from '../plan/plan.js';
import type { Second } from '../results/schema.js';
import { drained } from './drain.js';
import { measure } from './measure.js';
import { machineSysctls } from './place/box-guard.js';
import { restoreSnapshot, type Snapshot, takeSnapshot } from './place/host-guard.js';
import { DESCRIPTOR_RESERVE, descriptorLimit, originThreads } from './place/limits.js';
import { originTargets, setUpClient, setUpShared } from './place/network.js';
import type { Scene } from './place/scene.js';
import { applyLabSysctls, applySysctls, ephemeralRange, LAB_SYSCTLS, reservedIn } from './place/sysctls.js';
import type { Measurement, PHASES, RunSpec } from './protocol.js';
import { setProxyScene } from './proxy/proxy-scene.js';
import { type LaunchedOrigin, launchOrigin } from './roles/launch.js';
import {
  beside,
  besideInput,
  hostsOf,
  type Neighbours,
  openNeighbours,
  type PlacedNeighbour,
  placeNeighbours,
} from './roles/neighbours.js';
import { connectOrigin, type Origin } from './roles/origin-client.js';
import { startSampler } from './sampler.js';

/** Between the order to start and the first attempt, so that every worker is waiting when it comes. */
const LEAD_MICROS = 5_000;

export interface RunHooks {
  readonly onPhase: (phase: (typeof PHASES)[number]) => void;
  readonly onSample: (second: Second) => void;
  /** Resolves when the run is to end early. */
  readonly stopped: Promise<void>;
}

/** Do the run. Rejects with an Error whose message says what could not be done. */
export async function executeRun(
  spec: RunSpec,
  launched: LaunchedOrigin | null,
  hooks: RunHooks,
): Promise<Measurement> {
  const warnings = spec.ownNamespace ? [] : await awaitPorts(spec.arm, hooks.stopped);
  const names = Object.keys(spec.arm.sysctls);
  const lasting = spec.ownNamespace ? machineSysctls(names) : names;
  const snapshot = lasting.length === 0 ? null : takeSnapshot(lasting);
  const measurement = await execute(spec, launched, hooks).finally(() => {
    if (snapshot) warnings.push(...putBack(snapshot));
  });
  return { ...measurement, warnings: [...warnings, ...measurement.warnings] };
}

/** @returns warnings */
function putBack(snapshot: Snapshot): string[] {
  const { failed } = restoreSnapshot(snapshot);
  if (failed.length === 0) return [];
  const warning = `these sysctls could not be restored: ${failed.join(', ')}`;
  process.stderr.write(`${warning}\n`);
  return [warning];
}

/** Wait until the ports that the run will use are free, before anything is changed. @returns warnings */
async function awaitPorts(arm: Arm, stopped: Promise<void>): Promise<string[]> {
  const range = arm.sysctls[LOCAL_PORT_RANGE];
  const ports = arm.load.ports ?? (range === undefined ? ephemeralRange() : parseLocalPortRange(range));
  const observer = createSocketObserver(arm.addresses, ports);
  try {
    return await drained(observer, stopped);
  } finally {
    observer.close();
  }
}

async function execute(spec: RunSpec, launched: LaunchedOrigin | null, hooks: RunHooks): Promise<Measurement> {
  const { arm } = spec;
  const scene = arm.proxy
    ? await setProxyScene(spec, arm.proxy, launched, hooks.onPhase)
    : await setDirectScene(spec, launched, hooks.onPhase);
  const { pool, proxy, neighbours } = scene;
  try {
    hooks.onPhase('load');
    const startedAt = new Date().toISOString();
    const sampler = await startSampler({
      pool,
      observer: scene.observer,
      origin: scene.origin,
      proxy,
      intervalMs: spec.sampleMs,
      begin: () => {
        neighbours.begin(LEAD_MICROS);
        return pool.start(LEAD_MICROS);
      },
      now,
      onSample: hooks.onSample,
    });
    const endings = [
      loadEnd(pool, neighbours, hooks.stopped),
      sampler.failure,
      neighbours.failure,
      ...(proxy ? [proxy.failure] : []),
    ];
    const interrupted = await Promise.race(endings);
    await sampler.finish();
    hooks.onPhase('collect');
    // The proxy ends first: what it says of connections that are closed now is not of the load.
    const logs = await proxy?.stop();
    const [report, besides] = await Promise.all([pool.finish(), neighbours.finish()]);
    scene.observer?.close();
    const proxyReport =
      proxy && logs && arm.proxy
        ? {
            kind: arm.proxy.kind,
            version: proxy.version(),
            bootstrap: proxy.bootstrap(),
            ...logs,
            answers: report.answers,
            roles: scene.roles,
          }
        : null;
    return {
      ...measure({
        arm,
        report,
        sampler,
        proxy: proxyReport,
        range: scene.range,
        reserved: scene.reserved,
        seconds: loadSeconds(arm, report),
        problems: scene.problems,
        alone: scene.alone,
      }),
      ...(besides.length > 0 ? { neighbours: besides } : {}),
      startedAt,
      interrupted,
      loadMs: report.seconds * 1000,
      sysctls: scene.sysctls,
      histograms: encodeHistograms(report.histograms),
    };
  } finally {
    scene.close();
  }
}

async function setDirectScene(
  spec: RunSpec,
  launched: LaunchedOrigin | null,
  onPhase: RunHooks['onPhase'],
): Promise<Scene> {
  const { arm } = spec;
  onPhase('sysctls');
  if (spec.ownNamespace) applyLabSysctls();
  applySysctls(arm.sysctls);
  const sysctls = readSysctls([...PORT_SYSCTLS, ...Object.keys(LAB_SYSCTLS), ...Object.keys(arm.sysctls)]);
  const range = ephemeralRange();
  const ports = arm.load.ports ?? range;

  onPhase('origin');
  const targets = targetsOf(spec);
  const certificate = certificateFor(arm.load, targets);
  const placed = beside(placeNeighbours(spec.neighbours, familyOf(arm.addresses[0]!)));
  // The workers come up while the origin does; whichever fails, the other is not waited for.
  const [started, neighbours, pool] = await Promise.all([
    startOrigin(spec, launched, targets, certificate, placed),
    openNeighbours(placed.map((each) => ({ ...each, namespace: null, input: besideInput(each, range, spec.seed) }))),
    createPool({
      plan: arm.load,
      addresses: arm.addresses,
      ...(arm.via ? { via: { proxy: arm.via, outgoing: null } } : {}),
      targets,
      ...(certificate ? { certificate: certificate.certificate } : {}),
      ports,
      seed: spec.seed,
      descriptorLimit: descriptorLimit(),
      descriptorReserve: DESCRIPTOR_RESERVE,
    }),
  ]);
  const observer = createSocketObserver(arm.addresses, ports, { onlyThese: placed.length > 0 });
  return {
    pool,
    origin: started.origin,
    neighbours,
    proxy: null,
    observer,
    range,
    reserved: reservedIn(range),
    sysctls,
    roles: { client: {}, origin: started.sysctls },
    problems: leftovers(spec, observer),
    alone: spec.network === 'veth',
    close: () => {
      neighbours.close();
      started.origin?.stop();
    },
  };
}

function targetsOf({ arm, ownNamespace }: RunSpec): Target[] {
  if (arm.destinations.kind !== 'lab') return arm.destinations.targets;
  const { addresses, ports } = arm.destinations;
  const first = arm.addresses[0]!;
  return originTargets(familyOf(first), !ownNamespace || isLoopback(first), addresses, ports);
}

/** Bring the origin up, joined to this namespace; null when the targets are not the lab's own. */
async function startOrigin(
  spec: RunSpec,
  launched: LaunchedOrigin | null,
  targets: readonly Target[],
  certificate: Certificate | undefined,
  neighbours: readonly PlacedNeighbour[],
): Promise<{ origin: Origin | null; sysctls: Record<string, string> }> {
  const { arm, network } = spec;
  if (network === 'external') return { origin: null, sysctls: {} };
  const family = familyOf(arm.addresses[0]!);
  const fits = launched?.ownNamespace === (network === 'veth');
  if (!fits) launched?.child.stdin.end();
  const origin = await connectOrigin(launched && fits ? launched : launchOrigin(network === 'veth'));
  if (network === 'veth') setUpClient(arm.addresses, family, origin.pid, neighbours);
  else if (spec.ownNamespace) {
    const own = neighbours.flatMap(({ addresses }) => addresses);
    setUpShared([...arm.addresses, ...own], [...targets, ...neighbours.map(({ target }) => target)], family);
  }
  const sysctls = await origin.serve({
    network,
    family,
    listen: targets,
    threads: originThreads(arm.load),
    plan: arm.load,
    neighbours: hostsOf(neighbours),
    ...(certificate ? { certificate } : {}),
    sysctls: arm.roles?.origin,
  });
  return { origin, sysctls };
}

/** A lab that is not empty would count another run's sockets as this one's. */
function leftovers(spec: RunSpec, observer: SocketObserver): string[] {
  if (spec.network !== 'veth') return [];
  const { states } = observer.snapshot();
  const found = Object.entries(states).map(([state, n]) => `${n} in ${state}`);
  return found.length > 0 ? [`the lab was not empty before the load: ${found.join(', ')}`] : [];
}

async function loadEnd(pool: Pool, neighbours: Neighbours, stopped: Promise<void>): Promise<boolean> {
  const whole = pool.drained.then(() => neighbours.afterLoad());
  const interrupted = await Promise.race([whole.then(() => false), stopped.then(() => true)]);
  if (interrupted) {
    pool.stop();
    neighbours.stop();
    await pool.drained;
  }
  return interrupted;
}

/** Seconds of load: to the end of the schedule or to the last outcome, whichever is later. */
function loadSeconds(arm: Arm, report: LoadReport): number {
  const { arrival } = arm.load;
  if (!isPaced(arrival)) return report.seconds;
  return Math.max(report.seconds, (arrivalDurationMs(arrival) ?? 0) / 1000);
}
