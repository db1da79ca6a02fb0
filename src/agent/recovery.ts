/**
 * After the load: whether what is under test works again as soon as there are ports. The lab ends all sockets that hold ports of the role under
 * test, and makes attempts, one after the other, until one is ok. None of it is counted as the load's.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { formatDuration } from '../domain/format.js';
import { SystemCallError } from '../kernel/errno.js';
import { monotonicMicros as now } from '../kernel/libc.js';
import { destroySockets } from '../kernel/sock-destroy.js';
import { totalOf } from '../load/outcome.js';
import type { Pool } from '../load/pool.js';
import type { LoadPlan } from '../plan/plan.js';
import type { RecoveryPlan } from '../plan/recovery.js';
import type { Outcomes, Recovery } from '../results/schema.js';

/** How long a program that goes on connecting may keep the ports from being free. */
const FREE_WITHIN_MS = 1_000;
const LOOK_MS = 2;
/** Added to the seed of the run, so that probes draw other instants than the load. */
export const PROBE_SEED = 1_000_000;

/** What there is to recover with. */
export interface Aftermath {
  /** Free the ports of the role under test. @returns how many sockets that ended, and why ports are still taken (null: none is) */
  free(): Promise<Freed>;
  /** Clients of the subject as the load's are, with another plan. */
  openProbe(plan: LoadPlan): Promise<Pool>;
}

interface Freed {
  readonly ended: number;
  readonly problem: string | null;
}

/**
 * End the sockets of these addresses in the namespace of the calling thread, until no port of theirs is in use.
 * @param portsInUse as sock_diag says
 */
export async function freePorts(addresses: readonly string[], portsInUse: () => number): Promise<Freed> {
  const deadline = now() + FREE_WITHIN_MS * 1000;
  let ended = 0;
  try {
    for (;;) {
      ended += destroySockets(addresses);
      const left = portsInUse();
      if (left === 0) return { ended, problem: null };
      if (now() > deadline) return { ended, problem: `${left} ports were taken again as often as they were freed` };
      await wait(LOOK_MS);
    }
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return {
      ended,
      problem: `ports cannot be freed on this kernel (${error.message}; it needs CONFIG_INET_DIAG_DESTROY)`,
    };
  }
}

/** The attempts that are made: those of the load, one at a time, with nothing held. */
function probePlan(load: LoadPlan, { withinMs, everyMs }: RecoveryPlan): LoadPlan {
  const { keepAliveRequests: _, recovery: __, ...rest } = load;
  return {
    ...rest,
    arrival: { shape: 'constant', rate: 1000 / everyMs, durationMs: withinMs },
    workers: 1,
    // Of a GET this is the time that the origin takes.
    holdMs: load.protocol === 'get' ? load.holdMs : 0,
    keepAlive: false,
    maxInFlight: null,
  };
}

/** Free the ports, and see how long it takes until an attempt is ok. @param stopped resolves when the run is to end early */
export async function recover(
  load: LoadPlan,
  plan: RecoveryPlan,
  { free, openProbe }: Aftermath,
  stopped: Promise<void>,
): Promise<Recovery> {
  const pool = await openProbe(probePlan(load, plan));
  const { ended: freed, problem } = await free();
  const within = plan.withinMs / 1000;
  if (problem !== null) {
    pool.stop();
    await pool.finish();
    return { freed, seconds: null, within, attempts: 0, outcomes: {}, why: problem };
  }
  const begun = pool.start(0);
  let over = false;
  let interrupted = false;
  void stopped.then(() => {
    interrupted = true;
  });
  void pool.drained.then(() => {
    over = true;
  });
  while ((pool.outcomes().ok ?? 0) === 0 && !over && !interrupted) await wait(LOOK_MS);
  const micros = now() - begun;
  pool.stop();
  const { outcomes } = await pool.finish();
  const isOk = (outcomes.ok ?? 0) > 0;
  return {
    freed,
    seconds: isOk ? micros / 1e6 : null,
    within,
    attempts: totalOf(outcomes),
    outcomes,
    why: isOk ? null : interrupted ? 'the run was stopped' : whyNever(outcomes, plan),
  };
}

function whyNever(outcomes: Outcomes, { withinMs }: RecoveryPlan): string {
  const counts = Object.entries(outcomes).map(([name, count]) => `${count} × ${name}`);
  return `no attempt was ok within ${formatDuration(withinMs)} after the ports were free: ${counts.join(', ')}`;
}
