/**
 * The error rates and the power that docs/statistics.md promises, held by simulation with the product's own comparison: bounded, seeded, and
 * against the numbers of the page.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ALPHA } from '../../src/analysis/statistics.js';
import { NOISES, type Noise, operate } from '../support/operating.js';

const EXPERIMENTS = 400;
/** Shares of so many experiments are within this many standard errors of the true one but for a chance of 1 in 30,000. */
const ERRORS = 4;
const reach = (share: number) => ERRORS * Math.sqrt(Math.max(share * (1 - share), 0.002) / EXPERIMENTS);
const noiseOf = (name: string): Noise => NOISES.find((noise) => noise.name.startsWith(name))!;

describe('copies of the baseline', () => {
  const noises = NOISES.filter(({ name }) => !name.startsWith('two states'));
  for (const noise of noises)
    for (const [pairs, variants] of [
      [2, 1],
      [4, 2],
      [9, 7],
    ] as const)
      it(`are called better or worse in no more than 5 of 100 experiments: ${noise.name}, ${variants} of ${pairs} pairs`, () => {
        const { wrong } = operate({ noise, pairs, variants, experiments: EXPERIMENTS });
        assert.ok(wrong <= ALPHA + reach(ALPHA), `${wrong}`);
      });

  it('that have two states are not called so by their times', () => {
    for (const variants of [1, 2]) {
      const question = { noise: noiseOf('two states: 0 or 1'), pairs: 9, variants, experiments: EXPERIMENTS };
      assert.ok(operate({ ...question, kind: 'time' }).wrong <= ALPHA + reach(ALPHA));
      assert.equal(operate({ ...question, pairs: 3, kind: 'time' }).wrong, 0, 'three pairs make no claim');
    }
  });
});

describe('what differs', () => {
  const found = (effect: number, pairs: number, variants: number) =>
    operate({ noise: noiseOf('normal'), pairs, variants, effect, experiments: EXPERIMENTS }).first.worse;

  it('by many standard deviations is found by three pairs, by two of them by nine', () => {
    assert.ok(found(20, 3, 7) > 0.98);
    assert.ok(found(8, 3, 1) > 0.9);
    assert.ok(found(2, 9, 7) > 0.5);
  });

  it('is not found where it is not there', () => {
    const { first } = operate({ noise: noiseOf('normal'), pairs: 9, variants: 2, experiments: EXPERIMENTS });
    assert.ok(first.worse + first.better <= ALPHA + reach(ALPHA));
  });

  it('by as much as the margin is called no difference in no more than 5 of 100 experiments', () => {
    for (const margin of [20, 3, 1]) {
      const at = { noise: noiseOf('normal'), pairs: 9, variants: 7, kind: 'time', experiments: EXPERIMENTS } as const;
      assert.ok(operate({ ...at, margin, effect: margin }).first['no difference'] <= ALPHA + reach(ALPHA));
    }
  });

  it('not at all is called no difference, the sooner the wider the margin', () => {
    const at = { noise: noiseOf('normal'), pairs: 9, variants: 1, kind: 'time', experiments: EXPERIMENTS } as const;
    const [wide, narrow] = [operate({ ...at, margin: 10 }), operate({ ...at, margin: 3 })];
    assert.ok(wide.first['no difference'] > 0.98 && narrow.first['no difference'] > 0.9);
    assert.ok(wide.pairs < narrow.pairs && wide.pairs < 4);
  });
});

it('the tables of the page are those of this comparison', () => {
  const page = readFileSync(new URL('../../../docs/statistics.md', import.meta.url), 'utf8');
  const cell = (row: string, column: number) =>
    page
      .split('\n')
      .find((line) => line.startsWith(`| ${row} |`))!
      .split('|')
      [column + 1]!.split('·')
      .map((share) => Number(share.trim()) / 100);
  // Columns 1 to 5: 2, 3, 4, 6 and 9 pairs; in a cell 1, 2 and 7 variants.
  const near = (right: number, value: number, what: string) =>
    assert.ok(Math.abs(value - right) <= reach(right) + 0.015, `${what}: ${value}, and the page has ${right}`);
  for (const [row, column, pairs, variants, at] of [
    ['normal', 2, 3, 1, 0],
    ['normal, one variant ten times as noisy', 2, 3, 2, 1],
    ['Cauchy', 5, 9, 7, 2],
    ['two states: 0 or 1, as often', 1, 2, 1, 0],
  ] as const)
    near(
      cell(row, column)[at]!,
      operate({ noise: noiseOf(row), pairs, variants, experiments: EXPERIMENTS }).wrong,
      row,
    );
  const [effect, pairs, variants] = [4, 6, 2];
  const { first } = operate({ noise: noiseOf('normal'), pairs, variants, effect, experiments: EXPERIMENTS });
  near(cell(`${effect} sd, normal`, 4)[1]!, first.worse, '4 sd');
});
