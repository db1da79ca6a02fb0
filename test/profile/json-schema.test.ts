import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { METRIC_FORMS, PLAIN_METRICS, parseLimit, parseMetric } from '../../src/domain/metric.js';
import { profileJsonSchema } from '../../src/profile/json-schema.js';
import { violations } from '../support/json-schema.js';
import { ADDRESSES } from './bad/addresses.js';
import { GOOD_PROFILE } from './bad/bad-profile.js';
import { KEYS_AND_TYPES } from './bad/keys.js';

const PROFILES = new URL('../../../profiles/', import.meta.url);
const schema = profileJsonSchema();

test('says what it is', () => {
  const { $schema, $id, title, type } = schema as Record<string, unknown>;
  assert.deepEqual(
    [$schema, $id, title, type],
    ['https://json-schema.org/draft/2020-12/schema', 'urn:bindstorm:profile', 'bindstorm profile', 'object'],
  );
});

test('accepts a minimal profile and every profile that ships', () => {
  assert.deepEqual(violations(schema, parse(GOOD_PROFILE)), []);
  for (const file of readdirSync(PROFILES).filter((name) => name.endsWith('.yaml'))) {
    assert.deepEqual(violations(schema, parse(readFileSync(new URL(file, PROFILES), 'utf8'))), [], file);
  }
});

test('refuses wrong keys and types as the program does', () => {
  for (const { title, text } of KEYS_AND_TYPES) {
    assert.notDeepEqual(violations(schema, parse(text)), [], title);
  }
});

test('knows the metrics, and the unit of each limit, as the program does', () => {
  const good = parse(GOOD_PROFILE) as object;
  const neighbours = METRIC_FORMS.filter((form) => form.startsWith('neighbours')).map((form) =>
    form.replace(/\{.*/, 'p90'),
  );
  const names = [...PLAIN_METRICS, ...METRIC_FORMS.filter((form) => form.startsWith('outcomes')), ...neighbours];
  assert.ok(names.length > 50);
  for (const name of names) {
    const metric = parseMetric(name);
    assert.deepEqual(violations(schema, { ...good, goal: name, guardrails: [name] }), [], name);
    for (const max of [0, 0.5, 5, '5ms', '1.5 s', '1%', 'soon']) {
      const threshold = { metric: name, max };
      let allowed = true;
      try {
        parseLimit(metric, max);
      } catch {
        allowed = false;
      }
      assert.equal(
        violations(schema, { ...good, thresholds: [threshold] }).length === 0,
        allowed,
        JSON.stringify(threshold),
      );
    }
  }
  for (const goal of ['failure.share', 'latency.total.p98', 'outcomes[ok].share', 'capacity ']) {
    assert.throws(() => parseMetric(goal), goal);
    assert.notDeepEqual(violations(schema, { ...good, goal }), [], goal);
  }
});

test('leaves the meaning of addresses to the program', () => {
  const impossible = ADDRESSES.find(({ title }) => title === 'an impossible prefix length');
  assert.ok(impossible);
  assert.deepEqual(violations(schema, parse(impossible.text)), []);
});
