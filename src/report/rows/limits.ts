/**
 * The two walls of a proxy: where it became slow, by its response time against the ports in use, and where it first failed. Pure.
 */
import { median } from '../../analysis/statistics.js';
import { comparedRuns, TIMES } from '../../analysis/usable.js';
import { isPeerFailure } from '../../domain/outcome.js';
import type { Results, Run, Variant } from '../../results/schema.js';

/** So many times the quiet response time is slow: queues double it, a search that walks half of a range multiplies it by ten. */
const SLOW_FACTOR = 4;
/** Intervals with answers that a run must have, and those at its beginning that say what is quiet. */
const LEAST_INTERVALS = 8;
const QUIET_PART = 0.25;
/** Below so many ports to walk in vain nobody notices, and there is no slow point to look for. */
const LEAST_WALKED = 1_000;

export interface Limit {
  /** Ports in use, as measured; null: it was not reached. */
  readonly measured: number | null;
  /** As the model of the kernel expects; null: it has no such place. */
  readonly expected: number | null;
}

export interface LimitRow {
  readonly name: string;
  readonly slow: Limit & {
    /** Microseconds: median response time before the wall and behind it; null where there is none. */
    readonly before: number | null;
    readonly behind: number | null;
  };
  readonly hard: Limit;
}

/** One row for each arm with a proxy whose range is large enough for searches to become slow. */
export function limitRows({ variants }: Results): LimitRow[] {
  return variants.flatMap((variant) => {
    const expected = variant.prediction.slowWall ?? null;
    if (!variant.proxy || expected === null || expected.walked < LEAST_WALKED) return [];
    const runs = comparedRuns(variant);
    if (runs.length === 0) return [];
    const timed = comparedRuns(variant, TIMES);
    const walls = timed.flatMap((run) => slowLimitOf(run) ?? []);
    const found = walls.length * 2 > timed.length;
    return [
      {
        name: variant.name,
        slow: {
          measured: found ? median(walls.map(({ ports }) => ports)) : null,
          expected: expected.tuples,
          before: found ? median(walls.map(({ before }) => before)) : null,
          behind: found ? median(walls.map(({ behind }) => behind)) : null,
        },
        hard: { measured: hardLimit(variant, runs), expected: variant.prediction.concurrent },
      },
    ];
  });
}

interface MeasuredLimit {
  readonly ports: number;
  readonly before: number;
  readonly behind: number;
}

/**
 * The first interval from which on most answers are slow.
 * @returns null where the run was never slow, or is too short to tell
 */
export function slowLimitOf({ timeline }: Pick<Run, 'timeline'>): MeasuredLimit | null {
  const points = timeline.flatMap(({ portsInUse, response }) =>
    portsInUse === null || response === null || response === undefined ? [] : [{ ports: portsInUse, response }],
  );
  if (points.length < LEAST_INTERVALS) return null;
  const quiet = median(points.slice(0, Math.ceil(points.length * QUIET_PART)).map(({ response }) => response))!;
  const isSlow = ({ response }: { response: number }) => response >= SLOW_FACTOR * quiet;
  const at = points.findIndex((point, i) => {
    const rest = points.slice(i);
    // Two slow intervals at the least: one may be a hiccup of the machine.
    return isSlow(point) && rest.length >= 2 && rest.filter(isSlow).length * 4 >= rest.length * 3;
  });
  if (at <= 0) return null;
  const of = (part: typeof points) => median(part.map(({ response }) => response))!;
  // The ports of the interval before: within the first slow one the wall has been passed already.
  return { ports: points[at - 1]!.ports, before: of(points.slice(0, at)), behind: of(points.slice(at)) };
}

/** Ports in use in the first interval in which the proxy failed a request: by its answer, or by ending the connection. */
function hardLimit(variant: Variant, runs: readonly Run[]): number | null {
  const walls = runs.flatMap(({ timeline }) => {
    const first = timeline.find(({ outcomes }) => Object.keys(outcomes).some(isPeerFailure));
    return first?.portsInUse ?? [];
  });
  return variant.proxy && walls.length * 2 > runs.length ? median(walls) : null;
}
