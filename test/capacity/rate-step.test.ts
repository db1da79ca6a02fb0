/** How a rate is tried so that it shows whether it is sustained. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { predictArm } from '../../src/capacity/predict.js';
import { rateStep } from '../../src/capacity/rate-step.js';
import { createPacer } from '../../src/load/pacer.js';
import { scheduledAttempts } from '../../src/plan/arrival.js';
import { SEARCH } from '../../src/plan/search.js';
import { arm, KERNEL } from './inputs.js';

const minute = { seconds: 60 + 512 / 250, earliest: 60, how: 'model' } as const;

describe('the time for which a connection keeps its tuple', () => {
  const of = (changes: Parameters<typeof arm>[0]) => predictArm(arm(changes), KERNEL, {}).occupancy;

  it('is the hold and what the close leaves', () => {
    assert.deepEqual(of({ load: { holdMs: 0 } }), minute);
    assert.deepEqual(of({ load: { holdMs: 2000 } }), { seconds: 64.048, earliest: 62, how: 'model' });
    assert.deepEqual(of({ load: { holdMs: 2000, close: 'server' } }), { seconds: 2, earliest: 2, how: 'model' });
    assert.deepEqual(of({ load: { holdMs: 0, strategy: 'connect' }, sysctls: { 'net.ipv4.tcp_tw_reuse': '1' } }), {
      seconds: 1,
      earliest: 1,
      how: 'model',
    });
    assert.deepEqual(of({ load: { holdMs: 0, close: 'reset' } }), { seconds: 0, earliest: 0, how: 'model' });
  });
});

describe('the step for a rate', () => {
  for (const rate of [0.5, 1.667, 4, 123.4, 470, 1500]) {
    it(`begins with what ${rate}/s leaves in a minute, and ends before any of it is given back`, () => {
      const { arrival, how, seconds } = rateStep(rate, minute, SEARCH, false);
      assert.equal(how, 'scaled');
      assert.equal(scheduledAttempts(arrival), Math.ceil(rate * minute.seconds - 1e-9));
      assert.ok(seconds >= 3 && seconds < 40);
      assert.ok(arrival.shape === 'steps');
      assert.equal(arrival.rates[1], rate);
      const pacer = createPacer(arrival, 0, 1, 1);
      let last = 0;
      for (let at = pacer(); Number.isFinite(at); at = pacer()) last = at;
      assert.ok(last <= seconds * 1e6, 'the last attempt is due before the end');
    });
  }

  it('lasts the whole minute and longer where the burst would take too long, or would be slow', () => {
    for (const [rate, proxied, p99Ms] of [
      [5000, false, null],
      [400, true, null],
      [100, false, 50],
    ] as const) {
      const { arrival, how } = rateStep(rate, minute, { ...SEARCH, p99Ms }, proxied);
      assert.equal(how, 'in full');
      assert.ok(arrival.shape === 'constant' && arrival.rate === rate && arrival.durationMs >= 66_000);
    }
  });

  it('lasts three times as long as a tuple is in use where that is short', () => {
    assert.deepEqual(rateStep(100, { seconds: 2, earliest: 2, how: 'model' }, SEARCH, false), {
      arrival: { shape: 'constant', rate: 100, durationMs: 6000 },
      how: 'in full',
      seconds: 6,
    });
  });

  it('has a few attempts, whatever the rate', () => {
    assert.equal(scheduledAttempts(rateStep(0.1, { seconds: 1, earliest: 1, how: 'model' }, SEARCH, false).arrival), 3);
    assert.equal(rateStep(0.1, { seconds: 0, earliest: 0, how: 'model' }, SEARCH, false).how, 'unbound');
  });
});
