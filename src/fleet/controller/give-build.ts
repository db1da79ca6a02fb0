/**
 * This controller's programs, for agents of another build that were started to take them. What is said here every version can read.
 */
import { messageOf } from '../../domain/error.js';
import { buildSum, ownArchive } from '../build.js';
import type { Bus } from '../bus.js';
import { decode, encode } from '../messages.js';
import { type Stranger, type TakeAnswer, type TakeBuild, takeAnswerSchema } from '../protocol.js';
import { makeBuildStream } from '../server/streams.js';
import { SUBJECTS } from '../subjects.js';

export interface Giver {
  /** @returns why an agent does not take it; null: it does, and is here again with it in a moment */
  offer(agent: Stranger): Promise<string | null>;
}

/** An agent fetches it, unpacks it and looks at it before it answers. */
const TAKE_MS = 60_000;
const MOST_PIECE = 512 * 1024;

/** Nothing is sent before somebody takes it. Each agent process is asked once. */
export function createGiver(bus: Bus, say: (text: string) => void): Giver {
  const asked = new Map<string, Promise<string | null>>();
  let sent: Promise<TakeBuild> | null = null;
  const ask = async ({ name, host }: Stranger): Promise<string | null> => {
    try {
      sent ??= send(bus);
      const answer: TakeAnswer = decode(
        await bus.ask(SUBJECTS.take(name), encode(await sent), TAKE_MS),
        takeAnswerSchema,
      );
      if (answer.type === 'refused') return answer.why;
      say(`${name} on ${host} takes this build`);
      return null;
    } catch (error) {
      return messageOf(error);
    }
  };
  return {
    offer(agent) {
      const known = asked.get(agent.instance) ?? ask(agent);
      asked.set(agent.instance, known);
      return known;
    },
  };
}

/** Put the pieces onto the server, unless another has. */
async function send(bus: Bus): Promise<TakeBuild> {
  await makeBuildStream(bus);
  const { archive, sum } = ownArchive();
  const size = Math.min(MOST_PIECE, bus.maxPayload / 2);
  const pieces = Math.ceil(archive.length / size);
  for (let i = 0; i < pieces; i++)
    await bus.claim(SUBJECTS.buildPiece(sum, i), archive.subarray(i * size, (i + 1) * size), 0);
  return { build: buildSum(), sum, pieces, machine: process.arch };
}
