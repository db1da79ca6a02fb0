/**
 * `bindstorm capacity`: what a set-up can hold and sustain, and what a rate needs, by arithmetic; no profile, no lab, no load.
 */
import type { Command } from 'commander';
import { fleetOf } from '../capacity/fleet.js';
import { natCapacityOf } from '../capacity/nat/question.js';
import { capacityOf } from '../capacity/question.js';
import { EVERY_STRATEGY, strategyOf } from '../domain/strategy.js';
import { renderCapacity } from '../report/capacity.js';
import { renderFleetCapacity } from '../report/fleet-capacity.js';
import { renderNatCapacity } from '../report/nat-capacity.js';
import {
  type CapacityOptions,
  capacityOptions,
  fleetQuestionOf,
  natQuestionOf,
  questionOf,
} from './capacity-options.js';
import { withOptions } from './options.js';
import { print, textWidth } from './terminal.js';

const EXAMPLES = `
Examples:
  bindstorm capacity --strategy bind-no-port --kernel 6.1 --destinations 20 --rate 50000/s
  bindstorm capacity --strategy bind --addresses 50 --kernel 3.2 --rate 1000/s --sysctl tcp_tw_recycle=1
  bindstorm capacity --strategy connect --held-by-others 20000
  bindstorm capacity --udp --strategy sendto --rate 20000/s --hold 2s
  bindstorm capacity --nat linux --range 20000-29999 --rate 500/s --kernel 6.1
  bindstorm capacity --nat gcp --hosts 20 --rate 100/s
  bindstorm capacity --nat aws --udp --rate 200/s
  bindstorm capacity --fleet --strategy bind-no-port --addresses 64 --rate 1000000/s --agent-rate 80000/s
  bindstorm capacity --fleet --units 27 --unit-time 40s

Strategies:
${EVERY_STRATEGY.map((name) => `  ${name.padEnd(30)}${strategyOf(name).usedBy}`).join('\n')}`;

/** Adds the command. */
export function registerCapacity(program: Command): void {
  const command = program
    .command('capacity')
    .description(
      'calculate how many connections a set-up can have, at which rates it becomes slow and full, and how many addresses a rate needs; needs no profile',
    );
  for (const each of capacityOptions()) command.addOption(each);
  withOptions(command, ['json'])
    .addHelpText('after', EXAMPLES)
    .action((given: CapacityOptions) => {
      const fleet = fleetQuestionOf(given);
      if (fleet !== undefined) {
        const said = fleetOf(fleet);
        print(given.json ? `${JSON.stringify(said)}\n` : renderFleetCapacity(fleet, said, textWidth()));
        return;
      }
      const nat = natQuestionOf(given);
      if (nat !== undefined) {
        const said = natCapacityOf(nat);
        print(given.json ? `${JSON.stringify(said)}\n` : renderNatCapacity(nat, said, textWidth()));
        return;
      }
      const question = questionOf(given);
      const answer = capacityOf(question);
      print(given.json ? `${JSON.stringify(answer)}\n` : renderCapacity(question, answer, textWidth()));
    });
}
