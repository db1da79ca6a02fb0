import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadProfile } from '../../src/profile/load.js';
import { fixReportSchema } from '../../src/results/fixes.js';
import { fixesJsonSchema, resultsJsonSchema } from '../../src/results/json-schema.js';
import { type Results, resultsSchema, SCHEMA_VERSION } from '../../src/results/schema.js';
import { GOOD_PROFILE } from '../profile/bad/bad-profile.js';
import { violations } from '../support/json-schema.js';

const schema = resultsJsonSchema();

/** Results of an experiment that was interrupted before its first run: the least that there can be. */
function leastResults(): Results {
  const { arms, ...experiment } = loadProfile(GOOD_PROFILE, 'good.yaml').experiment;
  const comparison = {
    metric: experiment.goal,
    unit: 'share' as const,
    kind: 'noisy' as const,
    baseline: null,
    variant: null,
    difference: null,
    ci: null,
    pairs: 0,
    p: null,
    pHolm: null,
    detectable: null,
    margin: 0,
    verdict: 'not enough evidence' as const,
    why: 'no run',
    warnings: [],
  };
  return {
    schemaVersion: SCHEMA_VERSION,
    experiment: {
      ...experiment,
      startedAt: '2026-01-01T00:00:00.000Z',
      finishedAt: '2026-01-01T00:00:01.000Z',
      status: 'partial',
      runsPlanned: 22,
      runsDone: 0,
      command: 'bindstorm run good.yaml',
      profile: GOOD_PROFILE,
    },
    environment: {
      tool: '0.1.0',
      kernel: '6.1.0',
      machine: 'x86_64',
      node: '20.18.0',
      libuv: '1.46.0',
      cpu: 'a CPU',
      cpus: 2,
      memory: 8e9,
      lab: 'netns (veth)',
      root: false,
      descriptors: 20_000,
      defaults: { 'net.ipv4.tcp_tw_reuse': '2' },
    },
    variants: arms.map(({ name, description, baseline, changes, sysctls, load, addresses, destinations }) => ({
      name,
      description,
      baseline,
      changes,
      sysctls,
      strategy: load.strategy,
      load,
      addresses: { count: addresses.length, first: addresses[0]!, last: addresses.at(-1)! },
      destinations:
        destinations.kind === 'lab' ? destinations.addresses * destinations.ports : destinations.targets.length,
      prediction: { concurrent: 1, sustained: null, fails: 'bind:EADDRINUSE', formula: 'P·S', rule: 'r', source: 's' },
      runs: [],
      verdict: baseline
        ? null
        : { verdict: 'not enough evidence', sentence: 'No run.', goal: comparison, guardrails: [comparison] },
    })),
    thresholds: [],
    warnings: [],
    summary: 'Nothing ran.',
  };
}

test('accepts what the program writes', () => {
  const results = leastResults();
  assert.deepEqual(resultsSchema.parse(results), results);
  assert.deepEqual(violations(schema, results), []);
});

test('carries the version in its name and in the data', () => {
  assert.equal((schema as { $id?: string }).$id, `urn:bindstorm:results:${SCHEMA_VERSION}`);
  assert.deepEqual(violations(schema, { ...leastResults(), schemaVersion: 0 }), ['/schemaVersion: is not 1']);
});

test('allows keys that a later version adds, and misses those that are gone', () => {
  const { summary, ...rest } = leastResults();
  assert.deepEqual(violations(schema, { ...rest, summary, colour: 'blue' }), []);
  assert.deepEqual(violations(schema, rest), [': lacks summary']);
});

test('the table of fixes that is kept is what its schema says', () => {
  const kept = new URL('../../../reports/examples/fixes/fixes.json', import.meta.url);
  const report = JSON.parse(readFileSync(kept, 'utf8'));
  assert.deepEqual(violations(fixesJsonSchema(), report), []);
  assert.deepEqual(fixReportSchema.parse(report), report);
  const [table] = report.tables;
  const odd = { ...report, tables: [{ ...table, baseline: { kind: 'guessed' } }] };
  assert.deepEqual(violations(fixesJsonSchema(), odd), ['/tables/0/baseline: matches 0 alternatives, not one']);
});
