/**
 * The design of `run`: every arm once in each block. Makes the runs one after the other, or side by side where only counts are compared,
 * each in a fresh lab, and puts each on the disk when it is over. Opens no load socket and writes no sysctl.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { naming } from '../machine/write-error.js';
import { armId } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { renderHlog } from '../results/hlog.js';
import type { Run, Second } from '../results/schema.js';
import { finishedRuns } from './journal.js';
import { observedAtOnce, type PlannedRun, planObservations, planRuns } from './order.js';
import { type Segment, type Stopped, segmentsOf, stoppedAt } from './remaining.js';
import { type RunOneInput, type RunOutcome, runOne } from './run-one.js';
import type { Session } from './session.js';

export type ExperimentEvent =
  | {
      readonly type: 'run-start';
      readonly planned: PlannedRun;
      readonly done: number;
      readonly total: number;
      /** The machine of a fleet that makes it. */
      readonly machine?: string;
    }
  /** What a run waits for, in words that follow «waiting for». */
  | { readonly type: 'waiting'; readonly planned: PlannedRun; readonly what: string }
  | { readonly type: 'sample'; readonly planned: PlannedRun; readonly second: Second }
  /** What one machine of a fleet did in a second of a run, alone or with others. */
  | {
      readonly type: 'machine';
      readonly planned: PlannedRun;
      readonly machine: string;
      readonly second: Second;
    }
  | { readonly type: 'run-end'; readonly run: Run; readonly done: number; readonly total: number }
  /** There are so many pairs, and some arms need no more runs: `stopped` has their ids and why. `total` leaves out what is not made. */
  | {
      readonly type: 'look';
      readonly pairs: number;
      readonly stopped: ReadonlyMap<string, string>;
      readonly total: number;
    }
  /** A run in which a proxy's system calls are counted begins; it is none of the runs above. */
  | { readonly type: 'observe'; readonly planned: PlannedRun };

/** Runs that are made on this machine. */
interface Here {
  /** Where runs are made: with several kernels by the kernel's name, else for undefined. */
  readonly placeOf: (kernel: string | undefined) => Pick<RunOneInput, 'lab' | 'network' | 'sampleMs'>;
  /** Runs that are under way at once, where that is not the experiment's to say. */
  readonly atOnce?: number;
  /** Only the runs with these ids are made, whatever they say; absent: all, look by look. */
  readonly only?: ReadonlySet<string>;
}

/** Other machines, which make runs. */
export interface Elsewhere {
  /**
   * Have runs made; several blocks may be under way at once.
   * @param on told what goes on, and given each run that was made
   * @returns why those that are missing then will not be made; null: none is, or the signal was aborted
   */
  make(runs: readonly PlannedRun[], on: ElsewhereEvents, signal: AbortSignal): Promise<string | null>;
}

export interface ElsewhereEvents {
  /** @param machine of one that makes it alone */
  began(planned: PlannedRun, machine?: string): void;
  /** A second of a run, as of {@link ExperimentEvent}; of all its machines, or of one. */
  heard(planned: PlannedRun, second: Second, machine?: string): void;
  /** @param files that the run names: path in the result folder → text */
  took(run: Run, files: Readonly<Record<string, string>>): void;
}

export type BlocksInput = (Here | { readonly elsewhere: Elsewhere }) & {
  /** false: the system calls of proxies are not counted, in runs of their own. */
  readonly observing?: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: (event: ExperimentEvent) => void;
};

export type BlocksEnd =
  | { readonly how: 'complete' }
  | { readonly how: 'interrupted' }
  /** So many runs in a row failed that the rest would only fail too. */
  | { readonly how: 'gave-up'; readonly reason: string };

/** Whether the first run that is still to be made is on this kernel. */
export function isFirstRun(
  kernel: string | undefined,
  experiment: Experiment,
  finished: ReadonlySet<string> = new Set(),
): boolean {
  return planRuns(experiment).find(({ id }) => !finished.has(id))?.kernel === kernel;
}

const FAILURES_IN_A_ROW = 3;

/** The folder of what proxies were configured with, a folder each arm. */
const CONFIGURATION_DIR = 'configuration';

/** The folder of the HdrHistogram logs inside a result folder. */
const HLOG_DIR = 'hlog';

/**
 * Make the runs that are missing in a session, and write its end. An interrupted run is kept for the record, and made again on resume;
 * whatever goes wrong in a run is in its result.
 */
export async function runBlocks(session: Session<'run'>, input: BlocksInput): Promise<BlocksEnd> {
  const { experiment } = session.contents.begin;
  const { signal, onEvent } = input;
  const only = 'only' in input ? input.only : undefined;
  const finished = finishedRuns(session.contents);
  const segments: readonly Segment[] = only
    ? [{ look: null, runs: planRuns(experiment).filter(({ id }) => only.has(id)) }]
    : segmentsOf(experiment);
  const made = new Map(session.contents.runs.map((run) => [run.id, run]));
  const soFar = () => ({ ...session.contents, runs: [...made.values()] });
  let stopped: Stopped = new Map();
  /** All runs that have been made, and all that may be. */
  let total = segments.reduce((sum, { runs }) => sum + runs.length, 0);
  let [done, failedInARow] = [0, 0];
  let end: BlocksEnd = { how: 'complete' };
  mkdirSync(join(session.dir, HLOG_DIR), { recursive: true });
  const began = (planned: PlannedRun, machine?: string) =>
    onEvent({ type: 'run-start', planned, done, total, ...(machine === undefined ? {} : { machine }) });
  const take = (run: Run) => {
    session.journal.append({ type: 'run', run });
    made.set(run.id, run);
    if (run.status === 'interrupted' || signal.aborted) {
      end = INTERRUPTED;
      return;
    }
    onEvent({ type: 'run-end', run, done: ++done, total });
    failedInARow = run.status === 'failed' ? failedInARow + 1 : 0;
    if (failedInARow === FAILURES_IN_A_ROW && done < total)
      end = { how: 'gave-up', reason: `${FAILURES_IN_A_ROW} runs in a row failed, the last with: ${run.problems[0]}` };
  };
  const took = (run: Run): BlocksEnd => {
    take(run);
    return end;
  };
  const lane = async (here: Here, todo: PlannedRun[], later: readonly PlannedRun[]) => {
    while (end.how === 'complete') {
      if (signal.aborted) end = INTERRUPTED;
      const next = end.how === 'complete' ? todo.shift() : undefined;
      if (next === undefined) return;
      began(next);
      take(await makeHere(session, { ...input, ...here }, next, () => todo[0] ?? later[0]));
    }
  };
  for (const [i, { look, runs }] of segments.entries()) {
    const wanted = runs.filter((run) => !stopped.has(armId(run)));
    const todo = wanted.filter(({ id }) => !finished.has(id));
    done += wanted.length - todo.length;
    const isNews = todo.length > 0;
    const wantedLater = () =>
      segments.slice(i + 1).flatMap((segment) => segment.runs.filter((run) => !stopped.has(armId(run))));
    if ('elsewhere' in input) {
      if (isNews) end = await haveMade(session, input, todo, { began, take: took });
    } else {
      const later = wantedLater();
      const lanes = { length: input.atOnce ?? experiment.atOnce ?? 1 };
      await Promise.all(Array.from(lanes, () => lane(input, todo, later)));
    }
    if (end.how !== 'complete') break;
    const before = stopped;
    stopped = stoppedAt(soFar(), look);
    total = done + wantedLater().length;
    const fresh = new Map([...stopped].filter(([arm]) => !before.has(arm)));
    if (isNews && look !== null && fresh.size > 0) onEvent({ type: 'look', pairs: look, stopped: fresh, total });
  }
  if (end.how === 'complete' && input.observing !== false) end = await observe(session, finished, input);
  const status = end.how === 'complete' ? 'complete' : 'partial';
  session.journal.append({ type: 'end', at: new Date().toISOString(), status });
  return end;
}

/** Make one run. @param next which run follows, whose lab may be made ready when the load has ended */
async function makeHere(
  session: Session<'run'>,
  { placeOf, signal, onEvent }: Here & Pick<BlocksInput, 'signal' | 'onEvent'>,
  planned: PlannedRun,
  next: () => PlannedRun | undefined,
): Promise<Run> {
  const { experiment } = session.contents.begin;
  const outcome = await runOne({
    ...placeOf(planned.kernel),
    arm: armOf(experiment, planned),
    ...(experiment.neighbours ? { neighbours: experiment.neighbours } : {}),
    planned,
    portsMatter: [experiment.goal, ...experiment.guardrails].some((metric) => metric.startsWith('ports.')),
    signal,
    onSample: (second) => onEvent({ type: 'sample', planned, second }),
    onWait: (what) => onEvent({ type: 'waiting', planned, what }),
    onLoadEnd: () => {
      const after = next();
      if (after && !signal.aborted) placeOf(after.kernel).lab.prepare?.();
    },
  });
  return keepRun(outcome, session);
}

/** Have runs made elsewhere, and keep what comes. @param on what `take` returns says whether it goes on */
async function haveMade(
  { dir }: Session<'run'>,
  { elsewhere, signal, onEvent }: Pick<BlocksInput, 'signal' | 'onEvent'> & { readonly elsewhere: Elsewhere },
  runs: readonly PlannedRun[],
  on: { readonly began: ElsewhereEvents['began']; readonly take: (run: Run) => BlocksEnd },
): Promise<BlocksEnd> {
  const giving = new AbortController();
  let end: BlocksEnd = { how: 'complete' };
  const reason = await elsewhere.make(
    runs,
    {
      began: on.began,
      heard: (planned, second, machine) =>
        onEvent(
          machine === undefined ? { type: 'sample', planned, second } : { type: 'machine', planned, machine, second },
        ),
      took(run, files) {
        for (const [path, text] of Object.entries(files)) write(join(dir, path), text);
        end = on.take(run);
        if (end.how !== 'complete') giving.abort();
      },
    },
    AbortSignal.any([signal, giving.signal]),
  );
  if (end.how !== 'complete') return end;
  if (signal.aborted) return INTERRUPTED;
  return reason === null ? end : { how: 'gave-up', reason };
}

const INTERRUPTED: BlocksEnd = { how: 'interrupted' };

function armOf({ arms }: Experiment, planned: PlannedRun): Arm {
  return arms.find((arm) => armId(arm) === armId(planned))!;
}

/**
 * The runs beside those that are compared, without neighbours: calls are counted by namespace, and theirs would count as the proxy's.
 * One that fails says why nothing was observed, and is no failure of the experiment. */
async function observe(session: Session<'run'>, finished: ReadonlySet<string>, input: BlocksInput): Promise<BlocksEnd> {
  const { journal, contents } = session;
  const { experiment } = contents.begin;
  const { signal, onEvent } = input;
  const only = 'only' in input ? input.only : undefined;
  const todo = planObservations(experiment).filter(({ id }) => !finished.has(id) && (only?.has(id) ?? true));
  const began = (planned: PlannedRun) => onEvent({ type: 'observe', planned });
  const take = (run: Run): BlocksEnd => {
    journal.append({ type: 'observed', run });
    return run.status === 'interrupted' ? INTERRUPTED : { how: 'complete' };
  };
  if ('elsewhere' in input)
    return todo.length === 0 ? { how: 'complete' } : haveMade(session, input, todo, { began, take });
  let end: BlocksEnd = { how: 'complete' };
  const lane = async () => {
    while (end.how === 'complete' && todo.length > 0) {
      if (signal.aborted) end = INTERRUPTED;
      const planned = end.how === 'complete' ? todo.shift() : undefined;
      if (planned === undefined) return;
      began(planned);
      const { run } = await runOne({
        ...input.placeOf(planned.kernel),
        arm: armOf(experiment, planned),
        planned,
        signal,
        observe: 'ebpf',
        onSample: () => {},
      });
      const taken = take(run);
      if (taken.how !== 'complete') end = taken;
    }
  };
  await Promise.all(Array.from({ length: observedAtOnce(experiment, availableParallelism()) }, lane));
  return end;
}

/** Write a run's histograms and its proxy's configuration beside the journal. @returns the run, which names them */
export function keepRun(outcome: RunOutcome, { dir, contents }: Session<'run'>): Run {
  const { histograms } = outcome;
  const run = { ...outcome.run, ...keepConfiguration(outcome, dir) };
  if (histograms === null) return run;
  const hlog = join(HLOG_DIR, `${run.id}.hlog`);
  const text = renderHlog(
    histograms,
    run.startedAt,
    run.durationMs.load,
    `bindstorm ${contents.begin.experiment.name} ${run.id}`,
  );
  write(join(dir, hlog), text);
  return { ...run, hlog };
}

/** Written once: it is the arm's, the same in each run. */
function keepConfiguration({ run, configuration = {} }: RunOutcome, dir: string): Pick<Run, 'configuration'> {
  const paths = Object.keys(configuration).map((name) => join(CONFIGURATION_DIR, armId(run), name));
  if (paths.length === 0) return {};
  for (const [i, text] of Object.values(configuration).entries()) {
    const path = join(dir, paths[i]!);
    if (!existsSync(path)) write(path, text);
  }
  return { configuration: paths };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  naming(path, () => writeFileSync(path, text));
}
