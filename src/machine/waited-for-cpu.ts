/**
 * How long processes have waited for a CPU: on a busy machine a deadline of theirs is to leave that out.
 */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * @param pid of a process, whose descendants count too
 * @returns how long the thread of theirs that waited longest was ready and had no CPU, ms; 0 where the kernel does not say (CONFIG_SCHED_INFO), or
 * they are gone. Source: /proc/PID/task/TID/schedstat, Documentation/scheduler/sched-stats.rst
 */
export function waitedForCpu(pid: number): number {
  let most = 0;
  const seen = new Set<number>();
  const all = [pid];
  for (let next = all.pop(); next !== undefined; next = all.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    for (const thread of threadsOf(next)) {
      const [, waited] = wordsOf(`/proc/${next}/task/${thread}/schedstat`);
      most = Math.max(most, (waited ?? 0) / 1e6);
      all.push(...wordsOf(`/proc/${next}/task/${thread}/children`));
    }
  }
  return most;
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function wordsOf(path: string): number[] {
  try {
    return readFileSync(path, 'utf8').split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
