/**
 * Subjects that one process holds by saying something on them again and again: the name of an agent, the lease of an experiment.
 */
import type { Bus } from './bus.js';
import { SILENT_BEATS } from './server/streams.js';

/**
 * Take a subject whose holder is gone. Whether one is there is seen by what it says meanwhile, and not by the server's own time limit, which a
 * busy server keeps late.
 * @param message what is said first @returns its number; null: somebody else holds it
 */
export async function takeSubject(
  bus: Bus,
  stream: string,
  subject: string,
  message: () => Uint8Array,
  beatMs: number,
): Promise<number | null> {
  const silent = performance.now() + SILENT_BEATS * beatMs;
  let first: number | null = null;
  for (;;) {
    const taken = await bus.claim(subject, message(), 0);
    if (taken !== null) return taken;
    const there = await bus.last(stream, subject);
    first ??= there?.seq ?? null;
    if (there !== null && there.seq !== first) return null;
    if (there !== null && performance.now() > silent) return bus.claim(subject, message(), there.seq);
    await new Promise((resolve) => setTimeout(resolve, beatMs / 2));
  }
}
