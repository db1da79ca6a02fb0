/**
 * The A/A test: what does the comparison say of copies of the baseline, where any claim is false? And the other way: what does it
 * say of a change that is there?
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareArms } from '../../src/analysis/compare.js';
import { ALPHA } from '../../src/analysis/statistics.js';
import { type Random, randomStream } from '../../src/domain/random.js';
import type { Comparison, Run, Verdict } from '../../src/results/schema.js';
import { makeExperiment, makeRun, normal } from '../support/runs.js';

const EXPERIMENTS = 40;
const PAIRS = 10;
const ARMS = ['baseline', 'copy', 'second-copy', 'third-copy', 'fourth-copy'];
const METRICS = ['failures.share', 'latency.total.p99', 'rate', 'cpu.perConnection', 'memory.peak'];
/** The chance that a correct comparison fails this test, had the seed been another. */
const FALSE_ALARM = 1e-3;

/** A run whose every metric has noise of its own, wide against the margins, so that the margins cannot hide a wrong test. */
function noisyRun(variant: string, block: number, drift: number, random: Random): Run {
  const failed = Math.round(10_000 * Math.min(1, Math.max(0, 0.5 + 0.05 * normal(random))));
  // Pareto with index 1.5: finite mean, infinite variance, as tails of latency are.
  const tail = 3000 * (1 - random()) ** (-1 / 1.5);
  return makeRun({
    variant,
    block,
    outcomes: { ok: 10_000 - failed, 'bind:EADDRINUSE': failed },
    latency: { total: { p50: 1000, p99: tail } },
    rate: 1000 * drift * (1 + 0.1 * normal(random)),
    cpuPerConnection: 40 * drift * Math.exp(0.3 * normal(random)),
    memory: 8e7 * Math.exp(0.4 * normal(random)),
  });
}

/** One experiment of copies; `change` may make a real difference to some of them. */
function experimentOf(
  index: number,
  metrics: readonly string[],
  change: (run: Run) => Run = (run) => run,
): Map<string, Verdict> {
  const random = randomStream(index, 'a/a');
  const runs: Run[] = [];
  for (let block = 0; block < PAIRS; block++) {
    // The machine drifts from block to block, for all arms alike.
    const drift = 1 + 0.5 * random();
    for (const arm of ARMS) runs.push(change(noisyRun(arm, block, drift, random)));
  }
  const [goal, ...guardrails] = metrics as [string, ...string[]];
  const experiment = makeExperiment({ variants: ARMS.slice(1), goal, guardrails, repeat: PAIRS, seed: index });
  return compareArms({ experiment, runs, deterministic: () => false });
}

const comparisonOf = (verdict: Verdict, metric: string): Comparison =>
  [verdict.goal, ...verdict.guardrails].find((comparison) => comparison.metric === metric)!;
const isClaim = ({ verdict }: Comparison) => verdict === 'better' || verdict === 'worse';

/** P(X ≥ k) for X successes of n with chance q each. */
function upperTail(n: number, q: number, k: number): number {
  let term = (1 - q) ** n;
  let below = 0;
  for (let i = 0; i < k; i++) {
    below += term;
    term *= ((n - i) / (i + 1)) * (q / (1 - q));
  }
  return 1 - below;
}

describe('copies of the baseline', () => {
  const experiments = Array.from({ length: EXPERIMENTS }, (_, index) => experimentOf(index, METRICS));
  // A family is one metric of one experiment: the noise of each is independent, so their claims are, too.
  const families = experiments.flatMap((verdicts) =>
    METRICS.map((metric) => [...verdicts.values()].map((verdict) => comparisonOf(verdict, metric))),
  );

  it('are called better or worse in no more families than 5 % allows', () => {
    const wrong = families.filter((family) => family.some(isClaim)).length;
    let bound = 0;
    while (upperTail(families.length, ALPHA, bound + 1) >= FALSE_ALARM) bound++;
    assert.ok(bound < 0.12 * families.length, `a bound of ${bound} would prove little`);
    assert.ok(wrong <= bound, `${wrong} of ${families.length} families hold a false claim; at most ${bound} may`);
  });

  it('give a p of at most 5 % about as often as 5 %, before Holm', () => {
    const small = families.filter((family) => family[0]!.p! <= ALPHA).length;
    assert.ok(upperTail(families.length, ALPHA, small) >= FALSE_ALARM, `${small} of ${families.length} are too many`);
    assert.ok(
      1 - upperTail(families.length, ALPHA, small + 1) >= FALSE_ALARM,
      `${small} of ${families.length} are too few`,
    );
  });

  it('hold the truth, no difference, in about 95 of 100 intervals', () => {
    const covered = families.filter((family) => family[0]!.ci![0] <= 0 && family[0]!.ci![1] >= 0).length;
    assert.ok(covered >= 0.86 * families.length, `${covered} of ${families.length}`);
  });
});

describe('a real change', () => {
  it('is found in nine of ten experiments or more, in the arm that has it', () => {
    let found = 0;
    let wronglyFound = 0;
    for (let index = 0; index < EXPERIMENTS; index++) {
      const verdicts = experimentOf(index, ['rate'], (run) =>
        run.variant === 'copy' ? { ...run, rates: { ...run.rates, ok: run.rates.ok * 0.75 } } : run,
      );
      if (comparisonOf(verdicts.get('copy')!, 'rate').verdict === 'worse') found++;
      if (isClaim(comparisonOf(verdicts.get('second-copy')!, 'rate'))) wronglyFound++;
    }
    assert.ok(found >= 0.9 * EXPERIMENTS, `found ${found} of ${EXPERIMENTS}`);
    assert.ok(wronglyFound <= 8, `${wronglyFound} of ${EXPERIMENTS} claims about the arm that has none`);
  });

  it('of the size that is called detectable is found about eight times out of ten', () => {
    const typical = Array.from(
      { length: EXPERIMENTS },
      (_, index) => comparisonOf(experimentOf(index, ['rate']).get('copy')!, 'rate').detectable!,
    ).sort((a, b) => a - b)[EXPERIMENTS / 2]!;
    let found = 0;
    for (let index = 0; index < EXPERIMENTS; index++) {
      const verdicts = experimentOf(index + 1000, ['rate'], (run) =>
        run.variant === 'copy' ? { ...run, rates: { ...run.rates, ok: run.rates.ok + typical } } : run,
      );
      if (comparisonOf(verdicts.get('copy')!, 'rate').verdict === 'better') found++;
    }
    // 32 expected, standard error 2.5.
    assert.ok(found >= 24 && found < EXPERIMENTS, `found ${found} of ${EXPERIMENTS}`);
  });
});
