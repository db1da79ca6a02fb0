/**
 * How many runs may be under way at once. Pure.
 *
 * Counts that the kernel's rules alone decide do not depend on speed (capacity/deterministic.ts), and each run has namespaces of its own,
 * so that runs of which nothing else is compared may share the CPUs. Times, rates and CPU seconds may not: there it is one after the other.
 */
import { guardrailsOf } from '../analysis/compare-on.js';
import { parseKernelVersion } from '../capacity/kernel-version.js';
import { predictArm } from '../capacity/predict.js';
import { LABS } from '../domain/lab.js';
import { parseMetric } from '../domain/metric.js';
import type { Experiment } from '../plan/plan.js';
import { loadsOf } from '../plan/scenario.js';
import type { EnvironmentOf } from './design.js';

/**
 * The experiment with the number of runs that are under way at once: as many as there are CPUs for load workers.
 * @param environmentOf the machine of each kernel; on one of which nothing is known it is one run at a time
 */
export function sideBySide(experiment: Experiment, environmentOf: EnvironmentOf): Experiment {
  const atOnce = runsAtOnce(experiment, environmentOf);
  return atOnce < 2 ? experiment : { ...experiment, atOnce };
}

function runsAtOnce(experiment: Experiment, environmentOf: EnvironmentOf): number {
  const { lab, goal, thresholds, neighbours, search } = experiment;
  if (LABS[lab].machine !== 'this' || !LABS[lab].ownNamespace || neighbours || search) return 1;
  const metrics = [goal, ...guardrailsOf(experiment), ...thresholds.map(({ metric }) => metric)];
  if (!metrics.every((metric) => parseMetric(metric).exact)) return 1;
  const arms = experiment.arms.filter(({ absent }) => !absent);
  return Math.min(
    ...arms.map((arm) => {
      const environment = environmentOf(arm.kernel);
      if (environment === undefined) return 1;
      const version = parseKernelVersion(environment.kernel, environment.hz);
      const { deterministic } = predictArm(arm, version, environment.defaults).determinism(experiment);
      const workers = loadsOf(arm).reduce((sum, { load }) => sum + load.workers, 0);
      return deterministic ? Math.floor(environment.cpus / workers) : 1;
    }),
  );
}
