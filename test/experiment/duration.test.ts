import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labOverheadMs } from '../../src/domain/lab.js';
import { expectedExperimentMs, expectedLoadMs, runDeadlineMs } from '../../src/experiment/duration.js';
import type { Arm, Arrival } from '../../src/plan/plan.js';
import { fittedExperiment } from '../support/kernels.js';
import { makeArm, makeExperiment } from '../support/runs.js';

function armWith(arrival: Arrival): Arm {
  const arm = makeArm('baseline');
  return { ...arm, load: { ...arm.load, arrival, timeoutMs: 5000 } };
}

const fill = (numbers: Partial<Extract<Arrival, { shape: 'fill' }>>): Arrival => ({
  shape: 'fill',
  attempts: null,
  failures: null,
  inFlight: 32,
  waves: 1,
  pauseMs: 1500,
  ...numbers,
});

test('loads that have a duration last that long', () => {
  const cases: [Arrival, number][] = [
    [{ shape: 'constant', rate: 100, durationMs: 7000 }, 7000],
    [{ shape: 'poisson', rate: 100, durationMs: 250 }, 250],
    [{ shape: 'ramp', from: 1, to: 9, durationMs: 3000 }, 3000],
    [{ shape: 'steps', rates: [1, 2, 3], eachMs: 2000 }, 6000],
    [{ shape: 'hold', connections: 5, durationMs: 4000 }, 4000],
  ];
  for (const [arrival, ms] of cases) {
    assert.equal(expectedLoadMs(armWith(arrival)), ms, arrival.shape);
    assert.equal(runDeadlineMs(armWith(arrival)), ms * 1.5 + 70_000, arrival.shape);
  }
});

test('a fill takes time by its attempts, and each wave after the first its pause', () => {
  assert.equal(expectedLoadMs(armWith(fill({ attempts: 20_000 }))), 2000);
  assert.equal(expectedLoadMs(armWith(fill({ attempts: 20_000, waves: 3 }))), 3 * 2000 + 2 * 1500);
  assert.equal(expectedLoadMs(armWith(fill({ failures: 20 }))), 3000);
});

test('a fill is not given up before a few hundred attempts a second would have ended it', () => {
  assert.equal(runDeadlineMs(armWith(fill({ attempts: 30_000 }))), 300_000 + 6500 + 70_000);
  assert.equal(runDeadlineMs(armWith(fill({ attempts: 30_000, waves: 2 }))), 600_000 + 2 * 6500 + 70_000);
  assert.equal(
    runDeadlineMs(armWith(fill({ failures: 20 }))),
    900_000 + 6500 + 70_000,
    'half as long again as its bound',
  );
});

test('an experiment lasts for all runs of all blocks, labs and warm-up included', () => {
  const experiment = { ...makeExperiment({ variants: ['a', 'b'], repeat: 6 }), warmup: 1 };
  experiment.arms[2] = { ...armWith({ shape: 'constant', rate: 1, durationMs: 4000 }), name: 'b' };
  assert.equal(expectedExperimentMs(experiment), 7 * (10_000 + 10_000 + 4000 + 3 * labOverheadMs('netns', undefined)));
});

test('a guest takes its time to boot, and what a kernel cannot run takes none', () => {
  const experiment = fittedExperiment({ repeat: 3 });
  const [old, qemu] = experiment.kernels!;
  assert.equal(expectedExperimentMs(experiment), 3 * 7 * (10_000 + labOverheadMs('vm', 'uml')));
  const mixed = { ...experiment, kernels: [old!, { ...qemu!, guest: { engine: 'qemu' as const, kernel: 'sid' } }] };
  assert.equal(
    expectedExperimentMs(mixed),
    3 * (3 * (10_000 + labOverheadMs('vm', 'uml')) + 4 * (10_000 + labOverheadMs('vm', 'qemu'))),
  );
});
