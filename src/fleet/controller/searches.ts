/**
 * The arms of a search, made by a fleet: an arm is a unit, for each of its steps follows from all before it.
 */
import { SEARCH_FILE } from '../../experiment/folder.js';
import { JOURNAL_FILE, parseJournal } from '../../experiment/journal.js';
import type { SearchElsewhere } from '../../experiment/rate-search.js';
import type { Session } from '../../experiment/session.js';
import { armId } from '../../plan/kernels.js';
import { type SearchTry, searchReportSchema } from '../../results/search.js';
import type { Files } from '../pieces.js';
import type { Unit } from '../protocol.js';
import { wordOf } from '../subjects.js';
import type { Dispatch, QueuedUnit, UnitEnd } from './dispatch.js';
import { QUEUE } from './runs.js';

export interface FleetSearch extends SearchElsewhere {
  /** Whether it was given up because nobody was there to go on. */
  readonly wasLost: () => boolean;
}

/** @param session of the result folder @param say told what agents begin with */
export function searchElsewhere(
  dispatch: Dispatch,
  experiment: string,
  session: Session<'search'>,
  say: (text: string) => void,
): FleetSearch {
  const machines = new Set(session.contents.machines?.keys());
  let lost = false;
  return {
    wasLost: () => lost,
    async make(arms, took, signal) {
      /** Id of an arm → why it is not found; absent: it is. */
      const problems = new Map(arms.map(({ id }) => [id, 'interrupted']));
      const known = new Map(arms.map(({ id, steps }) => [id, [...steps]]));
      const take = (arm: string, end: UnitEnd): void => {
        if (end.how === 'gave-up') {
          problems.set(arm, end.why);
          return;
        }
        const { agent, environment, files } = end;
        if (!machines.has(agent)) session.journal.append({ type: 'machine', name: agent, environment });
        machines.add(agent);
        const { steps, problem } = foundIn(files, arm);
        const own = known.get(arm)!;
        const fresh = steps.slice(own.length).map((step) => ({ ...step, machine: agent }));
        own.push(...fresh);
        took(arm, fresh);
        if (problem === null) problems.delete(arm);
        else problems.set(arm, `${agent}: ${problem}`);
      };
      const units = new Map<string, { readonly arm: string; readonly queued: QueuedUnit }>();
      for (const { id: arm } of arms) {
        const id = await freeName(dispatch, nameOf(session, arm), (end) => {
          take(arm, end);
          return problems.has(arm);
        });
        // What was made for a controller before this one may be all that was missing.
        if (id === null) continue;
        const unit: Unit = { experiment, id, work: { kind: 'arm', arm, before: known.get(arm)! } };
        units.set(id, { arm, queued: { unit, queue: QUEUE } });
      }
      const unhear = dispatch.hearLive(({ agent, run }) => say(`${agent}: ${run}`));
      const open = new Set([...units.values()].map(({ arm }) => arm));
      try {
        const why = await dispatch.make(
          [...units.values()].map(({ queued }) => queued),
          ({ id }, end) => {
            const { arm } = units.get(id)!;
            open.delete(arm);
            take(arm, end);
          },
          signal,
        );
        lost = why !== null;
        if (why !== null) for (const arm of open) problems.set(arm, why);
        return problems;
      } finally {
        unhear();
      }
    },
  };
}

/** How the first unit of an arm is called: like no other's, whatever the arm is called. */
function nameOf({ contents }: Session<'search'>, arm: string): string {
  return `${contents.begin.experiment.arms.findIndex((each) => armId(each) === arm)}-${wordOf(arm)}`;
}

/**
 * The name of the next unit of an arm. One that came to nothing is followed by another.
 * @param isMissing given the end of each that there was: whether there is more to do @returns null: there is not
 */
async function freeName(
  dispatch: Dispatch,
  name: string,
  isMissing: (end: UnitEnd) => boolean,
): Promise<string | null> {
  for (let generation = 1; ; generation++) {
    const id = generation === 1 ? name : `${name}-${generation}`;
    const [end = null] = await dispatch.endsOf([id]);
    if (end === null) return id;
    if (!isMissing(end)) return null;
  }
}

/** What an agent's folder says of an arm. @throws JournalError for one that is damaged */
function foundIn(files: Files, arm: string): { readonly steps: readonly SearchTry[]; readonly problem: string | null } {
  const { steps } = parseJournal(files[JOURNAL_FILE] ?? '', JOURNAL_FILE, 'search');
  const report = searchReportSchema.safeParse(JSON.parse(files[SEARCH_FILE] ?? 'null'));
  const found = report.data?.arms.find((each) => armId(each) === arm);
  return {
    steps: steps.get(arm) ?? [],
    problem: found ? found.problem : 'it handed in no result of the search',
  };
}
