/**
 * What an agent is asked, and answers: nothing but the questions of the protocol.
 */
import { networkInterfaces } from 'node:os';
import { canonicalAddress } from '../../domain/addresses.js';
import { messageOf } from '../../domain/error.js';
import { monotonicMicros } from '../../kernel/libc.js';
import type { Note } from '../../lab/lab.js';
import type { Bus } from '../bus.js';
import { decode, encode } from '../messages.js';
import { type Answer, type Question, questionSchema } from '../protocol.js';
import { SUBJECTS } from '../subjects.js';
import { type Leave, refusalOf } from './leave.js';
import { createPartner, type Signs } from './partner.js';
import type { Workshop } from './workshop.js';

export interface Answers {
  /** Do something of which the machine does one thing at a time. Rejects as the work does. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  stop(): void;
}

/** Answer questions, one after the other, and none while a unit is under way. */
export function answerQuestions(
  bus: Bus,
  name: string,
  leave: Leave,
  workshop: Workshop,
  signs: Signs,
  note: Note,
): Answers {
  let last: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
  const partner = createPartner(bus, name, leave, alone, signs, note);
  const answered = async (data: Uint8Array): Promise<Answer> => {
    try {
      const question = decode(data, questionSchema);
      switch (question.type) {
        case 'rehearse':
          return await alone(() => rehearsed(question, leave, workshop, note));
        case 'addresses':
          return { type: 'addresses', local: question.addresses.filter((address) => localAddresses().has(address)) };
        case 'clock':
          return { type: 'clock', micros: monotonicMicros() };
        default:
          return await partner.answer(question);
      }
    } catch (error) {
      return { type: 'failed', message: messageOf(error) };
    }
  };
  const stop = bus.hear(SUBJECTS.ask(name), (data, answer) => {
    void answered(data).then((found) => answer(encode(found)));
  });
  return {
    alone,
    stop() {
      partner.stop();
      stop();
    },
  };
}

/** Those of this machine's interfaces, canonical. */
function localAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => canonicalAddress(address)));
}

async function rehearsed(
  { experiment }: Extract<Question, { type: 'rehearse' }>,
  leave: Leave,
  { openStation }: Workshop,
  note: Note,
): Promise<Answer> {
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
