// needs: microsocks
/**
 * SIGUSR1 to each process of a real run, again and again while it loads: no debugger listens, none ends, and the run is as without.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Results } from '../../src/results/schema.js';
import { scratchFolder, startCli, until } from '../support/cli.js';
import { debuggerPorts, newMark } from '../support/processes.js';
import { undisturbed } from '../support/undisturbed.js';

const OURS = ['controller', 'agent', 'origin', 'neighbour', 'proxy-role'] as const;

for (const [subject, roles] of [
  ['direct', OURS.filter((role) => role !== 'proxy-role')],
  ['microsocks', OURS],
] as const)
  it(`of a run with the subject ${subject}`, async (t) => {
    const home = scratchFolder(t);
    writeFileSync(
      join(home, 'run.yaml'),
      `name: signalled
addresses: { cidr: 10.50.0.0/24, count: 1 }
subject: { kind: ${subject} }
load: { ${subject === 'direct' ? '' : 'protocol: socks5, '}arrival: { shape: constant, rate: 100/s, duration: 3s }, lagBudget: 10s }
neighbours:
  - { name: cron, where: beside, strategy: connect, rate: 10/s, duration: 3s }
variants: [{ name: v }]
repeat: 1
warmup: 0
`,
    );
    const runs = await undisturbed(signalled, (made) => made.flatMap(({ problems }) => problems));
    for (const { outcomes, problems } of runs) assert.deepEqual([outcomes, problems], [{ ok: 300 }, []]);

    async function signalled() {
      const mark = newMark();
      const cli = startCli(['run', 'run.yaml', '--quiet', '--force', '--out', 'out'], { cwd: home, env: mark.env });
      const ours = () => mark.processes().filter(({ role }) => roles.some((one) => one === role));
      await until('all of them', () => roles.every((role) => ours().some((one) => one.role === role)));
      await wait(700);
      const all = ours();
      assert.deepEqual([...new Set(all.map(({ role }) => role))].sort(), [...roles].sort());
      for (let i = 0; i < 20; i++) {
        for (const { pid } of all) process.kill(pid, 'SIGUSR1');
        await wait(20);
      }
      await wait(300);
      const alive = new Set(ours().map(({ pid }) => pid));
      for (const { pid, role } of all) {
        assert.ok(alive.has(pid), `${role} lives`);
        assert.deepEqual(debuggerPorts(pid), [], role);
      }
      const { code, stderr } = await cli.ended;
      assert.equal(code, 0, stderr);
      const folder = /^Results: (.+)$/m.exec((await cli.ended).stdout)![1]!;
      const { variants } = JSON.parse(readFileSync(join(home, folder, 'results.json'), 'utf8')) as Results;
      return variants.flatMap(({ runs }) => runs);
    }
  });
