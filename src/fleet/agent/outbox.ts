/**
 * What an agent has made and its server has not taken yet: folders of units beside a note of what they are. They outlive the agent, which
 * hands them in again when it comes back, under the same ids.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../../domain/error.js';
import type { Note } from '../../lab/lab.js';
import { readJson } from '../../machine/read-file.js';
import { replaceFile } from '../../machine/replace-file.js';
import { environmentSchema } from '../../results/schema.js';
import type { Bus } from '../bus.js';
import { decode, encode } from '../messages.js';
import { type Files, isSent, toPieces } from '../pieces.js';
import { type Done, doneSchema, word } from '../protocol.js';
import { STREAMS, SUBJECTS } from '../subjects.js';

const madeSchema = z.object({
  experiment: word,
  unit: word,
  attempt: word,
  agent: word,
  environment: environmentSchema,
});
type Made = z.infer<typeof madeSchema>;

const NOTE = 'made.json';
/** Between two tries while the server is away. */
const RETRY_MS = 500;
/** A server takes messages of this size at any rate; larger ones delay all others. */
const MOST_PIECE = 512 * 1024;

/** Say on the disk that a folder is complete: from here on it is handed in, by this process or by the next. */
export function completed(dir: string, made: Made): void {
  replaceFile(join(dir, NOTE), JSON.stringify(made), { durable: true });
}

/** Folders that an agent before this one has left in its state folder; those that were not complete are removed. */
export function leftFolders(state: string): string[] {
  return readdirSync(state)
    .filter((name) => !name.startsWith('.'))
    .map((name) => join(state, name))
    .filter((dir) => {
      const isComplete = existsSync(join(dir, NOTE));
      if (!isComplete) rmSync(dir, { recursive: true, force: true });
      return isComplete;
    });
}

/**
 * Hand a folder in, and remove it. While the server is away it is tried again, until the signal is aborted.
 * @returns whether this attempt is the unit's; null: it was not handed in
 */
export async function handIn(bus: Bus, dir: string, signal: AbortSignal, note: Note): Promise<boolean | null> {
  const made = readJson(join(dir, NOTE), madeSchema);
  if (made === undefined) return null;
  const { experiment, unit, attempt, agent, environment } = made;
  const { pieces, sum } = toPieces(filesIn(dir), Math.min(MOST_PIECE, bus.maxPayload / 2));
  const subject = SUBJECTS.done(experiment, unit);
  const idOf = (i: number) => `${experiment}/${unit}/${attempt}/${i}`;
  const end = { how: 'made', pieces: pieces.length, sum, environment } as const;
  for (let said = false; !signal.aborted; ) {
    try {
      const before = await bus.last(STREAMS.journal, subject);
      if (before === null) {
        for (const [i, piece] of pieces.entries())
          await bus.put(SUBJECTS.piece(experiment, unit, attempt, i), piece, idOf(i));
        await bus.claim(subject, encode({ experiment, unit, attempt, agent, end } satisfies Done), 0);
      }
      // Also of a claim whose answer was lost.
      const first = before ?? (await bus.last(STREAMS.journal, subject));
      const isOurs = first !== null && decode(first.data, doneSchema).attempt === attempt;
      rmSync(dir, { recursive: true, force: true });
      return isOurs;
    } catch (error) {
      if (!said) note(`${unit} of ${experiment} is made, and waits for the server (${messageOf(error)})`);
      said = true;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  return null;
}

function filesIn(dir: string): Files {
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter(isSent);
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(dir, path), 'utf8')]));
}
