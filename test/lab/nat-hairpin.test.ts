// needs: iptables
/**
 * The row of oracle-nat.tsv that the lab's router has no rule for: destinations that are translated too, as for a service inside that is
 * reached by its public address. Then the ports of the NAT are those towards the translated destination.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { netnsCommand } from '../../src/lab/netns.js';
import type { HairpinAnswer, HairpinQuestion } from '../support/nat-hairpin.js';

const HAIRPIN = fileURLToPath(new URL('../support/nat-hairpin.js', import.meta.url));

function ask(question: HairpinQuestion): HairpinAnswer {
  const command = [process.execPath, HAIRPIN, JSON.stringify(question)];
  const [program, ...rest] = netnsCommand(command, process.getuid?.() === 0);
  const { stdout, stderr, status } = spawnSync(program!, rest, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as HairpinAnswer;
}

for (const tool of ['iptables-nft', 'iptables-legacy'])
  test(`${tool}: two public ports that lead to one server share its 20 ports; with a server each, each has 20`, () => {
    const one = ask({ tool, servers: 1, each: 15 });
    assert.equal(one.stood, 20);
    assert.ok(one.insertFailed >= 10 && one.insertFailed <= 10 + one.sentAgain, JSON.stringify(one));
    const two = ask({ tool, servers: 2, each: 15 });
    assert.deepEqual([two.stood, two.insertFailed], [30, 0]);
  });
