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

export interface Starvation {
  /** Milliseconds since the beginning in which a process, or this one, would have gone on and had no CPU. */
  ms(): number;
  stop(): void;
}

const BEAT_MS = 500;

/**
 * Watch for how long others and this process have no CPU, from now on. In a guest whose host is busy no process is seen to wait: that its own
 * timers come late is all that it knows of it.
 * @param pid of the others, with their descendants, as /proc names it; undefined: nobody
 * @param now a clock, ms
 */
export function watchStarvation(pid: number | undefined, now: () => number = () => performance.now()): Starvation {
  const waited = () => (pid === undefined ? 0 : waitedForCpu(pid));
  const before = waited();
  let last = now();
  let late = 0;
  const beat = () => {
    const at = now();
    late += Math.max(0, at - last - BEAT_MS);
    last = at;
  };
  const timer = setInterval(beat, BEAT_MS).unref();
  return {
    ms: () => Math.max(0, waited() - before) + late + Math.max(0, now() - last - BEAT_MS),
    stop: () => clearInterval(timer),
  };
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
