/**
 * Who has the sockets of a namespace, looked for again only now and then: processes come and go slowly, and their descriptors are many.
 */
import type { Held } from '../gauge/cause.js';
import type { LookOwners } from '../gauge/look.js';
import { type Census, isListenerLabel, ofSocketLabel } from '../kernel/socket-census.js';
import { type FoundOwners, findOwners, type Process, type Processes } from '../kernel/socket-owners.js';

/** The owners of one search. */
export interface Ownership {
  readonly owners: LookOwners;
  /** Who had most sockets of an address, of any state or of one; null: nobody that is known. */
  holder(address: string, state?: string): Held | null;
  /** Who listens with this socket; null: not known. */
  listener(inode: number): Process | null;
}

/** Nobody was looked for. */
export const NO_OWNERSHIP: Pick<Ownership, 'holder' | 'listener'> = { holder: () => null, listener: () => null };

export type OwnerSearch = (census: Census, now: number, processes: () => Processes) => Ownership;

const EVERY_SECONDS = 10;

/** @param namespace `net:[4026531840]` @returns a search that is made again after ten seconds, by `now` in seconds */
export function createOwnerSearch(namespace: string): OwnerSearch {
  let latest: Ownership | null = null;
  let foundAt = 0;
  return (census, now, processes) => {
    if (latest === null || now - foundAt >= EVERY_SECONDS) {
      const found = findOwners({ inodes: census.inodes, namespace, processes, isApart: isListenerLabel });
      latest = ownershipOf(found, census.numberOf);
      foundAt = now;
    }
    return latest;
  };
}

function ownershipOf({ owners, apart, ...rest }: FoundOwners, numberOf: Census['numberOf']): Ownership {
  return {
    owners: { owners: owners.map(({ labels, ...owner }) => ({ ...owner, states: statesOf(labels) })), ...rest },
    holder(address, state) {
      const number = numberOf(address);
      const held = owners.map(({ labels, pid, command, estimated }) => ({
        pid,
        command,
        estimated,
        sockets: sumOf(labels, (of) => of.address === number && (state === undefined || of.state === state)),
      }));
      const most = held.reduce<Held | null>((best, each) => (each.sockets > (best?.sockets ?? 0) ? each : best), null);
      return most;
    },
    listener: (inode) => apart.get(inode) ?? null,
  };
}

function statesOf(labels: ReadonlyMap<number, number>): Record<string, number> {
  const states: Record<string, number> = {};
  for (const [label, sockets] of labels) {
    const { state } = ofSocketLabel(label);
    states[state] = (states[state] ?? 0) + sockets;
  }
  return states;
}

function sumOf(labels: ReadonlyMap<number, number>, fits: (of: ReturnType<typeof ofSocketLabel>) => boolean): number {
  let sum = 0;
  for (const [label, sockets] of labels) if (fits(ofSocketLabel(label))) sum += sockets;
  return sum;
}
