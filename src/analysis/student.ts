/**
 * Student's t for any degrees of freedom, fractions included, by the regularised incomplete beta function. Pure.
 */

/**
 * The two-sided p of a t.
 * @param t any number; its sign does not matter
 * @param df degrees of freedom, above 0
 * @returns from 0 to 1; within 1e-10
 */
export function studentP(t: number, df: number): number {
  if (!Number.isFinite(t)) return Number.isNaN(t) ? 1 : 0;
  return incompleteBeta(df / 2, 0.5, df / (df + t * t));
}

/**
 * The t that chance exceeds on either side with a two-sided p.
 * @param p above 0, at most 1
 * @returns from 0 to 1e12
 */
export function studentQuantile(p: number, df: number): number {
  let [low, high] = [0, 1];
  while (studentP(high, df) > p && high < 1e12) [low, high] = [high, high * 4];
  for (let step = 0; step < 80 && high - low > 1e-10 * high; step++) {
    const middle = (low + high) / 2;
    if (studentP(middle, df) > p) low = middle;
    else high = middle;
  }
  return high;
}

/** I_x(a, b): the share of a beta distribution below x (DLMF 8.17). */
function incompleteBeta(a: number, b: number, x: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The continued fraction converges fast on this side of the mean; the other side is its mirror image (DLMF 8.17.4).
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(b, a, 1 - x);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return (front / a) * betaFraction(a, b, x);
}

const SMALLEST = 1e-300;
const awayFromZero = (value: number) => (Math.abs(value) < SMALLEST ? SMALLEST : value);

/** The continued fraction of DLMF 8.17.22, from the front (Lentz 1976). */
function betaFraction(a: number, b: number, x: number): number {
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m < 1000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 / awayFromZero(1 + term * d);
      c = awayFromZero(1 + term / c);
      change = c * d;
      value *= change;
    }
    if (Math.abs(change - 1) < 1e-14) break;
  }
  return value;
}

/** ln Γ(x) for x > 0: raised above 10, then Stirling's series (DLMF 5.11.1). */
function logGamma(x: number): number {
  let shift = 0;
  let raised = x;
  for (; raised < 10; raised++) shift += Math.log(raised);
  const square = 1 / (raised * raised);
  const series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / raised;
  return (raised - 0.5) * Math.log(raised) - raised + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
