/**
 * Tors of Debian suites, fetched before anything starts. A variant whose Tor cannot be had is left out, and that is said, by the results
 * too; a baseline without its Tor is an error.
 */

import type { DebianSuite } from '../domain/guest.js';
import { LabError } from '../lab/lab.js';
import { leftOutInWords } from '../plan/left-out.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { proxySubjectOf } from '../subjects/index.js';
import { debianTor } from '../subjects/tor/debian-tor.js';

export interface ProvidedTors {
  readonly experiment: Experiment;
  readonly warnings: readonly string[];
}

/** Rejects with LabError when the baseline's cannot be had. @param fetchTor gives the path of a suite's program */
export async function provideTors(
  experiment: Experiment,
  fetchTor: (suite: DebianSuite) => Promise<string> = debianTor,
): Promise<ProvidedTors> {
  const fetched = new Map<DebianSuite, Promise<string>>();
  const leftOut = [...(experiment.leftOut ?? [])];
  const arms: Arm[] = [];
  for (const arm of experiment.arms) {
    const suite = arm.proxy && proxySubjectOf(arm.proxy.kind).debianSuite?.(arm.proxy);
    if (!suite) {
      arms.push(arm);
      continue;
    }
    if (!fetched.has(suite)) fetched.set(suite, fetchTor(suite));
    try {
      arms.push({ ...arm, proxy: { ...arm.proxy!, binary: await fetched.get(suite)! } });
    } catch (error) {
      if (!(error instanceof LabError) || arm.baseline) throw error;
      leftOut.push({ name: arm.name, why: `${error.message}; ${error.remedy ?? 'leave it out'}` });
    }
  }
  const provided = { ...experiment, arms, ...(leftOut.length > 0 ? { leftOut } : {}) };
  return { experiment: provided, warnings: leftOutInWords(provided) };
}
