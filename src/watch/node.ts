/**
 * Every network namespace of this machine: those of processes, and those that are kept by a name. Takes root (CAP_SYS_ADMIN to enter them,
 * CAP_SYS_PTRACE to see whose they are).
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, UserError, unlessThrown } from '../domain/error.js';
import type { PortRange } from '../domain/units.js';
import { makeNodeLook, type NamespaceLook, type NodeLook, type SkippedNamespace, usesOf } from '../gauge/node-look.js';
import type { Workload } from '../gauge/workload.js';
import { createDatagramCensus } from '../kernel/datagram-census.js';
import { type NetworkNamespace, openNamespace } from '../kernel/namespace.js';
import { createCensus } from '../kernel/socket-census.js';
import { type Processes, processesByNamespace } from '../kernel/socket-owners.js';
import { readSocketTotals, type SocketTotals } from '../kernel/socket-totals.js';
import { createNatReader } from './node-nat.js';
import { type Observer, type ObserverOptions, openObserver } from './observer.js';
import { NAMED, reasonOf } from './place.js';
import { createWorkloads } from './workloads.js';

export interface NodeSource {
  /** @throws UserError when no namespace can be looked into */
  look(): Promise<NodeLook>;
  /** Do something in one of the namespaces of the latest look; null: it is none of them. */
  within<T>(id: string, work: () => T): T | null;
  close(): void;
}

/** A namespace that is there now. */
interface There {
  readonly id: string;
  /** A file of it. */
  readonly path: string;
  readonly pids: readonly number[];
  /** By which it is kept; null: by its processes alone. */
  readonly name: string | null;
}

/** What the kernel's counters say of one, before its sockets are listed. */
interface Counted {
  readonly there: There;
  readonly workload: Workload;
  readonly totals: Omit<SocketTotals, 'machine'> | null;
}

interface Open {
  readonly namespace: NetworkNamespace;
  readonly observer: Observer;
}

/** Processes of a namespace by which it is named. */
const MOST_ASKED = 50;
/** Where namespaces are kept by a name; Docker has a folder of its own. */
const FOLDERS = [NAMED, '/run/docker/netns'];

/**
 * Begin to look at all of them. They share the memory of one census, since they are counted one after the other.
 * @param natPorts of one NAT address, which the rules of NATs name
 */
export function openNode(options: ObserverOptions, natPorts: PortRange): NodeSource {
  const nats = createNatReader(natPorts);
  const census = options.transport === 'udp' ? createDatagramCensus() : createCensus();
  const workloads = createWorkloads();
  const open = new Map<string, Open>();

  function opened(there: There): Open {
    const known = open.get(there.id);
    if (known) return known;
    const namespace = openNamespace(there.path);
    try {
      const one = { namespace, observer: openObserver(namespace, census, options) };
      open.set(there.id, one);
      return one;
    } catch (error) {
      namespace.close();
      throw error;
    }
  }

  function forget(isGone: (id: string) => boolean): void {
    for (const [id, { observer, namespace }] of open) {
      if (!isGone(id)) continue;
      observer.close();
      namespace.close();
      open.delete(id);
    }
  }

  function lookAt({ there, workload, totals }: Counted, machine: number, processes: Processes): NamespaceLook {
    const { namespace, observer } = opened(there);
    const known = totals && { ...totals, machine };
    const { process: _, refused: __, ...look } = observer.look(() => processes, null, known);
    return {
      ...look,
      workload,
      processes: there.pids.length,
      workloads: usesOf(look.owners, (pid) => workloads.ofProcess(pid)),
      nat: namespace.within(() => nats.read(there.id)),
    };
  }

  return {
    async look() {
      const at = new Date().toISOString();
      const processes = processesByNamespace();
      const all = namespacesOf(processes);
      forget((id) => !all.some((there) => there.id === id));
      await workloads.refresh(all.flatMap(({ pids }) => pids.slice(0, MOST_ASKED)));
      const host = workloads.ofProcess(1)?.container === null ? unlessThrown(() => idOf('/proc/1/ns/net'), null) : null;
      nats.begin((id) => all.some((there) => there.id === id));
      const looks: NamespaceLook[] = [];
      const skipped: SkippedNamespace[] = [];
      /** Where a namespace is gone, or may not be entered, the others are told all the same. */
      const attempt = <T>(there: There, workload: Workload, work: () => T): T[] => {
        try {
          return [work()];
        } catch (error) {
          if (error instanceof UserError) throw error;
          skipped.push({ namespace: there.id, workload, reason: reasonOf(error) });
          forget((id) => id === there.id);
          return [];
        }
      };
      const counted = all.flatMap((there): Counted[] => {
        const workload = workloads.ofNamespace(there.pids, there.name, there.id === host);
        const totals = () => opened(there).namespace.within(readSocketTotals);
        return attempt(there, workload, () => ({ there, workload, totals: totals() }));
      });
      const machine = counted.reduce((sum, { totals }) => sum + (totals?.hashed ?? 0), 0);
      for (const one of counted) looks.push(...attempt(one.there, one.workload, () => lookAt(one, machine, processes)));
      if (looks.length === 0)
        throw new UserError(
          `none of the ${all.length} network namespaces of this machine may be looked into (${skipped[0]?.reason ?? 'this user sees none'})${process.getuid?.() === 0 ? '' : '; run it as root'}`,
          { exitCode: EXIT.noLab },
        );
      return makeNodeLook(at, looks, skipped, nats.unread());
    },
    within: (id, work) => open.get(id)?.namespace.within(work) ?? null,
    close: () => forget(() => true),
  };
}

function namespacesOf({ byNamespace }: Processes): There[] {
  const there = new Map<string, There>();
  for (const [id, pids] of byNamespace) there.set(id, { id, path: `/proc/${pids[0]}/ns/net`, pids, name: null });
  for (const folder of FOLDERS) {
    for (const name of unlessThrown(() => readdirSync(folder), [])) {
      const path = join(folder, name);
      const id = unlessThrown(() => idOf(path), null);
      if (id === null) continue;
      const known = there.get(id);
      there.set(id, { id, path: known?.path ?? path, pids: known?.pids ?? [], name: known?.name ?? name });
    }
  }
  return [...there.values()];
}

function idOf(path: string): string {
  return `net:[${statSync(path).ino}]`;
}
