/**
 * Whether a run stood still: all its processes were stopped (SIGSTOP, a frozen cgroup, a guest that is paused). A load that holds or fills
 * does not fall behind a schedule, so that nothing else tells. A suspended machine is for the controller to see (experiment/run-one.ts).
 */
import { formatDuration } from '../domain/format.js';

/** Where many more programs want to run than there are processors, a thread waits for a part of this. */
const LONGEST_MS = 2_000;
const BEAT_MS = 100;

export interface Clocks {
  /** CLOCK_MONOTONIC, µs. */
  readonly now: () => number;
  /** CPU seconds of the calling thread. */
  readonly cpu: () => { readonly user: number; readonly system: number };
}

export interface Beat {
  /** One beat, as the timer makes them. */
  beat(): void;
  /** Stop. @returns a sentence where the run stood still */
  end(): string[];
}

/** Beat from now on, every 100 ms, on the calling thread. What that thread itself worked between two beats does not count. */
export function startBeat({ now, cpu }: Clocks): Beat {
  const reading = () => {
    const { user, system } = cpu();
    return { at: now(), worked: (user + system) * 1e6 };
  };
  let last = reading();
  let longest = 0;
  const beat = () => {
    const next = reading();
    longest = Math.max(longest, (next.at - last.at - (next.worked - last.worked)) / 1000 - BEAT_MS);
    last = next;
  };
  const timer = setInterval(beat, BEAT_MS).unref();
  return {
    beat,
    end() {
      clearInterval(timer);
      beat();
      if (longest <= LONGEST_MS) return [];
      const time = formatDuration(Math.round(longest / 100) * 100);
      return [`the run stood still for ${time} during the load: its processes were stopped or got no CPU`];
    },
  };
}
