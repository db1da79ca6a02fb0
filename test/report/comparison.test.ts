import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareResults, type ResultComparison } from '../../src/analysis/compare-results.js';
import { comparisonFiles, renderComparison } from '../../src/report/comparison.js';
import { hostileResults } from '../support/hostile.js';
import { quickstartResults } from '../support/results.js';

const SIDES = { a: 'reports/was', b: 'reports/is' };
const PLAIN = { colour: false, width: 100 };

const COMPARISON: ResultComparison = {
  goal: 'failures.share',
  changed: false,
  differences: [{ what: 'kernel', a: '6.1.0', b: '6.12.1' }],
  refused: null,
  arms: [
    {
      name: 'baseline',
      baseline: true,
      refused: null,
      changes: [],
      metrics: [
        {
          metric: 'failures.share',
          unit: 'share',
          kind: 'exact',
          a: 0.5,
          b: 0.25,
          atLeast: { a: false, b: false },
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
    { name: 'no-port', baseline: false, refused: 'destinations is 1 and 4', changes: [], metrics: [] },
  ],
  onlyInA: ['tw-reuse'],
  onlyInB: [],
  notes: ['rate not compared: for a reason'],
};

test('the answer comes first, then what differs around them, each arm by each metric a line, and what was left out', () => {
  assert.equal(
    renderComparison(COMPARISON, SIDES, PLAIN),
    `A: reports/was
B: reports/is

Nothing got worse from A to B: of 1 comparison 1 better.

What differs around them
What    A      B
kernel  6.1.0  6.12.1

B against A (failures first)
Arm       Metric              A → B    Difference  Verdict
baseline  failures  50.0 % → 25.0 %  −25.0 points  ✓ better

- no-port: not compared, destinations is 1 and 4.
- Only in A: tw-reuse.

! rate not compared: for a reason
`,
  );
});

test('a refusal says why, before what differs', () => {
  const refused = {
    ...COMPARISON,
    differences: [],
    refused: 'their goals differ: a and b',
    arms: [],
    onlyInA: [],
    notes: [],
  };
  assert.equal(
    renderComparison(refused, SIDES, PLAIN),
    'A: reports/was\nB: reports/is\n\nNot compared: their goals differ: a and b.\n\nWhat differs around them\nNothing around them differs: machine, kernel, lab, version and profile are the same.\n',
  );
});

test('one’s own change is told arm by arm', () => {
  const [arm] = COMPARISON.arms;
  const changes = [{ what: 'sysctls.net.ipv4.tcp_tw_reuse', a: '–', b: '1' }];
  const text = renderComparison({ ...COMPARISON, changed: true, arms: [{ ...arm!, changes }] }, SIDES, PLAIN);
  assert.match(text, /^What was changed\nArm and setting .*\nbaseline: sysctls\.net\.ipv4\.tcp_tw_reuse +– +1$/m);
});

test('the files are a page, a text for a ticket, and JSON with all numbers', () => {
  const files = comparisonFiles(COMPARISON, SIDES);
  assert.deepEqual(Object.keys(files), ['compare.html', 'compare.md', 'compare.json']);
  assert.deepEqual(JSON.parse(files['compare.json']!), { ...SIDES, ...COMPARISON });
  for (const text of [files['compare.html']!, files['compare.md']!]) {
    assert.match(text, /Nothing got worse from A to B/);
    assert.match(text, /It fell\./);
    assert.match(text, /6 and 6/);
  }
});

test('a result compared with itself has no difference in any arm that can tell', () => {
  const results = quickstartResults();
  const text = renderComparison(compareResults(results, structuredClone(results)), SIDES, PLAIN);
  assert.doesNotMatch(text, / better| worse$/m);
  assert.match(text, /^wider-range +failures +0 % → 0 % +0 points +=? ?no difference$/m);
});

test('hostile texts stay on their lines', () => {
  const comparison = compareResults(quickstartResults(), hostileResults());
  const text = renderComparison(comparison, { a: 'x\u001b[2J', b: 'y\nz' }, PLAIN);
  assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u);
  assert.ok(text.startsWith('A: x\\u001b[2J\nB: y z\n'));
});
