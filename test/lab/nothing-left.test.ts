/**
 * A lab changes nothing on the host and leaves nothing behind, however its end comes.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { eventSchema, type RunSpec } from '../../src/agent/protocol.js';
import { rehearse } from '../../src/experiment/rehearsal.js';
import { agentCommand } from '../../src/lab/agent-process.js';
import { netnsCommand, netnsLab } from '../../src/lab/netns.js';
import { readMessages, writeMessage } from '../../src/machine/ndjson.js';
import { loadProfile } from '../../src/profile/load.js';
import { type RunningCli, scratchFolder, startCli, until } from '../support/cli.js';
import { hostState } from '../support/host-state.js';
import {
  killRole,
  loadingAgent,
  type Mark,
  namespacesOf,
  newMark,
  startClock,
  stillInUse,
} from '../support/processes.js';
import { tinyProfile } from '../support/tiny.js';

/** From the death of the one to the end of all. */
const PROMPT_MS = 2_000;
/** Long enough to be in its midst, and short enough to wait for. */
const PROFILE = tinyProfile({ loadMs: 1000, repeat: 1 });

test('after a normal end', async (t) => {
  await leavesNothing(t, async ({ cli }) => {
    assert.equal((await cli.ended).code, 0);
  });
});

test('after a crash of the agent in the middle of the load', async (t) => {
  await leavesNothing(t, async ({ cli, mark }) => {
    assert.equal(killRole(mark, 'agent'), 1);
    assert.equal((await cli.ended).code, 4);
  });
});

test('after SIGINT to the controller', async (t) => {
  await leavesNothing(t, async ({ cli }) => {
    cli.kill('SIGINT');
    assert.equal((await cli.ended).code, 130);
  });
});

test('after SIGKILL to the controller while the load runs', async (t) => {
  await leavesNothing(t, async ({ cli }) => {
    cli.kill('SIGKILL');
    assert.equal((await cli.ended).signal, 'SIGKILL');
  });
});

test('after a second SIGINT, which does not wait for the agent', async (t) => {
  await leavesNothing(t, async ({ cli, mark }) => {
    // A stopped agent cannot answer the first one.
    killRole(mark, 'agent', 'SIGSTOP');
    cli.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 300));
    cli.kill('SIGINT');
    assert.equal((await cli.ended).signal, 'SIGINT');
  });
});

test("after the end of the agent's input while the load runs", async (t) => {
  const { mark, check } = observe(t);
  const { experiment } = loadProfile(PROFILE, 'tiny.yaml');
  const { network } = await rehearse(experiment, netnsLab());
  const spec: RunSpec = { arm: experiment.arms[0]!, seed: 1, network, ownNamespace: true, sampleMs: 100 };
  const [program, ...args] = netnsCommand(agentCommand('netns', 'run'), process.getuid?.() === 0);
  const agent = spawn(program!, args, { env: { ...process.env, ...mark.env }, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(agent, 'exit');
  const events = readMessages(agent.stdout, eventSchema);
  assert.equal((await events.next()).value.type, 'hello');
  writeMessage(agent.stdin, { type: 'run', spec });
  await until('load', () => loadingAgent(mark));
  const finish = check();
  agent.stdin.end();
  assert.deepEqual(await ended, [0, null]);
  for await (const event of events)
    assert.ok(event.type === 'phase' || event.type === 'second', 'no result is made up');
  await finish();
});

interface Scene {
  readonly cli: RunningCli;
  readonly mark: Mark;
}

/** Start an experiment, wait until it loads, let `end` bring about its end, and look for what is left. */
async function leavesNothing(t: TestContext, end: (scene: Scene) => Promise<void>): Promise<void> {
  const { mark, home, check } = observe(t);
  writeFileSync(join(home, 'tiny.yaml'), PROFILE);
  const cli = startCli(['run', 'tiny.yaml', '--quiet', '--force'], {
    cwd: home,
    env: { ...mark.env, HOME: join(home, 'home'), XDG_STATE_HOME: join(home, 'state'), TMPDIR: join(home, 'tmp') },
  });
  await until('load', () => loadingAgent(mark));
  const finish = check();
  await end({ cli, mark });
  await finish();
  assert.deepEqual(readdirSync(home).sort(), ['home', 'reports', 'state', 'tiny.yaml', 'tmp']);
  for (const folder of ['home', 'state', 'tmp']) assert.deepEqual(readdirSync(join(home, folder)), []);
}

/** Note what the host is like now. `check`, called during the load, gives the function to call after its end. */
function observe(t: TestContext) {
  const mark = newMark();
  const home = scratchFolder(t);
  for (const folder of ['home', 'state', 'tmp']) mkdirSync(join(home, folder));
  const before = hostState();
  assert.ok(Object.keys(before).length > 100, 'the host state can be read');
  const own = namespacesOf(process.pid);
  const check = () => {
    const alive = mark.processes();
    const roles = new Set(alive.map(({ role }) => role));
    for (const role of ['unshare', 'agent', 'origin'] as const) assert.ok(roles.has(role), `there is no ${role}`);
    assert.deepEqual(hostState(), before, 'the host is as it was even during the load');
    const made = [...new Set(alive.flatMap(({ namespaces }) => namespaces))].filter((name) => !own.includes(name));
    assert.ok(made.filter((name) => name.startsWith('net:')).length >= 1, 'the lab is a namespace of its own');
    const since = startClock();
    return async () => {
      const left = () => ({ processes: mark.processes(), namespaces: stillInUse(made, since) });
      const nothing = { processes: [], namespaces: [] };
      await until('nothing is left', () => isDeepStrictEqual(left(), nothing), PROMPT_MS).catch(() => {});
      assert.deepEqual(left(), nothing);
      assert.deepEqual(hostState(), before);
    };
  };
  return { mark, home, check };
}
