/**
 * How fast addresses fill, from one look to the next. Pure: instants are given.
 */
import type { AddressReading, Wall } from './reading.js';

export interface Growth {
  /** Ports (or sockets to the busiest destination) a second; negative when they come back. */
  readonly perSecond: number;
  /** Until the hard wall at this rate; 0 when it is reached; null while nothing grows. */
  readonly secondsLeft: number | null;
}

export interface Trend {
  /**
   * Note a look. @param at seconds on any clock that does not go back
   * @returns growth by local address, over the last minute at most; none for an address that is seen for the first time
   */
  note(at: number, readings: readonly AddressReading[], hardWall: number): Map<string, Growth>;
}

/** TIME_WAIT lasts 60 s: over this long the ports that come back are in balance with those that are taken. */
const WINDOW_SECONDS = 60;

interface Point {
  readonly at: number;
  readonly used: number;
}

interface Series {
  readonly wall: Wall;
  readonly points: Point[];
}

/**
 * Keeps the looks of the last minute.
 * @param window seconds over which growth is measured
 */
export function createTrend(window = WINDOW_SECONDS): Trend {
  let known = new Map<string, Series>();
  return {
    note(at, readings, hardWall) {
      const growths = new Map<string, Growth>();
      // Addresses that have no socket any more are forgotten with the old map.
      const next = new Map<string, Series>();
      for (const { address, wall, used } of readings) {
        const before = known.get(address);
        // What was counted changed its meaning: there is nothing to compare with.
        const points = before?.wall === wall ? before.points : [];
        points.push({ at, used });
        while (points.length > 2 && at - points[1]!.at >= window) points.shift();
        next.set(address, { wall, points });
        const growth = growthOf(points, hardWall);
        if (growth) growths.set(address, growth);
      }
      known = next;
      return growths;
    },
  };
}

function growthOf(points: readonly Point[], hardWall: number): Growth | null {
  const [first, last] = [points[0]!, points.at(-1)!];
  const seconds = last.at - first.at;
  if (seconds <= 0) return null;
  const perSecond = (last.used - first.used) / seconds;
  const left = Math.max(0, hardWall - last.used);
  return { perSecond, secondsLeft: left === 0 ? 0 : perSecond > 0 ? left / perSecond : null };
}
