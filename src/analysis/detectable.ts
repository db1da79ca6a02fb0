/**
 * How small a true difference an experiment of this size would still have found. Pure.
 */
import { type Random, randomStream } from '../domain/random.js';
import { ALPHA, signFlipP, smallestPairs } from './statistics.js';

const POWER = 0.8;
/** The standard normal quantile of POWER. */
const Z_POWER = 0.8416;
/** Up to this many pairs the power of the sign-flip test is simulated: its few possible p make every formula too hopeful. */
const SIMULATED_MAX_PAIRS = 12;
const SIMULATED_EXPERIMENTS = 400;

/**
 * The smallest true difference that the sign-flip test finds 8 times out of 10 at the 5 % level, if differences are about
 * normal. For many pairs and one comparison this is the textbook 2.8·sd/√n = (1.96 + 0.84)·sd/√n. With few pairs that promises too
 * much (at n = 6 it is found 4 times out of 10, not 8), so up to 12 pairs the factor comes from a seeded simulation, and above
 * that from Student's t.
 * @param sd standard deviation of the paired differences
 * @param comparisons variants compared on the same metric (Holm's first and hardest step)
 * @returns in the unit of sd; null when so few pairs can find nothing, however large
 */
export function minimalDetectableEffect(sd: number, pairs: number, comparisons = 1): number | null {
  if (pairs < smallestPairs(comparisons)) return null;
  return sd * factor(pairs, comparisons);
}

const factors = new Map<string, number>();

function factor(pairs: number, comparisons: number): number {
  if (pairs > SIMULATED_MAX_PAIRS) {
    const z = normalQuantile(1 - ALPHA / comparisons / 2);
    const t = z + (z ** 3 + z) / (4 * (pairs - 1)); // Cornish-Fisher, first term
    return (t + Z_POWER) / Math.sqrt(pairs);
  }
  const key = `${pairs}/${comparisons}`;
  const known = factors.get(key) ?? simulatedFactor(pairs, comparisons);
  factors.set(key, known);
  return known;
}

/** Bisects for the shift, in standard deviations, of which POWER of the simulated experiments are significant. */
function simulatedFactor(pairs: number, comparisons: number): number {
  const random = randomStream(0, `detectable/${pairs}`);
  const experiments = Array.from({ length: SIMULATED_EXPERIMENTS }, () =>
    Array.from({ length: pairs }, () => normal(random)),
  );
  let low = 0;
  let high = 4;
  for (let step = 0; step < 10; step++) {
    const shift = (low + high) / 2;
    const found = experiments.filter(
      (noise) =>
        signFlipP(
          noise.map((value) => value + shift),
          random,
        ) *
          comparisons <=
        ALPHA,
    ).length;
    if (found < POWER * SIMULATED_EXPERIMENTS) low = shift;
    else high = shift;
  }
  return high;
}

/** Box and Muller 1958. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** The standard normal quantile for p ≥ 0.5, within 0.00045 (Abramowitz and Stegun 26.2.23). */
function normalQuantile(p: number): number {
  const t = Math.sqrt(-2 * Math.log(1 - p));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return t - above / below;
}
