/**
 * A lab whose first run is made ready while the experiment is rehearsed in another, so that it need not be waited for. Only the first:
 * later ones would be made while a load is being measured.
 */
import type { Lab, LabSession } from './lab.js';

interface Waiting {
  readonly session: Promise<LabSession | undefined>;
  readonly making: AbortController;
}

/** @param lab one that is `release()`d through what is returned */
export function openingAhead(lab: Lab): Lab {
  let begun = false;
  let waiting: Waiting | undefined;
  const take = () => {
    const taken = waiting;
    waiting = undefined;
    return taken;
  };
  return {
    kind: lab.kind,
    // Known when a lab has been opened, and so asked for each time.
    get description() {
      return lab.description;
    },
    get engine() {
      return lab.engine;
    },
    get caveat() {
      return lab.caveat;
    },
    async open(purpose, signal) {
      if (purpose === 'check' && !begun) {
        begun = true;
        const checking = lab.open('check', signal);
        const making = new AbortController();
        // One that could not be had is tried again: the run says why, when it cannot either.
        waiting = { session: lab.open('run', making.signal).catch(() => undefined), making };
        return checking;
      }
      return (purpose === 'run' ? await take()?.session : undefined) ?? lab.open(purpose, signal);
    },
    async release() {
      const unused = take();
      unused?.making.abort();
      await (await unused?.session)?.close();
      await lab.release?.();
    },
  };
}
