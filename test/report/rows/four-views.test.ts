import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderHtml, renderMarkdown } from '../../../src/report/render.js';
import { viewRows, whyTheyDiffer } from '../../../src/report/rows/four-views.js';
import type { Results, Run } from '../../../src/results/schema.js';
import type { ProxyReport } from '../../../src/subjects/proxy-report.js';
import { quickstartResults } from '../../support/results.js';

const PROXY: ProxyReport = {
  kind: 'squid',
  version: '5.7',
  failures: [{ call: 'bind', errno: 'EADDRINUSE', count: 500, lines: ['a line'] }],
  requests: {},
  answers: {},
  troubles: [],
  ended: null,
  tail: [],
  syscalls: {
    by: 'strace',
    calls: { bind: 1001, connect: 500 },
    failures: [{ pid: 42, call: 'bind', errno: 'EADDRINUSE', count: 500 }],
  },
  cpu: { user: 1, system: 1 },
  memory: { peak: 1 },
  descriptors: null,
  roles: { client: {}, origin: {} },
};

/** The baseline with an observed run: 5 addresses × 100 ports, 1000 requests, half of them failed. */
function observed(run: Partial<Run> = {}): Results {
  const results = quickstartResults();
  const [baseline, ...others] = results.variants;
  const first = baseline!.runs.at(-1)!;
  const second = { ...first.timeline.at(-1)!, t: 3, portsInUse: 500, portsPerAddress: [100, 100, 100, 100, 100] };
  const own: Run = {
    ...first,
    outcomes: { ok: 500, 'http:503 ERR_CONNECT_FAIL': 500 },
    timeline: [
      { ...second, t: 1, portsInUse: 7 },
      { ...second, timeWaitPerAddress: [99, 100, 100, 100, 100] },
    ],
    proxy: PROXY,
    ...run,
  };
  return { ...results, variants: [{ ...baseline!, observed: own }, ...others] };
}

test('the four sides of one failure', () => {
  assert.deepEqual(viewRows(observed()), [
    {
      name: 'baseline',
      client: [['http:503 ERR_CONNECT_FAIL', 500]],
      log: [['bind EADDRINUSE', 500]],
      kernel: [['bind EADDRINUSE', 500]],
      by: 'strace',
      pids: [42],
      ports: { t: 3, inUse: 500, room: 500, each: 100, addresses: 5, full: 5, timeWait: 499 },
      sentences: [
        '500 failed requests, 500 refused calls, 500 lines in the log: each refused call cost one request and made one line.',
        'Every port was in use: 100 × 5 = 500.',
      ],
    },
  ]);
  assert.deepEqual(viewRows(quickstartResults()), []);
});

test('both reports have them next to each other, and neither has the section without', async () => {
  for (const [results, there] of [
    [observed(), true],
    [quickstartResults(), false],
  ] as const) {
    for (const text of [renderMarkdown(results), await renderHtml(results)]) {
      assert.equal(text.includes('Four views of the failure'), there);
      assert.equal(text.includes('Every port was in use: 100 × 5 = 500.'), there);
    }
  }
});

test('a run that failed, and one without the kernel, say why', () => {
  const failed = observed({ status: 'failed', problems: ['the proxy (squid) ended with code 1'], proxy: undefined });
  assert.deepEqual(viewRows(failed)[0]?.sentences, [
    'Not observed, because the run failed: the proxy (squid) ended with code 1.',
  ]);
  const { syscalls: _, ...unseen } = PROXY;
  const [row] = viewRows(observed({ proxy: { ...unseen, unobserved: 'program strace not found' } }));
  assert.equal(row?.kernel, null);
  assert.match(row?.sentences[0] ?? '', /^The kernel's side was not observed: program strace not found\./);
});

test('why the numbers differ', () => {
  const cases: [Parameters<typeof whyTheyDiffer>[0], RegExp][] = [
    [{ failed: 0, logged: 0, refused: 0 }, /^Nothing failed/],
    // HAProxy: two lines for an attempt. Squid and a name of ten addresses: ten calls for one request.
    [{ failed: 20, logged: 40, refused: 20 }, /one failure makes several lines/],
    [{ failed: 1, logged: 10, refused: 10 }, /more calls were refused than requests failed/],
    // Squid 6.
    [{ failed: 20, logged: 0, refused: 20 }, /this program logs no line/],
    // HAProxy's own allocator.
    [{ failed: 20, logged: 20, refused: 0 }, /the kernel refused no call/],
    [{ failed: 20, logged: 12, refused: 12 }, /for a reason other than a refused call/],
    [{ failed: 20, logged: 5, refused: 20 }, /not every refused call makes a line/],
  ];
  for (const [sums, expected] of cases) assert.match(whyTheyDiffer(sums), expected);
});
