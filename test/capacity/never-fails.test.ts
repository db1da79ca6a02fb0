import assert from 'node:assert/strict';
import { test } from 'node:test';
import { predictArm } from '../../src/capacity/predict.js';
import type { Arrival } from '../../src/plan/plan.js';
import { SQUID } from '../support/proxies.js';
import { type ArmChanges, arm, KERNEL } from './inputs.js';

type Fill = Extract<Arrival, { shape: 'fill' }>;
const fill = (changes: Partial<Fill> = {}): Fill => ({
  shape: 'fill',
  attempts: null,
  failures: 1,
  inFlight: 32,
  waves: 1,
  pauseMs: 0,
  ...changes,
});
const why = ({ load, ...changes }: ArmChanges) =>
  predictArm(arm({ ...changes, load: { arrival: fill(), holdMs: 0, ...load } }), KERNEL, {}).neverFails;

test('a fill that waits for a failure never has one where each close gives its port back at once', () => {
  assert.equal(
    why({ load: { close: 'reset' } }),
    'a close with RST leaves no TIME_WAIT, so no more than 32 of 100 ports are ever in use',
  );
  assert.match(why({ load: { strategy: 'bind-explicit-port', drain: true } }) ?? '', /takes over a TIME_WAIT at once/);
  const few = { 'net.ipv4.tcp_max_tw_buckets': '10' };
  assert.match(why({ load: { drain: true }, sysctls: few }) ?? '', /no more than 42 of 100 ports/);
  assert.match(why({ load: { engine: 'http', protocol: 'get', keepAlive: true } }) ?? '', /used again/);
});

test('what may fail, what is not known, and what ends anyway is not refused', () => {
  assert.equal(why({}), undefined, 'TIME_WAIT');
  assert.equal(why({ load: { close: 'reset', holdMs: null } }), undefined, 'held');
  assert.equal(why({ load: { close: 'reset', holdMs: 5 } }), undefined, 'how many are held at once is up to the pace');
  assert.equal(why({ load: { close: 'server' } }), undefined, 'the server closes in its own time');
  assert.equal(why({ load: { strategy: 'bind-explicit-port' } }), undefined, 'nobody waits for the FIN');
  assert.equal(why({ load: { close: 'reset', workers: 4 } }), undefined, 'more at once than ports');
  assert.equal(why({ load: { close: 'reset', arrival: fill({ attempts: 500 }) } }), undefined);
  assert.equal(why({ load: { close: 'reset', arrival: fill({ withinMs: 500 }) } }), undefined);
  assert.equal(why({ load: { close: 'reset', protocol: 'connect' }, proxy: SQUID }), undefined);
  assert.equal(why({ load: { close: 'reset', arrival: { shape: 'constant', rate: 1, durationMs: 1000 } } }), undefined);
});
