/**
 * A service that restarts beside the load: it gets its port back outside of the range that the load draws from, and loses it within; reserving the
 * port keeps it.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMetric } from '../../src/domain/metric.js';
import { LOAD } from '../../src/plan/load-settings.js';
import type { Arm, Neighbour } from '../../src/plan/plan.js';
import { labArm, measure, tenAddresses } from '../support/lab.js';

/** Two restarts of each of five ports a second. */
const RESTARTS = { rate: 10, durationMs: 1500 };
const N = (RESTARTS.rate * RESTARTS.durationMs) / 1000;

const api: Neighbour = {
  name: 'api',
  where: 'beside',
  addresses: [],
  afterMs: 300,
  service: { ports: { low: 40_030, high: 40_034 }, downMs: 20 },
  load: { ...LOAD, pick: 'round-robin', arrival: { shape: 'constant', ...RESTARTS } },
};

/** More connections than there are ports, all held: each port that is given up is wanted. */
function held(sysctls: Readonly<Record<string, string>>): Arm {
  return labArm({
    addresses: tenAddresses(1),
    sysctls: { ...sysctls },
    load: {
      strategy: 'connect',
      holdMs: null,
      timeoutMs: 30_000,
      // Of no interest here.
      lagBudgetMs: 60_000,
      arrival: { shape: 'constant', rate: 400, durationMs: 2000 },
    },
  });
}

async function restartsBeside(sysctls: Readonly<Record<string, string>>) {
  const run = await measure(held(sysctls), { neighbours: [api] });
  assert.deepEqual(run.problems, []);
  const [part] = run.neighbours!;
  assert.equal(part!.attempts, N);
  return { outcomes: part!.outcomes, refused: parseMetric('listeners.refused').value(run), load: run.outcomes };
}

describe('a service that restarts', () => {
  it('keeps its ports where they are outside of the range', async () => {
    const { outcomes, refused, load } = await restartsBeside({ 'net.ipv4.ip_local_port_range': '40000 40019' });
    assert.deepEqual(outcomes, { ok: N });
    assert.equal(refused, 0);
    assert.equal(load.ok, 20);
  });

  it('loses them to outgoing connections where the range is wider', async () => {
    const { outcomes, refused, load } = await restartsBeside({ 'net.ipv4.ip_local_port_range': '40000 40039' });
    assert.ok((outcomes['listen:EADDRINUSE'] ?? 0) > 0, JSON.stringify(outcomes));
    assert.equal(refused, outcomes['listen:EADDRINUSE']! / N);
    // The first restart of each port gave it up, and from then on it was held by a connection.
    assert.ok(load.ok! > 35, `${load.ok} connections had ports`);
  });

  it('keeps them where they are reserved, in the same range', async () => {
    const { outcomes, load } = await restartsBeside({
      'net.ipv4.ip_local_port_range': '40000 40039',
      'net.ipv4.ip_local_reserved_ports': '40030-40034',
    });
    assert.deepEqual(outcomes, { ok: N });
    assert.equal(load.ok, 35);
  });
});
