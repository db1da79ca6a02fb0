import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agreementOf, disagreementWarnings } from '../../src/analysis/agreement.js';
import type { Bounds } from '../../src/capacity/bounds.js';
import type { Prediction, Run } from '../../src/results/schema.js';
import { makePrediction, makeRun } from '../support/runs.js';

const prediction: Prediction = { ...makePrediction(), concurrent: 500, fails: 'bind:EADDRINUSE' };
const half = { ok: 500, 'bind:EADDRINUSE': 500 };
const judge = (runs: ReturnType<typeof makeRun>[], changes: Partial<Parameters<typeof agreementOf>[0]> = {}) =>
  agreementOf({ prediction, load: { holdMs: null }, runs, deterministic: true, ...changes });

test('exact counts agree to the unit or disagree, with the first run that differs', () => {
  assert.deepEqual(judge([makeRun({ outcomes: half }), makeRun({ block: 1, outcomes: half })]), {
    verdict: 'agrees',
    runs: 2,
    differing: 0,
    sentence: '2 runs to the unit: 500 ok and 500 bind:EADDRINUSE',
  });
  const off = judge([
    makeRun({ outcomes: half }),
    makeRun({ block: 1, outcomes: { ok: 501, 'bind:EADDRINUSE': 499 } }),
  ]);
  assert.deepEqual([off!.verdict, off!.differing], ['disagrees', 1]);
  assert.match(
    off!.sentence,
    /^expected 500 ok and 500 bind:EADDRINUSE, and b01-baseline had 501 ok and 499 bind:EADDRINUSE/,
  );
  const other = judge([makeRun({ outcomes: { ok: 500, 'connect:EADDRNOTAVAIL': 500 } })]);
  assert.equal(other!.verdict, 'disagrees', 'the number is right and the call is not');
  assert.equal(judge([makeRun({ outcomes: { ok: 300 } })])!.verdict, 'agrees', 'fewer attempts than fit');
});

test('the clients of a proxy are told of a failed call in words of its own, which are not predicted', () => {
  const through = {
    ...makeRun({ outcomes: { ok: 500, 'socks:general-failure': 500 } }),
    proxy: { kind: 'tor' },
  } as Run;
  assert.equal(judge([through])!.sentence, '1 run to the unit: 500 ok and 500 failures (bind:EADDRINUSE in tor)');
  const off = { ...through, outcomes: { ok: 499, 'socks:general-failure': 501 } };
  assert.equal(judge([off])!.verdict, 'disagrees');
});

test('runs that cannot be compared do not count; late ones do, since time does not decide', () => {
  const bad = { outcomes: { ok: 1 } };
  assert.equal(judge([makeRun({ ...bad, warmup: true }), makeRun({ ...bad, status: 'failed', valid: false })]), null);
  assert.equal(judge([makeRun({ outcomes: { ...half, shed: 5 } })]), null, 'the generator ran out, not the kernel');
  const late = { outcomes: half, valid: false, generatorLimited: true, problems: ['late'] };
  assert.equal(judge([makeRun(late)])!.verdict, 'agrees');
});

test('nothing exact was predicted', () => {
  const runs = [makeRun({ outcomes: half })];
  assert.equal(judge(runs, { deterministic: false }), null);
  assert.equal(judge(runs, { prediction: { ...prediction, concurrent: null } }), null);
});

test('a simulated interval: most runs must lie in it, for connections that are held', () => {
  const simulated = {
    attempts: 1000,
    ok: { mean: 500, low: 495, high: 505 },
    beforeFirstFailure: null,
    runs: 10,
    scaledTo: null,
  };
  const random = { deterministic: false, prediction: { ...prediction, concurrent: null, simulated } };
  const runs = (...counts: number[]) =>
    counts.map((ok, block) => makeRun({ block, outcomes: { ok, 'connect:EADDRNOTAVAIL': 1000 - ok } }));
  assert.match(judge(runs(495, 500, 505), random)!.sentence, /^simulated 495 to 505 ok; 3 runs within$/);
  assert.equal(judge(runs(495, 500, 506), random)!.verdict, 'agrees', 'one outside is tolerated');
  const off = judge(runs(480, 500, 520), random)!;
  assert.deepEqual([off.verdict, off.differing], ['disagrees', 2]);
  assert.match(off.sentence, /2 of 3 runs outside, as b00-baseline with 480$/);
  assert.equal(judge(runs(480), random)!.verdict, 'disagrees');
  assert.equal(judge(runs(500), { ...random, load: { holdMs: 0 } }), null);
  assert.equal(judge([makeRun({ outcomes: { ok: 10 } })], random), null, 'other attempts than were simulated');
});

test('a disagreement is a warning of the whole experiment', () => {
  const agreement = judge([makeRun({ outcomes: { ok: 501, 'bind:EADDRINUSE': 499 } })]);
  const warnings = disagreementWarnings([{ name: 'a', agreement }, { name: 'b', agreement: null }, { name: 'c' }]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /^prediction and measurement of a disagree: expected 500 ok .* please report it$/);
});

test('where time decides: no more than the ports could serve, and none fails where there is always one', () => {
  const bounds: Bounds = { concurrent: 100, again: 60, neverFull: false, atLeast: (made) => Math.min(made, 100) };
  const of = (outcomes: Run['outcomes'], changes: Partial<Bounds> = {}, load = 1000) => {
    const run = makeRun({ outcomes });
    const agreement = judge(
      [{ ...run, durationMs: { ...run.durationMs, load }, capacity: { ...run.capacity, peakOpen: 2 } }],
      {
        deterministic: false,
        bounds: { ...bounds, ...changes },
      },
    );
    return [agreement!.verdict, agreement!.sentence] as const;
  };
  const failed = (n: number) => ({ 'bind:EADDRINUSE': n });
  assert.match(
    of({ ok: 100, ...failed(50) })[1],
    /^1 run as far as time leaves it open: at most 100 connections at once, and of 150 attempts at least 100 find one$/,
  );
  assert.match(
    of({ ok: 101, ...failed(49) })[1],
    /^expected: at most 100 attempts could be ok, and b00-baseline had 101/,
  );
  assert.equal(of({ ok: 200, ...failed(50) }, {}, 61_000)[0], 'agrees', 'each port served twice in 61 s');
  assert.match(
    of({ ok: 90, ...failed(60) })[1],
    /at most 50 attempts could find no port, and of b00-baseline 60 found none/,
  );
  // HAProxy in mode http: 6.7/s were predicted, and 150/s did not fail; and the other way round.
  assert.equal(of({ ok: 150 }, { again: 0 })[0], 'agrees');
  assert.equal(of({ ok: 149, ...failed(1) }, { again: 0, neverFull: true })[0], 'disagrees');
  assert.equal(
    of({ ok: 149, 'connect:ECONNREFUSED': 1 }, { again: 0, neverFull: true })[0],
    'agrees',
    'not for want of a port',
  );
});
