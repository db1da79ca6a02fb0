/**
 * Labs whose runs are made ready before they are wanted, between two loads.
 */
import type { Lab, LabSession } from './lab.js';

/**
 * The first run is made ready while the experiment is rehearsed in another lab, the others when they are asked for with `prepare()`,
 * between the end of one load and the end of its lab. Never while a load is being measured. A lab that prepares its runs itself does so.
 * @param lab one that is `release()`d through what is returned
 */
export function preparingRuns(lab: Lab): Lab {
  const next = lab.prepare ? { prepare: () => lab.prepare?.(), open: lab.open, discard: async () => {} } : nextRun(lab);
  let begun = false;
  return saidBy(lab, {
    async open(purpose, signal, arm) {
      if (purpose === 'run') return next.open(purpose, signal, arm);
      const checking = lab.open('check', signal);
      if (!begun) next.prepare();
      begun = true;
      return checking;
    },
    prepare: next.prepare,
    async release() {
      await next.discard();
      await lab.release?.();
    },
  });
}

/** At most one run that is made ready before it is opened. */
function nextRun(lab: Lab) {
  let waiting: { readonly session: Promise<LabSession | undefined>; readonly making: AbortController } | undefined;
  const take = () => {
    const taken = waiting;
    waiting = undefined;
    return taken;
  };
  return {
    prepare() {
      if (waiting !== undefined) return;
      const making = new AbortController();
      // One that could not be had is tried again: the run says why, when it cannot either.
      waiting = { session: lab.open('run', making.signal).catch(() => undefined), making };
    },
    async open(...opening: Parameters<Lab['open']>): Promise<LabSession> {
      return (await take()?.session) ?? lab.open(...opening);
    },
    /** End what is still being made, and close what was made and not opened. */
    async discard() {
      const unused = take();
      unused?.making.abort();
      await (await unused?.session)?.close();
    },
  };
}

/** Another way to open a lab; what it says of itself is known when it has been opened, and so asked for each time. */
export function saidBy<T extends Pick<Lab, 'open' | 'prepare' | 'release'>>(lab: Lab, opening: T): Lab & T {
  return {
    ...opening,
    kind: lab.kind,
    refuse: () => lab.refuse?.(),
    get description() {
      return lab.description;
    },
    get engine() {
      return lab.engine;
    },
    get caveat() {
      return lab.caveat;
    },
  };
}
