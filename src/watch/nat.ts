/**
 * What `watch --nat` looks at: the ports of a NAT by NAT address and destination, from connection tracking. Reads only.
 */
import { EXIT, UserError } from '../domain/error.js';
import type { PortRange } from '../domain/units.js';
import {
  firstDropOf,
  makeNatLook,
  type NatLook,
  renderNatLine,
  renderNatMetrics,
  renderNatTable,
} from '../gauge/nat.js';
import { conntrackRemedy, readConntrackStats, takeConntrackCensus } from '../kernel/conntrack.js';
import { SystemCallError } from '../kernel/errno.js';
import { monotonicMicros } from '../kernel/libc.js';
import { openPlace, type Place } from './place.js';
import type { Watched } from './watched.js';

/**
 * A NAT in the namespace of a place.
 * @param ports that its rule names
 * @throws UserError when there is no such namespace, or it may not be entered
 */
export function watchNat(place: Place, ports: PortRange): Watched<NatLook> {
  const namespace = openPlace(place);
  const firstDrop = firstDropOf(ports);
  let before: number | null = null;
  return {
    async look() {
      const began = monotonicMicros();
      const at = new Date().toISOString();
      const [stats, census] = explained(() =>
        namespace.within(() => [readConntrackStats(), takeConntrackCensus()] as const),
      );
      const all = stats.insert_failed ?? 0;
      const insertFailed = { all, since: before === null ? null : all - before };
      before = all;
      const lookMs = (monotonicMicros() - began) / 1000;
      return makeNatLook({ at, namespace: namespace.id, ports, firstDrop, census, insertFailed, lookMs });
    },
    close: () => namespace.close(),
    rendering: { table: renderNatTable, line: renderNatLine },
    metrics: renderNatMetrics,
    hasEnded: () => false,
  };
}

/** What connection tracking refuses, in words. */
function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw new UserError(`connection tracking cannot be read (${error.message})`, {
      remedy: conntrackRemedy(error),
      exitCode: EXIT.noLab,
    });
  }
}
