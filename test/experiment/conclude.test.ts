/** What only the results of a whole journal show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conclude } from '../../src/experiment/conclude.js';
import type { BeginOf } from '../../src/experiment/journal-entry.js';
import { loadProfile } from '../../src/profile/load.js';
import { renderHtml, renderMarkdown, renderTerminal } from '../../src/report/render.js';
import { SCHEMA_VERSION } from '../../src/results/schema.js';
import { makeEnvironment, makeRun } from '../support/runs.js';

const PROFILE = `name: guest
addresses: 10.50.0.1/32
lab: { kind: vm }
load: { strategy: bind, arrival: { shape: fill, attempts: 20000 }, hold: 0s }
variants: [{ name: v }]
`;

/** @param buckets tcp_max_tw_buckets of a fresh lab; a guest with 2 GiB of memory has 8192 */
function resultsWith(buckets: number) {
  const environment = makeEnvironment();
  const begin: BeginOf<'run'> = {
    type: 'begin',
    kind: 'run',
    schemaVersion: SCHEMA_VERSION,
    startedAt: '2026-01-02T03:04:05.000Z',
    command: 'bindstorm run guest',
    profile: PROFILE,
    experiment: loadProfile(PROFILE, 'guest.yaml').experiment,
    environment: {
      ...environment,
      defaults: { ...environment.defaults, 'net.ipv4.tcp_max_tw_buckets': String(buckets) },
    },
  };
  const runs = ['baseline', 'v'].map((variant) => makeRun({ variant, outcomes: { ok: 20_000 } }));
  return conclude({ begin, runs, observed: [], steps: new Map(), ended: null, damage: [] });
}

test("a lab's own default that hides the failure is said in the summary and in the reports", async () => {
  const results = resultsWith(8192);
  const words = ['20,000 sockets in TIME_WAIT', 'net.ipv4.tcp_max_tw_buckets (8,192)', 'hides the exhaustion'];
  const texts = [
    results.warnings.join(' '),
    renderTerminal(results, { colour: false, width: 100 }),
    renderMarkdown(results),
    await renderHtml(results),
  ].map((text) => text.replaceAll(/\s+/g, ' '));
  for (const text of texts) for (const word of words) assert.ok(text.includes(word), `${word}: ${text.slice(0, 2000)}`);
});

test('one that does not is not', () => {
  assert.doesNotMatch(resultsWith(262_144).warnings.join(' '), /tcp_max_tw_buckets/);
});
