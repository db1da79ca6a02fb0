/** Commands of a user who has nothing of a fleet yet, at servers of others. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Results } from '../../src/results/schema.js';
import { type RunningCli, runCli, scratchFolder, startCli } from './cli.js';
import { said } from './fleet.js';
import { TINY_OUTCOMES, tinyProfile } from './tiny.js';

type Test = Parameters<typeof scratchFolder>[0];

/** A user with a scratch folder; all that it starts ends with the test. */
export function user(t: Test) {
  const cwd = scratchFolder(t);
  const env = { XDG_STATE_HOME: join(cwd, 'state'), XDG_CACHE_HOME: join(cwd, 'cache') };
  const started: RunningCli[] = [];
  t.after(() => {
    for (const cli of started) cli.kill('SIGKILL');
  });
  return {
    cwd,
    run: (args: readonly string[], more: NodeJS.ProcessEnv = {}) => runCli(args, { cwd, env: { ...env, ...more } }),
    start(args: readonly string[], more: NodeJS.ProcessEnv = {}, within: readonly string[] = []) {
      const cli = startCli(args, { cwd, env: { ...env, ...more }, within, deadlineMs: 900_000 });
      started.push(cli);
      return cli;
    },
    async refused(args: readonly string[], code: number, message: RegExp, more: NodeJS.ProcessEnv = {}) {
      const end = await runCli(args, { cwd, env: { ...env, ...more } });
      assert.equal(end.code, code, end.stderr);
      assert.match(end.stderr.replaceAll(/\s+/g, ' '), message);
      assert.doesNotMatch(end.stderr, /fault of bindstorm/);
    },
  };
}

/** A line of the configuration of nats-server. */
export const JETSTREAM = (folder: string) => `jetstream: { store_dir: "${join(folder, 'jetstream')}" }`;

/** Make an experiment of some runs with one agent. */
export async function works(
  { cwd, run, start }: ReturnType<typeof user>,
  controller: string,
  agentFile: string,
): Promise<void> {
  const agent = start(['fleet', 'agent', '--join', agentFile, '--name', 'a']);
  await said(agent, 'is in the fleet');
  writeFileSync(join(cwd, 'tiny.yaml'), tinyProfile());
  const end = await run(['run', 'tiny.yaml', '--fixed', '--quiet', '--json', '--fleet', controller]);
  assert.equal(end.code, 0, end.stderr);
  for (const { name, runs } of (JSON.parse(end.stdout) as Results).variants)
    for (const { outcomes, machine } of runs) assert.deepEqual([outcomes, machine], [TINY_OUTCOMES[name], 'a']);
  // Its name is free for the next one.
  agent.kill('SIGTERM');
  await agent.ended;
}
