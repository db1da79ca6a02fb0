import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { takeLease } from '../../src/fleet/controller/lease.js';
import { fakeBus } from '../support/fake-bus.js';

const BEAT_MS = 10;

describe('the lease of an experiment', () => {
  it('is kept where the answer to a renewal is lost', async (t) => {
    const { bus, loseAnswers } = fakeBus();
    const lease = await takeLease(bus, 'x', BEAT_MS);
    t.after(lease.release);
    for (let i = 0; i < 5; i++) {
      loseAnswers(1);
      await sleep(3 * BEAT_MS);
    }
    assert.equal(lease.lost.aborted, false);
  });

  it('is kept where the server has forgotten it', async (t) => {
    const { bus, forget } = fakeBus();
    const lease = await takeLease(bus, 'x', BEAT_MS);
    t.after(lease.release);
    forget();
    await sleep(5 * BEAT_MS);
    assert.equal(lease.lost.aborted, false);
    await assert.rejects(takeLease(bus, 'x', BEAT_MS), /another controller has the experiment x/);
  });

  it('is lost to who has taken it while this one was silent', async (t) => {
    const { bus, forget } = fakeBus();
    const first = await takeLease(bus, 'x', BEAT_MS);
    t.after(first.release);
    forget();
    const second = await takeLease(bus, 'x', BEAT_MS);
    t.after(second.release);
    await sleep(5 * BEAT_MS);
    assert.deepEqual([first.lost.aborted, second.lost.aborted], [true, false]);
    second.release();
    const third = await takeLease(bus, 'x', BEAT_MS);
    t.after(third.release);
    await sleep(5 * BEAT_MS);
    assert.equal(third.lost.aborted, false);
  });
});
