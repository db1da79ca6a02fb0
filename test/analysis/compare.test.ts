import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareArms } from '../../src/analysis/compare.js';
import { guardrailsOf } from '../../src/analysis/compare-on.js';
import type { Comparison, Run, VerdictWord } from '../../src/results/schema.js';
import { verdictSchema } from '../../src/results/schema.js';
import {
  type ExperimentNumbers,
  makeExperiment,
  makeRun,
  makeRuns,
  type RunNumbers,
  repeated,
} from '../support/runs.js';

type Numbers = Omit<RunNumbers, 'variant' | 'block'>;

interface Setting extends ExperimentNumbers {
  deterministic?: boolean;
}

/** One variant against the baseline, each given by its numbers per block. */
function compare(baseline: readonly Numbers[], variant: readonly Numbers[], setting: Setting = {}) {
  return compareRuns([...makeRuns('baseline', baseline), ...makeRuns('wider-range', variant)], {
    repeat: baseline.length,
    ...setting,
  }).get('wider-range')!;
}

function compareRuns(runs: Run[], { deterministic = false, ...setting }: Setting = {}) {
  const verdicts = compareArms({ experiment: makeExperiment(setting), runs, deterministic: () => deterministic });
  for (const verdict of verdicts.values()) assert.deepEqual(verdictSchema.parse(verdict), verdict);
  return verdicts;
}

const p99s = (...values: number[]): Numbers[] => values.map((p99) => ({ latency: { total: { p50: 1000, p99 } } }));
const fails = (...counts: number[]): Numbers[] =>
  counts.map((count) => ({ outcomes: { ok: 1000 - count, 'bind:EADDRINUSE': count } }));
const rates = (...values: number[]): Numbers[] => values.map((rate) => ({ rate }));
const capacities = (...values: number[]): Numbers[] => values.map((openAtFirstFailure) => ({ openAtFirstFailure }));
const times = (count: number, value: number): number[] => Array(count).fill(value);

describe('a noisy metric', () => {
  const p99 = 'latency.total.p99';
  const cases: [string, string, Numbers[], Numbers[], VerdictWord, RegExp][] = [
    [
      'a share that fell in each pair',
      'outcomes["bind:EADDRINUSE"].share',
      fails(501, 500, 499, 500, 502, 498),
      fails(0, 0, 0, 0, 0, 0),
      'better',
      /^bind:EADDRINUSE fell from 50\.0 % of attempts to 0 % in each of 6 pairs\.$/,
    ],
    [
      'a share that rose',
      'failures.share',
      fails(100, 101, 102, 103, 104, 105),
      fails(200, 203, 202, 201, 204, 208),
      'worse',
      /^failures of any kind rose from 10\.3 % of attempts to 20\.3 % in each of 6 pairs\.$/,
    ],
    [
      'a rate that rose, for which more is better',
      'rate',
      rates(100, 101, 102, 103, 104, 105),
      rates(150, 152, 153, 155, 158, 160),
      'better',
      /^the rate of ok connections rose from 103\/s to 154\/s in each of 6 pairs\.$/,
    ],
    [
      'a latency that rose',
      p99,
      p99s(2000, 2100, 2050, 1950, 2000, 2020),
      p99s(4000, 4300, 4100, 3900, 4050, 4080),
      'worse',
      /^latency\.total\.p99 rose from 2\.01 ms to 4\.07 ms in each of 6 pairs\.$/,
    ],
    [
      'all pairs but one of ten, by a large effect',
      'rate',
      rates(...times(10, 100)),
      rates(150, 151, 149, 150, 152, 148, 150, 151, 149, 99),
      'better',
      /in 9 of 10 pairs\.$/,
    ],
    [
      'an interval within the margin',
      p99,
      p99s(2000, 2100, 2050, 1950, 2000, 2020),
      p99s(2010, 2090, 2070, 1940, 1990, 2030),
      'no difference',
      /^latency\.total\.p99 came to 2\.02 ms, against 2\.01 ms in the baseline; the difference, between .+ and .+ \(95 %\), is within the ±503 µs that count as none\.$/,
    ],
    [
      'nothing in any run',
      'failures.count',
      fails(0, 0, 0, 0, 0),
      fails(0, 0, 0, 0, 0),
      'no difference',
      /^failures of any kind stayed at 0 in each of 5 pairs\.$/,
    ],
    [
      'a shift that is certain and too small to matter',
      'failures.share',
      fails(100, 101, 102, 103, 104, 105),
      fails(106, 107, 108, 109, 110, 111),
      'no difference',
      /within the ±1\.0 points that count as none\.$/,
    ],
    [
      'a certain shift within the margin whose interval reaches beyond it',
      'failures.share',
      fails(...times(6, 100)),
      fails(101, 104, 106, 108, 112, 125),
      'no difference',
      /, a difference of \+0\.8\d* points, which is within the ±1\.0 points that count as none\.$/,
    ],
    [
      'pairs that disagree',
      p99,
      p99s(2000, 2100, 2050, 1950, 2000, 2020),
      p99s(9000, 1200, 7000, 1000, 8000, 900),
      'not enough evidence',
      /; chance can explain the difference, between −1\.\d+ ms and \+\d\.\d+ ms \(95 %\), p = 0\.\d+, and 6 pairs find a true one of \d+\.\d+ ms 8 times out of 10\.$/,
    ],
    [
      'five pairs that all agree',
      'rate',
      rates(100, 100, 100, 100, 100),
      rates(200, 210, 220, 230, 240),
      'not enough evidence',
      /but 5 pairs cannot tell any difference from chance, however large it is: set repeat to 6 or more\.$/,
    ],
    [
      'four equal pairs, too few to say that nothing changed',
      'rate',
      rates(100, 100, 100, 100),
      rates(100, 100, 100, 100),
      'not enough evidence',
      /4 pairs .* set repeat to 6 or more/,
    ],
    ['one pair', 'rate', rates(100), rates(200), 'not enough evidence', /1 pair cannot tell any difference/],
  ];
  for (const [name, goal, baseline, variant, word, why] of cases) {
    it(`${name}: ${word}`, () => {
      const { goal: comparison } = compare(baseline, variant, { goal });
      assert.equal(comparison.verdict, word);
      assert.match(comparison.why, why);
      assert.equal(comparison.kind, 'noisy');
      assert.equal(comparison.pairs, baseline.length);
    });
  }

  it('gives its numbers', () => {
    const { goal } = compare(rates(100, 101, 102, 103, 104, 105), rates(150, 152, 153, 155, 158, 160), {
      goal: 'rate',
    });
    // Differences 50, 51, 51, 52, 54, 55.
    assert.equal(goal.baseline, 102.5);
    assert.equal(goal.variant, 154);
    assert.equal(goal.difference, 52);
    assert.equal(goal.p, 2 / 64);
    assert.equal(goal.pHolm, 2 / 64);
    assert.equal(goal.margin, 0.02 * 102.5);
    assert.equal(goal.unit, 'perSecond');
    assert.ok(goal.ci![0] >= 50 && goal.ci![0] <= 52 && goal.ci![1] >= 52 && goal.ci![1] <= 55, String(goal.ci));
    assert.ok(goal.detectable! > 3 && goal.detectable! < 4);
  });

  it('that is not significant still says what would have been found', () => {
    const { goal } = compare(rates(100, 100, 100, 100, 100, 100), rates(130, 80, 125, 70, 120, 90), { goal: 'rate' });
    assert.equal(goal.verdict, 'not enough evidence');
    assert.ok(goal.detectable! > 30, String(goal.detectable));
  });

  it('repeats to the last digit for the same seed, and hardly differs for another', () => {
    const [baseline, variant] = [rates(90, 100, 110, 95, 105, 100, 99), rates(97, 101, 120, 90, 112, 104, 108)];
    const first = compare(baseline, variant, { goal: 'rate' }).goal;
    assert.deepEqual(compare(baseline, variant, { goal: 'rate' }).goal, first);
    const other = compare(baseline, variant, { goal: 'rate', seed: 2 }).goal;
    assert.equal(other.p, first.p);
    assert.ok(Math.abs(other.ci![0] - first.ci![0]) < 1 && Math.abs(other.ci![1] - first.ci![1]) < 1);
  });

  it('pairs by block, so that a drift over the experiment hides nothing', () => {
    const drift = [100, 200, 300, 400, 500, 600];
    const { goal } = compare(rates(...drift), rates(...drift.map((rate) => rate + 20)), { goal: 'rate' });
    assert.equal(goal.verdict, 'better');
    assert.equal(goal.difference, 20);
  });
});

describe('several variants', () => {
  const runs = (blocks: number) => [
    ...makeRuns('baseline', rates(...times(blocks, 100))),
    ...['a', 'b', 'c'].flatMap((name) => makeRuns(name, rates(...Array.from({ length: blocks }, (_, i) => 150 + i)))),
  ];

  it('share the error of one column: six pairs that would do for one do not do for three', () => {
    const verdicts = compareRuns(runs(6), { variants: ['a', 'b', 'c'], goal: 'rate', repeat: 6 });
    const { goal } = verdicts.get('b')!;
    assert.equal(goal.p, 2 / 64);
    assert.equal(goal.pHolm, 6 / 64);
    assert.equal(goal.verdict, 'not enough evidence');
    assert.equal(goal.detectable, null);
    assert.match(
      goal.why,
      /6 pairs cannot tell any difference from chance when 3 variants are compared, .* set repeat to 7 or more/,
    );
  });

  it('are told apart with seven', () => {
    const verdicts = compareRuns(runs(7), { variants: ['a', 'b', 'c'], goal: 'rate', repeat: 7 });
    assert.deepEqual([...verdicts.keys()], ['a', 'b', 'c']);
    assert.deepEqual(
      [...verdicts.values()].map((verdict) => verdict.verdict),
      ['better', 'better', 'better'],
    );
    assert.equal(verdicts.get('a')!.goal.pHolm, (3 * 2) / 128);
  });
});

describe('an exact metric', () => {
  const exact = { deterministic: true, goal: 'capacity' };

  it('is better or worse when it differs, without a p', () => {
    const { goal } = compare(capacities(200, 200), capacities(600, 600), exact);
    assert.deepEqual(
      [goal.verdict, goal.kind, goal.difference, goal.p, goal.pHolm, goal.ci, goal.margin, goal.detectable],
      ['better', 'exact', 400, null, null, null, 0, null],
    );
    assert.equal(goal.why, 'capacity rose from 200 to 600, exactly the same in both pairs.');
    assert.equal(compare(capacities(200, 200), capacities(199, 199), exact).verdict, 'worse');
  });

  it('makes no difference when it is equal', () => {
    const { goal } = compare(capacities(200, 200, 200), capacities(200, 200, 200), exact);
    assert.equal(goal.verdict, 'no difference');
    assert.equal(goal.why, 'capacity stayed at exactly 200 in each of 3 pairs.');
  });

  it('does not depend on the pace: late runs count, but for counts only', () => {
    const late = (numbers: Numbers): Numbers => ({
      ...numbers,
      valid: false,
      generatorLimited: true,
      problems: ['generator-limited: …'],
    });
    const broken = (numbers: Numbers): Numbers => ({
      ...late(numbers),
      problems: ['generator-limited: …', 'the lab was not empty'],
    });
    const [before, after] = [capacities(200, 200, 200), capacities(600, 600, 600)];
    const { goal, guardrails } = compare(
      [before[0]!, late(before[1]!), before[2]!],
      [late(after[0]!), after[1]!, broken(after[2]!)],
      {
        ...exact,
        guardrails: ['cpu.perConnection'],
      },
    );
    assert.deepEqual([goal.verdict, goal.kind, goal.pairs], ['better', 'exact', 2]);
    assert.equal(guardrails[0]?.pairs, 0, 'neither block has two punctual runs');
    assert.equal(
      compare(before.map(late), after.map(late), { goal: 'capacity' }).goal.pairs,
      0,
      'not where the clock decides',
    );
  });

  it('needs two runs of each arm', () => {
    const { goal } = compare(capacities(200), capacities(600), exact);
    assert.equal(goal.verdict, 'not enough evidence');
    assert.match(goal.why, /one pair of runs cannot show that the runs repeat exactly: set repeat to 2 or more/);
  });

  it('that varies is noisy, and says that it should not', () => {
    const { goal } = compare(capacities(200, 200, 200, 200, 200, 200), capacities(600, 600, 601, 600, 600, 600), exact);
    assert.equal(goal.kind, 'noisy');
    assert.equal(goal.verdict, 'better');
    assert.deepEqual(goal.warnings, [
      'declared deterministic, but the runs differ: wider-range had 600, 600, 601, 600, 600, 600',
    ]);
  });

  it('that does not vary is noisy all the same where it was not declared deterministic', () => {
    const { goal } = compare(capacities(200, 200), capacities(600, 600), { goal: 'capacity' });
    assert.deepEqual([goal.kind, goal.verdict, goal.warnings], ['noisy', 'not enough evidence', []]);
  });

  it('needs both arms to be declared so', () => {
    const verdicts = compareArms({
      experiment: makeExperiment({ goal: 'capacity', repeat: 2 }),
      runs: [...makeRuns('baseline', capacities(200, 200)), ...makeRuns('wider-range', capacities(600, 600))],
      deterministic: (arm) => arm === 'baseline',
    });
    assert.equal(verdicts.get('wider-range')!.goal.kind, 'noisy');
  });

  it('is never a time, a rate or the sampled peak of ports', () => {
    for (const goal of ['latency.total.p50', 'rate', 'ports.peak', 'cpu.perConnection', 'memory.peak'])
      assert.equal(compare([{}, {}], [{}, {}], { goal, deterministic: true }).goal.kind, 'noisy', goal);
    for (const goal of ['outcomes["ok"].count', 'failures.share'])
      assert.equal(compare([{}, {}], [{}, {}], { goal, deterministic: true }).goal.kind, 'exact', goal);
  });

  it('takes no share of the error of its noisy siblings', () => {
    const runs = [
      ...makeRuns('baseline', capacities(...times(6, 200))),
      ...makeRuns('a', capacities(...times(6, 600))),
      ...makeRuns('b', capacities(500, 501, 502, 503, 504, 505)),
    ];
    const verdicts = compareRuns(runs, { variants: ['a', 'b'], goal: 'capacity', deterministic: true });
    assert.equal(verdicts.get('a')!.goal.kind, 'exact');
    assert.equal(verdicts.get('b')!.goal.pHolm, 2 / 64);
  });
});

describe('a capacity that was not reached', () => {
  const unmet = (...peaks: number[]): Numbers[] => peaks.map((peakOpen) => ({ peakOpen }));
  const exact = { deterministic: true, goal: 'capacity' };

  it('may be called better, as at least that much', () => {
    const { goal } = compare(capacities(200, 200), unmet(600, 600), exact);
    assert.equal(goal.verdict, 'better');
    assert.match(goal.why, /rose from 200 to 600.*; nothing failed there, so it may hold more\.$/);
  });

  it('may not be called worse', () => {
    const { goal } = compare(capacities(200, 200), unmet(150, 150), exact);
    assert.equal(goal.verdict, 'not enough evidence');
    assert.match(goal.why, /nothing failed in wider-range, which held 150, and may hold more/);
  });

  it('cannot be beaten, but can be fallen short of', () => {
    assert.equal(compare(unmet(200, 200), capacities(600, 600), exact).verdict, 'not enough evidence');
    assert.equal(compare(unmet(200, 200), capacities(100, 100), exact).verdict, 'worse');
  });

  it('is not equal to another of its kind', () => {
    const { goal } = compare(unmet(600, 600), unmet(600, 600), exact);
    assert.equal(goal.verdict, 'not enough evidence');
    assert.match(goal.why, /nothing failed in the baseline, which held 600, nor in wider-range, which held 600/);
  });
});

describe('pairs', () => {
  const setting = { goal: 'rate', repeat: 7 };

  it('leave out a block that lacks one of the two, and say so', () => {
    const runs = [
      ...makeRuns('baseline', rates(...times(7, 100))),
      ...makeRuns('wider-range', rates(200, 201, 202, 203, 204, 205, 1)),
    ].map((run): Run => (run.id === 'b06-wider-range' ? { ...run, valid: false } : run));
    const { goal } = compareRuns(runs, setting).get('wider-range')!;
    assert.equal(goal.pairs, 6);
    assert.equal(goal.verdict, 'better');
    assert.deepEqual(goal.warnings, [
      '1 of 7 pairs left out: one of the two runs is missing, failed or invalid (block 6)',
    ]);
  });

  it('of which only the times are left out say so: of late generators the counts are compared', () => {
    const late = (blocks: readonly number[]) =>
      [...makeRuns('baseline', fails(...times(4, 500))), ...makeRuns('wider-range', fails(...times(4, 0)))].map(
        (run): Run =>
          run.variant === 'wider-range' && blocks.includes(run.block)
            ? { ...run, valid: false, generatorLimited: true, problems: ['generator-limited'] }
            : run,
      );
    const setting = { goal: 'failures.share', guardrails: ['cpu.perConnection'], repeat: 4, deterministic: true };
    const said = (runs: Run[], more: Setting = setting) => {
      const { goal, guardrails } = compareRuns(runs, more).get('wider-range')!;
      return [goal.pairs, goal.warnings, guardrails[0]!.pairs, guardrails[0]!.warnings];
    };
    const why = 'times and CPU (what the pace decides)';
    const all = late([0, 1, 2, 3]);
    const none = `${why}: none of 4 pairs can be used, since the generator was late; counts: 4 of 4 used`;
    assert.deepEqual(said(all), [4, [], 0, [none]]);
    const some = `${why}: 3 of 4 pairs can be used, since the generator was late; counts: 4 of 4 used`;
    assert.deepEqual(said(late([2]))[3], [some]);
    const lost = late([2]).filter(({ id, variant, block }) => id !== '' && !(variant === 'baseline' && block === 3));
    assert.deepEqual(said(lost)[3], [
      `${why}: 2 of 4 pairs can be used, since the generator was late, or a run is missing or failed; counts: 3 of 4 used`,
    ]);
    // Where counts are not exact a late run counts for nothing, and there is nothing else to tell.
    const [pairs, warnings] = said(all, { ...setting, deterministic: false });
    assert.equal(pairs, 0);
    assert.match(String(warnings), /^4 of 4 pairs left out/);
  });

  it('are made of valid, finished runs after the warm-up only', () => {
    const runs = [
      makeRun({ variant: 'baseline', block: 0, warmup: true, rate: 5 }),
      makeRun({ variant: 'wider-range', block: 0, warmup: true, rate: 5000 }),
      makeRun({ variant: 'baseline', block: 1, rate: 100 }),
      makeRun({ variant: 'wider-range', block: 1, rate: 200 }),
      makeRun({ variant: 'baseline', block: 2, rate: 7, status: 'failed' }),
      makeRun({ variant: 'wider-range', block: 2, rate: 200 }),
      makeRun({ variant: 'baseline', block: 3, rate: 100 }),
      makeRun({ variant: 'wider-range', block: 3, rate: 9, status: 'interrupted' }),
    ];
    const { goal } = compareRuns(runs, { goal: 'rate', repeat: 3 }).get('wider-range')!;
    assert.deepEqual([goal.pairs, goal.baseline, goal.variant], [1, 100, 200]);
    assert.match(goal.warnings[0]!, /^2 of 3 pairs left out.*\(blocks 2 and 3\)$/);
  });

  it('that are all missing leave nothing to say', () => {
    const { goal, verdict } = compareRuns(repeated('baseline', 6), setting).get('wider-range')!;
    assert.equal(verdict, 'not enough evidence');
    assert.deepEqual([goal.baseline, goal.variant, goal.difference, goal.p, goal.pairs], [null, null, null, null, 0]);
    assert.match(goal.why, /no pair of runs to compare/);
  });

  it('without a value of the metric are left out of that metric', () => {
    const variant = repeated('wider-range', 7, { outcomes: { 'bind:EADDRINUSE': 1000 }, latency: {} });
    variant[0] = makeRun({ variant: 'wider-range', latency: { total: 900 } });
    const { goal } = compareRuns([...repeated('baseline', 7), ...variant], {
      ...setting,
      goal: 'latency.total.p50',
    }).get('wider-range')!;
    assert.equal(goal.pairs, 1);
    assert.deepEqual(goal.warnings, ['6 of 7 pairs have no value of latency.total.p50']);
  });
});

it('guardrails are the profile’s, and failures.share where the goal is one failing outcome', () => {
  const bind = 'outcomes["bind:EADDRINUSE"].count';
  assert.deepEqual(guardrailsOf({ goal: bind, guardrails: ['rate'] }), ['rate', 'failures.share']);
  assert.deepEqual(guardrailsOf({ goal: bind, guardrails: ['failures.share', 'rate'] }), ['failures.share', 'rate']);
  assert.deepEqual(guardrailsOf({ goal: 'outcomes["ok"].share', guardrails: [] }), []);
  assert.deepEqual(guardrailsOf({ goal: 'outcomes["shed"].share', guardrails: [] }), []);
  assert.deepEqual(guardrailsOf({ goal: 'capacity', guardrails: ['capacity', 'rate'] }), ['rate']);
  assert.deepEqual(guardrailsOf({ goal: 'failures.share', guardrails: [] }), []);
});

it('an experiment without a baseline is refused', () => {
  const experiment = makeExperiment();
  experiment.arms = experiment.arms.filter((arm) => !arm.baseline);
  assert.throws(() => compareArms({ experiment, runs: [], deterministic: () => false }), /has no baseline/);
});

it('every comparison of a verdict carries its metric and its reason', () => {
  const { goal, guardrails } = compare(fails(500, 500), fails(0, 0), { guardrails: ['rate', 'latency.total.p99'] });
  const all: Comparison[] = [goal, ...guardrails];
  assert.deepEqual(
    all.map((comparison) => comparison.metric),
    ['outcomes["bind:EADDRINUSE"].share', 'rate', 'latency.total.p99', 'failures.share'],
  );
  for (const comparison of all) assert.match(comparison.why, /\.$/);
});
