/**
 * The contenders, run inside the lab: this package's engine on a thread, the others as processes beside it.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DESCRIPTOR_RESERVE, descriptorLimit } from '../src/agent/place/limits.js';
import { monotonicMicros as now } from '../src/kernel/libc.js';
import { SLOT_OK, totalOf } from '../src/load/outcome.js';
import { createPool, type Pool } from '../src/load/pool.js';
import { LOAD } from '../src/plan/load-settings.js';
import type { LoadPlan } from '../src/plan/plan.js';
import type { Churn, Contender, Sample } from './churn.js';
import { BUNDLED_WORKER } from './peer-lab.js';

const run = promisify(execFile);
const LONGEST_MS = 60_000;

/** @param churnProgram the compiled churn.c, for the contenders that are it */
export async function runContender(contender: Contender, churn: Churn, churnProgram: string | null): Promise<Sample> {
  switch (contender) {
    case 'bindstorm':
      return runBindstorm(churn);
    case 'bindstorm-reset':
      return runBindstorm(churn, 'reset');
    case 'node':
      return runProcess(process.execPath, [
        fileURLToPath(new URL('./node-net.js', import.meta.url)),
        JSON.stringify(churn),
      ]);
    case 'c':
    case 'c-books':
    case 'c-epoll': {
      if (churnProgram === null) throw new Error('the C client has not been compiled');
      const targets = churn.targets.map(({ address, port }) => `${address}:${port}`).join();
      const [again, books] = [contender === 'c-epoll' ? 0 : 1, contender === 'c-books' ? 1 : 0];
      const numbers = [churn.attempts, churn.warmUp, churn.inFlight, again, books].map(String);
      return runProcess(churnProgram, [churn.strategy, ...numbers, churn.sources.join(), targets]);
    }
  }
}

/** The engine as `bindstorm run` has it: through the pool, with one worker and a fill that holds nothing. */
export function runBindstorm(churn: Churn, close: LoadPlan['close'] = 'client'): Promise<Sample> {
  return runPlan({ strategy: churn.strategy, close }, churn);
}

/** The same with any plan. @param own what of it is not as of a load of which nothing is said */
export async function runPlan(own: Partial<LoadPlan>, churn: Omit<Churn, 'strategy'>): Promise<Sample> {
  const { attempts, warmUp, inFlight, sources, targets } = churn;
  const pool = await createPool(
    {
      plan: {
        ...LOAD,
        ...own,
        pick: 'round-robin',
        arrival: { shape: 'fill', attempts, failures: null, inFlight, waves: 1, pauseMs: 0 },
      },
      addresses: sources,
      targets,
      ports: { low: 1024, high: 65_535 },
      seed: 1,
      descriptorLimit: descriptorLimit(),
      descriptorReserve: DESCRIPTOR_RESERVE,
    },
    BUNDLED_WORKER,
  );
  const cpu = process.cpuUsage();
  const start = pool.start(0);
  // Without a warm-up every outcome is timed: the worker is already at work when its counter could be read here.
  const begin = warmUp === 0 ? { ok: 0, at: start, cpu } : await warm(pool, warmUp);
  await pool.drained;
  const { user, system } = process.cpuUsage(begin.cpu);
  const { outcomes, seconds } = await pool.finish();
  const ok = outcomes.ok ?? 0;
  return {
    ok,
    failed: totalOf(outcomes) - ok,
    timed: attempts - begin.ok,
    seconds: seconds - (begin.at - start) / 1e6,
    cpuSeconds: (user + system) / 1e6,
  };
}

/** Look once a millisecond whether the warm-up is over. The count and the clock are read at the same instant. */
async function warm(pool: Pool, warmUp: number) {
  let drained = false;
  const end = pool.drained.then(() => {
    drained = true;
  });
  for (;;) {
    const ok = pool.shared.counters[0]![SLOT_OK]!;
    if (ok >= warmUp || drained) return { ok, at: now(), cpu: process.cpuUsage() };
    await Promise.race([sleep(1), end]);
  }
}

async function runProcess(program: string, args: readonly string[]): Promise<Sample> {
  const { stdout } = await run(program, args, { timeout: LONGEST_MS, killSignal: 'SIGKILL' });
  return JSON.parse(stdout) as Sample;
}
