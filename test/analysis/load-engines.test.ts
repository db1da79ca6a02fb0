import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareArms } from '../../src/analysis/compare.js';
import { experimentWarnings } from '../../src/analysis/warnings.js';
import { makeExperiment, makeRuns } from '../support/runs.js';

const BLOCKS = 6;
const blocks = Array.from({ length: BLOCKS }, (_, block) => block);

/** The variant's times are ten times the baseline's, and its failures are gone; it has the engine that is given. */
function judged(engine: 'socket' | 'http') {
  const made = makeExperiment({
    variants: ['other'],
    repeat: BLOCKS,
    goal: 'failures.share',
    guardrails: ['latency.total.p50', 'cpu.perConnection', 'rate', 'ports.peak'],
  });
  const arms = made.arms.map((arm) => (arm.baseline ? arm : { ...arm, load: { ...arm.load, engine } }));
  const experiment = { ...made, arms };
  const runs = [
    ...makeRuns(
      'baseline',
      blocks.map((block) => ({
        outcomes: { ok: 500 - block, 'bind:EADDRINUSE': 500 + block },
        latency: { total: 1000 },
      })),
    ),
    ...makeRuns(
      'other',
      blocks.map((block) => ({ outcomes: { ok: 1000 }, latency: { total: 10_000 + block } })),
    ),
  ];
  const input = { experiment, runs, deterministic: () => false };
  const verdicts = compareArms(input);
  return { verdict: verdicts.get('other')!, warnings: experimentWarnings({ ...input, verdicts }) };
}

test('times of the socket engine and of the HTTP engine are not compared, counts are', () => {
  const { verdict, warnings } = judged('http');
  assert.equal(verdict.verdict, 'better');
  for (const { metric, verdict: word, difference, why } of verdict.guardrails.slice(0, 3)) {
    assert.equal(word, 'not enough evidence', metric);
    assert.equal(difference, null, metric);
    assert.match(why, /was measured with the socket engine in the baseline and with the HTTP engine here/);
  }
  assert.notEqual(verdict.guardrails[3]?.difference, null);
  assert.deepEqual(
    warnings.filter((warning) => warning.includes('engine')),
    [
      'other and the baseline have different engines (load.engine), whose times are not alike: only counts are compared between them',
    ],
  );
});

test('of one engine they are', () => {
  const { verdict, warnings } = judged('socket');
  assert.equal(verdict.guardrails[0]?.verdict, 'worse');
  assert.deepEqual(
    warnings.filter((warning) => warning.includes('engine')),
    [],
  );
});
