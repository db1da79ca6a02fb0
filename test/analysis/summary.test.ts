import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareArms } from '../../src/analysis/compare.js';
import { summarise } from '../../src/analysis/summary.js';
import { experimentWarnings } from '../../src/analysis/warnings.js';
import type { Run } from '../../src/results/schema.js';
import {
  type ExperimentNumbers,
  makeExperiment,
  makeRun,
  makeRuns,
  type RunNumbers,
  repeated,
} from '../support/runs.js';

type Numbers = Omit<RunNumbers, 'variant' | 'block'>;

function inputOf(runs: Run[], setting: ExperimentNumbers = {}, deterministic = true) {
  const variants = [...new Set(runs.map((run) => run.variant))].filter((name) => name !== 'baseline');
  const experiment = makeExperiment({ variants, repeat: 2, ...setting });
  const same = () => deterministic;
  return { experiment, runs, verdicts: compareArms({ experiment, runs, deterministic: same }), deterministic: same };
}

const armsOf = (arms: Record<string, Numbers>, count = 2): Run[] =>
  Object.entries(arms).flatMap(([variant, numbers]) => repeated(variant, count, numbers));

const halfFails: Numbers = { outcomes: { ok: 500, 'bind:EADDRINUSE': 500 } };
const moved: Numbers = { outcomes: { ok: 500, 'connect:EADDRNOTAVAIL': 500 } };

describe('the summary', () => {
  it('has the figure of the table, which is of the pairs: a run whose partner is lost is in neither', () => {
    const fails = (count: number): Numbers => ({ outcomes: { ok: 1000 - count, 'bind:EADDRINUSE': count } });
    const variant = [200, 200, 200, 300, 300, 300].map((count, block) =>
      makeRun({ variant: 'wider-range', block, ...fails(count) }),
    );
    const baseline = [500, 500, 500].map((count, block) => makeRun({ variant: 'baseline', block, ...fails(count) }));
    assert.match(
      summarise(inputOf([...baseline, ...variant], { goal: 'failures.share' })),
      /reduced failures to 20\.0 %/,
    );
  });

  it('says what failed, and what each variant did about it', () => {
    const runs = armsOf({
      baseline: halfFails,
      'fin-timeout': halfFails,
      'wider-range': { outcomes: { ok: 875, 'bind:EADDRINUSE': 125 } },
      'no-port': { outcomes: { ok: 1000 } },
      'more-addresses': { outcomes: { ok: 1000 } },
      moves: moved,
      half: { outcomes: { ok: 100, 'bind:EADDRINUSE': 900 } },
    });
    runs.push(makeRun({ variant: 'late', block: 0 }));
    assert.equal(
      summarise(inputOf(runs)),
      'In the baseline 50.0 % of connection attempts failed because no local port was free (bind:EADDRINUSE): ' +
        'wider-range reduced failures to 12.5 %, no-port and more-addresses ended it, fin-timeout made no difference, ' +
        'moves only moved the failure to another call, half made things worse and late could not be decided.',
    );
  });

  it('says what a proxy met behind the answers of its clients, unless its log has more of something else', () => {
    const answers: Numbers = { outcomes: { ok: 500, 'http:503 ERR_CONNECT_FAIL': 500 } };
    const leadWith = (...failures: [call: string, errno: string, count: number][]) => {
      const logged = failures.map(([call, errno, count]) => ({ call, errno, count, lines: [] }));
      const runs = armsOf({ baseline: answers, more: { outcomes: { ok: 1000 } } }).map((run) => ({
        ...run,
        proxy: { kind: 'squid', failures: run.variant === 'baseline' ? logged : [] } as unknown as Run['proxy'] &
          object,
      }));
      return summarise(inputOf(runs, { goal: 'failures.share' }));
    };
    assert.equal(
      leadWith(['bind', 'EADDRINUSE', 500]),
      'In the baseline 50.0 % of connection attempts failed because no local port was free (bind:EADDRINUSE in squid, which answered http:503 ERR_CONNECT_FAIL): more ended it.',
    );
    for (const other of [leadWith(), leadWith(['bind', 'EADDRINUSE', 1], ['connect', 'ECONNREFUSED', 499])])
      assert.match(
        other,
        /^In the baseline 50\.0 % of connection attempts failed \(http:503 ERR_CONNECT_FAIL\): more ended it\.$/,
      );
  });

  it('says first which variant could not be run at all', () => {
    const runs = armsOf({ baseline: { outcomes: { ok: 1000 } }, more: { outcomes: { ok: 1000 } } });
    const problems = ["the proxy (squid) ended with code 1 before it listened: squid.conf(27): unrecognized: 'x'"];
    for (const block of [0, 1])
      runs.push({ ...makeRun({ variant: 'wrong', block }), status: 'failed', valid: false, problems });
    assert.equal(
      summarise(inputOf(runs, { goal: 'failures.share' })),
      `wrong could not be run: ${problems[0]}. No attempt failed in the baseline, so there was nothing to fix.`,
    );
  });

  it('names the price of a fix', () => {
    const runs = armsOf(
      { baseline: halfFails, 'no-port': { outcomes: { ok: 1000 }, latency: { total: { p50: 1000, p99: 9000 } } } },
      6,
    );
    assert.match(
      summarise(inputOf(runs, { repeat: 6, guardrails: ['latency.total.p99'] }, false)),
      /: no-port ended it \(but latency\.total\.p99 went from 2 ms to 9 ms\)\.$/,
    );
  });

  it('names the most frequent failure where the goal is all of them', () => {
    const baseline = { outcomes: { ok: 600, 'connect:ETIMEDOUT': 300, 'bind:EADDRINUSE': 100 } };
    const runs = armsOf({ baseline, a: { outcomes: { ok: 1000 } } });
    assert.equal(
      summarise(inputOf(runs, { goal: 'failures.share' })),
      'In the baseline 40.0 % of connection attempts failed (connect:ETIMEDOUT): a ended it.',
    );
  });

  it('says when there was nothing to fix', () => {
    const runs = armsOf({ baseline: {}, a: {}, b: halfFails });
    assert.equal(
      summarise(inputOf(runs)),
      'No attempt failed with bind:EADDRINUSE in the baseline, so there was nothing to fix, and b made things worse.',
    );
  });

  it('speaks of any other goal by its value', () => {
    const runs = armsOf({
      baseline: { ...halfFails, openAtFirstFailure: 200 },
      a: { ...moved, openAtFirstFailure: 600 },
      b: { ...halfFails, openAtFirstFailure: 200 },
    });
    assert.equal(
      summarise(inputOf(runs, { goal: 'capacity' })),
      'In the baseline capacity was 200: a brought it to 600 and b made no difference.',
    );
  });

  it('says when no run of the baseline counts', () => {
    const runs = [makeRun({ status: 'failed' }), makeRun({ variant: 'a' })];
    assert.match(summarise(inputOf(runs)), /^No run of the baseline can be compared/);
  });
});

describe('the warnings', () => {
  const clean = armsOf({ baseline: halfFails, a: { outcomes: { ok: 1000 } } });

  it('are none when nothing limits the results', () => assert.deepEqual(experimentWarnings(inputOf(clean)), []));

  it('say which claims so few pairs cannot reach', () => {
    const runs = armsOf({ baseline: halfFails, a: {}, b: {}, c: {} }, 6);
    assert.deepEqual(experimentWarnings(inputOf(runs, { repeat: 6, guardrails: ['rate'] })), [
      'repeat is 6: with 3 variants a verdict of better or worse on rate takes at least 7 pairs; add pairs with --resume FOLDER --repeat 7',
    ]);
    const enough = armsOf({ baseline: halfFails, a: {}, b: {}, c: {} }, 7);
    assert.deepEqual(experimentWarnings(inputOf(enough, { repeat: 7, guardrails: ['rate'] })), []);
  });

  it('say of an extension that it was a second look, where the first could decide already', () => {
    const runs = armsOf({ baseline: halfFails, a: {}, b: {}, c: {} }, 9);
    const extendedFrom = (...pairs: number[]) => {
      const input = inputOf(runs, { repeat: 9, guardrails: ['rate'] });
      return experimentWarnings({ ...input, experiment: { ...input.experiment, extendedFrom: pairs } });
    };
    assert.deepEqual(extendedFrom(6), [], 'six pairs of three variants could decide nothing');
    assert.match(extendedFrom(6, 7).join(), /^it was extended from 7 to 9 pairs after .* up to 10 % to be false$/);
    assert.deepEqual(experimentWarnings(inputOf(runs, { repeat: 9 })), [], 'what is exact cannot err by chance');
  });

  it('say that one run of each arm shows no exactness', () => {
    const runs = armsOf({ baseline: halfFails, a: {} }, 1);
    assert.match(experimentWarnings(inputOf(runs, { repeat: 1 })).join(), /repeat is 1: one run of each arm/);
  });

  it('name the runs that were left out, and why', () => {
    const runs = [
      ...clean,
      makeRun({ variant: 'a', block: 2, status: 'failed' }),
      makeRun({ variant: 'baseline', block: 2, valid: false, problems: ['TIME_WAIT was not empty at the start'] }),
      makeRun({ variant: 'a', block: 3, status: 'failed', warmup: true }),
    ];
    assert.deepEqual(experimentWarnings(inputOf(runs)), [
      '2 of 6 runs left out of every comparison: b02-a (failed) and b02-baseline (TIME_WAIT was not empty at the start)',
    ]);
  });

  it('name the runs that the generator limited', () => {
    const late = makeRuns('a', [
      { latency: { lag: { p50: 100, p99: 9000 } } },
      {
        latency: { lag: { p50: 100, p99: 25_000 } },
        valid: false,
        generatorLimited: true,
        problems: ['generator-limited'],
      },
    ]);
    const runs = [...repeated('baseline', 2, halfFails), ...late];
    const warned = (of: string) => [
      `the generator limited 1 run (b01-a): the p99 of the start lag reached 25 ms, above load.lagBudget. ${of}Their times, and counts that depend on the pace, are left out; lower the rate, add workers, or run on a quieter machine`,
    ];
    const counts = 'Verdicts by outcomes["bind:EADDRINUSE"].share do not depend on the pace and use these runs too. ';
    assert.deepEqual(experimentWarnings({ ...inputOf(runs), deterministic: () => true }), warned(counts));
    assert.deepEqual(experimentWarnings({ ...inputOf(runs), deterministic: () => false }), warned(''));
  });

  it('tell of attempts that were shed', () => {
    const runs = armsOf({ baseline: halfFails, a: { outcomes: { ok: 900, shed: 100 } } });
    assert.match(
      experimentWarnings(inputOf(runs)).join(),
      /^in 2 runs attempts were shed \(never started\), up to 10\.0 % of them/,
    );
  });

  it('tell of a baseline in which the goal never occurred', () => {
    assert.match(
      experimentWarnings(inputOf(armsOf({ baseline: moved, a: {} }))).join(),
      /was 0 in every run of the baseline/,
    );
    assert.deepEqual(experimentWarnings(inputOf(armsOf({ baseline: moved, a: {} }), { goal: 'failures.share' })), []);
  });
});
