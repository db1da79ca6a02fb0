/**
 * Many simulations of one setup, and the interval in which one measurement of it is to be expected. Pure.
 */
import type { HostConfig } from './host.js';
import { type SimulatedOutcome, type SimulatedProgram, simulate } from './simulate.js';

export interface Expected {
  readonly mean: number;
  /** A new observation lies between them 95 times out of 100. */
  readonly low: number;
  readonly high: number;
}

/** The outcomes of one program over `runs` simulations with the seeds from `seed` on. */
export function repeatSimulation(
  config: HostConfig,
  programs: readonly SimulatedProgram[],
  runs: number,
  seed: number,
): SimulatedOutcome[][] {
  const outcomes = Array.from({ length: runs }, (_, i) => simulate(config, programs, seed + i));
  return programs.map((_, which) => outcomes.map((run) => run[which]!));
}

/**
 * The prediction interval for one more observation: the empirical 2.5 and 97.5 % points, widened to the normal interval of a
 * new observation where so few runs have not met the tails.
 */
export function expectedOf(values: readonly number[]): Expected {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(n - 1, 1);
  const reach = 1.96 * Math.sqrt(variance * (1 + 1 / n));
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(n - 1, Math.max(0, Math.round(share * (n - 1))))]!;
  return {
    mean,
    low: Math.floor(Math.min(at(0.025), mean - reach)),
    high: Math.ceil(Math.max(at(0.975), mean + reach)),
  };
}
