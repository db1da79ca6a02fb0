/**
 * A fresh place for the next run of an agent that has served another: a network namespace that nobody has used. With the old one go its
 * sockets in TIME_WAIT (inet_twsk_purge(), net/ipv4/inet_timewait_sock.c), its addresses, routes, counters and sysctls. What is the whole
 * kernel's stays, so a guest in which a run has set that serves no other (lab/vm/guest-pool.ts).
 */
import { readFileSync } from 'node:fs';
import { parseSockstat } from '../../kernel/counters.js';
import { enterFreshNamespace } from '../../kernel/namespace.js';
import { letThreadsStay, moveThreads } from '../../load/staying.js';
import { collectGarbage } from '../../machine/garbage.js';
import { type LaunchedOrigin, launchOrigin, rolesEnded } from '../roles/launch.js';
import { stayingOrigin } from '../roles/origin-client.js';

/** A closing handshake takes milliseconds; a socket whose other end is gone is sent for minutes (tcp_orphan_retries). */
const PATIENCE_MS = 2_000;
const LOOK_EVERY_MS = 5;

/** TCP sockets that the kernel had before the first run, where nobody else has any. */
let atFirst: number | undefined;
/** The origin of all runs of this agent: the start of its process costs as much as a small run. */
let origin: (LaunchedOrigin & { renew(): Promise<void> }) | undefined;

/**
 * Enter a fresh network namespace, once all that the last run has started has ended; its origin does so too.
 * @param waiting an origin that is already on its way up, and was not used
 * @param ownKernel nobody else uses this kernel
 * @returns the origin of the next run, which stays when that has ended
 * @throws Error when sockets of the last run are left in a kernel of its own: they would count against its limits (tcp_max_orphans, tcp_mem)
 */
export async function enterFreshPlace(waiting: LaunchedOrigin | null, ownKernel: boolean): Promise<LaunchedOrigin> {
  if (ownKernel) atFirst ??= allocated();
  await origin?.renew().catch(() => {
    origin = undefined;
  });
  await rolesEnded(origin?.child ?? waiting?.child);
  enterFreshNamespace();
  letThreadsStay();
  await moveThreads();
  if (origin === undefined) {
    const launched = waiting ?? launchOrigin(true);
    origin = { ...launched, ...stayingOrigin(launched) };
  }
  if (atFirst !== undefined) await socketsGone(atFirst);
  collectGarbage();
  return origin;
}

/** @param before TCP sockets that the kernel had */
async function socketsGone(before: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (allocated() > before) {
    if (performance.now() > deadline)
      throw new Error(`${allocated() - before} TCP sockets of the last run are left in the kernel`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** TCP sockets of all namespaces, those in TIME_WAIT aside (sockstat_seq_show(), net/ipv4/proc.c). */
function allocated(): number {
  return parseSockstat(readFileSync('/proc/net/sockstat', 'utf8'))['sockstat.TCP.alloc'] ?? 0;
}
