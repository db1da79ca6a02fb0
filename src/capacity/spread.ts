/**
 * Connections that are spread at random over addresses and destinations: some pair is full while others have room. Pure.
 */

/**
 * The share of arrivals that find all of `ports` in use, where they come at random (Erlang's loss formula, B; it holds for any
 * distribution of the holding time).
 * @param offered connections in use on average if none were refused: rate × seconds of use
 */
export function erlangB(ports: number, offered: number): number {
  if (offered === 0) return ports === 0 ? 1 : 0;
  let inverse = 1;
  for (let n = 1; n <= ports; n++) {
    inverse = 1 + (n / offered) * inverse;
    // Below any loss that can be told apart from none.
    if (inverse > 1e300) return 0;
  }
  return 1 / inverse;
}

/** The greatest load that `ports` take with at most `loss` of the arrivals refused. */
export function offeredFor(ports: number, loss: number): number {
  let [low, high] = [0, ports / (1 - loss)];
  for (let bits = 0; bits < 50; bits++) {
    const middle = (low + high) / 2;
    if (erlangB(ports, middle) <= loss) low = middle;
    else high = middle;
  }
  return low;
}

export interface FirstFull {
  /** Held connections when the first is refused: half of all trials have had their refusal by `median`, and 95 % lie within. */
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/**
 * How many held connections go to `places` places at random until one place, which has room for `ports`, refuses the next.
 * Each place is taken to fill like a Poisson variable, independent of the others.
 */
export function firstFull(places: number, ports: number): FirstFull {
  const at = (share: number) => connectionsAt(places, ports, share);
  return { low: at(0.025), median: at(0.5), high: at(0.975) };
}

/** The connections at which the probability that some place has been asked for more than it holds is `share`. */
function connectionsAt(places: number, ports: number, share: number): number {
  const noneOver = Math.log1p(-share);
  let [low, high] = [0, ports * places];
  for (let bits = 0; bits < 60 && high - low > 0.5; bits++) {
    const middle = (low + high) / 2;
    if (places * Math.log1p(-poissonAbove(ports, middle / places)) > noneOver) low = middle;
    else high = middle;
  }
  return Math.round(low);
}

/** P(X > n) of a Poisson variable with this mean, which is below n + 1. */
function poissonAbove(n: number, mean: number): number {
  if (mean === 0) return 0;
  // The term of n + 1, by Stirling's series for the factorial, and the terms above it, each smaller by mean / k.
  const k = n + 1;
  const logFactorial = k * Math.log(k) - k + 0.5 * Math.log(2 * Math.PI * k) + 1 / (12 * k) - 1 / (360 * k ** 3);
  let term = Math.exp(k * Math.log(mean) - mean - logFactorial);
  let sum = 0;
  for (let i = k; term > sum * 1e-12 && i < k + 100_000; i++) {
    sum += term;
    term *= mean / (i + 1);
  }
  return Math.min(sum, 1 - 1e-16);
}
