/**
 * The life of one run, inside the lab: wait for free ports, change the sysctls, set up the roles, load, measure, restore the sysctls.
 */
import { monotonicMicros as now, threadCpu } from '../kernel/libc.js';
import { encodeHistograms } from '../load/histogram.js';
import { isPaced } from '../load/pacer.js';
import type { LoadReport } from '../load/pool.js';
import { arrivalDurationMs } from '../plan/arrival.js';
import type { Arm } from '../plan/plan.js';
import { loadsOf } from '../plan/scenario.js';
import type { Second } from '../results/schema.js';
import { awaitFreePorts } from './free-ports.js';
import { measure } from './measure.js';
import { machineSysctls } from './place/box-guard.js';
import { restoreSnapshot, takeSnapshot } from './place/host-guard.js';
import type { Measurement, PHASES, RunSpec } from './protocol.js';
import { setUpProgram } from './proxy/set-up-program.js';
import { setUpProxy } from './proxy/set-up-proxy.js';
import { recover } from './recovery.js';
import type { LaunchedOrigin } from './roles/launch.js';
import type { Neighbours } from './roles/neighbours.js';
import type { Entry } from './roles/proxy-protocol.js';
import { startSampler } from './sampler.js';
import { setUpDirect } from './set-up-direct.js';
import type { Load, Setup } from './setup.js';
import { startBeat } from './standstill.js';

/** Between the order to start and the first attempt, so that every worker is waiting when it comes. */
const LEAD_MICROS = 5_000;

interface RunHooks {
  readonly onPhase: (phase: (typeof PHASES)[number], waiting?: string) => void;
  readonly onSample: (second: Second) => void;
  /** Somebody at a terminal can start what is to be started, in the namespaces of a process whose network namespace is this file. */
  readonly onEntry: (entry: Entry, namespace: string) => void;
  /** Resolves when the run is to end early. */
  readonly stopped: Promise<void>;
  /** Of a gated run: all is set up; resolves with the instant at which the load begins, CLOCK_MONOTONIC µs. */
  readonly gate: () => Promise<number>;
}

/**
 * Do the run.
 * @param launched an origin that is already on its way up
 * @throws Error whose message says what could not be done
 */
export async function executeRun(
  spec: RunSpec,
  launched: LaunchedOrigin | null,
  hooks: RunHooks,
): Promise<Measurement> {
  const { arm, ownNamespace, spare = 0 } = spec;
  const onWait = (what: string) => hooks.onPhase('ports', what);
  const warnings = ownNamespace ? [] : await awaitFreePorts(arm, spare, hooks.stopped, onWait);
  const names = Object.keys(arm.sysctls);
  const outliving = ownNamespace ? machineSysctls(names) : names;
  const snapshot = outliving.length === 0 ? null : takeSnapshot(outliving);
  const measurement = await setUpAndLoad(spec, launched, hooks).finally(() => {
    const failed = snapshot === null ? [] : restoreSnapshot(snapshot).failed;
    if (failed.length === 0) return;
    const warning = `these sysctls could not be restored: ${failed.join(', ')}`;
    // Standard error too, for a run that has failed.
    process.stderr.write(`${warning}\n`);
    warnings.push(warning);
  });
  return { ...measurement, warnings: [...warnings, ...measurement.warnings] };
}

async function setUpAndLoad(spec: RunSpec, launched: LaunchedOrigin | null, hooks: RunHooks): Promise<Measurement> {
  const { proxy, load: plan } = spec.arm;
  const isOwn = plan.arrival.shape === 'own';
  const setup = proxy
    ? await (isOwn
        ? setUpProgram(spec, proxy, launched, hooks.onPhase, spec.attached ? hooks.onEntry : undefined)
        : setUpProxy(spec, proxy, launched, hooks.onPhase))
    : await setUpDirect(spec, launched, hooks.onPhase);
  try {
    return await load(spec, setup, hooks);
  } finally {
    setup.close();
  }
}

async function load({ arm, sampleMs, observe, gated }: RunSpec, setup: Setup, hooks: RunHooks): Promise<Measurement> {
  const { pool, proxy, neighbours, observer, origin } = setup;
  const at = gated ? await Promise.race([hooks.gate(), hooks.stopped.then(() => null)]) : undefined;
  if (at === null) throw new Error('the run was ended before its load began');
  let beganMicros = 0;
  hooks.onPhase('load');
  const startedAt = new Date().toISOString();
  await setup.router?.role.begin();
  const beat = startBeat({ now, cpu: threadCpu });
  const sampler = await startSampler({
    pool,
    observer,
    origin,
    proxy,
    intervalMs: sampleMs,
    begin: () => {
      // Too late for the instant it begins at once, and says when that was.
      const lead = at === undefined ? LEAD_MICROS : Math.max(LEAD_MICROS, at - now());
      neighbours.begin(lead);
      beganMicros = pool.start(lead);
      return beganMicros;
    },
    now,
    onSample: hooks.onSample,
  });
  const interrupted = await Promise.race([
    loadEnd(pool, neighbours, hooks.stopped),
    sampler.failure,
    neighbours.failure,
    ...(proxy ? [proxy.failure] : []),
    ...(setup.router ? [setup.router.role.failure] : []),
  ]);
  await sampler.finish();
  const router = setup.router && { ...setup.router.made, ...(await setup.router.role.collect()) };
  const stoodStill = beat.end();
  // What the proxy says from here on is not of the load.
  const { recovery: wanted } = arm.load;
  const isAsked = wanted !== undefined && setup.aftermath !== null && !interrupted && observe === undefined;
  const atEnd = isAsked ? await proxy?.logs() : undefined;
  const recovery = isAsked
    ? await Promise.race([
        recover(arm.load, wanted, setup.aftermath!, hooks.stopped),
        neighbours.failure,
        ...(proxy ? [proxy.failure] : []),
      ])
    : undefined;
  hooks.onPhase('collect');
  // The proxy ends first: what it says of connections that are closed now is not of the load.
  const logs = await proxy?.stop();
  const [report, besides] = await Promise.all([pool.finish(), neighbours.finish()]);
  observer?.close();
  const figures = measure({
    arm,
    report,
    sampler,
    proxy:
      proxy && logs && arm.proxy
        ? {
            kind: arm.proxy.kind,
            version: proxy.version(),
            bootstrap: proxy.bootstrap(),
            ...logs,
            ...atEnd,
            answers: report.answers,
            roles: setup.roles,
          }
        : null,
    range: setup.range,
    reserved: setup.reserved,
    seconds: loadSeconds(arm, report),
    problems: [...setup.problems, ...stoodStill],
    alone: setup.alone,
  });
  return {
    ...figures,
    warnings: [...(proxy?.warnings() ?? []), ...figures.warnings],
    ...(besides.length > 0 ? { neighbours: besides } : {}),
    ...(recovery ? { recovery } : {}),
    ...(router ? { router } : {}),
    ...(gated ? { beganMicros: beganMicros + (report.beganAfter ?? 0) } : {}),
    startedAt,
    interrupted,
    loadMs: report.seconds * 1000,
    sysctls: setup.sysctls,
    histograms: encodeHistograms(report.histograms),
    ...(proxy ? { configured: { ...proxy.configuration() } } : {}),
  };
}

/** Every attempt has its outcome, the neighbours' too. @returns whether that came early, since the run was stopped */
async function loadEnd(pool: Load, neighbours: Neighbours, stopped: Promise<void>): Promise<boolean> {
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
  const scheduled = loadsOf(arm).flatMap(({ load: { arrival } }) =>
    isPaced(arrival) ? [(arrivalDurationMs(arrival) ?? 0) / 1000] : [],
  );
  return Math.max(report.seconds, ...scheduled);
}
