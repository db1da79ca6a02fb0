/** What the server of a live page tells the page: server-sent events with JSON data. */
import type { Comparison, Latency, Second, Variant } from '../../results/schema.js';
import type { AddressWalls } from '../rows/addresses.js';

/** What of a second the charts need. */
export type LiveSecond = Pick<Second, 't' | 'attempts' | 'outcomes' | 'portsInUse' | 'portsPerAddress'>;

export interface LiveArm {
  readonly name: string;
  readonly addresses: Variant['addresses'];
  readonly walls: AddressWalls;
  /** Runs of it that are finished, warm-ups included. */
  readonly done: number;
  /** Pairs after which everything asked of it was decided, so that it gets no more runs; null: it is not stopped. */
  readonly stoppedAfter: number | null;
  /** The latest of them; null: none yet. */
  readonly last: {
    readonly id: string;
    readonly status: string;
    readonly outcomes: Readonly<Record<string, number>>;
    readonly timeline: readonly LiveSecond[];
    readonly total: Pick<Latency, 'count' | 'percentiles'> | null;
  } | null;
}

/** A machine of a fleet, as far as it was heard since this command was started. */
export interface LiveMachine {
  readonly name: string;
  /** The run that it makes; null: none that was heard of. */
  readonly run: string | null;
  /** Runs that it has made, alone or with others. */
  readonly done: number;
  /** Attempts that ended in its latest second, a second; null: it has said none. */
  readonly perSecond: number | null;
  /** Attempts that ended, by outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** What the runs so far say about one metric. A verdict is given at a look, or in the end. */
export interface LiveEffect {
  readonly metric: string;
  /** One an arm that has a pair of runs with its baseline, by the arm's name. */
  readonly rows: readonly ({ readonly name: string } & Pick<
    Comparison,
    'unit' | 'kind' | 'difference' | 'ci' | 'pairs' | 'margin'
  >)[];
}

export interface LiveRun {
  readonly arm: string;
  readonly id: string;
  readonly timeline: readonly LiveSecond[];
  readonly over: boolean;
}

/** All that the page shows: sent to a page that connects, and whenever a run begins or ends. */
export interface LiveState {
  readonly experiment: string;
  readonly description: string | null;
  /** The baseline first. */
  readonly arms: readonly LiveArm[];
  readonly done: number;
  readonly total: number;
  /** `12 s`. */
  readonly left: string;
  /** What is being done, in words. */
  readonly phase: string;
  /** The goal of the experiment. */
  readonly effect: LiveEffect;
  /** Pairs after which the arms are judged; null: once, when all runs are done. */
  readonly looks: readonly number[] | null;
  /** The run in progress; between two runs the last one; null before the first. */
  readonly current: LiveRun | null;
  /** Of a fleet, in the order of their names. */
  readonly machines: readonly LiveMachine[];
}

export type LiveMessage =
  | { readonly type: 'state'; readonly state: LiveState }
  /** One more second of the run in progress. */
  | { readonly type: 'second'; readonly second: LiveSecond; readonly left: string }
  /** What the machines of a fleet do, some times a second at most. */
  | { readonly type: 'machines'; readonly machines: readonly LiveMachine[] }
  /** It is over. The report is at this path of the server, for a few seconds, and then in this file. */
  | { readonly type: 'end'; readonly report: string; readonly file: string };
