/**
 * Guests that serve more than one run: each in a fresh network namespace of a kernel that is booted once. As long as all that a run sets is
 * its namespace's own, nothing of it is left for the next. A run that sets what is the whole kernel's is `alone`: it has a guest that nobody
 * has used, is in its first namespace, and nobody uses that guest afterwards. An agent on this machine's own kernel can serve like a guest.
 */
import { messageOf } from '../../domain/error.js';
import { withDeadline } from '../../machine/promises.js';
import { LabError, type LabSession } from '../lab.js';

/** A fresh namespace takes some hundred milliseconds; an emulated CPU of a busy machine makes seconds of them. */
const RENEWAL_MS = 30_000;

interface Guest {
  readonly session: LabSession;
  /** What its agent said last, in the namespace in which it is. */
  readonly hello: LabSession['hello'];
  /** Nothing has run in it, and it is in its first namespace. */
  readonly unused: boolean;
}

/** A guest that is being made ready, or is. */
interface Waiting {
  /** undefined: it was lost. */
  readonly ready: Promise<Guest | undefined>;
  /** End it, whatever it is doing. */
  end(): Promise<unknown>;
}

/** What serves: how errors name it, and whether nobody else uses its kernel. */
interface Server {
  readonly name: string;
  readonly ownKernel: boolean;
}
const GUEST: Server = { name: 'the guest', ownKernel: true };

type IsAlone = (hello: LabSession['hello']) => boolean;

export interface GuestPool {
  /**
   * A session in a guest that waits, or in a new one. Rejects as `boot` does, and with LabError.
   * @param isAlone whether what is set there is the whole kernel's, once it is known which kernel it is
   */
  open(purpose: 'run' | 'check', isAlone: IsAlone, signal?: AbortSignal): Promise<LabSession>;
  /** Boot a guest ahead, unless the next session can have one that waits or is in use. @param alone it cannot have one that was used */
  prepare(alone: boolean): void;
  /** End the guests that wait; those in use end when their sessions are closed. */
  release(): Promise<void>;
}

/**
 * @param boot a guest, whose agent has said hello
 * @param mayWait whether a guest that nobody uses may go on, as far as this machine's memory goes
 * @param server what is booted, where that is no guest
 */
export function guestPool(
  boot: (signal: AbortSignal | undefined) => Promise<LabSession>,
  mayWait: () => boolean,
  server = GUEST,
): GuestPool {
  let waiting: Waiting[] = [];
  /** Sessions whose boot has not been told with a run, and their warnings. */
  const untold = new Map<LabSession, number | null>();
  let inUse = 0;
  let released = false;

  async function newGuest(signal: AbortSignal | undefined): Promise<Guest> {
    const session = await boot(signal);
    untold.set(session, session.bootMs);
    return { session, hello: session.hello, unused: true };
  }

  /** The first guest that waits and fits. */
  async function takeWaiting(isAlone: IsAlone): Promise<Guest | undefined> {
    const passed: Waiting[] = [];
    try {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
        const guest = await one.ready;
        if (guest !== undefined && (guest.unused || !isAlone(guest.hello))) return guest;
        if (guest !== undefined) passed.push(one);
      }
      return undefined;
    } finally {
      waiting.unshift(...passed);
    }
  }

  function lease({ session, hello, unused }: Guest, purpose: 'run' | 'check', shared: boolean): LabSession {
    const bootMs = purpose === 'run' ? (untold.get(session) ?? null) : null;
    if (bootMs !== null) untold.delete(session);
    let answered = false;
    let closed: Promise<void> | undefined;
    const close = async () => {
      inUse--;
      const again = shared && answered && !released && mayWait();
      if (!again) return session.close();
      const ready = renew(session, server).catch(async () => {
        await session.close();
        return undefined;
      });
      waiting.push({
        ready,
        end() {
          session.kill();
          return ready.then(() => session.close());
        },
      });
    };
    return {
      ...session,
      hello,
      bootMs,
      warnings: unused ? session.warnings : [],
      async next() {
        const event = await session.next();
        answered = event.type === 'result' || event.type === 'checked';
        return event;
      },
      close: () => {
        closed ??= close();
        return closed;
      },
      kill() {
        answered = false;
        session.kill();
      },
    };
  }

  return {
    async open(purpose, isAlone, signal) {
      inUse++;
      try {
        const guest = (await takeWaiting(isAlone)) ?? (await newGuest(signal));
        const shared = !isAlone(guest.hello);
        if (!shared || !guest.unused) return lease(guest, purpose, shared);
        const { hello } = await renew(guest.session, server).catch(async (error: unknown) => {
          await guest.session.close();
          throw new LabError(`${server.name} did not come up: ${messageOf(error)}`, { cause: error });
        });
        return lease({ ...guest, hello }, purpose, shared);
      } catch (error) {
        inUse--;
        throw error;
      }
    },
    prepare(alone) {
      if (released || waiting.length > 0 || (inUse > 0 && !alone)) return;
      const making = new AbortController();
      // One that could not be had is tried again: the session says why, when it cannot either.
      const ready = newGuest(making.signal).catch(() => undefined);
      waiting.push({
        ready,
        async end() {
          making.abort();
          await (await ready)?.session.close();
        },
      });
    },
    async release() {
      released = true;
      const left = waiting;
      waiting = [];
      await Promise.all(left.map((one) => one.end()));
    },
  };
}

/** In a fresh namespace. Rejects where the agent cannot have one. */
async function renew(session: LabSession, { name, ownKernel }: Server): Promise<Guest> {
  session.send({ type: 'renew', ownKernel });
  const event = await withDeadline(session.next(), RENEWAL_MS, () => `${name} does not answer`);
  if (event.type === 'hello') return { session, hello: event, unused: false };
  throw new Error(event.type === 'failed' ? event.message : `the agent said ${event.type} instead of hello`);
}
