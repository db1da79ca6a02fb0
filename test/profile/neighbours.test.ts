import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Neighbour } from '../../src/plan/plan.js';
import { loadProfile } from '../../src/profile/load.js';

function neighbours(items: string, more = '', arrival = 'shape: constant, rate: 100/s, duration: 5s'): Neighbour[] {
  const text = `name: x\naddresses: 10.50.0.0/29\nload: { arrival: { ${arrival} } }\nvariants: [{ name: v }]\n${more}\nneighbours: ${items}\n`;
  return loadProfile(text, 'x.yaml').experiment.neighbours ?? [];
}

test('a neighbour is a plain program beside the subject, for as long as the load', () => {
  const [dns] = neighbours('[{ name: dns, rate: 10/s, after: 2s }]');
  assert.deepEqual([dns?.where, dns?.load.strategy, dns?.afterMs, dns?.addresses], ['beside', 'connect', 2000, []]);
  assert.deepEqual(dns?.load.arrival, { shape: 'constant', rate: 10, durationMs: 3000 });
});

test('beside a proxy it has a strategy of its own, through it that of its clients', () => {
  const [dns, others] = neighbours(
    '[{ name: dns, rate: 10/s, strategy: bind, addresses: [10.60.0.1] }, { name: others, where: through, rate: 5/s, duration: 1s, after: load }]',
    'subject: { kind: squid }',
  );
  assert.deepEqual([dns?.load.strategy, dns?.load.protocol, dns?.addresses], ['bind', 'tcp', ['10.60.0.1']]);
  assert.deepEqual([others?.load.protocol, others?.load.holdMs, others?.afterMs], ['connect', 0, null]);
});

test('after a fill its length must be given, and then may be', () => {
  const [dns] = neighbours('[{ name: dns, rate: 10/s, after: load, duration: 1s }]', '', 'shape: fill, attempts: 10');
  assert.deepEqual([dns?.afterMs, dns?.load.holdMs], [null, 0]);
});

test('one that listens is a service, which restarts as often as a load would have attempts', () => {
  const [api, plain] = neighbours(
    '[{ name: api, listen: 40150-40159, rate: 20/s, down: 30ms }, { name: plain, listen: 8125, rate: 1/s }]',
  );
  assert.deepEqual(api?.service, { ports: { low: 40_150, high: 40_159 }, downMs: 30 });
  assert.deepEqual(api?.load.arrival, { shape: 'constant', rate: 20, durationMs: 5000 });
  assert.deepEqual(plain?.service, { ports: { low: 8125, high: 8125 }, downMs: 10 });
});

test('none is none', () => {
  assert.deepEqual(neighbours('[]'), []);
});
