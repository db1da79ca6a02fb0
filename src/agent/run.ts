/**
 * The life of one run, inside the lab: sysctls, origin, network, workers, load, samples, measurement.
 */

import { portSysctls } from '../capacity/sysctl-catalogue.js';
import { monotonicMicros as now } from '../kernel/libc.js';
import { createSocketObserver, type SocketObserver } from '../kernel/sock-diag.js';
import { normaliseValue, readSysctl, readSysctls, writeSysctl } from '../kernel/sysctl.js';
import { encodeHistograms } from '../load/histogram.js';
import { isPaced } from '../load/pacer.js';
import { createPool, type LoadReport, type Pool } from '../load/pool.js';
import { familyOf } from '../profile/addresses.js';
import { arrivalDurationMs } from '../profile/arrival.js';
import type { Arm, Target } from '../profile/plan.js';
import { type PortRange, parsePortRange } from '../profile/units.js';
import type { Second } from '../results/schema.js';
import { restoreSnapshot, takeSnapshot } from './host-guard.js';
import { DESCRIPTOR_RESERVE, descriptorLimit } from './limits.js';
import { measure } from './measure.js';
import { originTargets, setUpClient, setUpShared } from './network.js';
import { type Origin, startOrigin } from './origin-client.js';
import type { Measurement, PHASES, RunSpec } from './protocol.js';
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
export async function executeRun(spec: RunSpec, hooks: RunHooks): Promise<Measurement> {
  const names = Object.keys(spec.arm.sysctls);
  const snapshot = spec.ownNamespace || names.length === 0 ? null : takeSnapshot(names);
  try {
    return await execute(spec, hooks);
  } finally {
    if (snapshot) {
      const { failed } = restoreSnapshot(snapshot);
      if (failed.length > 0) process.stderr.write(`these sysctls could not be restored: ${failed.join(', ')}\n`);
    }
  }
}

async function execute(spec: RunSpec, hooks: RunHooks): Promise<Measurement> {
  const { arm } = spec;
  hooks.onPhase('sysctls');
  const sysctls = applySysctls(arm.sysctls);
  const range = ephemeralRange();
  const ports = arm.load.ports ?? range;

  hooks.onPhase('origin');
  const [origin, targets] = await startOriginOf(spec);
  try {
    const pool = await createPool({
      plan: arm.load,
      addresses: arm.addresses,
      targets,
      ports,
      seed: spec.seed,
      descriptorLimit: descriptorLimit(),
      descriptorReserve: DESCRIPTOR_RESERVE,
    });
    const observer = createSocketObserver(arm.addresses, ports);
    const problems = leftovers(spec, observer);
    hooks.onPhase('load');
    const startedAt = new Date().toISOString();
    const start = pool.start(LEAD_MICROS);
    const sampler = await startSampler({
      pool,
      observer,
      origin,
      intervalMs: spec.sampleMs,
      start,
      now,
      onSample: hooks.onSample,
    });
    const interrupted = await loadEnd(pool, hooks.stopped);
    await sampler.finish();
    hooks.onPhase('collect');
    const report = await pool.finish();
    observer.close();
    return {
      ...measure({
        arm,
        report,
        sampler,
        range,
        reserved: reservedIn(range),
        seconds: loadSeconds(arm, report),
        problems,
      }),
      startedAt,
      interrupted,
      loadMs: report.seconds * 1000,
      sysctls,
      histograms: encodeHistograms(report.histograms),
    };
  } finally {
    origin?.stop();
  }
}

/** Write the arm's sysctls, each read back; and read those that decide about ports. Throws when the kernel refuses or changes one. */
function applySysctls(wanted: Readonly<Record<string, string>>): Record<string, string> {
  for (const [name, value] of Object.entries(wanted)) {
    const result = writeSysctl(name, normaliseValue(value));
    if (!result.ok) throw new Error(`the kernel refused ${name} = ${value} (${result.errno})`);
  }
  return readSysctls([...portSysctls, ...Object.keys(wanted)]);
}

/** `ip_local_port_range` serves IPv6 too. */
function ephemeralRange(): PortRange {
  const result = readSysctl('net.ipv4.ip_local_port_range');
  if (!result.ok) throw new Error(`net.ipv4.ip_local_port_range cannot be read (${result.errno})`);
  return parsePortRange(result.value);
}

/** How many ports of the range are reserved (ip_local_reserved_ports: `8080,9000-9100`). */
function reservedIn(range: PortRange): number {
  const result = readSysctl('net.ipv4.ip_local_reserved_ports');
  if (!result.ok || result.value === '') return 0;
  return result.value.split(',').reduce((sum, part) => {
    const [low, high = low] = part.split('-').map(Number) as [number, number?];
    return sum + Math.max(0, Math.min(high ?? low, range.high) - Math.max(low, range.low) + 1);
  }, 0);
}

async function startOriginOf(spec: RunSpec): Promise<[Origin | null, Target[]]> {
  const { arm, network } = spec;
  if (arm.destinations.kind === 'external') return [null, arm.destinations.targets];
  if (network === 'external') throw new Error('a run without an origin needs external targets');
  const family = familyOf(arm.addresses[0]!);
  const targets = originTargets(family, spec.ownNamespace, arm.destinations.addresses, arm.destinations.ports);
  const origin = await startOrigin(network === 'veth');
  if (network === 'veth') setUpClient(arm.addresses, family, origin.pid);
  else if (spec.ownNamespace) setUpShared(arm.addresses, targets, family);
  await origin.serve({ type: 'serve', network, family, listen: targets, plan: arm.load });
  return [origin, targets];
}

/** A lab that is not empty would count another run's sockets as this one's. */
function leftovers(spec: RunSpec, observer: SocketObserver): string[] {
  if (spec.network !== 'veth') return [];
  const { states } = observer.snapshot();
  const found = Object.entries(states).map(([state, n]) => `${n} in ${state}`);
  return found.length > 0 ? [`the lab was not empty before the load: ${found.join(', ')}`] : [];
}

async function loadEnd(pool: Pool, stopped: Promise<void>): Promise<boolean> {
  const interrupted = await Promise.race([pool.drained.then(() => false), stopped.then(() => true)]);
  if (interrupted) {
    pool.stop();
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
