/**
 * What is set up before a load begins: the roles, their network and sysctls, and the workers, waiting.
 */

import type { PortRange } from '../domain/units.js';
import type { SocketObserver } from '../kernel/sock-diag.js';
import type { Pool } from '../load/pool.js';
import type { RouterReport } from '../results/figures.js';
import type { Outcomes } from '../results/schema.js';
import type { Aftermath } from './recovery.js';
import type { Neighbours } from './roles/neighbours.js';
import type { Origin, OriginStats } from './roles/origin-client.js';
import type { ProxyRole, ProxyStats } from './roles/proxy-client.js';
import type { RouterRole } from './roles/router-client.js';

/** What loads: the pool, or the program under test itself. */
export interface Load extends Omit<Pool, 'shared'> {
  /** Only of a program that drives itself: the outcomes so far, which others count. */
  counted?(origin: OriginStats, proxy: ProxyStats): Outcomes;
}

export interface Setup {
  readonly pool: Load;
  readonly origin: Origin | null;
  readonly neighbours: Neighbours;
  /** The role of the proxy under test; null: the client is under test. */
  readonly proxy: ProxyRole | null;
  /** A router between the load and the origin, with its rules and its sysctls as read back; absent: there is none. */
  readonly router?: { readonly role: RouterRole; readonly made: Pick<RouterReport, 'rules' | 'sysctls'> };
  /** Looks at the sockets of this namespace; null where the proxy's role looks at its own. */
  readonly observer: SocketObserver | null;
  /** The ephemeral range of the role under test, and how many ports of it are reserved. */
  readonly range: PortRange;
  readonly reserved: number;
  /** Of the role under test, as read back. */
  readonly sysctls: Record<string, string>;
  /** Of the others. */
  readonly roles: { readonly client: Record<string, string>; readonly origin: Record<string, string> };
  /** Why the run cannot be compared, as far as it is known before it begins. */
  readonly problems: readonly string[];
  /** Nobody else has sockets where they are counted. */
  readonly alone: boolean;
  /** What `load.recovery` takes; null: the subject drives itself, and nobody can ask it. */
  readonly aftermath: Aftermath | null;
  close(): void;
}

/**
 * What is in the way of counting a run's sockets: those of another.
 * @param found sockets by state, before the load
 */
export function leftovers({ states }: { readonly states: Readonly<Record<string, number>> }): string[] {
  const found = Object.entries(states).map(([state, n]) => `${n} in ${state}`);
  return found.length > 0 ? [`the role under test had sockets before the load: ${found.join(', ')}`] : [];
}
