/**
 * One network namespace as a source of looks, by the place that the user names.
 */
import type { Look } from '../gauge/look.js';
import { createDatagramCensus } from '../kernel/datagram-census.js';
import { createCensus } from '../kernel/socket-census.js';
import { processesByNamespace } from '../kernel/socket-owners.js';
import { identityOf, isAlive } from '../machine/process-identity.js';
import { type ObserverOptions, openObserver } from './observer.js';
import { explained, openPlace, type Place } from './place.js';

export interface Source {
  /** @throws UserError when the namespace is not to be looked into any more */
  look(): Look;
  /** `net:[4026531840]` */
  readonly namespace: string;
  /** Do something in the namespace. */
  within<T>(work: () => T): T;
  close(): void;
}

/** @throws UserError when there is no such namespace, or it may not be entered */
export function openSource(place: Place, options: ObserverOptions): Source {
  // Who it is comes first: a number that is given to another process between the two is then seen.
  const identity = place.pid === undefined ? null : identityOf(place.pid);
  const namespace = openPlace(place);
  const census = options.transport === 'udp' ? createDatagramCensus() : createCensus();
  const observer = explained(place, () => openObserver(namespace, census, options));
  return {
    namespace: namespace.id,
    within: namespace.within,
    look() {
      // A descriptor keeps the namespace when the last process in it has ended.
      const process = identity && { pid: identity.pid, running: isAlive(identity) };
      return explained(place, () => observer.look(processesByNamespace, process));
    },
    close() {
      observer.close();
      namespace.close();
    },
  };
}
