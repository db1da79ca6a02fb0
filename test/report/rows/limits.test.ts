import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderHtml, renderMarkdown } from '../../../src/report/render.js';
import { limitRows, slowLimitOf } from '../../../src/report/rows/limits.js';
import type { Results, Run, Second } from '../../../src/results/schema.js';
import { SQUID } from '../../support/proxies.js';
import { quickstartResults } from '../../support/results.js';

const SECOND = quickstartResults().variants[0]!.runs[0]!.timeline[0]!;

/** A run of 20 s, 1000 ports more a second; each answer takes `response(ports)` µs. */
function timelineOf(
  response: (ports: number) => number | null,
  failsFrom = Number.POSITIVE_INFINITY,
  failure = 'http:503',
): Second[] {
  return Array.from({ length: 20 }, (_, i) => {
    const portsInUse = (i + 1) * 1000;
    const outcomes: Second['outcomes'] = portsInUse >= failsFrom ? { ok: 500, [failure]: 500 } : { ok: 1000 };
    return { ...SECOND, t: i + 1, portsInUse, response: response(portsInUse), outcomes };
  });
}

test('the slow wall is where answers become slow and stay so', () => {
  const wall = slowLimitOf({ timeline: timelineOf((ports) => (ports > 14_000 ? 9000 : 1000)) });
  assert.deepEqual(wall, { ports: 14_000, before: 1000, behind: 9000 });
});

test('there is none in a hiccup, in a slow growth, and in what cannot be told', () => {
  assert.equal(slowLimitOf({ timeline: timelineOf((ports) => (ports === 14_000 ? 9000 : 1000)) }), null);
  assert.equal(slowLimitOf({ timeline: timelineOf((ports) => 1000 + ports / 10) }), null);
  assert.equal(slowLimitOf({ timeline: timelineOf((ports) => (ports === 20_000 ? 9000 : 1000)) }), null);
  assert.equal(slowLimitOf({ timeline: timelineOf(() => null) }), null);
  assert.equal(slowLimitOf({ timeline: [] }), null);
});

function results(timeline: readonly Second[]): Results {
  const all = quickstartResults();
  const [baseline, ...others] = all.variants;
  const runs = baseline!.runs.map((run): Run => ({ ...run, timeline: [...timeline] }));
  const slowWall = { tuples: 14_116, rate: 235, walked: 14_116, why: 'half of the ports' };
  const prediction = { ...baseline!.prediction, concurrent: 28_232, slowWall };
  return { ...all, variants: [{ ...baseline!, proxy: SQUID, runs, prediction }, ...others] };
}

test('both reports have both walls beside what the model expects', async () => {
  const both = results(timelineOf((ports) => (ports > 14_000 ? 9000 : 1000), 19_000));
  assert.deepEqual(limitRows(both), [
    {
      name: 'baseline',
      slow: { measured: 14_000, expected: 14_116, before: 1000, behind: 9000 },
      hard: { measured: 19_000, expected: 28_232 },
    },
  ]);
  const markdown = renderMarkdown(both);
  assert.match(markdown, /### Slow first, then full/);
  assert.match(markdown, /\| baseline \| 14,000 \| 14,116 \| 1 ms \| 9 ms \| 19,000 \| 28,232 \|/);
  assert.match(await renderHtml(both), /<h2 id="walls-title">Slow first, then full<\/h2>/);
  const neither = renderMarkdown(results(timelineOf(() => 1000)));
  assert.match(neither, /\| baseline \| not reached \| 14,116 \| – \| – \| not reached \| 28,232 \|/);
});

test('a proxy first fails where it refuses or ends a connection, whatever protocol it speaks', () => {
  const hardWall = (failure: string) => limitRows(results(timelineOf(() => 1000, 19_000, failure)))[0]!.hard.measured;
  for (const failure of ['http:503', 'http:other', 'socks:general-failure', 'response:EOF', 'exchange:ECONNRESET'])
    assert.equal(hardWall(failure), 19_000, failure);
  // Before the proxy has said a word, a failure is the client's own.
  for (const failure of ['connect:EADDRNOTAVAIL', 'timeout:ETIMEDOUT', 'shed'])
    assert.equal(hardWall(failure), null, failure);
});

test('a small range has none to look for', async () => {
  assert.deepEqual(limitRows(quickstartResults()), []);
  assert.doesNotMatch(renderMarkdown(quickstartResults()), /Slow first/);
});
