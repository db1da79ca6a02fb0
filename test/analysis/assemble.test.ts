import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assembleResults, type ResultsInput } from '../../src/analysis/assemble.js';
import { resultsSchema } from '../../src/results/schema.js';
import { makeEnvironment, makeExperiment, makePrediction, makeRun, repeated } from '../support/runs.js';

const halfFails = { outcomes: { ok: 500, 'bind:EADDRINUSE': 500 } };

function input(overrides: Partial<ResultsInput> = {}): ResultsInput {
  return {
    experiment: makeExperiment({
      variants: ['wider-range', 'no-port'],
      repeat: 2,
      guardrails: ['latency.total.p99'],
      thresholds: [{ metric: 'failures.share', max: 0, variant: 'no-port' }],
    }),
    runs: [
      ...repeated('no-port', 2),
      ...repeated('wider-range', 2, halfFails),
      makeRun({ variant: 'baseline', block: 0, order: 9, ...halfFails }),
      makeRun({ variant: 'baseline', block: 1, order: 3, ...halfFails }),
    ],
    environment: makeEnvironment(),
    predictions: new Map(['baseline', 'wider-range', 'no-port'].map((name) => [name, makePrediction()])),
    deterministic: () => true,
    startedAt: '2026-01-02T03:04:05.000Z',
    finishedAt: '2026-01-02T03:14:05.000Z',
    runsPlanned: 6,
    command: 'bindstorm run example.yaml --seed 1',
    profileText: 'name: example\n',
    ...overrides,
  };
}

describe('assembled results', () => {
  const results = assembleResults(input());

  it('are what the schema of results.json asks for, before and after JSON', () => {
    assert.deepEqual(resultsSchema.parse(results), results);
    assert.deepEqual(JSON.parse(JSON.stringify(results)), results);
  });

  it('put the baseline first, without a verdict, and the runs in the order in which they ran', () => {
    assert.deepEqual(
      results.variants.map(({ name, verdict }) => [name, verdict?.verdict]),
      [
        ['baseline', undefined],
        ['wider-range', 'no difference'],
        ['no-port', 'better'],
      ],
    );
    assert.equal(results.variants[0]!.verdict, null);
    assert.deepEqual(
      results.variants[0]!.runs.map((run) => run.order),
      [3, 9],
    );
  });

  it('name what was left out before anything started, and hold a limit on it for not kept', () => {
    const { experiment } = input();
    const leftOut = [{ name: 'old-tor', why: 'tor of bullseye cannot be fetched; give a path' }];
    const thresholds = [{ metric: 'failures.share', max: 0, min: null, text: 'at most 0', variant: 'old-tor' }];
    const lacking = assembleResults(input({ experiment: { ...experiment, leftOut, thresholds } }));
    assert.deepEqual(resultsSchema.parse(lacking).experiment.leftOut, leftOut);
    assert.equal(lacking.warnings[0], 'old-tor is not run: tor of bullseye cannot be fetched; give a path');
    assert.deepEqual(lacking.thresholds, [
      { metric: 'failures.share', limit: 'at most 0', variant: 'old-tor', value: null, passed: false },
    ]);
    assert.equal(results.experiment.leftOut, undefined);
  });

  it('describe each arm', () => {
    const { strategy, addresses, destinations, prediction } = results.variants[2]!;
    assert.equal(strategy, 'bind');
    assert.deepEqual(addresses, { count: 2, first: '10.50.0.1', last: '10.50.0.2' });
    assert.equal(destinations, 1);
    assert.deepEqual(prediction, makePrediction());
  });

  it('hold thresholds, summary and warnings', () => {
    assert.deepEqual(
      results.thresholds.map((threshold) => threshold.passed),
      [true],
    );
    assert.match(
      results.summary,
      /^In the baseline 50\.0 % .*: no-port ended it and wider-range made no difference\.$/,
    );
    assert.match(
      results.warnings.join(),
      /repeat is 2: with 2 variants a verdict of better or worse on .* takes at least 7 pairs/,
    );
    assert.equal('arms' in results.experiment, false);
    assert.equal(results.experiment.status, 'complete');
  });

  it('are the same for the same input', () => assert.deepEqual(assembleResults(input()), results));

  it('are partial while runs are missing or were interrupted', () => {
    const all = input().runs;
    for (const runs of [
      all.slice(1),
      all.map((run, i) => (i === 0 ? { ...run, status: 'interrupted' as const } : run)),
    ]) {
      const { experiment } = assembleResults(input({ runs }));
      assert.deepEqual([experiment.status, experiment.runsDone, experiment.runsPlanned], ['partial', 5, 6]);
    }
  });

  it('are possible without any run', () => {
    const empty = assembleResults(input({ runs: [] }));
    assert.deepEqual(resultsSchema.parse(empty), empty);
    assert.equal(empty.experiment.status, 'partial');
  });

  it('need a prediction for each arm', () =>
    assert.throws(() => assembleResults(input({ predictions: new Map() })), /no prediction for baseline/));
});
