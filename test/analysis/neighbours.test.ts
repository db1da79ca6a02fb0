import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareArms } from '../../src/analysis/compare.js';
import { guardrailsOf } from '../../src/analysis/compare-on.js';
import { summarise } from '../../src/analysis/summary.js';
import { parseMetric } from '../../src/domain/metric.js';
import { LOAD } from '../../src/plan/load-settings.js';
import type { Neighbour } from '../../src/plan/plan.js';
import type { Run } from '../../src/results/schema.js';
import { makeExperiment, makeRun, makeRuns } from '../support/runs.js';

const BLOCKS = 6;
const DNS: Neighbour = {
  name: 'dns',
  where: 'beside',
  addresses: [],
  afterMs: null,
  load: { ...LOAD, pick: 'round-robin', arrival: { shape: 'constant', rate: 10, durationMs: 1000 } },
};

function beside(run: Run, failed: number): Run {
  const outcomes: Run['outcomes'] = { ok: 30 - failed, 'connect:EADDRNOTAVAIL': failed };
  return { ...run, neighbours: [{ name: 'dns', attempts: 30, outcomes, latency: failed === 30 ? {} : run.latency }] };
}

/** Half of the baseline's attempts fail, or none, and so many of the neighbour's; then the same of the variant. */
function judged(baseline: [load: number, dns: number], variant: [load: number, dns: number]) {
  const runs = (name: string, [load, dns]: [number, number]) =>
    makeRuns(
      name,
      Array.from({ length: BLOCKS }, (_, block) => ({
        outcomes: { ok: 1000 - load - block, 'bind:EADDRINUSE': load + block },
      })),
    ).map((run) => beside(run, dns));
  const experiment = {
    ...makeExperiment({ variants: ['fix'], repeat: BLOCKS, goal: 'failures.share', guardrails: [] }),
    neighbours: [DNS],
  };
  const all = [...runs('baseline', baseline), ...runs('fix', variant)];
  const input = { experiment, runs: all, deterministic: () => false };
  const verdicts = compareArms(input);
  return { verdict: verdicts.get('fix')!, summary: summarise({ ...input, verdicts }) };
}

describe('a neighbour as a guardrail', () => {
  it('is one by itself, by its failures and its latency', () => {
    const experiment = { goal: 'failures.share', guardrails: ['cpu.perConnection'], neighbours: [DNS] };
    assert.deepEqual(guardrailsOf(experiment), [
      'cpu.perConnection',
      'neighbours["dns"].failures.share',
      'neighbours["dns"].latency.total.p90',
    ]);
  });

  it('makes a fix that starves it worse, and is named', () => {
    const { verdict, summary } = judged([500, 0], [100, 30]);
    assert.equal(verdict.verdict, 'worse');
    assert.match(
      verdict.sentence,
      /^fix fixed the load and starved the neighbour dns: failures of any kind fell from .*, but failures of any kind of the neighbour dns rose from 0 % of attempts to 100 % in each of 6 pairs\.$/,
    );
    assert.match(summary, /fix fixed the load, but starved the neighbour dns\.$/);
    // There is no time of attempts that all failed, which needs no warning.
    assert.deepEqual(verdict.guardrails[1]?.warnings, []);
  });

  it('also where the load gained nothing, or lost', () => {
    assert.match(judged([500, 0], [500, 15]).verdict.sentence, /^fix starved the neighbour dns: /);
    assert.match(
      judged([100, 0], [500, 30]).verdict.sentence,
      /^fix starved the neighbour dns: failures .* rose .*, but /,
    );
  });

  it('does no harm to a fix that leaves it as it was, or frees it', () => {
    assert.equal(judged([500, 30], [100, 30]).verdict.verdict, 'better');
    const { verdict } = judged([500, 30], [100, 0]);
    assert.equal(verdict.verdict, 'better');
    assert.equal(verdict.guardrails[0]?.verdict, 'better');
  });
});

describe('a metric of a neighbour', () => {
  it('is a value of its own load', () => {
    const run = beside(makeRun({ latency: { total: 1000 } }), 10);
    const value = (name: string) => parseMetric(name).value(run);
    assert.equal(value('neighbours["dns"].failures.count'), 10);
    assert.equal(value('neighbours["dns"].failures.share'), 1 / 3);
    assert.equal(value(`neighbours['dns'].outcomes["ok"].count`), 20);
    assert.equal(value('neighbours["dns"].latency.total.p50'), 1000);
    assert.equal(value('neighbours["dns"].latency.bind.p50'), null);
    assert.equal(value('neighbours["curl"].failures.share'), null);
    assert.equal(parseMetric('neighbours["dns"].failures.share').label, 'failures of any kind of the neighbour dns');
  });
});
