/**
 * The part of an agent in a run that several machines make at once: set up, wait, begin at an instant of its own clock, and end by itself
 * when its controller is silent.
 */
import type { Measurement } from '../../agent/protocol.js';
import { messageOf } from '../../domain/error.js';
import { withLabs } from '../../experiment/labs.js';
import type { LabSession, Note } from '../../lab/lab.js';
import { deferred } from '../../machine/promises.js';
import type { Second } from '../../results/schema.js';
import type { Bus } from '../bus.js';
import { encode } from '../messages.js';
import { type Answer, type Live, type Question, slim } from '../protocol.js';
import { SUBJECTS } from '../subjects.js';
import { type Leave, refusalOf } from './leave.js';
import type { Presence } from './presence.js';

/** A controller says that it is there twice a second; a load whose controller was not heard for so long ends. */
const SILENT_MS = 3_000;
const LOOK_MS = 200;
/** How long the load may take to end in good order; then it is killed. In all that is less than five seconds. */
const STOP_MS = 1_200;

type Prepare = Extract<Question, { type: 'prepare' }>;

interface Prepared {
  readonly key: string;
  readonly ready: Promise<void>;
  readonly measured: Promise<Measurement>;
  go(atMicros: number): void;
  end(): void;
}

export interface Partner {
  answer(question: Extract<Question, { type: 'prepare' | 'go' | 'end' }>): Promise<Answer>;
  /** End what is under way. */
  stop(): void;
}

/** What such a run is called where others have a unit. */
const TOGETHER = 'together';

/** How an agent says what it does. */
export type Signs = Pick<Presence, 'change' | 'hurry'>;

/** @param alone as of {@link Answers} */
export function createPartner(
  bus: Bus,
  agent: string,
  leave: Leave,
  alone: <T>(work: () => Promise<T>) => Promise<T>,
  signs: Signs,
  note: Note,
): Partner {
  let current: Prepared | null = null;
  const of = (key: string): Prepared => {
    if (current?.key !== key) throw new Error('this run is not prepared here any more');
    return current;
  };
  const prepare = async (question: Prepare): Promise<Answer> => {
    const refusal = refusalOf(question.experiment, leave);
    if (refusal !== null) return { type: 'failed', message: refusal };
    current?.end();
    const begun = deferred<Prepared>();
    const calm = signs.hurry();
    // The machine is this run's until it is over.
    alone(async () => {
      const prepared = hold(bus, agent, question, note);
      current = prepared;
      signs.change({ doing: { experiment: question.name, unit: TOGETHER } });
      begun.resolve(prepared);
      await prepared.measured.catch(() => {});
      signs.change({ doing: null });
    })
      .catch(begun.reject)
      .finally(calm);
    await (await begun.promise).ready;
    return { type: 'ready' };
  };
  return {
    async answer(question) {
      switch (question.type) {
        case 'prepare':
          return prepare(question);
        case 'go': {
          const prepared = of(question.key);
          prepared.go(question.atMicros);
          return { type: 'measured', measurement: await prepared.measured };
        }
        case 'end':
          of(question.key).end();
          return { type: 'ended' };
      }
    },
    stop: () => current?.end(),
  };
}

/** Open the lab, and set the run up in it. */
function hold(bus: Bus, agent: string, { name, key, experiment, spec, live }: Prepare, note: Note): Prepared {
  const ready = deferred();
  ready.promise.catch(() => {});
  let session: LabSession | null = null;
  let ending = false;
  let heard = performance.now();
  const unhear = bus.hear(SUBJECTS.beat(name), () => {
    heard = performance.now();
  });
  const end = () => {
    if (ending) return;
    ending = true;
    session?.send({ type: 'stop' });
    setTimeout(() => session?.kill(), STOP_MS).unref();
  };
  const timer = setInterval(() => {
    if (ending || performance.now() - heard < SILENT_MS) return;
    note(`the controller of ${name} is silent: the load ends`);
    end();
  }, LOOK_MS);
  const say = (run: string, second: Second) =>
    bus.say(SUBJECTS.live(name), encode({ agent, unit: TOGETHER, run, second: slim(second) } satisfies Live));
  const measure = () =>
    withLabs(note, async (makeLab) => {
      session = await makeLab(experiment, undefined).open('run', undefined, spec.arm);
      try {
        if (ending) throw new Error('it was ended before it was ready');
        session.send({ type: 'run', spec: { ...spec, gated: true } });
        for (;;) {
          const event = await session.next();
          if (event.type === 'ready') ready.resolve();
          if (event.type === 'second' && live !== undefined) say(live, event.second);
          if (event.type === 'result') return event.measurement;
          if (event.type === 'failed') throw new Error(event.message);
        }
      } finally {
        await session.close().catch((error: unknown) => note(messageOf(error)));
      }
    });
  const measured = measure().finally(() => {
    clearInterval(timer);
    unhear();
    // Who is killed says no result.
    ready.reject(new Error('it has ended before it was ready'));
  });
  measured.catch(ready.reject);
  return { key, ready: ready.promise, measured, go: (atMicros) => session?.send({ type: 'go', atMicros }), end };
}
