/**
 * `bindstorm fleet`: one experiment on many machines. What a fleet takes is loaded by its commands alone.
 */
import type { Command } from 'commander';
import { EXIT_HELP } from './exit.js';
import { AGENT_OPTIONS, STATUS_OPTIONS, UP_OPTIONS } from './fleet-options.js';

const HELP = `
Example, on one machine:
  bindstorm fleet up
  bindstorm fleet agent --name a
  bindstorm fleet agent --name b
  bindstorm run quickstart --fleet nats://127.0.0.1:4222 --agents 2
${EXIT_HELP}`;

const example = (...lines: string[]) =>
  `\nExample:\n${lines.map((line) => `  bindstorm fleet ${line}\n`).join('')}${EXIT_HELP}`;

/** Adds the command. */
export function registerFleet(program: Command): void {
  const fleet = program
    .command('fleet')
    .description('one experiment on many machines: a server, and an agent on each of them')
    .addHelpText('after', HELP);
  const up = fleet
    .command('up')
    .description('start the server of a fleet here, until it is interrupted; or make one that runs a fleet')
    .addHelpText('after', example('up', 'up --listen 10.0.0.5:4222 --tls-cert server.pem --tls-key server.key'))
    .action(async (options) => {
      process.exitCode = await (await import('./fleet-up.js')).fleetUp(options);
    });
  const agent = fleet
    .command('agent')
    .description('make units of experiments on this machine, until it is interrupted')
    .addHelpText('after', example('agent --name a', 'agent --join agent.json --allow 10.0.0.9:3128'))
    .action(async (options) => {
      process.exitCode = await (await import('./fleet-agent.js')).fleetAgent(options);
    });
  const status = fleet
    .command('status')
    .description('who is there, what goes on, and what is left')
    .addHelpText('after', example('status', 'status --json'))
    .action(async (options) => {
      process.exitCode = await (await import('./fleet-status.js')).fleetStatus(options);
    });
  for (const option of UP_OPTIONS) up.addOption(option);
  for (const option of AGENT_OPTIONS) agent.addOption(option);
  for (const option of STATUS_OPTIONS) status.addOption(option);
}
