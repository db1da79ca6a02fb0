import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effectChart, effectHeight } from '../../../src/report/charts/effect.js';
import { HEAT_LEVELS, heatChart, heatHeight, levelOf } from '../../../src/report/charts/heat.js';
import { CSS_PALETTE } from '../../../src/report/charts/palette.js';
import { loadDrawing } from '../../../src/report/charts/svg.js';
import { addressHeat, addressName, addressSlices, heatOf } from '../../../src/report/rows/addresses.js';
import { quickstartResults } from '../../support/results.js';

const ADDRESSES = { count: 3, first: '10.50.0.254', last: '10.50.1.0' };
const second = (t: number, ...portsPerAddress: number[]) => ({ t, portsPerAddress });

test('an address of a row without a gap has its own name, another its number', () => {
  assert.deepEqual(
    [0, 1, 2].map((i) => addressName(ADDRESSES, i)),
    ['10.50.0.254', '10.50.0.255', '10.50.1.0'],
  );
  assert.equal(addressName({ ...ADDRESSES, count: 2 }, 1), 'address 2');
  assert.equal(addressName({ count: 2, first: 'fdb5::1', last: 'fdb5::2' }, 0), 'address 1');
});

test('slices have the fullest, the middle and the emptiest address, medians over runs', () => {
  const runs = [[second(1, 10, 30, 20)], [second(1, 12, 36, 20)], [second(1, 0, 90, 80)]];
  assert.deepEqual(addressSlices(runs), [{ t: 1, least: 10, middle: 20, fullest: 36 }]);
  assert.deepEqual(addressSlices([[{ t: 1, portsPerAddress: null }]]), []);
});

test('the strip is of the run with the middle number of failures, one row an address', () => {
  const variant = quickstartResults({ blocks: 3 }).variants.at(-1)!;
  const heat = addressHeat(variant)!;
  const failures = variant.runs
    .filter(({ warmup }) => !warmup)
    .sort((a, b) => (b.outcomes.ok ?? 0) - (a.outcomes.ok ?? 0));
  assert.equal(heat.run, failures[1]!.id);
  assert.equal(heat.rows.length, variant.addresses.count);
});

test('a thousand addresses share rows, each the fullest of its neighbours, and an hour shares columns', () => {
  const hour = Array.from({ length: 3600 }, (_, t) => second(t + 1, ...Array.from({ length: 1000 }, (_, i) => i + t)));
  const heat = heatOf('r', hour, { count: 1000, first: 'a', last: 'b' })!;
  assert.ok(heat.rows.length <= 100 && heat.ends.length <= 40);
  assert.equal(heat.ends.at(-1), 3600);
  assert.equal(heat.rows[0]!.name, '1 to 10');
  assert.equal(heat.rows.at(-1)!.ports.at(-1), 999 + 3599);
});

test('levels end at full, and nothing is no level', () => {
  assert.deepEqual(
    [0, 9, 10, 49, 50, 98, 99, 100].map((ports) => levelOf(ports, 100)),
    [-1, -1, 0, 1, 2, 3, 4, 4],
  );
});

test('the strip is drawn with one path a level, whatever the number of cells', async () => {
  const { inline } = await loadDrawing();
  const rows = Array.from({ length: 50 }, (_, row) => ({
    name: String(row),
    ports: Array.from({ length: 40 }, (_, i) => (row * 7 + i * 13) % 101),
  }));
  const heat = { run: 'r', ends: Array.from({ length: 40 }, (_, i) => i + 1), rows, addresses: 50 };
  const svg = inline(heatChart(heat, 100, 40, CSS_PALETTE), 'x', 360, heatHeight(50));
  for (const colour of CSS_PALETTE.heat) assert.equal(svg.split(`fill="${colour}"`).length - 1, 1, colour);
  assert.equal(CSS_PALETTE.heat.length, HEAT_LEVELS.length);
  assert.ok(svg.length < 80_000, `${svg.length} characters for 2000 cells`);
});

test('the forest plot has a line for an interval only where there is one, and names that cannot break out', async () => {
  const { inline } = await loadDrawing();
  const rows = [
    { name: '<b>&"exact', difference: -0.5, ci: null, verdict: 'better' as const },
    { name: 'a-name-that-is-much-too-long', difference: 0.1, ci: [-0.1, 0.3] as const, verdict: 'worse' as const },
    { name: 'nothing', difference: null, ci: null, verdict: 'not enough evidence' as const },
  ];
  const frame = { unit: 'share' as const, margin: 0.01, names: true };
  const svg = inline(effectChart(rows, frame, CSS_PALETTE), 'x', 430, effectHeight(3));
  assert.equal(svg.split('stroke="var(--bad)"').length - 1, 1, 'one interval');
  assert.equal(svg.split('stroke="var(--good)"').length - 1, 0);
  assert.equal(svg.split('fill="var(--good)"').length - 1, 1, 'one estimate');
  assert.ok(svg.includes('&lt;b&gt;&amp;&quot;exact'), svg);
  assert.ok(svg.includes('>a-name-that-is-much…<'));
  assert.ok(!svg.includes('<b>'));
});
