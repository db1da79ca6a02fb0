import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Epoll } from '../../src/kernel/epoll.js';
import { monotonicMicros as now } from '../../src/kernel/libc.js';
import { createEventLoop, type Followed } from '../../src/load/event-loop.js';
import type { Starter } from '../../src/load/starter.js';

const NEVER = Number.POSITIVE_INFINITY;
/** How long an attempt may take, and a stall that is longer, µs. */
const TIMEOUT = 20_000;
const STALL = 150_000;

/**
 * Attempts that are all begun at once, in a turn that the machine keeps from its CPU for longer than any of them may take, and whose answers are
 * there meanwhile.
 * @param batch events that epoll gives at once @returns what became of each
 */
function stalled(attempts: number, answered: number, batch: number): string[] {
  const ends: string[] = Array.from({ length: attempts }, () => '');
  const pending = () => ends.filter((end) => end === '').length;
  const ready = Array.from({ length: answered }, (_, i) => i);
  let begun = NEVER;
  const epoll: Epoll = {
    capacity: batch,
    descriptor: -1,
    add: () => assert.fail(),
    modify: () => assert.fail(),
    remove: () => assert.fail(),
    wait(micros) {
      if (ready.length === 0) {
        for (const end = now() + micros; now() < end; );
        return 0;
      }
      return Math.min(batch, ready.length);
    },
    fdAt: () => ready.shift()!,
    eventsAt: () => 1,
    close() {},
  };
  const followed: Followed = {
    pending,
    attempt: () => assert.fail(),
    onEvents(found) {
      for (let i = 0; i < found; i++) {
        const fd = epoll.fdAt(i);
        assert.equal(ends[fd], '');
        ends[fd] = 'answered';
      }
    },
    listen: () => false,
    expire(at) {
      if (at - begun < TIMEOUT) return begun + TIMEOUT;
      for (const [i, end] of ends.entries()) if (end === '') ends[i] = 'given up';
      return NEVER;
    },
    closeAll() {},
  };
  const starter: Starter = {
    start(at) {
      if (begun === NEVER) {
        begun = at;
        while (now() < at + STALL);
      }
      return NEVER;
    },
    finished: () => begun !== NEVER,
  };
  void createEventLoop(epoll, followed, () => {}).load(starter, () => false);
  return ends;
}

const times = (count: number, what: string) => Array.from({ length: count }, () => what);

describe('a loop that was kept from its CPU', () => {
  it('looks at what has come before it gives up for want of it', () => {
    assert.deepEqual(stalled(10, 10, 64), times(10, 'answered'));
  });

  it('takes all of it, in as many batches as that is', () => {
    assert.deepEqual(stalled(100, 100, 8), times(100, 'answered'));
  });

  it('gives up what has not come', () => {
    assert.deepEqual(stalled(10, 4, 64), [...times(4, 'answered'), ...times(6, 'given up')]);
    assert.deepEqual(stalled(16, 8, 8), [...times(8, 'answered'), ...times(8, 'given up')]);
  });
});
