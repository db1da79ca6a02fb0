/** The bus of a fleet, in memory: what a server keeps, and answers that are lost. */
import { type Bus, NoAnswer } from '../../src/fleet/bus.js';

type Kept = NonNullable<Awaited<ReturnType<Bus['last']>>>;

export interface FakeBus {
  readonly bus: Bus;
  /** The server forgets all, as one does whose streams were in its memory. */
  forget(): void;
  /** The next so many requests are carried out, and their answers are lost. */
  loseAnswers(count: number): void;
  /** The link goes down, or comes back. */
  link(state: 'up' | 'down'): void;
  /** Somebody says something. */
  hear(subject: string, data: Uint8Array): void;
}

export function fakeBus(): FakeBus {
  const kept = new Map<string, Kept>();
  const heard = new Map<string, Set<(data: Uint8Array) => void>>();
  let [seq, lost, epoch, awaySince] = [0, 0, 0, null as number | null];
  const answer = async <T>(value: () => T): Promise<T> => {
    if (awaySince !== null) throw new NoAnswer('timeout', 'wait');
    const found = value();
    if (lost === 0) return found;
    lost--;
    throw new NoAnswer('timeout', 'wait');
  };
  const keep = (subject: string, data: Uint8Array): number => {
    kept.set(subject, { subject, data, seq: ++seq, time: new Date() });
    return seq;
  };
  const bus = {
    maxPayload: 1024 * 1024,
    awayMs: () => (awaySince === null ? 0 : performance.now() - awaySince),
    epoch: () => epoch,
    put: (subject, data) => answer(() => void keep(subject, data)),
    claim: (subject, data, last) => answer(() => ((kept.get(subject)?.seq ?? 0) === last ? keep(subject, data) : null)),
    last: (_, subject) => answer(() => kept.get(subject) ?? null),
    all: () => answer(() => [...kept.values()]),
    hear(subject, listener) {
      const all = heard.get(subject) ?? new Set();
      heard.set(subject, all);
      const listen = (data: Uint8Array) => listener(data, () => {});
      all.add(listen);
      return () => void all.delete(listen);
    },
  } satisfies Partial<Bus>;
  return {
    bus: bus as unknown as Bus,
    forget: () => kept.clear(),
    loseAnswers(count) {
      lost = count;
    },
    link(state) {
      if (state === 'down') awaySince = performance.now();
      else [awaySince, epoch] = [null, epoch + 1];
    },
    hear(subject, data) {
      for (const listen of heard.get(subject) ?? []) listen(data);
    },
  };
}
