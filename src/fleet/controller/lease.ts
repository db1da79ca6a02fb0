/**
 * One controller an experiment: a lease that is kept by renewing it, and lost by silence.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Bus, FleetError } from '../bus.js';
import { takeSubject } from '../claim.js';
import { decoded, encode } from '../messages.js';
import { STREAMS, SUBJECTS } from '../subjects.js';

const leaseSchema = z.object({ holder: z.string() });

export interface Lease {
  /** Aborted when another controller has the experiment. */
  readonly lost: AbortSignal;
  release(): void;
}

/** Take the lease of an experiment. One of a controller that was killed ends after some beats. Rejects with FleetError where another has it */
export async function takeLease(bus: Bus, experiment: string, beatMs: number): Promise<Lease> {
  const subject = SUBJECTS.lease(experiment);
  const holder = randomUUID();
  const message = encode({ holder });
  const first = await takeSubject(bus, STREAMS.leases, subject, () => message, beatMs);
  if (first === null)
    throw new FleetError(
      `another controller has the experiment ${experiment}`,
      'wait until it has ended, or end it there; `bindstorm fleet status` shows what goes on',
    );
  const lost = new AbortController();
  let [held, busy] = [first, false];
  /** @returns the number of the newest message of ours; 0: another has the experiment */
  const renewed = async (): Promise<number> => {
    const there = await bus.last(STREAMS.leases, subject);
    // After a server was away for long the lease is gone, and may be taken anew.
    if (there === null) return (await bus.claim(subject, message, 0)) ?? 0;
    // Ours, where the answer to an earlier renewal was lost with the connection.
    return decoded(there.data, leaseSchema)?.holder === holder ? there.seq : 0;
  };
  const timer = setInterval(async () => {
    if (busy) return;
    busy = true;
    try {
      held = (await bus.claim(subject, message, held)) ?? (await renewed());
      if (held === 0) {
        clearInterval(timer);
        lost.abort();
      }
    } catch {
      // Without a server there is nobody else either.
    }
    busy = false;
  }, beatMs);
  return { lost: lost.signal, release: () => clearInterval(timer) };
}
