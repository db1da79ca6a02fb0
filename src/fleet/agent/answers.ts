/**
 * What an agent is asked, and answers: nothing but the questions of the protocol.
 */
import { messageOf } from '../../domain/error.js';
import type { Note } from '../../lab/lab.js';
import type { Bus } from '../bus.js';
import { decode, encode } from '../messages.js';
import { type Answer, type Question, questionSchema } from '../protocol.js';
import { SUBJECTS } from '../subjects.js';
import { type Leave, refusalOf } from './leave.js';
import { openStation } from './station.js';

export interface Answers {
  /** Do something of which the machine does one thing at a time. Rejects as the work does. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  stop(): void;
}

/** Answer questions, one after the other, and none while a unit is under way. */
export function answerQuestions(bus: Bus, name: string, leave: Leave, note: Note): Answers {
  let last: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
  const answered = async (data: Uint8Array): Promise<Answer> => {
    try {
      const question = decode(data, questionSchema);
      return await alone(() => rehearsed(question, leave, note));
    } catch (error) {
      return { type: 'failed', message: messageOf(error) };
    }
  };
  const stop = bus.hear(SUBJECTS.ask(name), (data, answer) => {
    void answered(data).then((found) => answer(encode(found)));
  });
  return { alone, stop };
}

async function rehearsed({ experiment }: Question, leave: Leave, note: Note): Promise<Answer> {
  const refusal = refusalOf(experiment, leave);
  if (refusal !== null) return { type: 'failed', message: refusal };
  const { places, close } = await openStation(experiment, note);
  await close();
  return {
    type: 'rehearsed',
    experiment: places.experiment,
    places: places.all.map(({ name, environment }) => ({ ...(name === undefined ? {} : { name }), environment })),
    findings: places.findings.map(({ path, or, ...finding }) => ({
      ...finding,
      path: [...path],
      ...(or ? { or: or.map((each) => [...each]) } : {}),
    })),
    warnings: [...places.warnings],
  };
}
