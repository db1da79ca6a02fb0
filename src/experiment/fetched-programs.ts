/**
 * Programs of Debian suites, as a Tor of another year, fetched before anything starts. A variant whose program cannot be fetched is left
 * out, and the results say so; a baseline without its program is an error.
 */

import { LabError } from '../lab/lab.js';
import { debianProgram } from '../machine/debian-program.js';
import { leftOutInWords } from '../plan/left-out.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { type ProxyKind, proxySubjectOf } from '../subjects/index.js';

/** An experiment whose programs are all here. */
interface Provided {
  readonly experiment: Experiment;
  readonly warnings: readonly string[];
}

/** Rejects with LabError when the baseline's cannot be had. @param fetchProgram gives the path of a suite's program */
export async function fetchPrograms(
  experiment: Experiment,
  fetchProgram: (source: string, kind: ProxyKind) => Promise<string> = fromDebian,
): Promise<Provided> {
  const fetched = new Map<string, Promise<string>>();
  const leftOut = [...(experiment.leftOut ?? [])];
  const arms: Arm[] = [];
  for (const arm of experiment.arms) {
    const { proxy } = arm;
    const suite = proxy && proxySubjectOf(proxy.kind).source(proxy);
    if (!proxy || !suite || !('binary' in proxy)) {
      arms.push(arm);
      continue;
    }
    // The kind is the same for every arm.
    if (!fetched.has(suite)) fetched.set(suite, fetchProgram(suite, proxy.kind));
    try {
      arms.push({ ...arm, proxy: { ...proxy, binary: await fetched.get(suite)! } });
    } catch (error) {
      if (!(error instanceof LabError) || arm.baseline) throw error;
      leftOut.push({ name: arm.name, why: `${error.message}; ${error.remedy ?? 'leave it out'}` });
    }
  }
  const provided = { ...experiment, arms, ...(leftOut.length > 0 ? { leftOut } : {}) };
  return { experiment: provided, warnings: leftOutInWords(provided) };
}

function fromDebian(source: string, kind: ProxyKind): Promise<string> {
  return debianProgram(source, proxySubjectOf(kind).unpacked);
}
