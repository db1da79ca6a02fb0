// needs: nats-server, iproute2, openssh-server, openssh-client
/** Agents that are started by ssh, on machines in namespaces of their own, of a server that only this machine's loopback has. */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetStatus } from '../../../src/fleet/controller/status.js';
import type { Results } from '../../../src/results/schema.js';
import { CLI } from '../../support/cli.js';
import { said, startFleet, type TestFleet } from '../../support/fleet.js';
import { otherBuild } from '../../support/fleet-builds.js';
import { joinedMachines } from '../../support/fleet-network.js';
import { startSshd } from '../../support/sshd.js';
import { TINY_OUTCOMES, tinyProfile } from '../../support/tiny.js';

/** A bindstorm as another machine has it. @returns its path */
function installed({ cwd }: TestFleet, name: string, script: string): string {
  const path = join(cwd, name);
  writeFileSync(path, `#!/bin/sh\nXDG_STATE_HOME=${join(cwd, 'over-there')}\nexport XDG_STATE_HOME\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function agentsOf(fleet: TestFleet): Promise<string[]> {
  const { code, stdout, stderr } = await fleet.command(['fleet', 'status', '--json']).ended;
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as FleetStatus).agents.map(({ name }) => name);
}

test('agents are started by ssh, make an experiment, and end with the command', async (t) => {
  const { hub, machines } = await joinedMachines(t, 2);
  const fleet = await startFleet(t, { within: hub.within });
  const { config } = await startSshd(t, fleet.cwd, machines);
  const hosts = join(fleet.cwd, 'hosts.txt');
  const common = [
    'fleet',
    'start-agents',
    hosts,
    '--join',
    join(fleet.cwd, 'up', 'agent.json'),
    '--ssh-config',
    config,
  ];
  const program = installed(fleet, 'bindstorm', `exec '${process.execPath}' '${CLI}' "$@"`);
  const start = (path: string) => fleet.start([...common, '--program', path]);
  const refused = async (path: string, message: RegExp) => {
    const end = await start(path).ended;
    assert.equal(end.code, 3, end.stderr);
    assert.match(end.stderr, message);
  };

  writeFileSync(hosts, `10.201.1.1 a\n10.201.9.9 nobody\n`);
  await refused(
    program,
    /for 1 of 2 cannot have one:\n {2}10\.201\.9\.9: ssh does not reach it \(ssh: connect to host/,
  );
  assert.deepEqual(await agentsOf(fleet), [], 'one was started all the same');

  writeFileSync(hosts, '10.201.1.1 a\nssh://root@10.201.2.1:22 b   # the second\n');
  await refused(
    '/nowhere/bindstorm',
    /10\.201\.1\.1: there is no \/nowhere\/bindstorm there .*name its path with --program/,
  );
  const old = installed(fleet, 'old', `echo "error: unknown command 'build'" >&2; exit 1`);
  await refused(old, /does not say which build it is \(error: unknown command 'build'\); it may be an older version/);
  const other = otherBuild(join(fleet.cwd, 'other'));
  const another = installed(fleet, 'another', `exec '${process.execPath}' '${other}' "$@"`);
  await refused(another, /it has bindstorm \S+ of another build \(\w+; here it is \w+\)/);

  const agents = start(program);
  await said(agents, 'a: agent a is in the fleet');
  await said(agents, 'b: agent b is in the fleet');
  writeFileSync(join(fleet.cwd, 'tiny.yaml'), tinyProfile({ repeat: 4 }));
  const end = await fleet.command(['run', 'tiny.yaml', '--fixed', '--quiet', '--json', '--agents', '2']).ended;
  assert.equal(end.code, 0, end.stderr);
  const { variants } = JSON.parse(end.stdout) as Results;
  for (const { name, runs } of variants)
    for (const { outcomes } of runs) assert.deepEqual(outcomes, TINY_OUTCOMES[name]);

  agents.kill('SIGTERM');
  const stopped = await agents.ended;
  assert.equal(stopped.code, 0, stopped.stderr);
  await sleep(3_000);
  assert.deepEqual(await agentsOf(fleet), [], 'an agent outlived the command');

  const killed = start(program);
  await said(killed, 'a: agent a is in the fleet');
  killed.kill('SIGKILL');
  await killed.ended;
  for (let tries = 0; (await agentsOf(fleet)).length > 0; tries++) {
    assert.ok(tries < 60, 'an agent outlived the command that was killed');
    await sleep(1_000);
  }
});
