/**
 * What is watched: one namespace, or all of them; how a look is made, shown and judged.
 */
import type { Look } from '../gauge/look.js';
import { renderMetrics } from '../gauge/metrics.js';
import type { Level } from '../gauge/reading.js';
import type { Refusals } from '../gauge/refused.js';
import { renderLine, renderTable } from '../gauge/table.js';
import type { ObserverOptions } from './observer.js';
import type { Place } from './place.js';
import type { Rendering } from './screen.js';
import { openSource } from './source.js';

export interface WatchedLook {
  readonly level: Level;
  readonly refused: Refusals | null;
}

export interface Watched<L extends WatchedLook> {
  /** Rejects with a UserError when it is not to be looked at any more. */
  look(): Promise<L>;
  close(): void;
  readonly rendering: Rendering<L>;
  /** For Prometheus. @param looks how many there have been, this one included */
  metrics(look: L, looks: number): string;
  /** Whether the process that it was about has ended. */
  hasEnded(look: L): boolean;
}

/**
 * The namespace of a place.
 * @param failures whether refused calls are counted too
 * @throws UserError when there is none, or it may not be entered
 */
export async function watchPlace(place: Place, options: ObserverOptions, failures: boolean): Promise<Watched<Look>> {
  const source = openSource(place, options);
  const { namespace, within } = source;
  const count = failures
    ? await (await import('./failures.js')).countFailures(Number(namespace.replace(/\D+/g, '')))
    : null;
  return {
    async look() {
      const look = source.look();
      if (count === null) return look;
      return { ...look, refused: await count.read((id, work) => (id === namespace ? within(work) : null)) };
    },
    close() {
      count?.close();
      source.close();
    },
    rendering: { table: renderTable, line: renderLine },
    metrics: renderMetrics,
    hasEnded: ({ process }) => process !== null && !process.running,
  };
}
