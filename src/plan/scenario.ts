/**
 * Scenarios: further loads of the program under test, which run beside the first one, each with arrivals of its own. Pure.
 */
import type { StrategyName } from '../domain/strategy.js';
import type { Arm, Destinations, LoadPlan } from './plan.js';

/** What the first load, that of `load`, is called beside others. */
export const FIRST_LOAD = 'load';

/** One of the loads of an arm. */
export interface NamedLoadPlan {
  readonly name: string;
  readonly load: LoadPlan;
  readonly destinations: Destinations;
  /** It has no hosts of its own and goes to those of the first load. */
  readonly shared: boolean;
}

/** All loads of an arm, that of `load` first. */
export function loadsOf({
  load,
  destinations,
  scenarios = [],
}: Pick<Arm, 'load' | 'destinations' | 'scenarios'>): [NamedLoadPlan, ...NamedLoadPlan[]] {
  return [
    { name: FIRST_LOAD, load, destinations, shared: false },
    ...scenarios.map(({ destinations: own, ...scenario }) => ({
      ...scenario,
      destinations: own ?? destinations,
      shared: own === undefined,
    })),
  ];
}

/** An arm as it would be with one of its loads alone. */
export function armsOfLoads(arm: Arm): Arm[] {
  const { scenarios: _, ...rest } = arm;
  return loadsOf(arm).map(({ load, destinations }) => ({ ...rest, load, destinations }));
}

/** An arm whose loads all have another strategy. @param choose from the strategy that each has */
export function withStrategy(arm: Arm, choose: (own: StrategyName) => StrategyName): Arm {
  const withIt = <T extends Pick<Arm, 'load'>>(one: T): T => ({
    ...one,
    load: { ...one.load, strategy: choose(one.load.strategy) },
  });
  return { ...withIt(arm), ...(arm.scenarios ? { scenarios: arm.scenarios.map(withIt) } : {}) };
}
