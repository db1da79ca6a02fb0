/**
 * The life of one run, inside the lab: sysctls, origin, network, workers, load, samples, measurement.
 */

import { PORT_SYSCTLS } from '../capacity/sysctl-catalogue.js';
import { monotonicMicros as now } from '../kernel/libc.js';
import { createSocketObserver, type SocketObserver } from '../kernel/sock-diag.js';
import { normaliseValue, readSysctl, readSysctls, writeSysctl } from '../kernel/sysctl.js';
import { encodeHistograms } from '../load/histogram.js';
import { isPaced } from '../load/pacer.js';
import { createPool, type LoadReport, type Pool } from '../load/pool.js';
import { familyOf, isLoopback } from '../profile/addresses.js';
import { arrivalDurationMs } from '../profile/arrival.js';
import type { Arm, Target } from '../profile/plan.js';
import { type PortRange, parsePortList, parsePortRange } from '../profile/units.js';
import type { Second } from '../results/schema.js';
import { drained } from './drain.js';
import { restoreSnapshot, takeSnapshot } from './host-guard.js';
import { DESCRIPTOR_RESERVE, descriptorLimit } from './limits.js';
import { measure } from './measure.js';
import { originTargets, setUpClient, setUpShared } from './network.js';
import { connectOrigin, type Origin } from './origin-client.js';
import { type LaunchedOrigin, launchOrigin } from './origin-launch.js';
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
export async function executeRun(
  spec: RunSpec,
  launched: LaunchedOrigin | null,
  hooks: RunHooks,
): Promise<Measurement> {
  const warnings = spec.ownNamespace ? [] : await awaitPorts(spec.arm, hooks.stopped);
  const names = Object.keys(spec.arm.sysctls);
  const snapshot = spec.ownNamespace || names.length === 0 ? null : takeSnapshot(names);
  try {
    const measurement = await execute(spec, launched, hooks);
    return { ...measurement, warnings: [...warnings, ...measurement.warnings] };
  } finally {
    if (snapshot) {
      const { failed } = restoreSnapshot(snapshot);
      if (failed.length > 0) process.stderr.write(`these sysctls could not be restored: ${failed.join(', ')}\n`);
    }
  }
}

/** Wait until the ports that the run will use are free, before anything is changed. @returns warnings */
async function awaitPorts(arm: Arm, stopped: Promise<void>): Promise<string[]> {
  const range = arm.sysctls['net.ipv4.ip_local_port_range'];
  const ports = arm.load.ports ?? (range === undefined ? ephemeralRange() : parsePortRange(range));
  const observer = createSocketObserver(arm.addresses, ports);
  try {
    return await drained(observer, stopped);
  } finally {
    observer.close();
  }
}

async function execute(spec: RunSpec, launched: LaunchedOrigin | null, hooks: RunHooks): Promise<Measurement> {
  const { arm } = spec;
  hooks.onPhase('sysctls');
  const sysctls = applySysctls(arm.sysctls, spec.ownNamespace);
  const range = ephemeralRange();
  const ports = arm.load.ports ?? range;

  hooks.onPhase('origin');
  const targets = targetsOf(spec);
  // The workers come up while the origin does; whichever fails, the other is not waited for.
  const [origin, pool] = await Promise.all([
    startOrigin(spec, launched, targets),
    createPool({
      plan: arm.load,
      addresses: arm.addresses,
      targets,
      ports,
      seed: spec.seed,
      descriptorLimit: descriptorLimit(),
      descriptorReserve: DESCRIPTOR_RESERVE,
    }),
  ]);
  try {
    const observer = createSocketObserver(arm.addresses, ports);
    const problems = leftovers(spec, observer);
    hooks.onPhase('load');
    const startedAt = new Date().toISOString();
    const sampler = await startSampler({
      pool,
      observer,
      origin,
      intervalMs: spec.sampleMs,
      begin: () => pool.start(LEAD_MICROS),
      now,
      onSample: hooks.onSample,
    });
    const interrupted = await Promise.race([loadEnd(pool, hooks.stopped), sampler.failure]);
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
        alone: spec.network === 'veth',
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

/**
 * What every lab sets unless the profile says otherwise. Client and origin run on different CPUs, and a veth pair can hand over
 * the origin's last ACK behind its FIN. The client, in TIME_WAIT, then answers with an ACK, the origin with an RST, and the RST
 * ends the TIME_WAIT (RFC 1337, "TIME-WAIT assassination"): some runs would get a few ports back that a real network, which keeps
 * the order, does not give. Measured: 3 of 45 runs of 1000 sockets without this, 0 of 45 with it.
 */
const LAB_SYSCTLS: Readonly<Record<string, string>> = { 'net.ipv4.tcp_rfc1337': '1' };

/** Write the arm's sysctls, each read back; and read those that decide about ports. Throws when the kernel refuses one. */
function applySysctls(wanted: Readonly<Record<string, string>>, ownNamespace: boolean): Record<string, string> {
  if (ownNamespace) {
    // Before Linux 4.15 a namespace has no value of its own; then the kernel's default stays.
    for (const [name, value] of Object.entries(LAB_SYSCTLS)) writeSysctl(name, value);
  }
  for (const [name, value] of Object.entries(wanted)) {
    const result = writeSysctl(name, normaliseValue(value));
    if (!result.ok) throw new Error(`the kernel refused ${name} = ${value} (${result.errno})`);
  }
  return readSysctls([...PORT_SYSCTLS, ...Object.keys(LAB_SYSCTLS), ...Object.keys(wanted)]);
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
  return parsePortList(result.value).reduce(
    (sum, { low, high }) => sum + Math.max(0, Math.min(high, range.high) - Math.max(low, range.low) + 1),
    0,
  );
}

function targetsOf({ arm, ownNamespace }: RunSpec): Target[] {
  if (arm.destinations.kind === 'external') return arm.destinations.targets;
  const { addresses, ports } = arm.destinations;
  const first = arm.addresses[0]!;
  return originTargets(familyOf(first), !ownNamespace || isLoopback(first), addresses, ports);
}

/** Bring the origin up, joined to this namespace; null when the targets are not the lab's own. */
async function startOrigin(
  spec: RunSpec,
  launched: LaunchedOrigin | null,
  targets: readonly Target[],
): Promise<Origin | null> {
  const { arm, network } = spec;
  if (network === 'external') return null;
  const family = familyOf(arm.addresses[0]!);
  const fits = launched?.ownNamespace === (network === 'veth');
  if (!fits) launched?.child.stdin.end();
  const origin = await connectOrigin(launched && fits ? launched : launchOrigin(network === 'veth'));
  if (network === 'veth') setUpClient(arm.addresses, family, origin.pid);
  else if (spec.ownNamespace) setUpShared(arm.addresses, targets, family);
  await origin.serve({ type: 'serve', network, family, listen: targets, plan: arm.load });
  return origin;
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
