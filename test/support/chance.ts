/** Bounds that one observation of many tests does not miss by chance: 95 % intervals would fail one test in twenty. */

/**
 * Between which values an observation lies but for about one time in ten thousand.
 * @param simulated values of what is observed, a thousand or more; far tails that are not normal need as many as they are rare
 */
export function almostSurely(simulated: readonly number[]): { readonly low: number; readonly high: number } {
  let [sum, squares, least, most] = [0, 0, Infinity, -Infinity];
  for (const value of simulated) {
    sum += value;
    squares += value * value;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const mean = sum / simulated.length;
  const reach = 4 * Math.sqrt(Math.max(0, squares / simulated.length - mean * mean));
  return { low: Math.floor(Math.min(least, mean - reach)), high: Math.ceil(Math.max(most, mean + reach)) };
}
