/**
 * One controller an experiment: a lease that is kept by renewing it, and lost by silence.
 */
import { randomUUID } from 'node:crypto';
import { type Bus, FleetError } from '../bus.js';
import { takeSubject } from '../claim.js';
import { encode } from '../messages.js';
import { STREAMS, SUBJECTS } from '../subjects.js';

export interface Lease {
  /** Aborted when another controller has the experiment. */
  readonly lost: AbortSignal;
  release(): void;
}

/** Take the lease of an experiment. One of a controller that was killed ends after some beats. Rejects with FleetError where another has it */
export async function takeLease(bus: Bus, experiment: string, beatMs: number): Promise<Lease> {
  const subject = SUBJECTS.lease(experiment);
  const message = encode({ holder: randomUUID() });
  const first = await takeSubject(bus, STREAMS.leases, subject, () => message, beatMs);
  if (first === null)
    throw new FleetError(
      `another controller has the experiment ${experiment}`,
      'wait until it has ended, or end it there; `bindstorm fleet status` shows what goes on',
    );
  const lost = new AbortController();
  let [held, busy] = [first, false];
  const timer = setInterval(async () => {
    if (busy) return;
    busy = true;
    try {
      // After a server was away for long the lease is gone, and may be taken anew.
      const renewed = (await bus.claim(subject, message, held)) ?? (await bus.claim(subject, message, 0));
      if (renewed === null) lost.abort();
      else held = renewed;
    } catch {
      // Without a server there is nobody else either.
    }
    busy = false;
  }, beatMs);
  return { lost: lost.signal, release: () => clearInterval(timer) };
}
