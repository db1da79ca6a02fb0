/** SIGUSR1 opens no debugger in a program of this package, whatever the version of Node and whenever it comes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { nodeCommand } from '../../src/machine/node-command.js';
import { ROOT } from '../support/cli.js';
import { debuggerPorts } from '../support/processes.js';

/** What is started by its path, without the threads: a signal is the whole process's. */
const PROGRAMS = [
  'cli',
  'agent/entry',
  'agent/guest-init',
  'agent/roles/neighbour',
  'agent/roles/origin',
  'agent/roles/proxy-role',
  'agent/roles/router-role',
  'subjects/what-if/exec',
];
const THREADS = ['load/origin/threads', 'load/worker', 'subjects/what-if/supervisor'];

it('it is the first import of every program', () => {
  const bundles = readFileSync(join(ROOT, 'scripts', 'bundle.mjs'), 'utf8');
  const started = [...bundles.matchAll(/'[\w/-]+': '([\w/-]+)'/g)].map(([, path]) => path);
  assert.deepEqual(started.sort(), [...PROGRAMS, ...THREADS].sort(), 'scripts/bundle.mjs says what is started');
  for (const program of PROGRAMS) {
    const source = readFileSync(join(ROOT, 'src', `${program}.ts`), 'utf8');
    assert.match(/^import .*$/m.exec(source)?.[0] ?? '', /\/machine\/no-debugger\.js';$/, program);
  }
});

it('a signal at any instant of the start opens nothing that stays', async () => {
  const [program, ...rest] = nodeCommand(new URL(`file://${ROOT}dist/bundle/agent/entry.js`));
  await Promise.all(
    [0, 15, 30, 45, 60, 80, 100, 150, 300].map(async (instant) => {
      const agent = spawn(program, [...rest, 'netns', 'check'], { stdio: ['pipe', 'pipe', 'ignore'] });
      const [said, ended] = [once(agent.stdout, 'data'), once(agent, 'exit')];
      await wait(instant);
      agent.kill('SIGUSR1');
      // Before Node has begun, the signal ends a process.
      await Promise.race([said, ended]);
      await wait(1500);
      assert.deepEqual(debuggerPorts(agent.pid!), [], `after ${instant} ms`);
      agent.kill('SIGKILL');
      agent.stdin.destroy();
    }),
  );
});
