/**
 * Progress on standard error: one line that is rewritten on a terminal, a line a block elsewhere.
 */

import type { ExperimentEvent } from '../experiment/controller.js';
import { expectedRunMs } from '../experiment/duration.js';
import type { PlannedRun } from '../experiment/order.js';
import { armId } from '../profile/kernels.js';
import type { Experiment } from '../profile/plan.js';
import type { Run } from '../results/schema.js';

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
}

/** A terminal is redrawn at most this often. */
const REDRAW_MS = 100;

export function createProgress(input: ProgressInput): Progress {
  if (input.quiet) return { onEvent: () => {}, note: (text) => void input.stream.write(`${text}\n`), end: () => {} };
  return input.stream.isTTY ? terminalProgress(input) : plainProgress(input);
}

function terminalProgress(input: ProgressInput): Progress {
  const { stream, now } = input;
  const clock = createClock(input);
  let line = '';
  let drawn = 0;
  const draw = (text: string, force: boolean) => {
    if (!force && now() - drawn < REDRAW_MS) return;
    drawn = now();
    line = text.slice(0, Math.max((stream.columns ?? 80) - 1, 20));
    stream.write(`\r\x1b[K${line}`);
  };
  return {
    onEvent(event) {
      if (event.type === 'run-end') clock.finished(event.run);
      if (event.type === 'sample') return draw(`${head(event.planned, clock)}  ${sampleText(event)}`, false);
      if (event.type === 'run-start') draw(head(event.planned, clock), true);
      if (event.type === 'observe') draw(`observing the proxy's system calls  ${armId(event.planned)}`, true);
      if (event.type === 'run-end' && event.run.status === 'failed') {
        stream.write(`\r\x1b[K${event.run.id} failed: ${event.run.problems[0]}\n`);
      }
    },
    note(text) {
      stream.write(`\r\x1b[K${text}\n${line}`);
    },
    end() {
      stream.write('\r\x1b[K');
    },
  };
}

function plainProgress(input: ProgressInput): Progress {
  const { stream, experiment } = input;
  const clock = createClock(input);
  return {
    onEvent(event) {
      if (event.type !== 'run-end') return;
      clock.finished(event.run);
      if (event.run.status === 'failed') stream.write(`${event.run.id} failed: ${event.run.problems[0]}\n`);
      if (clock.blockIsOver(event.run.block)) {
        stream.write(
          `${blockName(event.run, experiment)} done, ${event.done} of ${event.total} runs, ${clock.left()} left\n`,
        );
      }
    },
    note: (text) => void stream.write(`${text}\n`),
    end: () => {},
  };
}

export function blockName(
  { block, warmup }: Pick<Run, 'block' | 'warmup'>,
  { warmup: warmups, repeat }: Experiment,
): string {
  return warmup ? `warm-up ${block + 1}/${warmups}` : `block ${block - warmups + 1}/${repeat}`;
}

function head(planned: PlannedRun, clock: Clock): string {
  const width = String(clock.total).length;
  return `[${String(planned.order + 1).padStart(width)}/${clock.total}] ${clock.left()} left  ${blockName(planned, clock.experiment)}  ${armId(planned)}`;
}

function sampleText({ second }: Extract<ExperimentEvent, { type: 'sample' }>): string {
  const failures = Object.entries(second.outcomes)
    .filter(([outcome]) => outcome !== 'ok')
    .map(([outcome, n]) => `${n} ${outcome}`);
  const ports = second.portsInUse === null ? '' : `  ${second.portsInUse.toLocaleString('en')} ports in use`;
  return `${(second.outcomes.ok ?? 0).toLocaleString('en')} ok${failures.length > 0 ? `, ${failures.join(', ')}` : ''}${ports}`;
}

export interface Clock {
  readonly total: number;
  readonly experiment: Experiment;
  finished(run: Run): void;
  /** No run of the block is still to be made. */
  blockIsOver(block: number): boolean;
  /** Time left, in words. */
  left(): string;
}

/** Time left: what each arm's runs have taken so far, or are expected to take. */
export function createClock({
  experiment,
  planned,
  finished,
  now,
}: Pick<ProgressInput, 'experiment' | 'planned' | 'finished' | 'now'>): Clock {
  const taken = new Map<string, number[]>();
  const open = new Map(planned.filter(({ id }) => !finished.has(id)).map((run) => [run.id, run]));
  let begun = now();
  const expected = (run: PlannedRun) => {
    const seen = taken.get(armId(run));
    if (seen) return seen.reduce((sum, ms) => sum + ms, 0) / seen.length;
    return expectedRunMs(experiment, experiment.arms.find((arm) => armId(arm) === armId(run))!);
  };
  return {
    total: planned.length,
    experiment,
    finished(run) {
      open.delete(run.id);
      taken.set(armId(run), [...(taken.get(armId(run)) ?? []), now() - begun]);
      begun = now();
    },
    blockIsOver: (over) => ![...open.values()].some(({ block }) => block === over),
    left: () => formatLeft([...open.values()].reduce((sum, run) => sum + expected(run), 0)),
  };
}

export function formatLeft(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
