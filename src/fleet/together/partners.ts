/**
 * The machines that make each run of an experiment at once, each with the local addresses that are its own.
 */

import { listed } from '../../analysis/format.js';
import { messageOf, UserError } from '../../domain/error.js';
import { LABS } from '../../domain/lab.js';
import { isPaced } from '../../load/pacer.js';
import type { Experiment } from '../../plan/plan.js';
import { type Bus, FleetError } from '../bus.js';
import { decode, encode } from '../messages.js';
import { answerSchema } from '../protocol.js';
import { SUBJECTS } from '../subjects.js';

export interface Partner {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** An answer that takes no work. */
const ANSWER_MS = 5_000;

/** @throws UserError for an experiment that several machines cannot make at once */
export function checkTogether({ lab, arms, neighbours }: Experiment): void {
  const why = arms.flatMap(({ name, load, proxy, scenarios }) => [
    ...(isPaced(load.arrival)
      ? []
      : [`the arrival of ${name} is ${load.arrival.shape}, and has no schedule to share out`]),
    ...(proxy ? [`${name} starts a proxy of its own`] : []),
    ...(scenarios ? [`${name} has scenarios`] : []),
    ...(load.recovery ? [`${name} measures recovery`] : []),
  ]);
  if (!LABS[lab].reaches)
    throw new UserError(
      `several machines load one target at once, and nothing in a ${lab} lab reaches one; leave --together out, so that each machine makes blocks of its own, or use lab: { kind: host } with a target`,
    );
  if (neighbours) why.push('it has neighbours');
  if (why.length > 0) throw new UserError(`${why[0]}; --together takes direct loads with a rate: leave it out`);
}

/** Which of an experiment's addresses are whose. Rejects with FleetError where a machine has none, or two have the same */
export async function findPartners(bus: Bus, names: readonly string[], { arms }: Experiment): Promise<Partner[]> {
  const addresses = [...new Set(arms.flatMap((arm) => arm.addresses))];
  const found = await Promise.all(
    names.map(async (name): Promise<Partner> => {
      const question = encode({ type: 'addresses', addresses });
      const said = await bus.ask(SUBJECTS.ask(name), question, ANSWER_MS).catch((error: unknown) => {
        throw new FleetError(
          `${name} does not answer (${messageOf(error)})`,
          'see that it runs, and repeat the command',
        );
      });
      const answer = decode(said, answerSchema);
      return { name, addresses: answer.type === 'addresses' ? answer.local : [] };
    }),
  );
  const none = found.filter((partner) => partner.addresses.length === 0).map(({ name }) => name);
  if (none.length > 0)
    throw new FleetError(
      `${listed(none)} ${none.length === 1 ? 'has' : 'have'} none of the addresses of the profile`,
      'name under addresses those of all machines, each of its own',
    );
  const twice = addresses.find((address) => found.filter((partner) => partner.addresses.includes(address)).length > 1);
  if (twice !== undefined) {
    const both = found.filter((partner) => partner.addresses.includes(twice)).map(({ name }) => name);
    throw new FleetError(`${listed(both)} have the same address ${twice}`, 'give each machine addresses of its own');
  }
  const nobodys = addresses.filter((address) => !found.some((partner) => partner.addresses.includes(address)));
  if (nobodys.length > 0)
    throw new FleetError(
      `no machine has the address ${nobodys[0]}`,
      'start an agent there, or take it out of the profile',
    );
  return found;
}

/** The experiment as it is for one machine. */
export function partOf(experiment: Experiment, { addresses }: Partner): Experiment {
  const arms = experiment.arms.map((arm) => ({
    ...arm,
    addresses: arm.addresses.filter((address) => addresses.includes(address)),
  }));
  return { ...experiment, arms };
}
