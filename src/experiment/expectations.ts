/**
 * What is known of each arm of a journal beside its runs: how it is compared, and what is predicted of it. Pure.
 */
import { asSeen } from '../analysis/as-seen.js';
import { atMachineScale } from '../capacity/at-scale.js';
import { parseKernelVersion } from '../capacity/kernel-version.js';
import { predictArm } from '../capacity/predict.js';
import { timesToTell } from '../capacity/sysctl-time.js';
import { armId, experimentOn, kernelsOf } from '../plan/kernels.js';
import { foresee } from './foresee.js';
import type { JournalContents } from './journal.js';

type Contents = Pick<JournalContents<'run'>, 'begin' | 'runs' | 'observed'>;

/**
 * How each arm is compared: what is exact, which was declared before anything was seen, and how long changes of times take to show.
 * @returns `environments` by the kernel's name, `arms` by their ids (`armId`)
 */
export function comparedAs({ begin, runs, observed }: Contents) {
  const { experiment, environment } = begin;
  const environments = new Map(kernelsOf(experiment).map((name, i) => [name, begin.kernels?.[i] ?? environment]));
  const arms = new Map(
    experiment.arms.map((arm) => {
      const { kernel: release, hz, defaults } = environments.get(arm.kernel)!;
      const version = parseKernelVersion(release, hz);
      const { determinism } = predictArm(arm, version, defaults, experiment.neighbours);
      const seen = asSeen(arm, [...runs, ...observed]);
      const baseline = experimentOn(experiment, arm.kernel).arms.find((each) => each.baseline) ?? arm;
      const times = timesToTell(seen, baseline, version, defaults);
      return [
        armId(arm),
        { arm, deterministic: determinism(experiment).deterministic, times, seen, baseline, version, defaults },
      ];
    }),
  );
  return { environments, arms };
}

/** That, and what the arithmetic predicts of each arm in the lab and on a machine, which takes longer. */
export function expectationsOf(contents: Contents) {
  const { experiment } = contents.begin;
  const { environments, arms } = comparedAs(contents);
  const expected = [...arms].map(([id, { arm, seen, baseline, version, defaults, ...compared }]) => {
    const { prediction, bounds } = predictArm(seen, version, defaults, experiment.neighbours);
    const real = atMachineScale(
      seen,
      baseline,
      version,
      defaults,
      experiment.neighbours,
      environments.get(arm.kernel)!.engine,
    );
    const foreseen = foresee(arm, experiment, environments.get(arm.kernel)!);
    return [id, { ...compared, seen, prediction, bounds, real, foreseen }] as const;
  });
  return { environments, arms: new Map(expected) };
}
