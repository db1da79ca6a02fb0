// needs: nats-server, iproute2
/** Four machines, each in a namespace of its own, load one target at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Results } from '../../../src/results/schema.js';
import { fourMachines, NAMES } from '../../support/fleet-together.js';

test('four machines load one target at once: one schedule, sums, addresses of their own', async (t) => {
  const { fleet, run } = await fourMachines(t);
  const { code, stdout, stderr } = await run('short.yaml', 'short').ended;
  assert.equal(code, 0, stderr);
  const results = JSON.parse(stdout) as Results;
  const runs = results.variants.flatMap((variant) => variant.runs);
  assert.equal(runs.length, 4);
  for (const { attempts, outcomes, together, latency, ports, problems } of runs) {
    assert.equal(attempts, 200, problems.join('; '));
    assert.deepEqual(outcomes, { ok: 200 });
    assert.deepEqual(
      together!.machines.map(({ name, attempts: own }) => [name, own]),
      NAMES.map((name) => [name, 50]),
    );
    assert.ok(together!.skewMs >= 0 && together!.skewMs < 10_000);
    assert.equal(latency.total!.count, 200);
    assert.equal(ports.peakPerAddress!.length, 4);
  }

  const forbidden = await fleet.command(['run', 'short.yaml', '--lab', 'host', '--force', '--out', 'x', '--quiet'])
    .ended;
  assert.equal(forbidden.code, 2, forbidden.stderr);
  assert.match(forbidden.stderr, /does not have 10\.201\./);
});
