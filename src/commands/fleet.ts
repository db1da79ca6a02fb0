/**
 * `bindstorm fleet`: one experiment on many machines. What a fleet takes is loaded by its commands alone.
 */
import type { Command, Option } from 'commander';
import { EXIT_HELP } from './exit.js';
import { AGENT_OPTIONS, BUILD_OPTIONS, START_OPTIONS, STATUS_OPTIONS, UP_OPTIONS } from './fleet-options.js';
import { print } from './terminal.js';

const HELP = `
Example, on one machine:
  bindstorm fleet up
  bindstorm fleet agent --name a
  bindstorm fleet agent --name b
  bindstorm run quickstart --fleet nats://127.0.0.1:4222 --agents 2
${EXIT_HELP}`;

/** Adds the command. */
export function registerFleet(program: Command): void {
  const fleet = program
    .command('fleet')
    .description('one experiment on many machines: a server, and an agent on each of them')
    .addHelpText('after', HELP);
  const add = (name: string, description: string, options: readonly Option[], ...examples: string[]): Command => {
    const lines = examples.map((words) => `  bindstorm fleet ${words}\n`).join('');
    const command = fleet.command(name).description(description);
    for (const option of options) command.addOption(option);
    return command.addHelpText('after', `\nExample:\n${lines}${EXIT_HELP}`);
  };
  add(
    'up',
    'start the server of a fleet here, until it is interrupted; or make one that runs a fleet',
    UP_OPTIONS,
    'up',
    'up --listen 10.0.0.5:4222 --tls-cert server.pem --tls-key server.key',
    'up --nats tls://nats.example.org:4222 --tls-ca ca.pem',
  ).action(async (options) => {
    process.exitCode = await (await import('./fleet-up.js')).fleetUp(options);
  });
  add(
    'agent',
    'make units of experiments on this machine, until it is interrupted',
    AGENT_OPTIONS,
    'agent --name a',
    'agent --join agent.json --allow 10.0.0.9:3128',
    'agent --join agent.json --take-build',
  ).action(async (options) => {
    process.exitCode = await (await import('./fleet-agent.js')).fleetAgent(options);
  });
  add(
    'start-agents',
    'start an agent on each of some hosts by ssh, until it is interrupted',
    START_OPTIONS,
    'start-agents hosts.txt',
    'start-agents hosts.txt --program /opt/bindstorm/bindstorm',
  )
    .argument('<hosts>', 'a file with a host a line, as ssh takes it (user@host), and a name of the agent if you like')
    .action(async (hosts: string, options) => {
      process.exitCode = await (await import('./fleet-start-agents.js')).startAgents(hosts, options);
    });
  add('status', 'who is there, what goes on, and what is left', STATUS_OPTIONS, 'status', 'status --json').action(
    async (options) => {
      process.exitCode = await (await import('./fleet-status.js')).fleetStatus(options);
    },
  );
  add('build', 'which build this is: all of a fleet are of the same', BUILD_OPTIONS, 'build').action(
    async ({ archive }: { archive: boolean }) => print((await import('./fleet-build.js')).fleetBuild(archive)),
  );
  add('permissions', 'what a NATS server of your own has to allow controllers and agents', [], 'permissions').action(
    async () => print((await import('../fleet/server/permissions.js')).permissionsText()),
  );
}
