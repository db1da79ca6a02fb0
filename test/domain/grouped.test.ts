import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grouped } from '../../src/domain/grouped.js';
import { randomStream } from '../../src/domain/random.js';

// Of more than 15 digits Intl rounds the shortest text of a number, and toFixed() the number.
test('numbers have the text that Intl gives them', () => {
  const random = randomStream(7, 'grouped');
  const some = [0, 999, 1000, -1000, 999_999.9995, 0.0005, -0.0004, 1e15, 1e21, -3e22, Number.NaN, Infinity];
  for (let i = 0; i < 2000; i++) some.push((random() - 0.5) * 10 ** Math.floor(random() * 9));
  for (const most of [0, 1, 3]) {
    const format = new Intl.NumberFormat('en-US', { maximumFractionDigits: most });
    for (const value of some) assert.equal(grouped(value, most), format.format(value), String(value));
  }
  assert.equal(grouped(12_345.6), '12,345.6');
});
