import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparedRuns } from '../../../src/analysis/usable.js';
import {
  counterRows,
  MAX_SLICES,
  medianCurve,
  medianOutcomes,
  medianTimeline,
  portsAvailable,
  topFailure,
} from '../../../src/report/rows/medians.js';
import type { Results, Variant } from '../../../src/results/schema.js';
import { emptyResults, partialResults, quickstartResults } from '../../support/results.js';

const arm = (results: Results, name: string): Variant => results.variants.find((variant) => variant.name === name)!;

test('warm-up, failed and invalid runs are not compared', () => {
  const results = partialResults();
  assert.deepEqual(
    comparedRuns(arm(results, 'baseline')).map((run) => run.block),
    [1, 2, 3],
  );
  assert.deepEqual(
    comparedRuns(arm(results, 'wider-range')).map((run) => run.block),
    [1, 2],
  );
  assert.deepEqual(
    comparedRuns(arm(results, 'fin-timeout-5')).map((run) => run.block),
    [1, 2],
  );
});

test('outcomes are listed from ok down, and the top failure is named', () => {
  const results = quickstartResults();
  assert.deepEqual(medianOutcomes(arm(results, 'baseline')), [
    ['ok', 500],
    ['bind:EADDRINUSE', 500],
  ]);
  assert.equal(topFailure(arm(results, 'autobind-reuse')), 'connect:EADDRNOTAVAIL');
  assert.equal(topFailure(arm(results, 'wider-range')), null);
});

test('a timeline is the median of the runs that lasted so long', () => {
  const variant = arm(quickstartResults({ blocks: 3 }), 'baseline');
  const [, first, second] = variant.runs;
  first!.timeline = first!.timeline.slice(0, 8);
  second!.timeline[0]!.outcomes = { ok: 10, 'bind:EADDRINUSE': 90 };
  second!.timeline[9]!.portsInUse = 300;
  const timeline = medianTimeline(variant);
  assert.equal(timeline.length, 10);
  assert.deepEqual(timeline[0], { t: 1, rates: { ok: 100, 'bind:EADDRINUSE': 0 }, ports: 100 });
  assert.equal(timeline[9]!.ports, 400);
});

test('a last interval that is shorter than a second still counts as a rate', () => {
  const variant = arm(quickstartResults({ blocks: 1, seconds: 2 }), 'baseline');
  variant.runs[1]!.timeline[1]!.t = 1.5;
  assert.equal(medianTimeline(variant)[1]!.rates.ok, 200);
});

test('a long timeline is merged: mean rates, highest ports', () => {
  const variant = arm(quickstartResults({ blocks: 1, seconds: 600 }), 'baseline');
  const timeline = medianTimeline(variant);
  assert.ok(timeline.length <= MAX_SLICES);
  assert.equal(timeline.at(-1)!.t, 600);
  assert.equal(timeline[0]!.rates.ok, 100);
  assert.equal(timeline[0]!.ports, 500);
});

test('a curve takes the percentile of each run and then the median, up to what the smallest run can tell', () => {
  const variant = arm(quickstartResults({ blocks: 3 }), 'baseline');
  const compared = comparedRuns(variant);
  for (const [index, run] of compared.entries()) {
    const value = (index + 1) * 10;
    run.latency.connect = {
      ...run.latency.connect!,
      count: 100 * (index + 1),
      percentiles: [
        [50, value],
        [90, value * 2],
        [100, value * 9],
      ],
    };
  }
  const curve = medianCurve(variant, 'connect');
  assert.deepEqual(curve[0], { nines: 0, value: 20 });
  assert.deepEqual(
    curve.find((point) => point.nines === 1),
    { nines: 1, value: 40 },
  );
  assert.deepEqual(curve.at(-1), { nines: 2, value: 180 });
  assert.deepEqual(medianCurve(arm(emptyResults(), 'baseline'), 'connect'), []);
});

test('ports available are ports times addresses, unless the program does not choose an address', () => {
  const results = quickstartResults();
  assert.equal(portsAvailable(arm(results, 'baseline')), 500);
  assert.equal(portsAvailable(arm(results, 'twice-the-addresses')), 1000);
  const variant = arm(results, 'wider-range');
  comparedRuns(variant)[0]!.ports.reserved = 10;
  assert.equal(portsAvailable(variant), 4950);
  variant.load.ports = { low: 20000, high: 20009 };
  assert.equal(portsAvailable(variant), 50);
  variant.load.strategy = 'connect';
  assert.equal(portsAvailable(variant), 10);
  assert.equal(portsAvailable(arm(emptyResults(), 'baseline')), null);
});

test('counters: a run without one counts as zero, and rows that differ are told', () => {
  const rows = counterRows(quickstartResults().variants);
  const recycled = rows.find((row) => row.name === 'TcpExt.TWRecycled')!;
  assert.deepEqual(recycled.medians.slice(0, 7), [0, 0, 0, 0, 0, 0, 500]);
  assert.ok(recycled.differs);
  const results = quickstartResults();
  for (const variant of results.variants)
    for (const run of variant.runs) run.counters = { 'Tcp.OutSegs': 100 + run.block };
  assert.deepEqual(
    counterRows(results.variants).map(({ name, differs }) => ({ name, differs })),
    [{ name: 'Tcp.OutSegs', differs: false }],
  );
});
