/** Runs that the product itself calls disturbed, made again: what a machine that stood still has counted says nothing of the kernel. */

import { type RunOneInput, type RunOutcome, runOne } from '../../src/experiment/run-one.js';

/** Of standstill.ts: no process of the run had a CPU for seconds. */
const STOOD_STILL = /^the run stood still for /;
const MOST_RUNS = 6;

/**
 * Make a run until nothing in it stood still; every other problem is the caller's to judge.
 * @param make makes a run, or several; `again` from the second time on
 * @param problemsOf the problems that it says of itself
 * @throws Error when each of 6 stood still, since a test that could not look has shown nothing
 */
export async function undisturbed<T>(
  make: (again: boolean) => Promise<T>,
  problemsOf: (made: T) => readonly string[],
): Promise<T> {
  let still: string | undefined;
  for (let i = 0; i < MOST_RUNS; i++) {
    const made = await make(i > 0);
    still = problemsOf(made).find((problem) => STOOD_STILL.test(problem));
    if (still === undefined) return made;
  }
  throw new Error(`${still}; so it was in each of ${MOST_RUNS} runs: this machine is too busy for this test`);
}

/** One run of a lab, as runOne() makes it, in which nothing stood still. Rejects as undisturbed() does. */
export function runUndisturbed(input: RunOneInput): Promise<RunOutcome> {
  return undisturbed(
    () => runOne(input),
    ({ run }) => run.problems,
  );
}
