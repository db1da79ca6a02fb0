/**
 * The runs of an experiment, made by a fleet: a block is a unit, so that pairs stay on one machine, and the machine is a block factor.
 */
import { LABS } from '../../domain/lab.js';
import type { Elsewhere } from '../../experiment/blocks.js';
import { JOURNAL_FILE, parseJournal } from '../../experiment/journal.js';
import type { PlannedRun } from '../../experiment/order.js';
import type { Session } from '../../experiment/session.js';
import type { Experiment } from '../../plan/plan.js';
import type { Environment, Run } from '../../results/schema.js';
import { GUESTS, kernelAbility, NAMESPACES } from '../agent/abilities.js';
import type { Files } from '../pieces.js';
import type { Queue, Unit } from '../protocol.js';
import { AT_ONCE, type Dispatch, type UnitEnd } from './dispatch.js';

/** Of all that is like the machine that rehearsed. */
export const QUEUE = 'runs';

/** What an agent must be able to do before it is asked to rehearse. */
export function rehearsalNeeds({ lab }: Experiment): string[] {
  const { machine, ownNamespace } = LABS[lab];
  return machine === 'guest' ? [GUESTS] : ownNamespace ? [NAMESPACES] : [];
}

/** Who can make runs like those of the machine that rehearsed; an agent's own rehearsal looks at the rest. */
export function runQueues(experiment: Experiment, environment: Environment): Queue[] {
  const isThis = LABS[experiment.lab].machine === 'this';
  const needs = [...rehearsalNeeds(experiment), ...(isThis ? [kernelAbility(environment.kernel)] : [])];
  return [{ name: QUEUE, needs }];
}

/** @param session of the result folder: what it has already is not taken again */
export function runsElsewhere(dispatch: Dispatch, experiment: string, session: Session<'run'>): Elsewhere {
  const known = new Set([...session.contents.runs, ...session.contents.observed].map(({ id }) => id));
  const machines = new Set(session.contents.machines?.keys());
  return {
    async make(runs, on, signal) {
      const missing = new Map(runs.map((run) => [run.id, run]));
      /** @returns the runs that were made of it */
      const take = (end: UnitEnd): ReadonlySet<string> => {
        if (end.how === 'gave-up') return new Set();
        const { agent, environment, files } = end;
        if (!machines.has(agent)) session.journal.append({ type: 'machine', name: agent, environment });
        machines.add(agent);
        const made = runsIn(files);
        for (const run of made) {
          // A run that failed before this session is made again: what came of it then is no news.
          if (!missing.has(run.id) || (run.status !== 'ok' && known.has(run.id))) continue;
          missing.delete(run.id);
          known.add(run.id);
          on.took({ ...run, machine: agent }, filesOf(run, files));
        }
        return new Set(made.map(({ id }) => id));
      };
      const unhear = dispatch.hearLive(({ run, agent, second }) => {
        const planned = missing.get(run);
        if (planned === undefined) return;
        if (second === undefined) return on.began(planned, agent);
        on.heard(planned, second, agent);
        on.heard(planned, second);
      });
      try {
        for (let generation = 1; missing.size > 0 && !signal.aborted; generation++) {
          const units: Unit[] = [];
          const all = unitsOf([...missing.values()], experiment, generation);
          for (let i = 0; i < all.length; i += AT_ONCE) {
            const some = all.slice(i, i + AT_ONCE);
            const before = await dispatch.endsOf(some.map(({ id }) => id));
            for (const end of before) if (end) take(end);
            units.push(...some.filter((_, j) => before[j] === null));
          }
          if (units.length === 0) continue;
          const why = await makeAll(dispatch, units, take, signal);
          if (why !== null) return why;
        }
        return null;
      } finally {
        unhear();
      }
    },
  };
}

/** @returns why some were not made; null: all were, or the signal was aborted */
async function makeAll(
  dispatch: Dispatch,
  units: readonly Unit[],
  take: (end: UnitEnd) => ReadonlySet<string>,
  signal: AbortSignal,
): Promise<string | null> {
  const failures: string[] = [];
  const queued = units.map((unit) => ({ unit, queue: QUEUE }));
  const took = ({ id, work }: Unit, end: UnitEnd) => {
    const made = take(end);
    if (end.how === 'gave-up') failures.push(end.why);
    else {
      const lacking = work.kind === 'block' ? work.runs.find((run) => !made.has(run)) : undefined;
      if (lacking !== undefined) failures.push(`${end.agent} gave ${id} up before ${lacking}`);
    }
  };
  return (await dispatch.make(queued, took, signal)) ?? failures[0] ?? null;
}

/** A unit a block, with those of its runs that are missing. The second of a block, and later ones, have names of their own. */
function unitsOf(runs: readonly PlannedRun[], experiment: string, generation: number): Unit[] {
  const blocks = new Map<string, string[]>();
  for (const { id } of runs) {
    const block = /^(?:b\d+|observed)/.exec(id)?.[0] ?? 'b';
    blocks.set(block, [...(blocks.get(block) ?? []), id]);
  }
  return [...blocks].map(([block, own]) => ({
    experiment,
    id: generation === 1 ? block : `${block}-${generation}`,
    work: { kind: 'block', runs: own },
  }));
}

/** What an agent's journal says was made, and nothing that it does not. */
function runsIn(files: Files): Run[] {
  const { runs, observed } = parseJournal(files[JOURNAL_FILE] ?? '', JOURNAL_FILE, 'run');
  return [...runs, ...observed];
}

/** The files that a run names. */
function filesOf({ hlog, configuration = [] }: Run, files: Files): Files {
  const paths = [...(hlog === null ? [] : [hlog]), ...configuration];
  return Object.fromEntries(paths.flatMap((path) => (files[path] === undefined ? [] : [[path, files[path]]])));
}
