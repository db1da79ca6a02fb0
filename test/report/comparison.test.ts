import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareResults, type ResultComparison } from '../../src/analysis/compare-results.js';
import { renderComparison } from '../../src/report/comparison.js';
import { hostileResults } from '../support/hostile.js';
import { quickstartResults } from '../support/results.js';

const SIDES = { a: 'reports/was', b: 'reports/is' };

const COMPARISON: ResultComparison = {
  goal: 'failures.share',
  differences: [{ what: 'kernel', a: '6.1.0', b: '6.12.1' }],
  refused: null,
  arms: [
    {
      name: 'baseline',
      baseline: true,
      refused: null,
      metrics: [
        {
          metric: 'failures.share',
          unit: 'share',
          kind: 'exact',
          a: 0.5,
          b: 0.25,
          runs: { a: 6, b: 6 },
          difference: -0.25,
          ci: null,
          p: null,
          pHolm: null,
          margin: 0,
          verdict: 'better',
          why: 'It fell.',
        },
      ],
    },
    { name: 'no-port', baseline: false, refused: 'destinations is 1 and 4', metrics: [] },
  ],
  onlyInA: ['tw-reuse'],
  onlyInB: [],
  notes: ['rate not compared: for a reason'],
};

test('what differs around them comes first, then the arms, the reasons, and what was left out', () => {
  assert.equal(
    renderComparison(COMPARISON, SIDES),
    `A  reports/was
B  reports/is

What differs around them:
          A      B
  kernel  6.1.0  6.12.1

B against A (failures first):
  arm       metric    A → B            difference    verdict
  baseline  failures  50.0 % → 25.0 %  −25.0 points  ✓ better

baseline: It fell.
no-port: not compared, destinations is 1 and 4.
Only in A: tw-reuse.
Note: rate not compared: for a reason.
`,
  );
});

test('a refusal says why, after what differs', () => {
  const refused = { ...COMPARISON, differences: [], refused: 'their goals differ: a and b', arms: [] };
  assert.equal(
    renderComparison(refused, SIDES),
    'A  reports/was\nB  reports/is\n\nNothing around them differs: machine, kernel, lab, version and profile are the same.\n\nNot compared: their goals differ: a and b.\n',
  );
});

test('a result compared with itself has no difference in any arm that can tell', () => {
  const results = quickstartResults();
  const text = renderComparison(compareResults(results, structuredClone(results)), SIDES);
  assert.doesNotMatch(text, /better|worse/);
  assert.match(text, /wider-range +failures +0 % → 0 % +0 points += no difference/);
});

test('hostile texts stay on their lines', () => {
  const text = renderComparison(compareResults(quickstartResults(), hostileResults()), { a: 'x\u001b[2J', b: 'y\nz' });
  assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u);
  assert.ok(text.startsWith('A  x\\u001b[2J\nB  y z\n'));
});
