/**
 * Whether the counts of a run agree with each other. They always do in what was measured; in a file they may have been changed. Pure.
 */
import type { Outcomes } from './figures.js';
import type { Run } from './schema.js';

/** @returns the first disagreement, as `attempts are 60, and the outcomes add up to 999`; null: there is none */
export function countsProblem({
  attempts,
  outcomes,
  waves,
  timeline,
  neighbours = [],
  scenarios = [],
  status,
}: Run): string | null {
  const parts: [where: string, part: { readonly attempts: number; readonly outcomes: Outcomes }][] = [
    ['', { attempts, outcomes }],
    ...waves.map((wave, i) => [` of wave ${i + 1}`, wave] as [string, Run['waves'][number]]),
    ...timeline.map((second) => [` at ${second.t} s`, second] as [string, Run['timeline'][number]]),
    ...scenarios.map((each) => [` of scenario ${each.name}`, each] as [string, typeof each]),
    ...neighbours.map((neighbour) => [` of neighbour ${neighbour.name}`, neighbour] as [string, typeof neighbour]),
  ];
  for (const [where, part] of parts) {
    const sum = Object.values(part.outcomes).reduce((total, count) => total + count, 0);
    if (sum !== part.attempts) return `attempts${where} are ${part.attempts}, and the outcomes add up to ${sum}`;
  }
  const inScenarios = scenarios.reduce((total, each) => total + each.attempts, 0);
  if (scenarios.length > 0 && inScenarios !== attempts)
    return `attempts are ${attempts}, and those of the scenarios add up to ${inScenarios}`;
  const inWaves = waves.reduce((total, wave) => total + wave.attempts, 0);
  if (status === 'ok' && waves.length > 0 && inWaves !== attempts)
    return `attempts are ${attempts}, and those of the waves add up to ${inWaves}`;
  return null;
}
