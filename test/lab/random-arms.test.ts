/** A share of the random arms that `npm run fuzz -- --arms` puts to the kernel. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzArms } from '../support/fuzz/arms.js';
import { SETTINGS } from '../support/random-arms.js';

for (const setting of SETTINGS) {
  const { family, close, exchange, held } = setting;
  test(`random arms, IPv${family}, close: ${close}, ${exchange ? 'an exchange' : 'no exchange'}${held === null ? '' : held ? ', held' : ', not held'}`, async () => {
    const { tried, failures, detail } = await fuzzArms(75, 1, () => {}, [setting]);
    assert.deepEqual(failures, []);
    assert.equal(tried, 75, detail);
  });
}
