/** The seconds of several machines, put together while a run goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeeting } from '../../src/fleet/together/merge.js';
import { makeExperiment, makeSecond } from '../support/runs.js';

test('a second is whole when every machine has said it, and has the addresses of all in order', () => {
  const [arm] = makeExperiment({ variants: ['a'], repeat: 2 }).arms;
  const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
  const meeting = createMeeting({ ...arm!, addresses }, [
    { name: 'a', addresses: ['10.0.0.3', '10.0.0.1'] },
    { name: 'b', addresses: ['10.0.0.2'] },
  ]);
  const said = (t: number, ok: number, portsPerAddress: number[] | null) =>
    makeSecond({ t, outcomes: { ok }, portsPerAddress });
  assert.deepEqual(meeting.take('a', said(1, 5, [30, 10])), []);
  assert.deepEqual(meeting.take('a', said(2, 6, null)), []);
  assert.deepEqual(meeting.take('nobody', said(1, 100, null)), []);
  const [first, ...more] = meeting.take('b', said(1.1, 7, [20]));
  assert.equal(more.length, 0);
  assert.deepEqual([first!.t, first!.outcomes, first!.portsPerAddress], [1.1, { ok: 12 }, [10, 20, 30]]);
  const [second] = meeting.take('b', said(2, 1, [21]));
  assert.deepEqual([second!.outcomes, second!.portsPerAddress], [{ ok: 7 }, null]);
});
