import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareArms } from '../../src/analysis/compare.js';
import type { VerdictWord } from '../../src/results/schema.js';
import { type ExperimentNumbers, makeExperiment, makeRuns, type RunNumbers } from '../support/runs.js';

type Numbers = Omit<RunNumbers, 'variant' | 'block'>;

const PAIRS = 6;

/** The verdict for a variant whose runs differ from the baseline's a little from block to block. */
function verdictOf(
  baseline: (block: number) => Numbers,
  variant: (block: number) => Numbers,
  setting: ExperimentNumbers & { deterministic?: boolean } = {},
) {
  const { deterministic = false, ...numbers } = setting;
  const blocks = [...Array(PAIRS).keys()];
  return compareArms({
    experiment: makeExperiment({ variants: ['no-port'], repeat: PAIRS, ...numbers }),
    runs: [...makeRuns('baseline', blocks.map(baseline)), ...makeRuns('no-port', blocks.map(variant))],
    deterministic: () => deterministic,
  }).get('no-port')!;
}

const halfFails = (block: number): Numbers => ({
  outcomes: { ok: 500 - 2 * block, 'bind:EADDRINUSE': 500 + 2 * block },
});
const noneFails = (): Numbers => ({ outcomes: { ok: 1000 } });
const slow = { latency: { total: { p50: 3000, p99: 8000 } } };
const guardrails = ['latency.total.p99', 'cpu.perConnection'];

describe('a goal that got better', () => {
  it('helped', () => {
    const { verdict, sentence } = verdictOf(halfFails, noneFails, { guardrails });
    assert.equal(verdict, 'better');
    assert.equal(sentence, 'no-port helped: bind:EADDRINUSE fell from 50.5 % of attempts to 0 % in each of 6 pairs.');
  });

  it('stays better when it has a price, which is named', () => {
    const { verdict, sentence } = verdictOf(halfFails, () => ({ ...noneFails(), ...slow }), { guardrails });
    assert.equal(verdict, 'better');
    assert.match(sentence, /^no-port helped: .*, but latency\.total\.p99 rose from 2 ms to 8 ms in each of 6 pairs\.$/);
  });

  it('made no difference when the failure only moved to another call', () => {
    const moved = (block: number): Numbers => ({
      outcomes: { ok: 500 - 2 * block, 'connect:EADDRNOTAVAIL': 500 + 2 * block },
    });
    for (const deterministic of [false, true]) {
      const { verdict, goal, sentence } = verdictOf(halfFails, moved, { deterministic });
      assert.equal(goal.verdict, 'better');
      assert.equal(verdict, 'no difference');
      assert.match(
        sentence,
        /^no-port made no difference: bind:EADDRINUSE fell .* to 0 % in each of 6 pairs, but the failure only moved: connect:EADDRNOTAVAIL rose from 0 % to 50\.5 % of attempts\.$/,
      );
    }
  });

  it('made no difference when all but a trace of an exact count moved', () => {
    const fixed = (): Numbers => ({ outcomes: { ok: 500, 'bind:EADDRINUSE': 500 } });
    const trace = (): Numbers => ({ outcomes: { ok: 501, 'connect:EADDRNOTAVAIL': 499 } });
    const { verdict, guardrails: held } = verdictOf(fixed, trace, { deterministic: true });
    assert.equal(held[0]!.verdict, 'better');
    assert.equal(verdict, 'no difference');
  });

  it('helped when a part of the failure moved, and says which part', () => {
    const part = (block: number): Numbers => ({
      outcomes: { ok: 800 + 2 * block, 'connect:EADDRNOTAVAIL': 200 - 2 * block },
    });
    const { verdict, sentence } = verdictOf(halfFails, part);
    assert.equal(verdict, 'better');
    assert.match(sentence, /, of which a part moved to connect:EADDRNOTAVAIL \(19\.5 % of attempts\)\.$/);
  });

  it('is undecided when it is open whether fewer attempts fail at all', () => {
    const noisy = (block: number): Numbers => {
      const elsewhere = block % 2 === 0 ? 900 : 100;
      return { outcomes: { ok: 1000 - elsewhere, 'connect:EADDRNOTAVAIL': elsewhere } };
    };
    const { verdict, sentence } = verdictOf(halfFails, noisy);
    assert.equal(verdict, 'not enough evidence');
    assert.match(
      sentence,
      /^no-port is undecided: bind:EADDRINUSE fell .*, but whether fewer attempts fail at all is open: /,
    );
  });

  it('made it worse when more attempts fail than before', () => {
    const more = (block: number): Numbers => ({
      outcomes: { ok: 100 + 2 * block, 'connect:EADDRNOTAVAIL': 900 - 2 * block },
    });
    const { verdict, sentence } = verdictOf(halfFails, more);
    assert.equal(verdict, 'worse');
    assert.match(
      sentence,
      /^no-port made it worse: bind:EADDRINUSE fell .*, but failures of any kind rose from 50\.5 % of attempts to 89\.5 %/,
    );
  });

  it('has shown nothing when the failures were shed instead', () => {
    const shed = (block: number): Numbers => ({ outcomes: { ok: 500 - 2 * block, shed: 500 + 2 * block } });
    for (const goal of ['outcomes["bind:EADDRINUSE"].share', 'failures.share', 'failures.count']) {
      const { verdict, sentence } = verdictOf(halfFails, shed, { goal });
      assert.equal(verdict, 'not enough evidence', goal);
      assert.match(sentence, /but 50\.5 % of its attempts were shed/);
    }
  });

  it('counts all the same when a few were shed and many more are ok', () => {
    const few = (): Numbers => ({ outcomes: { ok: 950, shed: 50 } });
    assert.equal(verdictOf(halfFails, few).verdict, 'better');
  });

  it('is turned by failures.share also where the profile asks for it beside another goal', () => {
    const more = (): Numbers => ({ outcomes: { ok: 300, 'bind:EADDRINUSE': 700 }, openAtFirstFailure: 900 });
    const { verdict, goal } = verdictOf(halfFails, more, { goal: 'capacity', guardrails: ['failures.share'] });
    assert.equal(goal.verdict, 'better');
    assert.equal(verdict, 'worse');
  });
});

describe('any other goal', () => {
  const cases: [string, (block: number) => Numbers, VerdictWord, RegExp][] = [
    [
      'that saw no difference',
      halfFails,
      'no difference',
      /^no-port made no difference: bind:EADDRINUSE stayed at 50\.5 % of attempts in each of 6 pairs\.$/,
    ],
    [
      'that saw no difference, at a price',
      (block) => ({ ...halfFails(block), ...slow }),
      'worse',
      /^no-port made it worse: bind:EADDRINUSE stayed at .*, but latency\.total\.p99 rose from 2 ms to 8 ms/,
    ],
    [
      'that got worse',
      () => ({ outcomes: { ok: 100, 'bind:EADDRINUSE': 900 } }),
      'worse',
      /^no-port made it worse: bind:EADDRINUSE rose from 50\.5 % of attempts to 90\.0 % in each of 6 pairs\.$/,
    ],
    [
      'that is open, at a price',
      (block) => ({ outcomes: { ok: 500, 'bind:EADDRINUSE': block % 2 === 0 ? 900 : 100 }, ...slow }),
      'not enough evidence',
      /^no-port is undecided: .*, but latency\.total\.p99 rose/,
    ],
    [
      'that moved, at a price',
      (block) => ({ outcomes: { ok: 500 - 2 * block, 'connect:EADDRNOTAVAIL': 500 + 2 * block }, ...slow }),
      'worse',
      /but the failure only moved: .* and latency\.total\.p99 rose/,
    ],
  ];
  for (const [name, variant, word, sentence] of cases) {
    it(`${name}: ${word}`, () => {
      const verdict = verdictOf(halfFails, variant, { guardrails });
      assert.equal(verdict.verdict, word);
      assert.match(verdict.sentence, sentence);
    });
  }
});
