import assert from 'node:assert/strict';
import { it } from 'node:test';
import { evaluateThresholds } from '../../src/analysis/thresholds.js';
import { makeExperiment, makeRun, makeRuns } from '../support/runs.js';

const never = () => false;
const share = 'outcomes["bind:EADDRINUSE"].share';
const runs = [
  ...makeRuns('baseline', [{ outcomes: { ok: 50, 'bind:EADDRINUSE': 50 } }]),
  ...makeRuns('wider-range', [{ outcomes: { ok: 99, 'bind:EADDRINUSE': 1 } }, {}, {}]),
];

it('a threshold is held against the median of its variant', () => {
  const experiment = makeExperiment({
    thresholds: [{ metric: share, max: 0, text: '0', variant: 'wider-range' }],
  });
  assert.deepEqual(evaluateThresholds(experiment, runs, never), [
    { metric: share, limit: '0', variant: 'wider-range', value: 0, passed: true },
  ]);
});

it('a threshold that names no variant is held against every arm', () => {
  const experiment = makeExperiment({ thresholds: [{ metric: share, max: 0.1, text: '10%' }] });
  assert.deepEqual(
    evaluateThresholds(experiment, runs, never).map(({ variant, value, passed }) => [variant, value, passed]),
    [
      ['baseline', 0.5, false],
      ['wider-range', 0, true],
    ],
  );
});

it('both ends count as kept', () => {
  const passed = (limits: { max?: number; min?: number }) =>
    evaluateThresholds(
      makeExperiment({ thresholds: [{ metric: share, variant: 'baseline', ...limits }] }),
      runs,
      never,
    )[0]!.passed;
  assert.deepEqual(
    [{ max: 0.5 }, { min: 0.5 }, { min: 0.51 }, { max: 0.49 }, { min: 0.4, max: 0.6 }, { min: 0.1, max: 0.2 }].map(
      passed,
    ),
    [true, true, false, false, true, false],
  );
});

it('what was not measured was not kept', () => {
  const experiment = makeExperiment({
    thresholds: [
      { metric: 'latency.failed.p99', max: 1000, variant: 'wider-range' },
      { metric: 'rate', min: 0, variant: 'wider-range' },
    ],
  });
  const unusable = [
    makeRun({ variant: 'wider-range', warmup: true }),
    makeRun({ variant: 'wider-range', block: 1, status: 'failed' }),
    makeRun({ variant: 'wider-range', block: 2, valid: false }),
  ];
  assert.deepEqual(
    [
      ...evaluateThresholds(experiment, runs, never).slice(0, 1),
      ...evaluateThresholds(experiment, unusable, never),
    ].map(({ value, passed }) => [value, passed]),
    [
      [null, false],
      [null, false],
      [null, false],
    ],
  );
});

it('late runs are held against a limit on counts that the kernel’s rules decide, and on nothing else', () => {
  const late = { valid: false, generatorLimited: true, problems: ['generator-limited: late'] };
  const experiment = makeExperiment({
    thresholds: [
      { metric: share, max: 0, variant: 'wider-range' },
      { metric: 'latency.total.p99', max: 1e6, variant: 'wider-range' },
    ],
  });
  const held = (deterministic: boolean) =>
    evaluateThresholds(experiment, makeRuns('wider-range', [late, late]), () => deterministic).map(
      ({ value }) => value,
    );
  assert.deepEqual(held(true), [0, null]);
  assert.deepEqual(held(false), [null, null]);
});
