/** What several outputs say of one experiment: whichever runs count, they cannot contradict each other. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assembleResults } from '../../src/analysis/assemble.js';
import { comparedRuns } from '../../src/analysis/usable.js';
import { type Random, randomStream } from '../../src/domain/random.js';
import { NONE } from '../../src/report/format.js';
import { renderJunit } from '../../src/report/junit.js';
import { renderMarkdown, renderTerminal } from '../../src/report/render.js';
import { medianOutcomes, metricText } from '../../src/report/rows/medians.js';
import type { Results } from '../../src/results/schema.js';
import { makeEnvironment, makeExperiment, makePrediction, makeRun, type RunNumbers } from '../support/runs.js';

const LATE = {
  valid: false,
  generatorLimited: true,
  problems: ['generator-limited: the p99 of the start lag was 31 ms'],
};
const STATES: readonly Partial<RunNumbers>[] = [
  {},
  LATE,
  { status: 'failed', valid: false, outcomes: {}, problems: ['the agent ended'] },
  { valid: false, problems: ['the origin ran out of descriptors'] },
];

function resultsOf(stateOf: (arm: string, block: number) => Partial<RunNumbers>, deterministic: boolean): Results {
  const thresholds = [{ metric: 'failures.share', max: 0, variant: 'wider-range' }];
  const experiment = makeExperiment({
    repeat: 7,
    goal: 'failures.share',
    guardrails: ['latency.total.p99'],
    thresholds,
  });
  const runs = ['baseline', 'wider-range'].flatMap((variant) =>
    Array.from({ length: 7 }, (_, block) => {
      const outcomes: Record<string, number> =
        variant === 'baseline' ? { ok: 500, 'bind:EADDRINUSE': 500 } : { ok: 1000 };
      return makeRun({ outcomes, ...stateOf(variant, block), variant, block });
    }),
  );
  return assembleResults({
    experiment,
    runs,
    environment: makeEnvironment(),
    predictions: new Map(experiment.arms.map(({ name }) => [name, makePrediction()])),
    deterministic: () => deterministic,
    startedAt: '2026-01-02T03:04:05.000Z',
    finishedAt: '2026-01-02T03:14:05.000Z',
    runsPlanned: runs.length,
    command: 'bindstorm run x',
    profileText: 'name: x\n',
  });
}

describe('the outputs of one experiment', () => {
  it('agree where every run is late and the counts are exact', () => {
    const results = resultsOf(() => LATE, true);
    const [baseline, wider] = results.variants as [Results['variants'][0], Results['variants'][0]];
    assert.equal(wider.verdict?.verdict, 'better');
    assert.match(results.summary, /^In the baseline 50\.0 % of connection attempts failed .*: wider-range ended it\.$/);
    assert.deepEqual(medianOutcomes(baseline), [
      ['ok', 500],
      ['bind:EADDRINUSE', 500],
    ]);
    assert.equal(results.thresholds[0]?.passed, true);
    const text = renderTerminal(results, { colour: false, width: 100 });
    assert.match(text, /^baseline +the baseline +50\.0 % /m);
    assert.doesNotMatch(results.warnings.join(), /left out of every comparison/);
    assert.match(renderJunit(results), /its counts are compared, its times are not/);
  });

  it('agree where every run is late and nothing is exact', () => {
    const results = resultsOf(() => LATE, false);
    assert.equal(results.variants[1]?.verdict?.verdict, 'not enough evidence');
    assert.equal(results.summary, 'No run of the baseline can be compared, so nothing can be said about the variants.');
    assert.equal(metricText(results.variants[0]!, 'failures.share'), NONE);
  });

  it('never contradict each other, whatever became of the runs', () => {
    const random = randomStream(14, 'consistent');
    for (let i = 0; i < 150; i++) check(anyResults(random), `experiment ${i}`);
  });
});

function anyResults(random: Random): Results {
  const most = STATES.map(() => random());
  const pick = () => STATES.find((_, i) => random() < most[i]!) ?? {};
  return resultsOf(pick, random() < 0.5);
}

function check(results: Results, name: string): void {
  const [baseline, wider] = results.variants as [Results['variants'][0], Results['variants'][0]];
  const { verdict, goal } = wider.verdict!;
  const said = `${name}: ${results.summary}`;
  assert.equal(/nothing can be said/.test(results.summary), comparedRuns(baseline).length === 0, said);
  if (/nothing can be said/.test(results.summary))
    assert.deepEqual([verdict, goal.pairs], ['not enough evidence', 0], said);
  assert.equal(verdict === 'better', /wider-range ended it/.test(results.summary), said);
  const text = renderMarkdown(results);
  assert.equal(/No variant was judged better/.test(text), verdict !== 'better', said);
  for (const arm of [baseline, wider]) {
    const measured = comparedRuns(arm).length > 0;
    assert.equal(metricText(arm, 'failures.share') !== NONE, measured, said);
    assert.equal(medianOutcomes(arm).length > 0, measured, said);
  }
  const [threshold] = results.thresholds;
  assert.equal(threshold?.passed, comparedRuns(wider).length > 0, said);
  const junit = renderJunit(results);
  assert.equal(/<failure /.test(junit), !threshold?.passed, said);
  const failed = results.variants.some(({ runs }) => runs.some(({ status }) => status === 'failed'));
  assert.equal(/<error /.test(junit), failed, said);
  assert.equal(/<skipped message="not enough evidence/.test(junit), verdict === 'not enough evidence', said);
}
