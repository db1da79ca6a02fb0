/**
 * Progress on standard error: one line that is rewritten on a terminal; elsewhere a line a block, and what is waited for every ten seconds.
 */

import { counted, listed } from '../analysis/format.js';
import { formatLeft } from '../domain/format.js';
import { grouped } from '../domain/grouped.js';
import { printable, printableLines, printableWords } from '../domain/printable.js';
import type { ExperimentEvent } from '../experiment/blocks.js';
import { type KnownMachine, type RunCost, runCost } from '../experiment/duration.js';
import type { PlannedRun } from '../experiment/order.js';
import { createHeartbeat } from '../machine/heartbeat.js';
import { armId } from '../plan/kernels.js';
import type { Experiment } from '../plan/plan.js';
import type { Run, Second } from '../results/schema.js';

export interface Progress {
  onEvent(event: ExperimentEvent): void;
  /** A line of its own, above the progress line. */
  note(text: string): void;
  end(): void;
}

export interface ProgressInput {
  readonly experiment: Experiment;
  readonly planned: readonly PlannedRun[];
  /** Ids of the runs that an earlier call has finished. */
  readonly finished: ReadonlySet<string>;
  readonly stream: NodeJS.WriteStream;
  readonly quiet: boolean;
  readonly now: () => number;
  /** How many times as long as on a quiet machine the CPU's part of a run takes, as it seemed before the first run; absent: as long. */
  readonly slower?: number;
  /** By the kernel's name; absent: nothing is known of the machine. */
  readonly environmentOf?: (kernel: string | undefined) => KnownMachine;
  /** Ports that an arm can have in use, by its id; null: nobody knows. */
  readonly roomOf?: (arm: string) => number | null;
  /** Milliseconds between two signs of life; tests have their own. */
  readonly everyMs?: number;
}

/** A terminal is redrawn at most this often. */
const REDRAW_MS = 100;

/** Progress for a terminal, for a log, or, with `quiet`, for nobody. */
export function createProgress(input: ProgressInput): Progress {
  if (input.quiet) return { onEvent: () => {}, note: (text) => void input.stream.write(`${text}\n`), end: () => {} };
  return input.stream.isTTY ? terminalProgress(input) : plainProgress(input);
}

function terminalProgress(input: ProgressInput): Progress {
  const { stream, now } = input;
  const clock = createClock(input);
  let line = '';
  let drawn = 0;
  let since = 0;
  const draw = (text: string, force: boolean) => {
    if (!force && now() - drawn < REDRAW_MS) return;
    drawn = now();
    line = printable(text).slice(0, Math.max((stream.columns || 80) - 1, 20));
    stream.write(`\r\x1b[K${line}`);
  };
  return {
    onEvent(event) {
      if (event.type === 'run-end') clock.finished(event.run);
      if (event.type === 'sample') {
        const { planned, second } = event;
        const text = sampleText(second, since, input.roomOf?.(armId(planned)) ?? null);
        since = second.t;
        return draw(`${head(planned, clock)}  ${text}`, false);
      }
      if (event.type === 'run-start') since = 0;
      if (event.type === 'run-start') clock.started(event.planned);
      if (event.type === 'run-start') draw(head(event.planned, clock), true);
      if (event.type === 'waiting') draw(`${head(event.planned, clock)}  waiting for ${event.what}`, true);
      if (event.type === 'observe') draw(`observing the proxy's system calls  ${armId(event.planned)}`, true);
      if (event.type === 'look') clock.stopped(event.stopped);
      if (event.type === 'look') stream.write(`\r\x1b[K${lookText(event)}\n`);
      if (event.type === 'run-end' && event.run.status === 'failed') {
        stream.write(`\r\x1b[K${event.run.id} failed: ${printableWords(event.run.problems[0] ?? '')}\n`);
      }
    },
    note(text) {
      stream.write(`\r\x1b[K${printableLines(text)}\n${line}`);
    },
    end() {
      stream.write('\r\x1b[K');
    },
  };
}

function plainProgress(input: ProgressInput): Progress {
  const { stream, experiment } = input;
  const clock = createClock(input);
  const heartbeat = createHeartbeat((text) => stream.write(`${printable(text)}\n`), input.everyMs);
  let sampled = '';
  let since = 0;
  return {
    onEvent(event) {
      if (event.type === 'observe')
        heartbeat.waitFor(() => `the run that observes the proxy's calls, ${armId(event.planned)}`);
      if (event.type === 'waiting') {
        sampled = '';
        // With samples it goes as it should, and who reads `waiting` takes it for a fault.
        heartbeat.waitFor(
          () => `${sampled === '' ? `${event.what}: ` : ''}${head(event.planned, clock)}${sampled}`,
          () => (sampled === '' ? 'waiting for' : 'running'),
        );
      }
      if (event.type === 'run-start') since = 0;
      if (event.type === 'run-start') clock.started(event.planned);
      if (event.type === 'look') {
        clock.stopped(event.stopped);
        stream.write(`${lookText(event)}\n`);
      }
      if (event.type === 'sample') {
        sampled = `  ${sampleText(event.second, since, input.roomOf?.(armId(event.planned)) ?? null)}`;
        since = event.second.t;
      }
      if (event.type !== 'run-end') return;
      heartbeat.waitFor(null);
      clock.finished(event.run);
      if (event.run.status === 'failed') stream.write(`${event.run.id} failed: ${event.run.problems[0]}\n`);
      if (clock.blockIsOver(event.run.block)) {
        heartbeat.said();
        stream.write(
          `${blockName(event.run, experiment)} done, ${event.done} of ${event.total} runs, ${clock.left()} left\n`,
        );
      }
    },
    note: (text) => void stream.write(`${text}\n`),
    end: heartbeat.stop,
  };
}

/** `warm-up 1/2`, `block 3/20`. */
export function blockName(
  { block, warmup }: Pick<Run, 'block' | 'warmup'>,
  { warmup: warmups, repeat }: Experiment,
): string {
  return warmup ? `warm-up ${block + 1}/${warmups}` : `block ${block - warmups + 1}/${repeat}`;
}

/** `after 3 pairs wider-range and no-port need no more runs`. */
export function lookText({ pairs, stopped }: Extract<ExperimentEvent, { type: 'look' }>): string {
  const arms = [...stopped.keys()];
  return printable(
    `after ${counted(pairs, 'pair')} ${listed(arms)} ${arms.length === 1 ? 'needs' : 'need'} no more runs`,
  );
}

function head(planned: PlannedRun, clock: Clock): string {
  const total = clock.total();
  const width = String(total).length;
  return `[${String(clock.number(planned)).padStart(width)}/${total}] ${clock.left()} left  ${blockName(planned, clock.experiment)}  ${armId(planned)}`;
}

/**
 * `20,000/s: 12,000 ok, 8,000 bind:EADDRINUSE; 28,000 of 28,232 ports`: attempts and outcomes of one second.
 * @param since when the second began, seconds since the load started
 * @param room ports that the arm can have in use; null: nobody knows
 */
function sampleText({ t, attempts, outcomes, portsInUse }: Second, since: number, room: number | null): string {
  const length = Math.max(t - since, 0.02);
  const perSecond = (count: number) => grouped(Math.round(count / length));
  const parts = Object.entries(outcomes)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => Number(b === 'ok') - Number(a === 'ok'))
    .map(([outcome, count]) => `${perSecond(count)} ${outcome}`);
  const of = room === null ? '' : ` of ${grouped(room)}`;
  const ports = portsInUse === null ? '' : `; ${grouped(portsInUse)}${of} ports`;
  return `${perSecond(attempts)}/s${parts.length > 0 ? `: ${parts.join(', ')}` : ''}${ports}`;
}

export interface Clock {
  /** Runs that are made in all, as far as that is known. */
  total(): number;
  readonly experiment: Experiment;
  started(planned: PlannedRun): void;
  /** Which of all runs this one is, from 1. */
  number(planned: PlannedRun): number;
  /** Arms of which no more runs are made, by their ids. */
  stopped(arms: ReadonlyMap<string, string>): void;
  finished(run: Run): void;
  /** No run of the block is still to be made. */
  blockIsOver(block: number): boolean;
  /** Time left, in words. */
  left(): string;
}

/** So many of the latest runs say how long one takes now. */
const LATEST = 5;

/** Time left: what the latest runs of each arm have taken, and for an arm without one what it is expected to, as slow as other arms' were. */
export function createClock({
  experiment,
  planned,
  finished,
  now,
  slower: atFirst = 1,
  environmentOf,
}: Pick<ProgressInput, 'experiment' | 'planned' | 'finished' | 'now' | 'slower' | 'environmentOf'>): Clock {
  const taken = new Map<string, number[]>();
  /** How many times as long as on a quiet machine the CPU's part of each run took. */
  const slower: number[] = [];
  /** Of the runs that were begun: which one it was. */
  const numbers = new Map<string, number>();
  let total = planned.length;
  const open = new Map(planned.filter(({ id }) => !finished.has(id)).map((run) => [run.id, run]));
  const before = planned.length - open.size;
  const atOnce = experiment.atOnce ?? 1;
  let begun = now();
  const costs = new Map<string, RunCost>();
  const costOf = (id: string): RunCost => {
    const arm = experiment.arms.find((each) => armId(each) === id)!;
    const cost = costs.get(id) ?? runCost(experiment, arm, environmentOf?.(arm.kernel));
    costs.set(id, cost);
    return cost;
  };
  const expected = (id: string) => {
    const seen = taken.get(id);
    if (seen) return mean(seen);
    const { clockMs, cpuMs } = costOf(id);
    return (clockMs + cpuMs * (slower.length > 0 ? mean(slower) : atFirst)) / atOnce;
  };
  return {
    total: () => total,
    experiment,
    started: ({ id }) => void numbers.set(id, before + numbers.size + 1),
    number: ({ id }) => numbers.get(id) ?? 0,
    stopped(arms) {
      for (const [id, run] of open) {
        if (!arms.has(armId(run))) continue;
        open.delete(id);
        total--;
      }
    },
    finished(run) {
      open.delete(run.id);
      const id = armId(run);
      const ms = now() - begun;
      taken.set(id, [...(taken.get(id) ?? []), ms].slice(-LATEST));
      const { clockMs, cpuMs } = costOf(id);
      slower.push(Math.max(0, (ms * atOnce - clockMs) / Math.max(1, cpuMs)));
      slower.splice(0, slower.length - LATEST);
      begun = now();
    },
    blockIsOver: (over) => ![...open.values()].some(({ block }) => block === over),
    left: () => formatLeft([...open.values()].reduce((sum, run) => sum + expected(armId(run)), 0)),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
