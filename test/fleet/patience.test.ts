import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { FleetError, NoAnswer } from '../../src/fleet/bus.js';
import { patiently, pause } from '../../src/fleet/patience.js';

describe('asking again', () => {
  it('goes on until there is an answer, and says once what is in the way', async () => {
    const notes: string[] = [];
    let tries = 0;
    const work = async () => {
      if (++tries < 3) throw new NoAnswer('it is away', 'wait');
      return 'here';
    };
    assert.equal(await patiently({ ms: 5_000, note: (text) => notes.push(text) }, work), 'here');
    assert.deepEqual(notes, ['it is away; asked again for up to 5 s']);
  });

  it('ends with the time, and at once where asking again changes nothing', async () => {
    let tries = 0;
    const failing = (error: Error) => async () => {
      tries++;
      throw error;
    };
    await assert.rejects(patiently({ ms: 300, note() {} }, failing(new NoAnswer('it is away', 'wait'))), /it is away/);
    assert.ok(tries >= 2 && tries <= 4, `${tries}`);
    tries = 0;
    await assert.rejects(patiently({ ms: 60_000, note() {} }, failing(new FleetError('no'))), /no/);
    assert.equal(tries, 1);
    const signal = AbortSignal.abort();
    await assert.rejects(patiently({ ms: 60_000, note() {}, signal }, failing(new NoAnswer('it is away', 'wait'))));
    assert.equal(tries, 2);
  });

  it('leaves nothing on a signal that lives for long', async () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 20; i++) await pause(1, signal);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
});
