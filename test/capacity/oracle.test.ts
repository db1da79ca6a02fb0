/**
 * The predictions against what a C program measured on 6.18.44: range 40000–40099, 127.0.x addresses, each row in a network
 * namespace of its own (test/lab/oracle-6.18.tsv).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { predict } from '../../src/capacity/predict.js';
import { STRATEGY_NAMES, type StrategyName } from '../../src/profile/strategy.js';
import type { Prediction } from '../../src/results/schema.js';
import { input } from './inputs.js';

const NAMES: Record<string, StrategyName> = {
  'bind-no-port+reuseaddr': 'bind-no-port-reuseaddr',
  'bind-explicit-port': 'bind-explicit-port-exclusive',
  'bind-explicit-port+reuseaddr': 'bind-explicit-port',
  'bind-explicit-port+reuseport': 'bind-explicit-port-reuseport',
  'bind 0.0.0.0:0': 'bind-any',
  'bind 0.0.0.0:0+reuseaddr': 'bind-any-reuseaddr',
};

/** The second wave began this long after the first, seconds. */
const PAUSE = 1.3;

interface Row {
  readonly title: string;
  readonly mode: string;
  readonly attempts: number;
  readonly first: number;
  readonly inBind: number;
  readonly inConnect: number;
  readonly second: number | null;
  readonly prediction: Prediction;
}

const file = new URL('../../../test/lab/oracle-6.18.tsv', import.meta.url);
const rows: Row[] = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => {
    const cells = line.split('\t') as string[];
    const [name, s, d, mode, twReuse, autobind, attempts, first, inBind, inConnect, second] = cells;
    const strategy = NAMES[name!] ?? (name as StrategyName);
    assert.ok(STRATEGY_NAMES.includes(strategy), name);
    const prediction = predict(
      input({
        strategy,
        addresses: Number(s),
        destinations: Number(d),
        twReuse: twReuse === '-' ? 0 : (Number(twReuse) as 0 | 1 | 2),
        autobindReuse: autobind === '1',
        loopback: true,
      }),
    );
    return {
      title: `${strategy} S${s} D${d} ${mode} tw_reuse=${twReuse} autobind_reuse=${autobind}`,
      mode: mode!,
      attempts: Number(attempts),
      first: Number(first),
      inBind: Number(inBind),
      inConnect: Number(inConnect),
      second: second === '-' ? null : Number(second),
      prediction,
    };
  });
const held = rows.filter((row) => row.mode === 'held');
const timeWait = rows.filter((row) => row.mode === 'time_wait');

test('the table is whole', () => {
  assert.equal(rows.length, 576);
  assert.equal(held.length, 144);
  assert.equal(timeWait.length, 432);
});

test('held: what is predicted is what succeeded, and the predicted call failed', () => {
  let compared = 0;
  for (const { title, attempts, first, inBind, inConnect, prediction } of held) {
    if (prediction.concurrent === null) continue;
    compared += 1;
    assert.equal(first, Math.min(attempts, prediction.concurrent), title);
    const failed = { 'bind:EADDRINUSE': inBind, 'connect:EADDRNOTAVAIL': inConnect }[prediction.fails];
    assert.equal(failed, attempts - first, `${title}: all failures are ${prediction.fails}`);
  }
  assert.equal(compared, 138);
});

test('held: these rows, and no others, have no closed form; what succeeded is within the bound that the formula tells', () => {
  const open = held.filter((row) => row.prediction.concurrent === null);
  assert.deepEqual(
    open.map((row) => [row.title.replace(' held tw_reuse=- autobind_reuse=1', ''), row.first, row.prediction.formula]),
    [
      ['bind-reuseaddr S1 D2', 124, 'at most S·(P + ⌊P/4⌋·(D−1)) = 1 · (100 + 25 · 1) = 125'],
      ['bind-reuseaddr S2 D2', 250, 'at most S·(P + ⌊P/4⌋·(D−1)) = 2 · (100 + 25 · 1) = 250'],
      ['bind-reuseaddr S5 D2', 625, 'at most S·(P + ⌊P/4⌋·(D−1)) = 5 · (100 + 25 · 1) = 625'],
      ['bind-any-reuseaddr S1 D2', 125, 'at most P + ⌊P/4⌋·(D−1) = 100 + 25 · 1 = 125'],
      ['bind-any-reuseaddr S2 D2', 125, 'at most P + ⌊P/4⌋·(D−1) = 100 + 25 · 1 = 125'],
      ['bind-any-reuseaddr S5 D2', 125, 'at most P + ⌊P/4⌋·(D−1) = 100 + 25 · 1 = 125'],
    ],
  );
  for (const { prediction } of open) assert.match(prediction.rule, /at random .* no closed form/);
});

/** What a wave of attempts gives, by the prediction alone: ports that a close frees at once limit nothing. */
function waves(attempts: number, { concurrent, sustained }: Prediction): [first: number, second: number] {
  if (sustained === null || concurrent === null) return [attempts, attempts];
  const first = Math.min(attempts, concurrent);
  return [first, concurrent / sustained <= PAUSE ? first : 0];
}

test('TIME_WAIT: both waves follow from concurrent and sustained', () => {
  const differing: [title: string, measured: (number | null)[], predicted: number[]][] = [];
  for (const { title, attempts, first, second, inBind, inConnect, prediction } of timeWait) {
    const predicted = waves(attempts, prediction);
    if (first !== predicted[0] || second !== predicted[1]) differing.push([title, [first, second], predicted]);
    const failed = { 'bind:EADDRINUSE': inBind, 'connect:EADDRNOTAVAIL': inConnect }[prediction.fails];
    assert.equal(failed, attempts - first, `${title}: all failures are ${prediction.fails}`);
  }
  // One first wave lasted just over the second that tcp_tw_reuse_delay asks for, so its last attempt got the first port again.
  assert.deepEqual(differing, [['bind-no-port S1 D1 time_wait tw_reuse=2 autobind_reuse=0', [101, 100], [100, 100]]]);
});

test('TIME_WAIT: no closed form and no limit are told apart by the rule', () => {
  for (const { title, prediction } of timeWait) {
    if (prediction.sustained === null) assert.match(prediction.rule, /takes over a TIME_WAIT at once/, title);
  }
});
