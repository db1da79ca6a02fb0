/**
 * A lab whose next run is made ready while the one before is measured, for runs of which only counts are wanted: a guest boots on one
 * CPU while another is under load on another.
 */
import type { Lab, LabSession } from './lab.js';

/**
 * @param lab left to be `release()`d by whoever has made it; what is returned has a release of its own
 * @param runs how many will be opened: nothing is made beyond them
 */
export function openingNext(lab: Lab, runs: number): Lab & { release(): Promise<void> } {
  let left = runs;
  let waiting: Promise<LabSession | undefined> | undefined;
  const take = () => {
    const taken = waiting;
    waiting = undefined;
    return taken;
  };
  return {
    ...lab,
    async open(purpose) {
      if (purpose !== 'run') return lab.open(purpose);
      left--;
      const session = (await take()) ?? (await lab.open('run'));
      // One that could not be had is tried again: the run says why, when it cannot either.
      if (left > 0) waiting = lab.open('run').catch(() => undefined);
      return session;
    },
    async release() {
      left = 0;
      await (await take())?.close();
    },
  };
}
