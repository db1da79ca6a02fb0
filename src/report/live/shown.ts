/**
 * What the progress and the live page show of a run: its experiment, and what is predicted of the arms.
 */
import { predictArm } from '../../capacity/predict.js';
import { strategyOf } from '../../domain/strategy.js';
import { designNotes } from '../../experiment/design.js';
import { finishedRuns, type JournalContents } from '../../experiment/journal.js';
import { planRuns } from '../../experiment/order.js';
import { environmentsOf, type KnownPlaces, placeFor } from '../../experiment/places.js';
import { shortagesByKernel } from '../../experiment/shortages.js';
import { timeNotes } from '../../experiment/time-notes.js';
import { armId } from '../../plan/kernels.js';
import type { Arm } from '../../plan/plan.js';
import type { AddressWalls } from '../rows/addresses.js';

/** @param contents of the journal as the session began */
export function shownOf(contents: JournalContents<'run'>, places: KnownPlaces) {
  const { experiment } = contents.begin;
  const expectations = new Map(
    experiment.arms.map((arm) => {
      const { kernel, environment } = placeFor(places, arm.kernel);
      return [armId(arm), predictArm(arm, kernel, environment.defaults, experiment.neighbours)];
    }),
  );
  const expected = (id: string) => expectations.get(id)!;
  /** Where an arm's searches become long and where its ports end, by the kernel that it runs on. */
  const wallsOf = (arm: Arm): AddressWalls => expected(armId(arm)).perAddress;
  const rooms = new Map(
    experiment.arms.map((arm) => {
      const addresses = strategyOf(arm.load.strategy).address === 'chosen' ? arm.addresses.length : 1;
      const { hard } = wallsOf(arm);
      return [armId(arm), hard === null ? null : hard * addresses];
    }),
  );
  const environmentOf = environmentsOf(places);
  return {
    experiment,
    planned: planRuns(experiment),
    finished: finishedRuns(contents),
    runs: contents.runs,
    now: () => performance.now(),
    environmentOf,
    wallsOf,
    deterministic: (arm: Arm) => expected(armId(arm)).determinism(experiment).deterministic,
    /** Ports that an arm can have in use on all its addresses, by its id. */
    roomOf: (id: string) => rooms.get(id) ?? null,
    /** What a reader of the results must know, and what this machine or a guest lacks. */
    notes: [
      ...places.warnings,
      ...shortagesByKernel(experiment, environmentOf, (id) => expected(id).prediction),
      ...designNotes(experiment, environmentOf, 'goal'),
      ...timeNotes(experiment, environmentOf, 'in vain'),
    ],
  };
}
