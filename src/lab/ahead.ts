/**
 * A lab whose runs are made ready before they are wanted: the first while the experiment is rehearsed in another, the others when
 * they are asked for with `prepare()`, between the end of one load and the end of its lab. Never while a load is being measured.
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
  const prepare = () => {
    if (waiting !== undefined) return;
    const making = new AbortController();
    // One that could not be had is tried again: the run says why, when it cannot either.
    waiting = { session: lab.open('run', making.signal).catch(() => undefined), making };
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
        prepare();
        return checking;
      }
      return (purpose === 'run' ? await take()?.session : undefined) ?? lab.open(purpose, signal);
    },
    prepare,
    async release() {
      const unused = take();
      unused?.making.abort();
      await (await unused?.session)?.close();
      await lab.release?.();
    },
  };
}
