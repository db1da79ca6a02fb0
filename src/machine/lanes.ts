/**
 * Work in lanes: so many pieces at once, begun in order.
 */

/**
 * Do each piece of work. When one fails, no other is begun, those under way are told to end, and when they have, it rejects as the first did.
 * @param most pieces at once
 * @param signal when it is aborted, no other piece is begun
 * @param work of the i-th piece; `ending` is aborted with `signal`, and when another piece has failed
 */
export async function inLanes<T>(
  pieces: readonly T[],
  most: number,
  signal: AbortSignal,
  work: (piece: T, i: number, ending: AbortSignal) => Promise<void>,
): Promise<void> {
  const failing = new AbortController();
  const ending = AbortSignal.any([signal, failing.signal]);
  const left = pieces.entries();
  const failures: unknown[] = [];
  const lane = async () => {
    for (const [i, piece] of left) {
      if (ending.aborted) return;
      await work(piece, i, ending);
    }
  };
  const guarded = () =>
    lane().catch((error: unknown) => {
      failures.push(error);
      failing.abort();
    });
  await Promise.all(Array.from({ length: Math.min(most, pieces.length) }, guarded));
  if (failures.length > 0) throw failures[0];
}
