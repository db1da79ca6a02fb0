import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClientDialer } from '../../src/load/strategy.js';

for (const [groups, size] of [
  [50, 5],
  [3, 4],
  [1, 7],
] as const)
  test(`${size} client addresses for each of ${groups} groups: taken in turn, each as often as the others`, () => {
    const addresses = Array.from({ length: groups * size }, (_, i) => `10.9.${Math.floor(i / 250)}.${(i % 250) + 1}`);
    const dialer = createClientDialer(addresses, groups);
    const used = new Map<number, number>();
    for (let n = 0; n < 2 * groups * size; n++) {
      const address = dialer.bindAddress(n % groups, n);
      used.set(address, (used.get(address) ?? 0) + 1);
    }
    assert.equal(used.size, groups * size);
    assert.deepEqual([...new Set(used.values())], [2]);
  });
