import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Arm } from '../../src/plan/plan.js';
import { loadProfile } from '../../src/profile/load.js';

const CONSTANT = 'arrival: { shape: constant, rate: 10/s, duration: 1s }';
const FILL = 'arrival: { shape: fill, attempts: 10 }';

function arms(load: string, more = ''): Arm[] {
  const text = `name: x\naddresses: 10.50.0.0/29\nload: { ${load} }\nvariants: [{ name: v, load: { keepAlive: true } }]\n${more}\n`;
  return loadProfile(text, 'x.yaml').experiment.arms;
}

test('the socket engine, where it can do the work', () => {
  const [baseline, variant] = arms(`engine: http, ${CONSTANT}`);
  assert.deepEqual([baseline?.load.engine, baseline?.load.protocol, baseline?.load.keepAlive], ['http', 'get', false]);
  assert.deepEqual(variant?.changes, ['keepAlive off → on']);
  const [plain, kept] = arms(CONSTANT);
  assert.deepEqual([plain?.load.engine, plain?.load.protocol, plain?.load.tls], ['socket', 'tcp', false]);
  assert.deepEqual([kept?.load.engine, kept?.load.protocol], ['http', 'get']);
  assert.deepEqual(kept?.changes, ['engine socket → http', 'keepAlive off → on', 'protocol tcp → get']);
});

test('tls needs the HTTP engine, and so has it', () => {
  const [baseline] = arms(`tls: true, ${FILL}`, 'subject: { kind: squid }');
  assert.deepEqual([baseline?.load.engine, baseline?.load.protocol, baseline?.load.tls], ['http', 'connect', true]);
});

test('a tunnel of a fill is held to the end, but one that is used again is not held', () => {
  const [baseline, variant] = arms(`engine: http, ${FILL}`, 'subject: { kind: squid }');
  assert.deepEqual([baseline?.load.holdMs, variant?.load.holdMs], [null, 0]);
});

test('a share of the requests keeps its connection', () => {
  const text = `name: x\naddresses: 10.50.0.0/29\nload: { keepAlive: 80%, arrival: { shape: constant, rate: 100/s, duration: 1s } }\nvariants: [{ name: v, load: { keepAlive: true, keepAliveRequests: 10 } }]\n`;
  const [baseline, variant] = loadProfile(text, 'x.yaml').experiment.arms;
  assert.deepEqual([baseline?.load.engine, baseline?.load.keepAlive], ['http', 0.8]);
  assert.deepEqual(variant?.changes, ['keepAlive 80% → on', 'keepAliveRequests no limit → 10']);
});
