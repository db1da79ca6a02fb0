/**
 * The NATs of the namespaces that `watch --all` looks into: what connection tracking has translated, and what it dropped. Reads only.
 */
import type { PortRange } from '../domain/units.js';
import { firstDropOf } from '../gauge/nat.js';
import { makeNatUse, type NatUse } from '../gauge/node-nat.js';
import { conntrackRemedy, readConntrackStats } from '../kernel/conntrack.js';
import { SystemCallError } from '../kernel/errno.js';
import { takeNatPools } from '../kernel/nat-pools.js';
import { readSysctl } from '../kernel/sysctl.js';

export interface NatReader {
  /**
   * The NAT of the network namespace that the calling thread is in.
   * @param namespace its name, under which what was dropped before is known
   * @returns null: nothing is translated there, and nothing was
   */
  read(namespace: string): NatUse | null;
  /** Why one that is there could not be read, at the latest look; null: there was none such. */
  unread(): string | null;
  /** Before a look: forget why, and what is known of namespaces that are gone. */
  begin(isThere: (namespace: string) => boolean): void;
}

/** @param ports of one NAT address that the rules name */
export function createNatReader(ports: PortRange): NatReader {
  const before = new Map<string, number>();
  let firstDrop: NatUse['firstDrop'] | null = null;
  let reason: string | null = null;
  return {
    read(namespace) {
      // Of this namespace; a table that all share is walked only where there is something in it.
      const entries = readSysctl('net.netfilter.nf_conntrack_count');
      const isKnown = before.has(namespace);
      if (!isKnown && (!entries.ok || entries.value === '0')) return null;
      try {
        const pools = takeNatPools();
        if (pools.length === 0 && !isKnown) return null;
        const all = readConntrackStats().insert_failed ?? 0;
        const last = before.get(namespace);
        before.set(namespace, all);
        firstDrop ??= firstDropOf(ports);
        const insertFailed = { all, since: last === undefined ? null : all - last };
        return makeNatUse(pools, { ports, firstDrop, insertFailed });
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        reason = `${error.message}; ${conntrackRemedy(error)}`;
        return null;
      }
    },
    unread: () => reason,
    begin(isThere) {
      reason = null;
      for (const namespace of before.keys()) if (!isThere(namespace)) before.delete(namespace);
    },
  };
}
