/**
 * Labs whose runs are made ready before they are wanted: between two loads, or, where only counts are wanted, while one is under way.
 */
import type { Lab, LabSession } from './lab.js';

/**
 * The first run is made ready while the experiment is rehearsed in another lab, the others when they are asked for with `prepare()`,
 * between the end of one load and the end of its lab. Never while a load is being measured.
 * @param lab one that is `release()`d through what is returned
 */
export function preparingRuns(lab: Lab): Lab {
  const next = nextRun(lab);
  let begun = false;
  return saidBy(lab, {
    async open(purpose, signal) {
      if (purpose === 'run') return next.open(signal);
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

/**
 * Each run but the first is made ready while the one before is measured, for runs of which only counts are wanted: a guest boots on one
 * CPU while another is under load on another.
 * @param lab left to be `release()`d by whoever has made it; what is returned has a release of its own
 * @param runs how many will be opened: nothing is made beyond them
 */
export function preparingDuringRuns(lab: Lab, runs: number): Lab & { release(): Promise<void> } {
  const next = nextRun(lab);
  let left = runs;
  return saidBy(lab, {
    async open(purpose, signal) {
      if (purpose !== 'run') return lab.open(purpose, signal);
      left--;
      const session = await next.open(signal);
      if (left > 0) next.prepare();
      return session;
    },
    async release() {
      left = 0;
      await next.discard();
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
    async open(signal: AbortSignal | undefined): Promise<LabSession> {
      return (await take()?.session) ?? lab.open('run', signal);
    },
    /** End what is still being made, and close what was made and not opened. */
    async discard() {
      const unused = take();
      unused?.making.abort();
      await (await unused?.session)?.close();
    },
  };
}

/** What a lab says of itself is known when it has been opened, and so asked for each time. */
function saidBy<T extends Pick<Lab, 'open' | 'prepare' | 'release'>>(lab: Lab, opening: T): Lab & T {
  return {
    ...opening,
    kind: lab.kind,
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
