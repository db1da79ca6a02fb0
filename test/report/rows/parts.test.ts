import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOAD } from '../../../src/plan/load-settings.js';
import type { Neighbour } from '../../../src/plan/plan.js';
import { renderHtml, renderMarkdown, renderTerminal } from '../../../src/report/render.js';
import { neighbourRows } from '../../../src/report/rows/parts.js';
import type { Results, Run } from '../../../src/results/schema.js';
import { quickstartResults } from '../../support/results.js';

const DNS: Neighbour = {
  name: 'dns',
  where: 'beside',
  addresses: ['10.9.0.1'],
  afterMs: null,
  load: { ...LOAD, pick: 'round-robin', arrival: { shape: 'constant', rate: 10, durationMs: 1000 } },
};

/** The first two arms of the quickstart: nothing of dns fails in the first, all of it in the second. */
function results(): Results {
  const all = quickstartResults();
  const variants = all.variants.slice(0, 2).map((variant, i) => ({
    ...variant,
    runs: variant.runs.map(
      (run): Run => ({
        ...run,
        neighbours: [
          {
            name: 'dns',
            attempts: 10,
            outcomes: i === 0 ? { ok: 10 } : { 'connect:EADDRNOTAVAIL': 10 },
            latency: i === 0 ? { total: { ...run.latency.total!, p90: 2500 } } : {},
          },
        ],
      }),
    ),
  }));
  return { ...all, variants, experiment: { ...all.experiment, neighbours: [DNS] } };
}

test('a row for each neighbour and arm', () => {
  const [first, second] = results().variants;
  assert.deepEqual(neighbourRows(results()), [
    { part: 'dns', arm: first!.name, attempts: 10, failed: 0, how: [], p90: 2500, verdict: null },
    {
      part: 'dns',
      arm: second!.name,
      attempts: 10,
      failed: 1,
      how: [['connect:EADDRNOTAVAIL', 10]],
      p90: null,
      verdict: null,
    },
  ]);
  assert.deepEqual(neighbourRows(quickstartResults()), []);
});

test('every report shows them, and says nothing where there are none', async () => {
  const [first, second] = results().variants.map(({ name }) => name);
  const [page, markdown, terminal] = [
    await renderHtml(results()),
    renderMarkdown(results()),
    renderTerminal(results(), { colour: false, width: 120 }),
  ];
  assert.match(page, /<h2 id="neighbours-title">Neighbours<\/h2>/);
  assert.match(page, /dns: beside, connect from 10\.9\.0\.1, constant 10\/s for 1s, after the load/);
  assert.ok(markdown.includes(`| dns | ${second} | 10 | 100 % | 10 \`connect:EADDRNOTAVAIL\` | – | – |`), markdown);
  assert.match(terminal, new RegExp(`^dns +${first} +10 +0 % +– +2.5 ms`, 'm'));
  assert.match(terminal, new RegExp(`^dns +${second} +10 +100 % +10 connect:EADDRNOTAVAIL +–`, 'm'));
  assert.doesNotMatch(await renderHtml(quickstartResults()), /neighbours-title|>Neighbours</);
  assert.doesNotMatch(renderMarkdown(quickstartResults()), /^#+ Neighbours/m);
});
