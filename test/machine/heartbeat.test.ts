import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitingFor } from '../../src/machine/heartbeat.js';

test('what takes long is said to be waited for until it has ended, whichever way', async () => {
  const said: string[] = [];
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const slow = wait(70).then(() => 'done');
  assert.equal(await waitingFor('a slow lab', slow, (text) => said.push(text), 20), 'done');
  assert.ok(said.length >= 1, 'it was said');
  assert.equal(said[0], 'waiting for a slow lab, for 0 s so far');
  const before = said.length;
  await assert.rejects(
    waitingFor('a lab that fails', Promise.reject(new Error('no')), (text) => said.push(text), 20),
    /no/,
  );
  await wait(70);
  assert.equal(said.length, before, 'and no more of it afterwards');
});
