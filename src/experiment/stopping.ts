/**
 * Which arms need no more runs, from a journal. Pure.
 */
import { type Decision, decidedAt } from '../analysis/sequential.js';
import { armId, experimentOn, kernelsOf } from '../plan/kernels.js';
import { comparedAs } from './expectations.js';
import type { JournalContents } from './journal.js';

/**
 * What each arm's runs up to a look say, when every arm that goes on has had its run of each block up to there. The same answer again for an
 * arm that an earlier look has stopped.
 * @param look pairs: one of the experiment's `looks`, so blocks after the warm-up
 * @returns by the arm's id (`armId`), arms that are absent left out; empty where the experiment has no looks
 */
export function decisionsAt(
  contents: Pick<JournalContents<'run'>, 'begin' | 'runs' | 'observed'>,
  look: number,
): ReadonlyMap<string, Decision> {
  const { experiment } = contents.begin;
  if (!experiment.looks) return new Map();
  const { arms, environments } = comparedAs(contents);
  return new Map(
    kernelsOf(experiment).flatMap((kernel) => {
      const on = experimentOn(experiment, kernel);
      const id = (name: string) => armId({ name, kernel });
      const decisions = decidedAt({
        experiment: { ...on, arms: on.arms.filter(({ absent }) => !absent) },
        runs: contents.runs.filter((run) => run.kernel === kernel),
        deterministic: (name) => arms.get(id(name))?.deterministic ?? false,
        timesToTell: (name) => arms.get(id(name))?.times ?? [],
        engineOf: () => environments.get(kernel)?.engine,
        look,
      });
      return [...decisions].map(([name, decision]) => [id(name), decision] as const);
    }),
  );
}
