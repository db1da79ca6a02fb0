/**
 * A job in a lab of its own, from outside the lab.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { originTargets } from '../src/agent/place/network.js';
import { netnsCommand } from '../src/lab/netns.js';
import type { Churn } from './churn.js';
import type { Answers, Job } from './lab.js';
import type { Settings } from './results.js';

const LAB = fileURLToPath(new URL('./lab.js', import.meta.url));
const LONGEST_JOB_MS = 180_000;
const run = promisify(execFile);

/** Do a job in a lab of its own. Rejects with what the lab said. */
export async function inLab<K extends Job['kind']>(job: Extract<Job, { kind: K }>): Promise<Answers[K]> {
  const root = process.getuid?.() === 0;
  const [program, ...args] = netnsCommand([process.execPath, LAB, JSON.stringify(job)], root);
  const { stdout } = await run(program!, args, { timeout: LONGEST_JOB_MS, killSignal: 'SIGKILL' }).catch(
    (error: Error & { stderr?: string }) => {
      throw new Error(`${nameOf(job)}: ${error.stderr?.trim() || error.message}`, { cause: error });
    },
  );
  return JSON.parse(stdout) as Answers[K];
}

function nameOf(job: Job): string {
  if (job.kind === 'http') return job.peer;
  if (job.kind === 'pacing') return `${job.pacer} at ${job.work.rate}/s`;
  return job.kind === 'churn' ? `${job.contender} with ${job.churn.strategy}` : job.kind;
}

/** The work of a job: every source takes turns with every destination. */
export function churnOf(
  { sources, destinations, inFlight }: Settings,
  work: Pick<Churn, 'strategy' | 'attempts' | 'warmUp'>,
): Churn {
  return {
    ...work,
    inFlight,
    sources: Array.from({ length: sources }, (_, i) => `10.50.0.${i + 1}`),
    targets: originTargets(4, false, 4, destinations / 4),
  };
}
