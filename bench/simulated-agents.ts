/**
 * Agents of a fleet in one process that make their units up: they sign in, give signs of life, take units, keep journals on the disk and hand
 * folders in as real ones do, by the same code; only the runs are made up, and no lab is opened.
 */
import { availableParallelism, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeEnvironment } from '../src/agent/place/environment.js';
import { parseKernelVersion } from '../src/capacity/kernel-version.js';
import { planRuns } from '../src/experiment/order.js';
import type { KnownPlaces } from '../src/experiment/places.js';
import { beginSession } from '../src/experiment/session.js';
import type { Access } from '../src/fleet/access.js';
import { kernelAbility, NAMESPACES } from '../src/fleet/agent/abilities.js';
import { runAgent } from '../src/fleet/agent/agent.js';
import type { Station } from '../src/fleet/agent/station.js';
import type { Workshop } from '../src/fleet/agent/workshop.js';
import { makeFolder } from '../src/machine/folders.js';
import type { Experiment } from '../src/plan/plan.js';
import type { Run } from '../src/results/schema.js';
import { until } from '../test/support/cli.js';

export interface Simulation {
  readonly access: Access;
  readonly names: readonly string[];
  /** Their state folders are made in it. */
  readonly folder: string;
  /** Name of a variant → the run that each of its runs is a copy of. */
  readonly runs: ReadonlyMap<string, Run>;
  /** Milliseconds that a unit takes. */
  readonly unitMs: number;
}

export interface Simulated {
  /** Resolves when all are in the fleet. */
  readonly joined: Promise<void>;
  /** What they have said but for the usual, with the name. */
  readonly said: readonly string[];
  /** Ends them. Rejects as the first that failed. */
  stop(): Promise<void>;
}

/** So many sign in at once. */
const AT_ONCE = 25;
const LONGEST_MS = 600_000;

/** Start agents. */
export function simulateAgents({ access, names, folder, runs, unitMs }: Simulation): Simulated {
  const ending = new AbortController();
  const said: string[] = [];
  const workshop = madeUp(runs, unitMs);
  const machine = {
    kernel: release(),
    machine: process.arch,
    cpus: availableParallelism(),
    memory: totalmem(),
    abilities: [NAMESPACES, kernelAbility(release())],
  };
  const waiting = new Set(names);
  let all = () => {};
  const joined = new Promise<void>((resolve) => {
    all = resolve;
  });
  const agents = names.map(async (name, i) => {
    // They share one thread, and each must sign in before the server loses its patience.
    await until('others have joined', () => i - (names.length - waiting.size) < AT_ONCE, LONGEST_MS);
    await runAgent({
      ...{ access, name, machine, workshop, signal: ending.signal },
      state: join(folder, name),
      leave: { allow: [], programs: false, host: false },
      takes: null,
      note(text) {
        if (text.includes('is in the fleet')) waiting.delete(name);
        else if (!/: made$|has left the fleet/.test(text)) said.push(`${name}: ${text}`);
        if (waiting.size === 0) all();
      },
    });
  });
  const whole = Promise.all(agents);
  whole.catch(() => {});
  return {
    joined: Promise.race([joined, whole.then(() => {})]),
    said,
    async stop() {
      ending.abort();
      await whole;
    },
  };
}

/** No lab is opened. */
function madeUp(runs: ReadonlyMap<string, Run>, unitMs: number): Workshop {
  const environment = describeEnvironment('netns');
  const kernel = parseKernelVersion(environment.kernel, environment.hz);
  const plans = new WeakMap<Experiment, ReturnType<typeof planOf>>();
  return {
    async openStation(experiment) {
      // Places without labs, since no unit is made in one.
      const known: KnownPlaces = {
        experiment,
        all: [{ name: undefined, environment, kernel }],
        findings: [],
        warnings: [],
      };
      return { places: known as Station['places'], close: async () => {} };
    },
    async makeUnit({ unit: { work }, job: { begin }, dir, signal, onRun }) {
      if (begin.type !== 'begin' || begin.kind !== 'run' || work.kind !== 'block') throw new Error('not made up here');
      const plan = plans.get(begin.experiment) ?? planOf(begin.experiment);
      plans.set(begin.experiment, plan);
      await sleep(unitMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return false;
      makeFolder(dir);
      await beginSession(
        dir,
        begin,
        () => {},
        async ({ journal }) => {
          for (const id of work.runs) {
            onRun(id);
            const { seed: _, ...planned } = plan.get(id)!;
            journal.append({ type: 'run', run: { ...runs.get(planned.variant)!, ...planned, hlog: null } });
          }
          journal.append({ type: 'end', at: new Date().toISOString(), status: 'complete' });
        },
      );
      return true;
    },
  };
}

function planOf(experiment: Experiment) {
  return new Map(planRuns(experiment).map((run) => [run.id, run]));
}
