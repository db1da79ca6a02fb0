/**
 * The rehearsal of an experiment that several machines make at once: each tries it with the addresses that are its own.
 */
import type { KnownPlaces } from '../../experiment/places.js';
import type { Experiment } from '../../plan/plan.js';
import { saidOnce } from '../../profile/problem.js';
import type { Bus } from '../bus.js';
import { rehearseOn } from '../controller/rehearse.js';
import type { AgentState } from '../protocol.js';
import { findPartners, partOf } from './partners.js';

/** @returns what the first found, with the refusals of all. Rejects with FleetError where one cannot try, or has no address of its own */
export async function rehearseTogether(
  bus: Bus,
  agents: readonly AgentState[],
  experiment: Experiment,
  say: (text: string) => void,
): Promise<KnownPlaces> {
  const names = agents.map(({ name }) => name);
  const partners = await findPartners(bus, names, experiment);
  const found: KnownPlaces[] = [];
  for (const [i, agent] of agents.entries())
    found.push(await rehearseOn(bus, [agent], partOf(experiment, partners[i]!), say));
  const [first] = found;
  const arms = first!.experiment.arms.map((arm, i) => ({ ...arm, addresses: experiment.arms[i]!.addresses }));
  return {
    ...first!,
    experiment: { ...first!.experiment, arms },
    findings: saidOnce(found.flatMap(({ findings }) => findings)),
    warnings: [
      `each run is of ${names.length} machines at once (${names.join(', ')}); the figures of this page are their sums`,
      ...found.flatMap(({ warnings }, i) => warnings.map((text) => `${names[i]}: ${text}`)),
    ],
  };
}
