import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesSince, sharesOfC } from '../../bench/guard.js';
import type { RoundSample } from '../../bench/results.js';

const sample = (round: number, contender: 'bindstorm' | 'c', cpuSeconds: number): RoundSample => ({
  round,
  strategy: 'connect',
  contender,
  ok: 100,
  failed: 0,
  timed: 100,
  seconds: 1,
  cpuSeconds,
});

test('a share is of the same round: connections per CPU second over those of C', () => {
  const samples = [sample(1, 'bindstorm', 2), sample(1, 'c', 1), sample(2, 'c', 3), sample(2, 'bindstorm', 4)];
  assert.deepEqual(sharesOfC(samples), { connect: [0.5, 0.75] });
  assert.deepEqual(sharesOfC(samples.filter(({ contender }) => contender === 'bindstorm')), {});
});

test('a drop that the rounds carry is slower, a rise faster, and a spread nothing', () => {
  const before = [0.93, 0.94, 0.92, 0.95, 0.91];
  const [slower] = changesSince({ connect: before }, { connect: before.map((share) => share - 0.2) });
  assert.equal(slower?.verdict, 'slower');
  // Two samples of five that do not overlap: 2 of the 252 orders.
  assert.ok(Math.abs(slower!.p - 2 / 252) < 1e-12);
  assert.ok(slower!.interval![1] < 0);
  assert.equal(changesSince({ connect: before }, { connect: before.map((n) => n + 0.2) })[0]?.verdict, 'faster');
  assert.equal(changesSince({ connect: before }, { connect: [...before].reverse() })[0]?.verdict, 'no difference seen');
});

test('one comparison of three needs more than one alone', () => {
  const before = [0.9, 0.91, 0.92, 0.93];
  const lower = before.map((n) => n - 0.1);
  const alone = changesSince({ connect: before }, { connect: lower });
  const three = changesSince(
    { connect: before, 'bind-no-port': before, 'bind-reuseaddr': before },
    { connect: lower, 'bind-no-port': before, 'bind-reuseaddr': before },
  );
  assert.equal(alone[0]?.verdict, 'slower');
  assert.equal(three[0]?.verdict, 'no difference seen');
});
