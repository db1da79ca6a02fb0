/**
 * From a journal to the results: what was measured, judged. Everything comes from the journal, so that results and reports can be
 * made again at any time.
 */
import { asSeen } from '../analysis/as-seen.js';
import { assembleResults } from '../analysis/assemble.js';
import { atMachineScale } from '../capacity/at-scale.js';
import { parseKernelVersion } from '../capacity/kernel-version.js';
import { predictArm } from '../capacity/predict.js';
import { timesToTell } from '../capacity/sysctl-time.js';
import { armId, experimentOn, kernelsOf } from '../plan/kernels.js';
import type { Results } from '../results/schema.js';
import { foresee } from './foresee.js';
import type { JournalContents } from './journal.js';
import { planRuns } from './order.js';
import { shortagesByKernel } from './shortages.js';

/** Equal journals give equal results, also one that has no end (a crash): it then ends with its last run. */
export function conclude({ begin, runs, observed, ended, damage }: JournalContents<'run'>): Results {
  const { experiment, environment } = begin;
  const environments = new Map(kernelsOf(experiment).map((name, i) => [name, begin.kernels?.[i] ?? environment]));
  const expectations = new Map(
    experiment.arms.map((arm) => {
      const { kernel: release, hz, defaults } = environments.get(arm.kernel)!;
      const version = parseKernelVersion(release, hz);
      // What is compared exactly is declared before anything is seen.
      const { determinism } = predictArm(arm, version, defaults, experiment.neighbours);
      const seen = asSeen(arm, [...runs, ...observed]);
      const { prediction, bounds } = predictArm(seen, version, defaults, experiment.neighbours);
      const baseline = experimentOn(experiment, arm.kernel).arms.find((each) => each.baseline) ?? arm;
      const times = timesToTell(seen, baseline, version, defaults);
      const real = atMachineScale(seen, baseline, version, defaults, experiment.neighbours);
      const foreseen = foresee(arm, experiment, environments.get(arm.kernel)!);
      const { deterministic } = determinism(experiment);
      return [armId(arm), { real, foreseen, deterministic, prediction, bounds, times, seen }];
    }),
  );
  const results = assembleResults({
    experiment: { ...experiment, arms: experiment.arms.map((arm) => expectations.get(armId(arm))?.seen ?? arm) },
    runs: [...runs],
    observed,
    environment,
    ...(begin.kernels ? { environments: begin.kernels } : {}),
    predictions: new Map([...expectations].map(([id, { prediction }]) => [id, prediction])),
    real: (id) => expectations.get(id)?.real,
    bounds: (id) => expectations.get(id)?.bounds ?? null,
    deterministic: (id) => expectations.get(id)?.deterministic ?? false,
    timesToTell: (id) => expectations.get(id)?.times ?? [],
    startedAt: begin.startedAt,
    finishedAt: ended?.at ?? lastMoment(begin.startedAt, runs),
    runsPlanned: planRuns(experiment).length,
    command: experiment.extendedFrom ? `${begin.command} --repeat ${experiment.repeat}` : begin.command,
    profileText: begin.profile,
  });
  // What the machine lacked was said before the first run; a reader of the report was not there.
  const lacks = shortagesByKernel(
    experiment,
    (kernel) => environments.get(kernel),
    (arm) => expectations.get(arm)!.prediction,
  );
  // Also after a crash, which nobody may have seen.
  const cut = ended === null && damage.length === 0 ? [NO_END] : [];
  const variants = results.variants.map((variant) => {
    const { foreseen } = expectations.get(armId(variant))!;
    return { ...variant, ...(foreseen ? { foreseen } : {}) };
  });
  return { ...results, variants, warnings: [...damage, ...cut, ...lacks, ...results.warnings] };
}

const NO_END = 'the journal has no end: the command that wrote it was killed, or the end of the file is lost';

/** The end of the load that ended last. ISO 8601. */
function lastMoment(startedAt: string, runs: JournalContents<'run'>['runs']): string {
  const ends = runs.map((run) => Date.parse(run.startedAt) + run.durationMs.load);
  return new Date(Math.max(Date.parse(startedAt), ...ends)).toISOString();
}
