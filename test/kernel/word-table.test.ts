import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomStream } from '../../src/domain/random.js';
import { createHeavyHitters } from '../../src/kernel/heavy-hitters.js';
import { createInodeSet } from '../../src/kernel/inode-set.js';
import { createWordTable } from '../../src/kernel/word-table.js';

test('equal keys have one number, others another, through every growth', () => {
  const table = createWordTable(3);
  const set = (i: number) => table.key.set([i % 7, i, 0xffffffff - (i >>> 3)]);
  for (let i = 0; i < 5000; i++) {
    set(i);
    assert.equal(table.entry(), i);
    assert.equal(table.entry(), i, 'and is not added twice');
  }
  assert.equal(table.size(), 5000);
  for (let i = 4999; i >= 0; i--) {
    set(i);
    assert.equal(table.entry(), i);
    assert.deepEqual(
      [0, 1, 2].map((word) => table.wordOf(i, word)),
      [i % 7, i, 0xffffffff - (i >>> 3)],
    );
  }
  assert.equal(table.size(), 5000);
});

test('keys that differ in one word only are different, whichever word it is', () => {
  const table = createWordTable(4);
  const keys = [0, 1, 2, 3].map((word) => [5, 5, 5, 5].with(word, 6));
  assert.deepEqual(
    [[5, 5, 5, 5], ...keys].map((key) => {
      table.key.set(key);
      return table.entry();
    }),
    [0, 1, 2, 3, 4],
  );
});

test('a table that was cleared knows nothing and counts from 0 again', () => {
  const table = createWordTable(1);
  for (const value of [3, 4, 5]) {
    table.key[0] = value;
    table.entry();
  }
  table.clear();
  assert.equal(table.size(), 0);
  table.key[0] = 5;
  assert.equal(table.entry(), 0);
});

function countAll(values: Iterable<number>, limit: number) {
  const hitters = createHeavyHitters(2, limit);
  for (const value of values) {
    hitters.key.set([value, value * 2]);
    hitters.add(1);
  }
  const counts = new Map<number, number>();
  hitters.forEach((count, wordOf) => {
    assert.equal(wordOf(1), wordOf(0) * 2, 'the whole key is kept');
    counts.set(wordOf(0), count);
  });
  return { counts, missed: hitters.missed(), hitters };
}

test('counts are exact up to the limit', () => {
  const { counts, missed } = countAll([7, 8, 7, 9, 7, 8, 10], 4);
  assert.equal(missed, 0);
  assert.deepEqual(
    [...counts].sort(),
    [
      [10, 1],
      [7, 3],
      [8, 2],
      [9, 1],
    ].sort(),
  );
});

test('beyond the limit no count is above the truth, none is below by more than it says, and memory stays bounded', () => {
  const random = randomStream(1, 'heavy');
  const truth = new Map<number, number>();
  const values = Array.from({ length: 60_000 }, (_, i) => {
    // Every third is one of five busy ones; the others come once or twice.
    const value = i % 3 === 0 ? 1 + (i % 5) : 100 + Math.floor(random() * 30_000);
    truth.set(value, (truth.get(value) ?? 0) + 1);
    return value;
  });
  const { counts, missed } = countAll(values, 256);
  assert.ok(counts.size <= 256);
  assert.ok(missed > 0 && missed <= 60_000 / 128, String(missed));
  for (const [value, count] of counts) {
    assert.ok(count <= truth.get(value)!, `${value} above the truth`);
    assert.ok(count >= truth.get(value)! - missed, `${value} below by more than ${missed}`);
  }
  for (const busy of [1, 2, 3, 4, 5]) assert.ok(counts.has(busy), `${busy} is among the busiest`);
});

test('what was counted before is forgotten when cleared', () => {
  const { hitters } = countAll([1, 2, 3, 4, 5, 6, 7, 8, 9], 4);
  assert.ok(hitters.missed() > 0);
  hitters.clear();
  assert.equal(hitters.missed(), 0);
  hitters.key.set([1, 2]);
  hitters.add(1);
  const seen: number[] = [];
  hitters.forEach((count) => void seen.push(count));
  assert.deepEqual(seen, [1]);
});

test('a set of inodes has what was added and nothing else, and says how many found no room', () => {
  const set = createInodeSet(3000);
  for (let inode = 10; inode < 40_000; inode += 10) set.add(inode);
  for (let inode = 10; inode < 40_000; inode += 10) set.add(inode);
  assert.equal(set.size(), 3000);
  assert.ok(set.has(10) && set.has(30_000));
  assert.ok(!set.has(11) && !set.has(30_010));
  assert.equal(set.left(), 2 * 999);
  set.clear();
  assert.deepEqual([set.size(), set.left(), set.has(10)], [0, 0, false]);
});
