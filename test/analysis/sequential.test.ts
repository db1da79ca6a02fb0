/** Arms that are stopped at looks: when, by what, and what is left of the error. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareArms } from '../../src/analysis/compare.js';
import type { ComparisonInput } from '../../src/analysis/compare-on.js';
import { firstClaim, levelAt, looksFor } from '../../src/analysis/looks.js';
import { decidedAt, runsNeeded } from '../../src/analysis/sequential.js';
import { ALPHA } from '../../src/analysis/statistics.js';
import { parseMetric } from '../../src/domain/metric.js';
import type { Run } from '../../src/results/schema.js';
import { type ExperimentNumbers, makeExperiment, makeRuns, type RunNumbers } from '../support/runs.js';

type Numbers = Omit<RunNumbers, 'variant' | 'block'>;
const rates = (...all: number[]): Numbers[] => all.map((rate) => ({ rate }));
const shares = (...percents: number[]): Numbers[] =>
  percents.map((percent) => ({ outcomes: { ok: 1000 - 10 * percent, 'bind:EADDRINUSE': 10 * percent } }));
const p99s = (...all: number[]): Numbers[] => all.map((p99) => ({ latency: { total: { p99 } } }));

function inputOf(
  arms: Readonly<Record<string, readonly Numbers[]>>,
  numbers: ExperimentNumbers & { deterministic?: boolean } = {},
): ComparisonInput {
  const variants = Object.keys(arms).filter((name) => name !== 'baseline');
  const repeat = numbers.repeat ?? 9;
  const experiment = { ...makeExperiment({ ...numbers, variants, repeat }), looks: looksFor(repeat) };
  const runs = Object.entries(arms).flatMap(([name, each]): Run[] => makeRuns(name, each));
  return { experiment, runs, deterministic: () => numbers.deterministic ?? false };
}

/** The answer of each look in turn, made from the runs up to there alone. */
function stops(input: ComparisonInput, arm: string): number | null {
  for (const look of input.experiment.looks ?? []) {
    const runs = input.runs.filter((run) => run.block < look);
    const decision = decidedAt({ ...input, runs, look }).get(arm)!;
    if (decision.kind === 'stop') return decision.pairs;
  }
  return null;
}

describe('looks', () => {
  it('are at 2, 3, 4, 6 and 9 pairs and then at half as many again, the last at the most', () => {
    assert.deepEqual(looksFor(2), [2]);
    assert.deepEqual(looksFor(3), [2, 3]);
    assert.deepEqual(looksFor(4), [2, 3, 4]);
    assert.deepEqual(looksFor(6), [2, 3, 4, 6]);
    assert.deepEqual(looksFor(7), [2, 3, 4, 7]);
    assert.deepEqual(looksFor(9), [2, 3, 4, 6, 9]);
    assert.deepEqual(looksFor(30), [2, 3, 4, 6, 9, 13, 19, 30]);
    assert.deepEqual(looksFor(1), []);
    assert.deepEqual(looksFor(15, [9]), [2, 3, 4, 6, 9, 15]);
  });

  it('spend 5 % in all, whatever the first that may claim, and 5 % again for each extension', () => {
    for (const repeat of [2, 3, 4, 6, 7, 9, 30])
      for (const first of [2, 3, 4]) {
        const looks = looksFor(repeat);
        const spent = looks.map((look) => levelAt({ looks, repeat }, look, first));
        const sum = spent.reduce((a, b) => a + b, 0);
        assert.ok(first > repeat ? sum === 0 : Math.abs(sum - ALPHA) < 1e-12, `${repeat}, ${first}: ${sum}`);
        assert.ok(looks.every((look, i) => look >= first === spent[i]! > 0));
      }
    const extended = { looks: looksFor(15, [9]), repeat: 15, extendedFrom: [9] };
    const spent = extended.looks.map((look) => levelAt(extended, look, 3));
    assert.ok(Math.abs(spent.slice(0, -1).reduce((a, b) => a + b, 0) - ALPHA) < 1e-12);
    assert.ok(Math.abs(spent.at(-1)! - ALPHA) < 1e-12);
  });

  it('spend between two of them what has accrued', () => {
    const plan = { looks: looksFor(9), repeat: 9 };
    assert.ok(Math.abs(levelAt(plan, 5, 3) - ALPHA / 9) < 1e-12);
    assert.equal(levelAt(plan, 2, 3), 0);
  });

  it('make no claim by two pairs unless there are no more, and by a time only from four on', () => {
    const [share, time] = [parseMetric('failures.share'), parseMetric('latency.total.p99')];
    assert.deepEqual(
      [2, 3, 9].map((repeat) => firstClaim(share, repeat)),
      [2, 3, 3],
    );
    assert.deepEqual(
      [2, 3, 9].map((repeat) => firstClaim(time, repeat)),
      [4, 4, 4],
    );
  });
});

describe('an arm is stopped', () => {
  it('by two runs that agree, where counts are exact', () => {
    const input = inputOf(
      { baseline: shares(...Array(9).fill(50)), fix: shares(...Array(9).fill(0)) },
      { goal: 'failures.share', deterministic: true },
    );
    assert.equal(stops(input, 'fix'), 2);
    assert.equal(stops(input, 'baseline'), 2);
    const verdict = compareArms(input).get('fix')!;
    assert.deepEqual(
      [verdict.verdict, verdict.goal.kind, verdict.goal.pairs, verdict.look],
      ['better', 'exact', 2, { number: 1, of: 5, pairs: 2, early: true }],
    );
    assert.equal(runsNeeded(input), 4);
  });

  it('by three pairs, where a count that varies moved by a hundred times its spread', () => {
    const input = inputOf(
      { baseline: shares(50, 51, 50, 49, 50), fix: shares(1, 0, 1, 0, 0) },
      { goal: 'failures.share' },
    );
    assert.equal(stops(input, 'fix'), 3);
    assert.equal(compareArms(input).get('fix')!.verdict, 'better');
  });

  it('for no difference, and when it is worse', () => {
    const level = (value: number) => [0, 1, -1, 2, 0, -2, 1, 0, -1].map((off) => value + off / 10);
    const input = inputOf(
      { baseline: rates(...level(100)), same: rates(...level(100)).reverse(), slow: rates(...level(80)) },
      { goal: 'rate' },
    );
    const verdicts = compareArms(input);
    assert.equal(verdicts.get('same')!.verdict, 'no difference');
    assert.equal(verdicts.get('slow')!.verdict, 'worse');
    assert.ok(stops(input, 'same')! <= 4 && stops(input, 'slow')! <= 4);
  });

  it('not before its guardrails and its limits are settled too', () => {
    const runs = (percent: number, times: number[]): Numbers[] =>
      times.map((p99) => ({ ...shares(percent)[0], latency: { total: { p99 } } }));
    const arms = {
      baseline: runs(50, [1000, 1550, 1050, 1500, 1000, 1550, 1000, 1550, 1000]),
      fix: runs(0, [1550, 1000, 1500, 1050, 1550, 1000, 1550, 1000, 1550]),
    };
    const settings = { goal: 'failures.share', deterministic: true };
    assert.equal(stops(inputOf(arms, settings), 'fix'), 2);
    const guarded = inputOf(arms, { ...settings, guardrails: ['latency.total.p99'] });
    assert.equal(stops(guarded, 'fix'), null);
    assert.deepEqual(decidedAt({ ...guarded, look: 4 }).get('fix'), { kind: 'go-on', open: ['latency.total.p99'] });
    const near = inputOf(arms, {
      ...settings,
      thresholds: [{ metric: 'latency.total.p99', max: 1300, text: '1.3ms' }],
    });
    assert.equal(stops(near, 'fix'), null);
    const far = inputOf(arms, {
      ...settings,
      thresholds: [{ metric: 'latency.total.p99', max: 90_000, text: '90ms' }],
    });
    assert.equal(stops(far, 'fix'), 2);
  });

  it('when even the most pairs could not decide a guardrail, which then says how many it would take; never for its goal', () => {
    const runs = (percent: number, times: number[]): Numbers[] =>
      times.map((p99) => ({ ...shares(percent)[0], latency: { total: { p99 } } }));
    const arms = {
      baseline: runs(50, [1000, 5900, 1100, 6000, 900, 5800, 1000, 6100, 1000]),
      fix: runs(0, [5900, 1000, 6000, 1100, 5800, 900, 6100, 1000, 5900]),
    };
    const guarded = inputOf(arms, { goal: 'failures.share', deterministic: true, guardrails: ['latency.total.p99'] });
    assert.equal(stops(guarded, 'fix'), 4);
    const { verdict, guardrails } = compareArms(guarded).get('fix')!;
    assert.equal(verdict, 'better');
    assert.equal(guardrails[0]!.verdict, 'not enough evidence');
    assert.match(guardrails[0]!.why, /to show that there is no difference would take about \d+ pairs\.$/);
    const asGoal = inputOf(arms, { goal: 'latency.total.p99' });
    assert.equal(stops(asGoal, 'fix'), null);
  });

  it('alone, while the others and the baseline go on', () => {
    const input = inputOf(
      {
        baseline: rates(100, 101, 99, 100, 102, 98, 100, 101, 99),
        fast: rates(200, 201, 199, 200, 202, 198, 200, 201, 199),
        unclear: rates(110, 90, 130, 80, 105, 100, 120, 85, 90),
      },
      { goal: 'rate' },
    );
    const decisions = decidedAt({ ...input, look: 6 });
    assert.equal(decisions.get('fast')!.kind, 'stop');
    assert.equal(decisions.get('unclear')!.kind, 'go-on');
    assert.equal(decisions.get('baseline')!.kind, 'go-on');
    const { look } = compareArms(input).get('unclear')!;
    assert.deepEqual(look, { number: 5, of: 5, pairs: 9, early: false });
  });

  it('where more pairs would not help: engines whose times are not compared', () => {
    const input = { ...inputOf({ baseline: rates(1, 2, 3), other: rates(2, 3, 1) }, { goal: 'rate' }) };
    const engineOf = (arm: string) => (arm === 'baseline' ? ('uml' as const) : ('qemu-kvm' as const));
    assert.equal(stops({ ...input, engineOf }, 'other'), 2);
    assert.equal(compareArms({ ...input, engineOf }).get('other')!.verdict, 'not enough evidence');
  });
});

describe('what later runs say', () => {
  const early = { baseline: shares(50, 51, 50), fix: shares(1, 0, 1) };
  const goal = { goal: 'failures.share' };

  it('changes nothing of an arm that was stopped', () => {
    const before = compareArms(inputOf(early, goal)).get('fix')!;
    const after = compareArms(inputOf({ baseline: shares(50, 51, 50, 0, 0), fix: shares(1, 0, 1, 99, 99) }, goal)).get(
      'fix',
    )!;
    assert.deepEqual(after, before);
  });

  it('judges an interrupted experiment by what there is', () => {
    const { look, verdict } = compareArms(
      inputOf({ baseline: rates(100, 90, 110, 100, 95), fix: rates(104, 97, 112, 99, 99) }, { goal: 'rate' }),
    ).get('fix')!;
    assert.deepEqual(look, { number: 3, of: 5, pairs: 5, early: false });
    assert.equal(verdict, 'not enough evidence');
  });
});

describe('cases that could not be decided', () => {
  it('1,411,600 ports against 701,934 with a spread below 1 %, by two pairs', () => {
    const counts = (...all: number[]): Numbers[] => all.map((ok) => ({ outcomes: { ok } }));
    const input = inputOf(
      {
        baseline: counts(1_411_600, 1_411_600),
        bind: counts(699_474, 696_332),
        'bind-no-port': counts(709_913, 709_796),
      },
      { goal: 'outcomes["ok"].count', repeat: 2 },
    );
    for (const { verdict, goal } of compareArms(input).values()) {
      assert.equal(verdict, 'worse');
      assert.ok(goal.pHolm! < ALPHA);
    }
  });

  it('33.3 % of attempts that fail, and then none, in 7 of 7 pairs, among six variants', () => {
    const third = shares(33.3, 33.3, 33.2, 33.3, 33.4, 33.3, 33.3);
    const still = () => shares(33.4, 33.2, 33.3, 33.3, 33.3, 33.4, 33.2);
    const others = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, still()]));
    const input = inputOf(
      { baseline: third, fix: shares(...Array(7).fill(0)), ...others },
      { goal: 'failures.share', repeat: 7 },
    );
    assert.equal(compareArms(input).get('fix')!.verdict, 'better');
    assert.ok(stops(input, 'fix')! <= 4);
    assert.equal(compareArms(input).get('a')!.verdict, 'no difference');
  });

  it('times that all agree are not judged by three pairs', () => {
    const input = inputOf(
      { baseline: p99s(1000, 1000, 1000), slow: p99s(9000, 9000, 9000) },
      { goal: 'latency.total.p99', repeat: 3 },
    );
    const { goal } = compareArms(input).get('slow')!;
    assert.equal(goal.verdict, 'not enough evidence');
    assert.match(
      goal.why,
      /3 pairs cannot tell any difference from chance, however large it is: set repeat to 4 or more/,
    );
  });
});
