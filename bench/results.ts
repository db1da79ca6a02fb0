/**
 * What a bench run leaves behind (`--json`), and what is computed from it. Pure.
 */
import { quantile } from '../src/analysis/statistics.js';
import type { Environment } from '../src/results/schema.js';
import type { CallCost } from './calls.js';
import { CONTENDERS, type Contender, canDo, type Sample, STRATEGIES, type Strategy } from './churn.js';
import type { SnapshotCost } from './sock-diag.js';

export interface Settings {
  readonly rounds: number;
  readonly attempts: number;
  readonly warmUp: number;
  readonly inFlight: number;
  readonly sources: number;
  readonly destinations: number;
  readonly seed: number;
}

export interface BenchResults {
  readonly schemaVersion: 1;
  /** ISO 8601, when it began. */
  readonly date: string;
  readonly environment: Environment;
  /** The C compiler, or null when there was none. */
  readonly compiler: string | null;
  /** Load averages of one minute (proc(5)) before and after: above 0.5 before, something else was running too. */
  readonly loadAverage: { readonly before: number; readonly after: number };
  readonly settings: Settings;
  readonly samples: readonly RoundSample[];
  readonly snapshots: readonly SnapshotCost[];
  readonly calls: { readonly javascript: CallCost; readonly c: CallCost | null };
}

export interface RoundSample extends Sample {
  readonly round: number;
  readonly strategy: Strategy;
  readonly contender: Contender;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Row {
  readonly strategy: Strategy;
  readonly contender: Contender;
  /** New connections per second. */
  readonly rate: Spread;
  /** CPU microseconds per connection. */
  readonly cpu: Spread;
  /** bindstorm's rate divided by this contender's, of the same round; null in bindstorm's own row. */
  readonly rateRatio: Spread | null;
  /** The same of connections per CPU second, which other programs on the machine disturb less. */
  readonly cpuRatio: Spread | null;
}

/** One row for each strategy and contender that was measured, in the order of their lists. */
export function summarise(samples: readonly RoundSample[]): Row[] {
  return STRATEGIES.flatMap((strategy) =>
    CONTENDERS.filter((contender) => canDo(contender, strategy)).flatMap((contender): Row[] => {
      const own = samples.filter((sample) => sample.strategy === strategy && sample.contender === contender);
      if (own.length === 0) return [];
      const ratios = (value: (sample: Sample) => number): Spread | null => {
        if (contender === 'bindstorm') return null;
        return spread(own.map((sample) => value(counterpart(samples, sample)) / value(sample)));
      };
      return [
        {
          strategy,
          contender,
          rate: spread(own.map(rateOf)),
          cpu: spread(own.map((sample) => 1e6 / perCpuSecond(sample))),
          rateRatio: ratios(rateOf),
          cpuRatio: ratios(perCpuSecond),
        },
      ];
    }),
  );
}

/** bindstorm's sample of the same round and strategy: what the machine did then, it did to both. */
function counterpart(samples: readonly RoundSample[], { round, strategy }: RoundSample): RoundSample {
  const found = samples.find(
    (sample) => sample.contender === 'bindstorm' && sample.round === round && sample.strategy === strategy,
  );
  if (!found) throw new Error(`round ${round} has no sample of bindstorm with ${strategy}`);
  return found;
}

const rateOf = ({ timed, seconds }: Sample) => timed / seconds;
const perCpuSecond = ({ timed, cpuSeconds }: Sample) => timed / cpuSeconds;

/** @throws RangeError for an empty list */
export function spread(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), min: Math.min(...values), max: Math.max(...values) };
}

export interface SnapshotRow {
  readonly sockets: number;
  /** Milliseconds of one snapshot. */
  readonly snapshot: Spread;
  /** Milliseconds of the dump alone, read by nobody. */
  readonly dump: Spread;
  /** What a socket adds, µs: over a snapshot that finds none. Null in that row itself. */
  readonly perSocket: { readonly snapshot: number; readonly reading: number } | null;
}

/** In the order of the measurements, of which the one without sockets is the base. */
export function summariseSnapshots(costs: readonly SnapshotCost[]): SnapshotRow[] {
  const base = costs.find(({ sockets }) => sockets === 0);
  if (!base) return [];
  const empty = quantile(base.snapshots, 0.5);
  return costs.map(({ sockets, snapshots, dumps }) => {
    const perSocket = (milliseconds: number) => (milliseconds / sockets) * 1000;
    const reading = quantile(
      snapshots.map((snapshot, i) => snapshot - dumps[i]!),
      0.5,
    );
    return {
      sockets,
      snapshot: spread(snapshots),
      dump: spread(dumps),
      perSocket:
        sockets === 0 ? null : { snapshot: perSocket(quantile(snapshots, 0.5) - empty), reading: perSocket(reading) },
    };
  });
}

/** The value below which so many percent lie, by nearest rank. @throws RangeError for an empty list */
export function percentile(values: readonly number[], percentage: number): number {
  if (values.length === 0) throw new RangeError('no values');
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(Math.ceil((percentage / 100) * sorted.length) - 1, 0)]!;
}
