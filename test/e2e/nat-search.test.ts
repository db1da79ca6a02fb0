/** The search for the highest rate through a NAT: since 6.5 no rate of connections that are closed at once is refused for want of a port. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { atLeast, parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { EVICTS_SINCE } from '../../src/capacity/nat/after-close.js';
import type { SearchReport } from '../../src/results/search.js';
import { runCli, scratchFolder } from '../support/cli.js';

const ends = atLeast(parseKernelVersion(release()), EVICTS_SINCE);
const skip = !ends && 'this kernel keeps the ports of closed connections';

test('search through a NAT: closed connections give way, and the search ends where it is told to', {
  skip,
}, async (t) => {
  const cwd = scratchFolder(t);
  writeFileSync(
    join(cwd, 'nat.yaml'),
    `name: nat-rate
subject: { kind: nat, rule: snat, natPorts: 40000-40049 }
addresses: { list: [10.50.0.1] }
load:
  arrival: { find: max-rate, from: 20/s, to: 80/s, step: 3s, confirm: 1 }
  close: client
  drain: true
  lagBudget: 20s
  timeout: 20s
variants: [{ name: wider-range, subject: { natPorts: 40000-40099 } }]
`,
  );
  const { code, stdout, stderr } = await runCli(['search', 'nat.yaml', '--json', '--quiet'], { cwd });
  assert.equal(code, 0, stderr);
  const { arms } = JSON.parse(stdout) as SearchReport;
  for (const { interval, problem, prediction, steps } of arms) {
    assert.equal(prediction.limited, 'not by ports');
    assert.deepEqual([interval?.low, interval?.high], [80, null], problem ?? '');
    // 240 connections of a step are more than there are ports.
    assert.ok(steps.at(-1)!.outcomes.ok! >= 240);
  }
});
