/**
 * The exits' own view, and the three questions of 2012, from an experiment's counts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderHtml, renderMarkdown, renderTerminal } from '../../../src/report/render.js';
import { answers, bootstrapNotice, bootstrapText, exitRows } from '../../../src/report/rows/tor-exits.js';
import type { Results, Variant } from '../../../src/results/schema.js';
import type { ProxyReport } from '../../../src/subjects/proxy-report.js';
import { TOR } from '../../support/proxies.js';
import { quickstartResults } from '../../support/results.js';

const FAIL = 'socks:general-failure';
const LINE = 'Jan 09 00:12:59.000 [warn] Error binding network socket: Address already in use';

function reportOf(
  version: string,
  call: 'bind' | 'connect',
  errno: string,
  failed: number,
  logged: number,
): ProxyReport {
  return {
    kind: 'tor',
    version,
    bootstrap: { seconds: 1.9, cached: true },
    failures: logged === 0 ? [] : [{ call, errno, count: logged, lines: [LINE] }],
    requests: { SUCCEEDED: 64, ...(failed > 0 ? { 'END RESOURCELIMIT': failed } : {}) },
    answers: {},
    troubles: [],
    ended: null,
    tail: [],
    syscalls: {
      by: 'strace',
      calls: { bind: 84, connect: 84 },
      failures: failed > 0 ? [{ pid: 7, call, errno, count: failed }] : [],
    },
    cpu: { user: 1, system: 1 },
    memory: { peak: 1 },
    descriptors: null,
    roles: { client: {}, origin: {} },
  };
}

function withExit(variant: Variant, proxy: ProxyReport, failed: number): Variant {
  const runs = variant.runs.map((run) => ({
    ...run,
    proxy,
    outcomes: { ok: 64, ...(failed > 0 ? { [FAIL]: failed } : {}) },
    ports: { ...run.ports, low: 40_000, high: 40_063, peakPerAddress: [64], finalStates: { TIME_WAIT: 64 } },
  }));
  return { ...variant, proxy: TOR, runs, observed: { ...runs[0]!, warmup: false } };
}

/** The quickstart with exits of Tor in its first three arms: a new one, an old one, and one that fails nowhere. */
function results(): Results {
  const all = quickstartResults();
  const [a, b, c, ...others] = all.variants;
  return {
    ...all,
    variants: [
      withExit(a!, reportOf('0.4.9.11', 'connect', 'EADDRNOTAVAIL', 20, 0), 20),
      withExit(b!, reportOf('0.4.5.16', 'bind', 'EADDRINUSE', 30, 30), 30),
      withExit(c!, reportOf('0.4.9.11', 'connect', 'EADDRNOTAVAIL', 0, 0), 0),
      ...others,
    ],
  };
}

test('one row an arm with Tor, from all sides', () => {
  const rows = exitRows(results());
  assert.deepEqual(
    rows.map(({ version, calls, logged, line, replies, ends }) => ({ version, calls, logged, line, replies, ends })),
    [
      {
        version: '0.4.9.11',
        calls: [['connect EADDRNOTAVAIL', 20]],
        logged: 0,
        line: null,
        replies: [[FAIL, 20]],
        ends: [
          ['SUCCEEDED', 64],
          ['END RESOURCELIMIT', 20],
        ],
      },
      {
        version: '0.4.5.16',
        calls: [['bind EADDRINUSE', 30]],
        logged: 30,
        line: LINE,
        replies: [[FAIL, 30]],
        ends: [
          ['SUCCEEDED', 64],
          ['END RESOURCELIMIT', 30],
        ],
      },
      { version: '0.4.9.11', calls: [], logged: 0, line: null, replies: [], ends: [['SUCCEEDED', 64]] },
    ],
  );
  assert.equal(bootstrapText(rows[0]!), '1.9 s, cached 6 of 6');
  assert.deepEqual(exitRows(quickstartResults()), []);
  assert.equal(
    bootstrapNotice(results()),
    'Private Tor networks: up in 1.9 s from the cache (21 runs).',
    'three arms, a warm-up and six blocks',
  );
  assert.match(renderTerminal(results(), { colour: false, width: 100 }), /Private Tor networks: up in 1\.9 s/);
  assert.equal(bootstrapNotice(quickstartResults()), null);
});

test('the three questions, answered with this run’s counts', () => {
  const [path, resource, tunable] = answers(results());
  assert.equal(path!.sentences.length, 2, 'one for each version that failed');
  assert.match(
    path!.sentences[0]!,
    /^Tor 0\.4\.9\.11 \(baseline\): the kernel refused 20 × connect EADDRNOTAVAIL: with IP_BIND_ADDRESS_NO_PORT/,
  );
  assert.match(
    path!.sentences[0]!,
    /has no line of it; its RELAY_END cells said RESOURCELIMIT \(20 of them\), and clients were told 20 × socks:general-failure\.$/,
  );
  assert.match(
    path!.sentences[1]!,
    /the kernel refused 30 × bind EADDRINUSE: .*The log of the exit has 30 lines, as «Jan 09/,
  );
  assert.match(
    resource!.sentences[0]!,
    /At most 64 of 64 ports were in use, 64 sockets were in TIME_WAIT at the end, and 64 streams succeeded; the rule says /,
  );
  assert.match(tunable!.sentences[0]!, /^Of the sysctls tried here these helped: wider-range/);
  assert.deepEqual(answers(quickstartResults()), []);
});

test('both reports have them', async () => {
  const page = await renderHtml(results());
  assert.match(page, /<h2 id="exits-title">What the Tor exits saw<\/h2>/);
  assert.match(page, /<h3>1\. Which code path gives the error/);
  const text = renderMarkdown(results());
  assert.match(text, /### What the Tor exits saw/);
  assert.match(text, /\*\*3\. Which tunable is missing\?\*\*/);
  assert.doesNotMatch(renderMarkdown(quickstartResults()), /Tor exits/);
});
