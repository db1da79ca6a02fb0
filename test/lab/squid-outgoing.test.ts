// needs: squid
/**
 * The change of squid.conf that the tutorial gives, made to a real Squid while it serves: who leaves from where, and what is open goes on.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { netnsCommand } from '../../src/lab/netns.js';
import type { Reconfigured } from '../support/squid-reconfigured.js';
import { squidLines } from '../support/tutorial.js';

const DRIVER = fileURLToPath(new URL('../support/squid-reconfigured.js', import.meta.url));

function reconfigured(lines: readonly string[]): Reconfigured {
  const inside = [process.execPath, DRIVER, JSON.stringify(lines)];
  const [program, ...args] = netnsCommand(inside, process.getuid?.() === 0);
  const { status, stdout, stderr } = spawnSync(program!, args, { encoding: 'utf8', timeout: 120_000 });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Reconfigured;
}

test('the group is spread over three, another client keeps its line, and the open tunnel its address', () => {
  const { old, group, other } = reconfigured(squidLines());
  assert.deepEqual(old, ['10.0.0.17', '10.0.0.17']);
  assert.deepEqual(other, { '10.0.0.1': 12 });
  assert.deepEqual(Object.keys(group).sort(), ['10.0.0.17', '10.0.0.18', '10.0.0.19']);
  // 120 draws with a chance of 1/3: 40, with a standard deviation of 5.2.
  for (const share of Object.values(group)) assert.ok(share >= 12 && share <= 68, JSON.stringify(group));
});

test('without the name of the group they would take the other client too, as the tutorial warns', () => {
  const { other } = reconfigured(squidLines().map((line) => line.replace(' big_group', '')));
  assert.equal(other['10.0.0.1'], undefined, JSON.stringify(other));
});
