/** What a live page and the metrics of a run show, kept from the events of the experiment. No I/O. */
import { compareGoal } from '../../analysis/compare.js';
import type { ExperimentEvent } from '../../experiment/blocks.js';
import type { PlannedRun } from '../../experiment/order.js';
import { armId, experimentOn, kernelsOf } from '../../plan/kernels.js';
import type { Arm, Experiment } from '../../plan/plan.js';
import type { Run, Second } from '../../results/schema.js';
import { blockName, createClock, lookText, type ProgressInput } from '../progress.js';
import type { AddressWalls } from '../rows/addresses.js';
import { createMachineBook } from './machines.js';
import type { LiveArm, LiveEffect, LiveMessage, LiveSecond, LiveState } from './messages.js';

export interface LiveInput {
  readonly experiment: Experiment;
  readonly planned: readonly PlannedRun[];
  readonly finished: ReadonlySet<string>;
  /** Runs that an earlier call has made. */
  readonly runs: readonly Run[];
  readonly wallsOf: (arm: Arm) => AddressWalls;
  /** Whether an arm's load is declared to end in the same counts every time. */
  readonly deterministic: (arm: Arm) => boolean;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly slower?: ProgressInput['slower'];
  readonly environmentOf?: ProgressInput['environmentOf'];
}

export interface LiveBook {
  /** Takes an event in. @returns what a page that is connected is to be told */
  take(event: ExperimentEvent): LiveMessage | null;
  state(): LiveState;
  /**
   * Attempts so far by arm and outcome, those of finished runs and of the one in progress. Every arm has every outcome that is foreseen
   * or that any arm has had, 0 included.
   */
  totals(): ReadonlyMap<string, Readonly<Record<string, number>>>;
  /** The latest second of the run in progress. */
  second(): Second | null;
}

/** Between two messages of what machines do. */
const TELL_MS = 500;

/** An empty book, or one with the runs that an earlier command has made. */
export function createLiveBook(input: LiveInput): LiveBook {
  const { experiment, planned, finished } = input;
  const clock = createClock(input);
  const arms = new Map(experiment.arms.map((arm) => [armId(arm), emptyArm(arm, input.wallsOf(arm))]));
  // From 0: a counter that first appears with its first failure has no rate, and an arm without failures would have no series at all.
  const totals = new Map([...arms.keys()].map((arm) => [arm, {} as Record<string, number>]));
  const outcomeNames = new Set(foreseenOutcomes(experiment));
  let done = finished.size === 0 ? 0 : planned.filter(({ id }) => finished.has(id)).length;
  let current: { arm: string; id: string; timeline: LiveSecond[]; over: boolean } | null = null;
  let latest: Second | null = null;
  let phase = 'preparing';
  const machines = createMachineBook();
  let toldAt = Number.NEGATIVE_INFINITY;
  /** Without their seconds, which no metric is made of. */
  const runs: Run[] = [];
  for (const run of input.runs) keep(run);
  const effects = new Map<string, LiveEffect['rows'][number]>();
  for (const kernel of kernelsOf(experiment)) noteEffects(kernel);

  /** Of one variant that has had a run, or of all on a kernel whose baseline has: an interval takes some milliseconds. */
  function noteEffects(kernel: string | undefined, variant?: string): void {
    for (const row of effectsSoFar(input, runs, kernel, variant)) effects.set(row.name, row);
  }

  function stop(id: string, pairs: number): void {
    const arm = arms.get(id);
    if (arm) arms.set(id, { ...arm, stoppedAfter: pairs });
  }

  function keep(run: Run): void {
    const arm = arms.get(armId(run));
    if (!arm) return;
    const { id, status, outcomes, timeline, latency } = run;
    for (const outcome of Object.keys(outcomes)) outcomeNames.add(outcome);
    runs.push({ ...run, timeline: [] });
    const total = latency.total ? { count: latency.total.count, percentiles: latency.total.percentiles } : null;
    arms.set(armId(run), {
      ...arm,
      done: arm.done + 1,
      last: { id, status, outcomes, timeline: timeline.map(liveSecond), total },
    });
  }

  function add(arm: string, outcomes: Readonly<Record<string, number>>): void {
    const sums = totals.get(arm) ?? {};
    for (const [outcome, count] of Object.entries(outcomes)) {
      outcomeNames.add(outcome);
      sums[outcome] = (sums[outcome] ?? 0) + count;
    }
    totals.set(arm, sums);
  }

  const state = (): LiveState => ({
    experiment: experiment.name,
    description: experiment.description,
    arms: [...arms.values()],
    done,
    total: clock.total(),
    left: clock.left(),
    phase,
    looks: experiment.looks ?? null,
    effect: { metric: experiment.goal, rows: [...arms.keys()].flatMap((name) => effects.get(name) ?? []) },
    current,
    machines: machines.machines(),
  });
  return {
    take(event) {
      machines.take(event);
      switch (event.type) {
        case 'machine': {
          // A thousand machines say a thousand seconds a second.
          if (input.now() - toldAt < TELL_MS) return null;
          toldAt = input.now();
          return { type: 'machines', machines: machines.machines() };
        }
        case 'run-start':
          current = { arm: armId(event.planned), id: event.planned.id, timeline: [], over: false };
          latest = null;
          done = event.done;
          phase = `${blockName(event.planned, experiment)}, ${armId(event.planned)}`;
          break;
        case 'sample': {
          const second = liveSecond(event.second);
          if (current?.id === event.planned.id) {
            current.timeline.push(second);
            latest = event.second;
          }
          add(armId(event.planned), event.second.outcomes);
          // Beside the run that is shown others may be under way.
          if (current?.id !== event.planned.id) return null;
          return { type: 'second', second, left: clock.left() };
        }
        case 'run-end':
          clock.finished(event.run);
          keep(event.run);
          if (!event.run.warmup) noteEffects(event.run.kernel, event.run.variant);
          done = event.done;
          if (current?.id === event.run.id) {
            current.over = true;
            latest = null;
          }
          phase = `${event.run.id}: ${event.run.status === 'ok' ? 'done' : event.run.status}`;
          break;
        case 'waiting':
          phase = `${blockName(event.planned, experiment)}, ${armId(event.planned)}, waiting for ${event.what}`;
          break;
        case 'look':
          clock.stopped(event.stopped);
          for (const id of event.stopped.keys()) stop(id, event.pairs);
          phase = lookText(event);
          break;
        case 'observe':
          phase = `observing the proxy's system calls, ${armId(event.planned)}`;
          break;
      }
      return { type: 'state', state: state() };
    },
    state,
    totals: () =>
      new Map(
        [...totals].map(([arm, sums]) => [
          arm,
          Object.fromEntries([...outcomeNames].map((outcome) => [outcome, sums[outcome] ?? 0])),
        ]),
      ),
    second: () => latest,
  };
}

/** What attempts of this experiment are likely to end in, whichever arm they are of, and what its metrics name. */
function foreseenOutcomes({ arms, goal, guardrails, thresholds }: Experiment): string[] {
  const named = [goal, ...guardrails, ...thresholds.map(({ metric }) => metric)].flatMap(
    (metric) => /^outcomes\[["'](.+)["']\]/.exec(metric)?.[1] ?? [],
  );
  const answers = arms.some(({ proxy, via }) => proxy !== undefined || via !== undefined)
    ? ['http:502', 'http:503']
    : [];
  return ['ok', 'shed', 'bind:EADDRINUSE', 'connect:EADDRNOTAVAIL', 'timeout:ETIMEDOUT', ...answers, ...named];
}

/**
 * The goal as the pairs of runs that there are show it, against the baseline of the same kernel.
 * @param only one variant; absent, or the baseline: all
 */
function effectsSoFar(
  { experiment, deterministic }: LiveInput,
  runs: readonly Run[],
  kernel: string | undefined,
  only?: string,
): LiveEffect['rows'] {
  const own = experimentOn(experiment, kernel);
  const present = own.arms.filter(({ absent }) => !absent);
  const wanted = present.filter(({ name, baseline }) => baseline || name === only);
  const ran = { ...own, arms: wanted.length > 1 ? wanted : present };
  const compared = compareGoal({
    experiment: ran,
    runs: runs.filter((run) => run.kernel === kernel),
    deterministic: (name) => ran.arms.some((arm) => arm.name === name && deterministic(arm)),
  });
  return [...compared].flatMap(([name, { unit, kind, difference, ci, pairs, margin }]) =>
    pairs === 0 ? [] : [{ name: armId({ name, kernel }), unit, kind, difference, ci, pairs, margin }],
  );
}

function emptyArm(arm: Arm, walls: AddressWalls): LiveArm {
  const { addresses } = arm;
  return {
    name: armId(arm),
    addresses: { count: addresses.length, first: addresses[0] ?? '', last: addresses.at(-1) ?? '' },
    walls,
    done: 0,
    stoppedAfter: null,
    last: null,
  };
}

function liveSecond({ t, attempts, outcomes, portsInUse, portsPerAddress }: Second): LiveSecond {
  return { t, attempts, outcomes, portsInUse, portsPerAddress };
}
