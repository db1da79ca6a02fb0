/**
 * The contenders, run inside the lab: this package's engine on a thread, the others as processes beside it.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DESCRIPTOR_RESERVE, descriptorLimit } from '../src/agent/limits.js';
import { totalOf } from '../src/load/outcome.js';
import { createPool } from '../src/load/pool.js';
import { LOAD } from '../src/profile/defaults.js';
import type { Churn, Contender, Sample } from './churn.js';

const run = promisify(execFile);
const LONGEST_MS = 60_000;

/** @param churnProgram the compiled churn.c, for the contenders that are it */
export async function runContender(contender: Contender, churn: Churn, churnProgram: string | null): Promise<Sample> {
  switch (contender) {
    case 'bindstorm':
      return runBindstorm(churn);
    case 'node':
      return runProcess(process.execPath, [
        fileURLToPath(new URL('./node-net.js', import.meta.url)),
        JSON.stringify(churn),
      ]);
    case 'c':
    case 'c-epoll': {
      if (churnProgram === null) throw new Error('the C client has not been compiled');
      const targets = churn.targets.map(({ address, port }) => `${address}:${port}`).join();
      const numbers = [churn.attempts, churn.inFlight, contender === 'c' ? 1 : 0].map(String);
      return runProcess(churnProgram, [churn.strategy, ...numbers, churn.sources.join(), targets]);
    }
  }
}

/** The engine as `bindstorm run` has it: through the pool, with one worker and a fill that holds nothing. */
export async function runBindstorm(churn: Churn): Promise<Sample> {
  const { strategy, attempts, inFlight, sources, targets } = churn;
  const pool = await createPool({
    plan: {
      ...LOAD,
      strategy,
      pick: 'round-robin',
      arrival: { shape: 'fill', attempts, failures: null, inFlight, waves: 1, pauseMs: 0 },
    },
    addresses: sources,
    targets,
    ports: { low: 1024, high: 65_535 },
    seed: 1,
    descriptorLimit: descriptorLimit(),
    descriptorReserve: DESCRIPTOR_RESERVE,
  });
  const cpuBefore = process.cpuUsage();
  pool.start(0);
  await pool.drained;
  const { user, system } = process.cpuUsage(cpuBefore);
  const { outcomes, seconds } = await pool.finish();
  const ok = outcomes.ok ?? 0;
  return { ok, failed: totalOf(outcomes) - ok, seconds, cpuSeconds: (user + system) / 1e6 };
}

async function runProcess(program: string, args: readonly string[]): Promise<Sample> {
  const { stdout } = await run(program, args, { timeout: LONGEST_MS, killSignal: 'SIGKILL' });
  return JSON.parse(stdout) as Sample;
}
