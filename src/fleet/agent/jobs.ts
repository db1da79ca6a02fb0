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
  /** Look for news, where some may be. Rejects where the server does not answer. */
  refresh(): Promise<void>;
  /** Resolves when something was said of a job since the last refresh, after `ms`, or when the signal is aborted. */
  news(ms: number, signal: AbortSignal): Promise<void>;
  stop(): void;
}

/** News are heard; so often one looks without having heard any. */
const LOOK_EVERY = 8;

/** @param onChange called after something was learnt */
export function followJobs(bus: Bus, onChange: () => void): Jobs {
  const known = new Map<string, Job>();
  let from = 1;
  let wake: (() => void) | null = null;
  let isNews = true;
  let [looks, epoch] = [0, bus.epoch()];
  const unhear = bus.hear(SUBJECTS.job('*'), () => {
    isNews = true;
    wake?.();
  });
  return {
    open: () => [...known.values()].filter(({ state }) => state === 'open'),
    isOpen: (experiment) => known.get(experiment)?.state === 'open',
    async refresh() {
      // A server that was started anew may lack what it took last, and give its number to another.
      if (epoch !== bus.epoch()) [from, isNews, epoch] = [1, true, bus.epoch()];
      if (!isNews && ++looks % LOOK_EVERY !== 0) return;
      isNews = false;
      try {
        for (;;) {
          const message = await bus.next(STREAMS.jobs, SUBJECTS.job('*'), from);
          if (message === null) return;
          from = message.seq + 1;
          // What this version cannot read is another's.
          const job = decoded(message.data, jobSchema);
          if (job !== undefined) known.set(job.experiment, job);
          onChange();
        }
      } catch (error) {
        isNews = true;
        throw error;
      }
    },
    async news(ms, signal) {
      if (isNews) return;
      await new Promise<void>((resolve) => {
        const end = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          resolve();
        };
        const timer = setTimeout(end, ms);
        signal.addEventListener('abort', end);
        wake = end;
      });
      wake = null;
    },
    stop: unhear,
  };
}
