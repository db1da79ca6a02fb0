import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharesConnection } from '../../src/load/http/http-connections.js';

function shared(attempts: number, share: boolean | number, step = 1, first = 0): number {
  let count = 0;
  for (let n = first; n < attempts; n += step) if (sharesConnection(n, share)) count++;
  return count;
}

test('all, none, and a share to within one attempt, however many there are', () => {
  assert.deepEqual([shared(1000, true), shared(1000, false)], [1000, 0]);
  for (const share of [0.1, 0.25, 0.5, 0.8, 0.9])
    for (const attempts of [10, 99, 100, 1000, 12_345])
      assert.ok(Math.abs(shared(attempts, share) - share * attempts) <= 2, `${share} of ${attempts}`);
});

test('the attempts of each address and of each worker have the same share', () => {
  for (const share of [0.25, 0.5, 0.8])
    for (const every of [2, 4, 5, 10, 50])
      for (let first = 0; first < every; first++)
        assert.ok(
          Math.abs(shared(5000, share, every, first) - (share * 5000) / every) <= 4,
          `${share}, ${first} mod ${every}`,
        );
});
