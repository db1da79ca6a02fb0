import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compareArms } from '../../src/analysis/compare.js';
import { boundedMedian } from '../../src/analysis/lower-bound.js';
import { summarise } from '../../src/analysis/summary.js';
import { evaluateThresholds } from '../../src/analysis/thresholds.js';
import { parseMetric } from '../../src/domain/metric.js';
import { formatCompared } from '../../src/report/format.js';
import { makeExperiment, makeRun } from '../support/runs.js';

const never = () => false;

/** Runs whose recovery took so many seconds; null: given up after 5 s. */
function recovering(variant: string, seconds: readonly (number | null)[]) {
  return seconds.map((value, block) => ({
    ...makeRun({ variant, block }),
    recovery: { freed: 1, seconds: value, within: 5, attempts: 3, outcomes: {}, why: null },
  }));
}

it('a median is a lower bound where a value that was given up stands in the middle or below', () => {
  const medianOf = (...seconds: (number | null)[]) =>
    boundedMedian(parseMetric('recovery.time'), recovering('baseline', seconds));
  assert.deepEqual(medianOf(null, null, null), { value: 5e6, atLeast: true });
  assert.deepEqual(medianOf(1, 1, null), { value: 1e6, atLeast: false });
  assert.deepEqual(medianOf(1, null, null), { value: 5e6, atLeast: true });
  assert.deepEqual(medianOf(1, null), { value: 3e6, atLeast: true });
  assert.deepEqual(medianOf(), { value: null, atLeast: false });
});

const runs = [...recovering('baseline', [null, null, null]), ...recovering('a', [0.25, 0.25, 0.25])];

it('what was given up keeps no upper limit, however high that is, and fails none below it', () => {
  const held = (limits: { max?: number; min?: number }, variant: string) => {
    const experiment = makeExperiment({
      variants: ['a'],
      thresholds: [{ metric: 'recovery.time', variant, ...limits }],
    });
    return evaluateThresholds(experiment, runs, never)[0]!;
  };
  assert.deepEqual(held({ max: 5e6 }, 'baseline').passed, false);
  assert.deepEqual(held({ max: 60e6 }, 'baseline').passed, false);
  assert.deepEqual(held({ min: 1e6 }, 'baseline').passed, true);
  assert.equal(held({ max: 5e6 }, 'baseline').atLeast, true);
  const kept = held({ max: 5e6 }, 'a');
  assert.equal(kept.passed, true);
  assert.ok(!('atLeast' in kept));
});

it('the sentence and the table mark it, and the other side they do not', () => {
  const experiment = makeExperiment({ variants: ['a'], repeat: 3, goal: 'recovery.time', guardrails: [] });
  const input = { experiment, runs, deterministic: never };
  const verdicts = compareArms(input);
  const { goal } = verdicts.get('a')!;
  assert.deepEqual(goal.atLeast, { baseline: true, variant: false });
  assert.equal(formatCompared(goal), '≥ 5 s → 250 ms');
  assert.match(
    summarise({ ...input, verdicts }),
    /^In the baseline the time until it works again once ports are free was ≥ 5 s: a /,
  );
});
