/**
 * The programs of a controller of another build, for an agent that was started to take them: fetched, checked by their SHA-256, and put
 * into a folder of this user's. Whoever starts an agent so lets the controllers of its fleet run their programs on this machine.
 */
import { messageOf } from '../../domain/error.js';
import type { Note } from '../../lab/lab.js';
import { buildSum, placeBuild } from '../build.js';
import type { Bus } from '../bus.js';
import { decode, encode } from '../messages.js';
import { type TakeAnswer, type TakeBuild, takeBuildSchema } from '../protocol.js';
import { STREAMS, SUBJECTS } from '../subjects.js';

/** Which builds are taken: none, any of a controller of this fleet, or one by its SHA-256. */
export type TakesBuild = null | 'any' | { readonly sum: string };

/** Larger is no build of this package. */
const MOST_PIECES = 1_000;

export interface Taking {
  /** The command line of the build that is to go on in this one's place. */
  readonly next: Promise<string>;
  stop(): void;
}

/** @param busyWith what this agent does; null: nothing @param alone as of Answers */
export function takeBuilds(
  bus: Bus,
  name: string,
  takes: TakesBuild,
  busyWith: () => string | null,
  alone: <T>(work: () => Promise<T>) => Promise<T>,
  note: Note,
): Taking {
  let found: (main: string) => void = () => {};
  const next = new Promise<string>((resolve) => {
    found = resolve;
  });
  const answered = async (data: Uint8Array): Promise<TakeAnswer> => {
    try {
      const offer = decode(data, takeBuildSchema);
      const why = whyNot(offer, takes, busyWith());
      if (why !== null) return { type: 'refused', why };
      const main = await alone(() => fetchBuild(bus, offer));
      note(`takes the build ${offer.build} of a controller (SHA-256 ${offer.sum})`);
      setImmediate(found, main);
      return { type: 'taken' };
    } catch (error) {
      return { type: 'refused', why: messageOf(error) };
    }
  };
  const stop = bus.hear(SUBJECTS.take(name), (data, answer) => {
    void answered(data).then((said) => answer(encode(said)));
  });
  return { next, stop };
}

function whyNot({ build, sum, pieces, machine }: TakeBuild, takes: TakesBuild, busy: string | null): string | null {
  if (takes === null) return 'it was started without --take-build';
  if (takes !== 'any' && takes.sum !== sum)
    return `it takes the build with the SHA-256 ${takes.sum} alone, and this one has ${sum}`;
  if (build === buildSum()) return 'it has this build';
  if (machine !== process.arch)
    return `it is a machine of another architecture (${process.arch}; the build is for ${machine})`;
  if (pieces > MOST_PIECES) return `${pieces} pieces are too many`;
  return busy === null ? null : `it makes ${busy} with its own build`;
}

async function fetchBuild(bus: Bus, { build, sum, pieces }: TakeBuild): Promise<string> {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < pieces; i++) {
    const piece = await bus.last(STREAMS.builds, SUBJECTS.buildPiece(sum, i));
    if (piece === null) throw new Error('a piece of the build is not on the server any more');
    parts.push(piece.data);
  }
  return placeBuild({ archive: Buffer.concat(parts), sum }, build);
}
