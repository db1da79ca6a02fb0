import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labOverheadMs } from '../../src/domain/lab.js';
import {
  drainMs,
  expectedExperimentMs,
  expectedLoadMs,
  expectedSpanMs,
  runCost,
  runDeadlineMs,
} from '../../src/experiment/duration.js';
import type { Arm, Arrival } from '../../src/plan/plan.js';
import { fittedExperiment } from '../support/kernels.js';
import { makeArm, makeEnvironment, makeExperiment } from '../support/runs.js';

function armWith(arrival: Arrival): Arm {
  const arm = makeArm('baseline');
  return { ...arm, load: { ...arm.load, arrival, timeoutMs: 5000 } };
}

const nothing = () => undefined;

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
  assert.equal(
    expectedExperimentMs(experiment, nothing),
    7 * (10_000 + 10_000 + 4000 + 3 * labOverheadMs('netns', undefined)),
  );
});

test('on a busy machine the CPU’s part takes longer, and the clock’s does not', () => {
  const paced = armWith({ shape: 'constant', rate: 100, durationMs: 7000 });
  assert.equal(expectedLoadMs(paced, undefined, 4), 7000);
  const filling = armWith(fill({ attempts: 20_000, waves: 2 }));
  assert.equal(expectedLoadMs(filling, undefined, 3), 2 * 6000 + 1500);
  const experiment = makeExperiment({ variants: ['a'], repeat: 6 });
  const overhead = labOverheadMs('netns', undefined);
  assert.deepEqual(runCost(experiment, experiment.arms[0]!, undefined), { clockMs: 10_000, cpuMs: overhead });
  assert.equal(expectedExperimentMs(experiment, nothing, 3), 12 * (10_000 + 3 * overhead));
});

test('an experiment ends between its first look with half of the CPU’s part, and its last with twice as much', () => {
  const overhead = labOverheadMs('netns', undefined);
  const experiment = { ...makeExperiment({ variants: ['a'], repeat: 9 }), warmup: 1, looks: [2, 3, 4, 6, 9] };
  assert.deepEqual(expectedSpanMs(experiment, nothing, 1), {
    least: 2 * 3 * (10_000 + overhead / 2),
    most: 2 * 10 * (10_000 + 2 * overhead),
  });
  const { looks: _, ...fixed } = experiment;
  assert.equal(expectedSpanMs(fixed, nothing, 4).least, 2 * 10 * (10_000 + 2 * overhead));
});

test('a guest takes its time to boot, and what a kernel cannot run takes none', () => {
  const experiment = fittedExperiment({ repeat: 3 });
  const [old, qemu] = experiment.kernels!;
  assert.equal(expectedExperimentMs(experiment, nothing), 3 * 7 * (10_000 + labOverheadMs('vm', 'uml')));
  const mixed = { ...experiment, kernels: [old!, { ...qemu!, guest: { engine: 'qemu' as const, kernel: 'sid' } }] };
  assert.equal(
    expectedExperimentMs(mixed, nothing),
    3 * (3 * (10_000 + labOverheadMs('vm', 'uml')) + 4 * (10_000 + labOverheadMs('vm', 'qemu'))),
  );
});

/** A range of real size, of which most attempts come after half is taken. */
function atTheWall(numbers: Partial<Arm['load']> = {}): Arm {
  const arm = armWith(fill({ attempts: 40_000 }));
  return { ...arm, addresses: ['10.50.0.1'], load: { ...arm.load, holdMs: null, ...numbers } };
}

test('past the slow wall each attempt costs milliseconds, which the estimate and the deadline have', () => {
  const machine = { ...makeEnvironment(), kernel: '6.18.0' };
  // 14,116 attempts of 14,116 ports at 200 ns, and 11,768 that fail, of 28,232 at 280 ns.
  const slow = 14_116 * 14_116 * 200e-6 + 11_768 * 28_232 * 280e-6;
  const near = (value: number, expected: number) => assert.ok(Math.abs(value / expected - 1) < 1e-6, `${value}`);
  near(expectedLoadMs(atTheWall(), machine), 4000 + slow);
  near(expectedLoadMs(atTheWall({ workers: 7 }), machine), 4000 + slow / 2);
  near(runDeadlineMs(atTheWall(), undefined, machine) - runDeadlineMs(atTheWall()), 5 * slow);
  const paced = atTheWall({ arrival: { shape: 'constant', rate: 4000, durationMs: 10_000 }, holdMs: 0 });
  near(expectedLoadMs(paced, machine), slow);
  const slower = atTheWall({ arrival: { shape: 'constant', rate: 200, durationMs: 200_000 }, holdMs: 0 });
  assert.equal(expectedLoadMs(slower, machine), 200_000, 'ports come back in time');
});

test('on the host a run waits for TIME_WAIT only where that could bring it to a wall', () => {
  const machine = { ...makeEnvironment(), kernel: '6.18.0' };
  const waits = (attempts: number) => {
    const arm = { ...atTheWall({ arrival: { shape: 'constant', rate: attempts / 5, durationMs: 5000 }, holdMs: 0 }) };
    return drainMs({ lab: 'host', arms: [arm] }, arm, machine) > 0;
  };
  // Twelve runs a minute, each after the one before: 100 of 28,232 ports are nothing, and 2,000 come to half of them.
  assert.deepEqual([100, 1000, 2000, 20_000].map(waits), [false, false, true, true]);
  const arm = atTheWall({ arrival: { shape: 'constant', rate: 20, durationMs: 5000 }, holdMs: 0 });
  assert.equal(drainMs({ lab: 'netns', arms: [arm] }, arm, machine), 0);
});
