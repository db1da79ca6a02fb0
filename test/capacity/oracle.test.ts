/**
 * The predictions against the oracle: what a C program measured on 6.18.44 (test/support/oracle.ts), and what differs on the kernels
 * of test/lab/vm/oracle-kernels.tsv. The second wave of a row began 1.3 s after the first.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { predict, predictArm } from '../../src/capacity/predict.js';
import { STRATEGY_NAMES } from '../../src/domain/strategy.js';
import type { Arrival } from '../../src/plan/plan.js';
import type { Prediction } from '../../src/results/schema.js';
import { type Column, KERNELS, rowOn } from '../support/kernel-tables.js';
import { isRandom, LOOPBACK_ADDRESSES, type OracleRow, readOracle, titleOf } from '../support/oracle.js';
import { waves } from '../support/predicted.js';
import { arm, input } from './inputs.js';

const oracle = readOracle();

function predictionOf(row: OracleRow, kernel: string): Prediction {
  return predict(
    input({
      kernel,
      strategy: row.strategy,
      addresses: row.addresses,
      destinations: row.destinations,
      twReuse: row.twReuse === '-' ? 0 : (Number(row.twReuse) as 0 | 1 | 2),
      autobindReuse: row.autobindReuse === '1',
      loopback: true,
    }),
  );
}

test('the table is whole', () => {
  assert.equal(oracle.length, 576);
  assert.equal(oracle.filter(({ mode }) => mode === 'held').length, 144);
  for (const { strategy } of oracle) assert.ok(STRATEGY_NAMES.includes(strategy), strategy);
});

test('held, 6.18: these rows, and no others, have no closed form; what succeeded is within the bound that the formula tells', () => {
  const open = oracle
    .filter(({ mode }) => mode === 'held')
    .map((row) => ({ row, prediction: predictionOf(row, '6.18.44') }))
    .filter(({ prediction }) => prediction.concurrent === null);
  assert.deepEqual(
    open.map(({ row, prediction }) => [
      `${row.strategy} S${row.addresses} D${row.destinations}`,
      row.outcomes.ok,
      prediction.formula,
    ]),
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

/** All of a row's attempts have their outcome, and those that fail have the one that was predicted. */
function assertOutcomes(row: OracleRow, ok: number, { fails }: Prediction): void {
  const failed = row.attempts - ok;
  assert.deepEqual(row.outcomes, { ...(ok > 0 && { ok }), ...(failed > 0 && { [fails]: failed }) }, titleOf(row));
}

const kernels: readonly { readonly column: Column; readonly release: string }[] = [
  ...KERNELS,
  { column: '6.18', release: '6.18.44' },
];

for (const { column, release } of kernels) {
  describe(release, () => {
    const rows = oracle.map((row) => ({ row: rowOn(column, row), prediction: predictionOf(row, release) }));
    const held = rows.filter(({ row }) => row.mode === 'held');
    const timeWait = rows.filter(({ row }) => row.mode === 'time_wait');

    test('held: what is predicted is what succeeds, and the predicted call fails', () => {
      const closed = held.filter(({ prediction }) => prediction.concurrent !== null);
      assert.equal(closed.length, 138);
      for (const { row, prediction } of closed)
        assertOutcomes(row, Math.min(row.attempts, prediction.concurrent!), prediction);
    });

    test('TIME_WAIT: both waves follow from concurrent and sustained', () => {
      assert.equal(timeWait.length, 432);
      for (const { row, prediction } of timeWait) {
        const [first, second] = waves(row.attempts, prediction);
        assertOutcomes(row, first, prediction);
        assert.equal(row.secondWave, second, titleOf(row));
      }
    });

    test('TIME_WAIT: no closed form and no limit are told apart by the rule', () => {
      for (const { row, prediction } of timeWait)
        if (prediction.sustained === null && prediction.concurrent !== 0)
          assert.match(prediction.rule, /takes over a TIME_WAIT at once/, titleOf(row));
    });

    test('counts are called exact where they are, and only there', () => {
      const kernel = parseKernelVersion(release);
      for (const { row } of rows) {
        const { deterministic, why } = predictArm(armOf(row), kernel, {}).determinism({ lab: 'netns' });
        // A TIME_WAIT that nothing takes over outlasts the second of attempts; where something does, time decides.
        const exact = row.mode === 'held' ? !isRandom(row) : row.secondWave === 0;
        assert.equal(deterministic, exact, `${titleOf(row)}: ${why}`);
      }
    });
  });
}

/** The row's first wave as an arm of an experiment: held, or at a second's constant rate. */
function armOf(row: OracleRow) {
  const { attempts } = row;
  const arrival: Arrival =
    row.mode === 'held'
      ? { shape: 'fill', attempts, failures: null, inFlight: 1, waves: 1, pauseMs: 0 }
      : { shape: 'constant', rate: attempts, durationMs: 1000 };
  return {
    ...arm({
      load: { strategy: row.strategy, arrival, holdMs: row.mode === 'held' ? null : 0 },
      sysctls: {
        'net.ipv4.ip_autobind_reuse': row.autobindReuse,
        'net.ipv4.tcp_tw_reuse': row.twReuse === '-' ? '2' : row.twReuse,
        'net.ipv4.tcp_max_tw_buckets': '131072',
      },
      destinations: row.destinations,
    }),
    addresses: LOOPBACK_ADDRESSES.slice(0, row.addresses),
  };
}
