/**
 * A lab whose first run is made ready while the experiment is rehearsed in another, so that it need not be waited for. Only the first:
 * later ones would be made while a load is being measured.
 */
import type { Lab, LabSession } from './lab.js';

/** @param lab one that is `release()`d through what is returned */
export function openingAhead(lab: Lab): Lab {
  let begun = false;
  let waiting: Promise<LabSession | undefined> | undefined;
  const take = () => {
    const taken = waiting;
    waiting = undefined;
    return taken;
  };
  return {
    ...lab,
    async open(purpose) {
      if (purpose === 'check' && !begun) {
        begun = true;
        const checking = lab.open('check');
        // One that could not be had is tried again: the run says why, when it cannot either.
        waiting = lab.open('run').catch(() => undefined);
        return checking;
      }
      return (purpose === 'run' ? await take() : undefined) ?? lab.open(purpose);
    },
    async release() {
      await (await take())?.close();
      await lab.release?.();
    },
  };
}
