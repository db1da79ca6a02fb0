import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomStream } from '../../src/domain/random.js';
import { type Asked, clockAhead } from '../../src/fleet/together/clock.js';

/** A clock that is ahead by so much. @param there @param back microseconds on the way */
const asked = (ahead: number, there: number, back: number, before = 1_000_000): Asked => ({
  before,
  said: before + there + ahead,
  after: before + there + back,
});

describe('what the clock of another machine shows', () => {
  it('is known to half of the time that one answer took', () => {
    assert.deepEqual(clockAhead([asked(5_000, 300, 100)]), { aheadMicros: 5_100, unsureMicros: 200 });
  });

  it('is known better by an answer that was slow one way and one that was slow the other way', () => {
    const all = [asked(-7_000, 20, 9_000), asked(-7_000, 9_000, 20)];
    assert.deepEqual(clockAhead(all), { aheadMicros: -7_000, unsureMicros: 20 });
  });

  it('is never further from the truth than it says, whatever the ways take', () => {
    const random = randomStream(1, 'clock');
    for (let round = 0; round < 1_000; round++) {
      const ahead = Math.round((random() - 0.5) * 1e9);
      const all = Array.from({ length: 1 + Math.floor(random() * 10) }, (_, i) =>
        asked(ahead, Math.round(random() * 1e5), Math.round(random() * 1e5), i * 1e6),
      );
      const { aheadMicros, unsureMicros } = clockAhead(all);
      assert.ok(Math.abs(aheadMicros - ahead) <= unsureMicros);
      assert.ok(unsureMicros <= Math.min(...all.map(({ before, after }) => (after - before) / 2)));
    }
  });

  it('is taken from bounds that have changed places since the clocks go differently', () => {
    const { aheadMicros, unsureMicros } = clockAhead([asked(100, 0, 0), asked(103, 0, 0)]);
    assert.equal(aheadMicros, 101.5);
    assert.equal(unsureMicros, 1.5);
  });
});
