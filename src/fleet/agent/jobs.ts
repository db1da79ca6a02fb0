/**
 * The experiments that an agent knows of, kept up to date.
 */
import type { Bus } from '../bus.js';
import { decoded } from '../messages.js';
import { type Job, jobSchema } from '../protocol.js';
import { STREAMS, SUBJECTS } from '../subjects.js';

export interface Jobs {
  /** Those that are under way. */
  open(): readonly Job[];
  /** Whether one goes on. */
  isOpen(experiment: string): boolean;
  /** Look for news. Rejects where the server does not answer. */
  refresh(): Promise<void>;
  /** Resolves when something was said of a job since the last refresh, or after `ms`. */
  news(ms: number): Promise<void>;
  stop(): void;
}

/** @param onChange called after something was learnt */
export function followJobs(bus: Bus, onChange: () => void): Jobs {
  const known = new Map<string, Job>();
  let from = 1;
  let wake: (() => void) | null = null;
  let isNews = true;
  const unhear = bus.hear(SUBJECTS.job('*'), () => {
    isNews = true;
    wake?.();
  });
  return {
    open: () => [...known.values()].filter(({ state }) => state === 'open'),
    isOpen: (experiment) => known.get(experiment)?.state === 'open',
    async refresh() {
      isNews = false;
      for (;;) {
        const message = await bus.next(STREAMS.jobs, SUBJECTS.job('*'), from);
        if (message === null) return;
        from = message.seq + 1;
        // What this version cannot read is another's.
        const job = decoded(message.data, jobSchema);
        if (job !== undefined) known.set(job.experiment, job);
        onChange();
      }
    },
    async news(ms) {
      if (isNews) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      wake = null;
    },
    stop: unhear,
  };
}
