import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { predictArm } from '../../src/capacity/predict.js';
import type { Arm } from '../../src/plan/plan.js';
import { makeArm } from '../support/runs.js';

const DEFAULTS = { 'net.ipv4.ip_local_port_range': '32768 60999', 'net.ipv4.tcp_max_tw_buckets': '262144' };

function spareOf(load: Partial<Arm['load']>, addresses = ['10.50.0.1'], sysctls = {}): number {
  const arm = makeArm('baseline');
  const changed: Arm = { ...arm, addresses, sysctls, load: { ...arm.load, ...load } };
  return predictArm(changed, parseKernelVersion('6.18'), DEFAULTS).spare;
}
const arrival = { shape: 'constant', rate: 20, durationMs: 5000 } as const;
const two = ['10.50.0.1', '10.50.0.2'];

test('as many ports may be taken as leave every attempt below the first wall', () => {
  assert.equal(spareOf({ arrival }), 14_116 - 100);
  assert.equal(spareOf({ arrival }, two), 14_116 - 50, 'in turns');
  assert.equal(spareOf({ arrival, pick: 'random' }, two), 14_116 - 100, 'chance may give one address all');
  assert.equal(
    spareOf({ arrival }, two, { 'net.ipv4.tcp_max_tw_buckets': '400' }),
    150,
    'and TIME_WAIT must have room',
  );
});

test('none where the run comes to a wall by itself, or its ports are named', () => {
  assert.equal(spareOf({ arrival: { ...arrival, rate: 4000 } }), 0);
  assert.equal(
    spareOf({ arrival: { shape: 'fill', attempts: null, failures: 5, inFlight: 1, waves: 1, pauseMs: 0 } }),
    0,
  );
  assert.equal(spareOf({ arrival, strategy: 'bind-explicit-port', ports: { low: 20_000, high: 29_999 } }), 0);
});
